// The live parts: the bus between nodes, live access, and the open rooms.

import { CloseCode } from '../../shared/protocol.ts'
import { recordContested, recordLeave, recordRelayed } from '../audit/rooms.ts'
import { BoardAccess } from '../boards/access.ts'
import { type AskedText, instanceText } from '../boards/consent/instance-text.ts'
import { joinCluster } from '../cluster/join.ts'
import { SharedCounts, shareTries } from '../cluster/shared-limits.ts'
import { commentNews } from '../comments/events.ts'
import { DocumentWorker } from '../documents/document-worker.ts'
import { clusterMetrics } from '../http/cluster-metrics.ts'
import { publicUrlOf } from '../http/origins.ts'
import { roomMetrics } from '../http/room-metrics.ts'
import { Rooms } from '../rooms/rooms.ts'
import type { Given } from './given.ts'
import type { Records } from './records.ts'

export type Live = Awaited<ReturnType<typeof openLive>>

export async function openLive(given: Given, records: Records) {
  const { database, config, log, opened, registry, rates } = given
  const { presence, trail, notifications, worker, updateLog } = records
  // A thread of its own: expensive updates queue here and never delay a fold.
  const dryRuns = new DocumentWorker({ log, timeoutMs: 30_000, maxWaiting: 32 })
  opened.add('dry runs', () => dryRuns.close())
  const consent = await consentOf(given)
  const access = new BoardAccess(database.db, config.publicBoards, {
    asked: consent.text,
    urlFor: consent.urlFor,
  })

  const cluster = await joinCluster({
    ...{ config, database, log, nodeId: presence.serverId },
    silentNodes: (heard) => presence.silentNodes(heard),
  })
  opened.add('bus', () => cluster?.close())
  const counts = cluster === null ? null : new SharedCounts(cluster)
  opened.add('shared counts', () => counts?.close())
  if (cluster !== null) {
    shareTries(cluster, rates)
    clusterMetrics(registry, cluster)
  }

  const rooms = new Rooms({
    log: updateLog,
    nodes: cluster ?? undefined,
    access,
    limits: { ...config, inspection: given.inspection },
    logger: log,
    fold: (stored) => worker.joinStored(stored, config.maxBoardBytes),
    cut: (state) => worker.run('cut', { state }),
    dryRun: (question) => dryRuns.run('dryRun', question),
    ...(given.goOnUnsavedMs === undefined ? {} : { goOnUnsavedMs: given.goOnUnsavedMs }),
    onLeave: (connection, code, reason) =>
      recordLeave({ trail, presence, log }, connection, { code, reason }),
    onRelayed: (by, relayed) => recordRelayed(trail, by, relayed, log),
    onContested: (owner, contested) => recordContested(trail, owner, contested, log),
  })
  cluster?.onStranded(() => rooms.endAll(CloseCode.busy, 'this node is cut off; try again in a moment'))
  notifications.onAccess((payloads) => rooms.rights.notified(payloads))
  const news = commentNews({ db: database.db, log }, (boardId, event) => rooms.broadcastEvent(boardId, event))
  notifications.onEvent(({ boardId, event }) => {
    if (event.type === 'library') rooms.broadcastEverywhere(event)
    else if (event.type !== 'comment') rooms.broadcastEvent(boardId, event)
    else if (rooms.isOpen(boardId)) news(boardId, event)
  })
  roomMetrics(registry, rooms, notifications)
  return { access, consent, cluster, counts, rooms }
}

/** The text that everybody must accept, if there is one, and where to read it. */
async function consentOf({ database, config, clientFolder }: Given): Promise<{
  text: AskedText | null
  urlFor: (boardId?: string) => string
}> {
  return {
    text: await instanceText(database.db, config),
    urlFor(boardId) {
      const url = publicUrlOf(config, null)
      if (clientFolder === null)
        return `${url}/api/consent${boardId === undefined ? '' : `?board_id=${boardId}`}`
      return `${url}/consent${boardId === undefined ? '' : `?board=${boardId}`}`
    },
  }
}
