// The session of a board page. It starts before React and Excalidraw are loaded, so that the drawing loads in
// parallel and is usually there when they are ready.

import { systemClock } from '../../shared/client/clock.ts'
import { beforeRebuild } from '../../shared/protocol.ts'
import { BoardSession } from '../session.ts'
import { marks } from './device.ts'
import { secretInAddress } from './link-secret.ts'
import { deviceStore } from './outbox.ts'

let early: { boardId: string; session: BoardSession } | null = null

/** Starts for the board in the address; not if a share link must first be exchanged for access. */
export const openEarly = (): void => {
  const boardId = /^\/b\/([^/]+)\/?$/.exec(window.location.pathname)?.[1]
  if (boardId !== undefined && secretInAddress() === null) early = { boardId, session: open(boardId) }
}

/** The session that was started early, or else a new one. The caller closes it. */
export const takeSession = (boardId: string): BoardSession => {
  const started = early
  early = null
  if (started?.boardId === boardId) return started.session
  void started?.session.close()
  return open(boardId)
}

/** With a ticket, or anonymously, inside a frame. */
export const openBy = (boardId: string, ticket: string | null): BoardSession =>
  open(boardId, ticket === null ? {} : { ticket })

const open = (boardId: string, more: { ticket?: string } = {}): BoardSession => {
  const { protocol, host } = window.location
  const session = new BoardSession({
    serverUrl: `${protocol === 'https:' ? 'wss' : 'ws'}://${host}/ws`,
    boardId,
    socketClass: WebSocket,
    clock: systemClock,
    openStore: deviceStore(),
    marks,
    formerDocuments: () => formerDocuments(boardId),
    ...more,
  })
  session.open()
  return session
}

const formerDocuments = async (boardId: string): Promise<Uint8Array[]> => {
  // Hardly ever needed: not worth waiting for when a board is opened.
  const api = await import('../api.ts')
  const { items } = await api.listVersions(boardId)
  const former = items.filter(({ name }) => name === beforeRebuild)
  return Promise.all(former.map(({ id }) => api.getVersionDocument(boardId, id)))
}
