// The parts that need only the database: the trail and its chain, notifications, the update log and its compaction.
import { AgentJournal } from '../agents/journal.ts'
import { AuditChain } from '../audit/chain.ts'
import { ServerPresence } from '../audit/leaves.ts'
import { AuditTrail } from '../audit/trail.ts'
import { DiskWatch } from '../database/disk-space.ts'
import { Notifications } from '../database/notifications.ts'
import { WaitingWork } from '../database/waiting-work.ts'
import { DocumentWorker } from '../documents/document-worker.ts'
import { storageMetrics } from '../http/storage-metrics.ts'
import { Compaction } from '../storage/log/compaction.ts'
import { PostgresUpdateLog } from '../storage/log/update-log.ts'
import type { Given } from './given.ts'

export type Records = Awaited<ReturnType<typeof openRecords>>

export async function openRecords({
  database,
  config,
  log,
  dataFolder,
  heartbeatMs,
  webhookPace,
  registry,
  opened,
}: Given) {
  const disk = dataFolder === null ? null : new DiskWatch(dataFolder, log)
  opened.add('disk watch', () => disk?.close())
  const presence = new ServerPresence(database, log)
  await presence.start({ oneOfSeveral: config.natsUrl !== undefined })
  opened.add('presence of the server', () => presence.close())
  const waiting = new WaitingWork({ db: database.db, log, everyMs: webhookPace?.pollMs })
  const chain = new AuditChain({ database, log, headsFile: config.auditHeadsFile ?? null, waiting })
  await chain.start()
  opened.add('audit chain', () => chain.close())
  waiting.start()
  opened.add('waiting work', () => waiting.close())
  // Closed before the chain, which then seals its last rows.
  const trail = new AuditTrail({ database, log, serverId: presence.serverId })
  opened.add('audit trail', () => trail.close())

  const notifications = new Notifications({
    ...{ direct: database.direct, schema: database.schema },
    ...{ log, heartbeatMs },
  })
  await notifications.start()
  opened.add('notifications', () => notifications.close())

  const worker = new DocumentWorker({ log, isPatient: true })
  opened.add('document worker', () => worker.close())
  const compaction = new Compaction({ database, worker, log, restMs: 2000 })
  opened.add('compaction', () => compaction.close())
  const journal = new AgentJournal({ db: database.db, log })
  const updateLog = new PostgresUpdateLog({
    ...{ database, log, keeper: compaction },
    onAgentEdits: () => journal.committed(),
  })
  opened.add('update log', () => updateLog.close())
  // Rooms have been flushed by then, so it closes before the log.
  opened.add("agents' journal", () => journal.close())
  storageMetrics(registry, { updateLog, compaction, disk })
  return { presence, trail, notifications, worker, compaction, journal, updateLog, waiting }
}
