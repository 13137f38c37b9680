// The library: wires every part. The one file that knows all of them. It never listens, prints, reads argv or the
// environment, installs signal handlers or ends the process; `close` leaves nothing behind.
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { getRequestListener } from '@hono/node-server'
import type pg from 'pg'
import { type Logger, pino } from 'pino'
import { Registry } from 'prom-client'
import type { Level } from '../shared/levels.ts'
import { CloseCode } from '../shared/protocol.ts'
import { createAuth } from './accounts/auth.ts'
import type { AuthDeps } from './accounts/auth-deps.ts'
import { authRoutes } from './accounts/auth-routes.ts'
import { cookieNames } from './accounts/cookies.ts'
import { foreignTokens } from './accounts/foreign-tokens.ts'
import { Guests } from './accounts/guests.ts'
import { type Authenticate, type IdentifyDeps, identifyRequest, identifySocket } from './accounts/identify.ts'
import { peopleRoutes } from './accounts/people/routes.ts'
import { accountRoutes, ticketRoutes } from './accounts/routes.ts'
import { serviceKeyRoutes } from './accounts/service-keys/routes.ts'
import { setupLink } from './accounts/setup.ts'
import { ssoRoutes } from './accounts/sso/routes.ts'
import { ssoSettings } from './accounts/sso/settings.ts'
import { makeTicket, ticketKeyOf } from './accounts/tickets.ts'
import { AgentJournal } from './agents/journal.ts'
import { mcpRoutes } from './agents/mcp-routes.ts'
import { agentRoutes } from './agents/routes.ts'
import { recordedApart } from './audit/actor.ts'
import { AuditChain } from './audit/chain.ts'
import { ServerPresence } from './audit/leaves.ts'
import { recordContested, recordLeave, recordRelayed } from './audit/rooms.ts'
import { auditRoutes } from './audit/routes.ts'
import { AuditTrail } from './audit/trail.ts'
import { admitBody, BoardAccess, requireLevel, requireManage } from './boards/access.ts'
import { backgrounds } from './boards/background.ts'
import { instanceText } from './boards/consent/instance-text.ts'
import type { BoardsDeps } from './boards/deps.ts'
import { instanceRoutes } from './boards/instance-routes.ts'
import { RecordTexts } from './boards/records/following.ts'
import { boardsRoutes } from './boards/routes.ts'
import { everywhere } from './cluster/everywhere.ts'
import { joinCluster } from './cluster/join.ts'
import { SharedCounts, shareTries } from './cluster/shared-limits.ts'
import type { CommentsDeps } from './comments/deps.ts'
import { CommentMail } from './comments/digest.ts'
import { commentNews } from './comments/events.ts'
import { copyThreads, threadsJson } from './comments/export-queries.ts'
import { commentRoutes } from './comments/routes.ts'
import { type Config, configWith } from './config.ts'
import { type Database, openDatabase } from './database/database.ts'
import { DiskWatch } from './database/disk-space.ts'
import { migrateUp } from './database/migrate.ts'
import { Notifications } from './database/notifications.ts'
import { takeServerLock } from './database/server-lock.ts'
import { DocumentWorker } from './documents/document-worker.ts'
import { BoardroomError } from './errors.ts'
import { Admission } from './http/admission.ts'
import { createApp, pathOwner } from './http/app.ts'
import { clusterMetrics } from './http/cluster-metrics.ts'
import { isHttps, isOurOrigin, publicUrlOf } from './http/origins.ts'
import { PlainConnections } from './http/plain-connections.ts'
import { refusalCounter, roomMetrics } from './http/room-metrics.ts'
import { storageMetrics } from './http/storage-metrics.ts'
import { Upgrades } from './http/upgrade.ts'
import { closing, OpenedParts } from './opened-parts.ts'
import type { Identity } from './principal.ts'
import { cleanUp } from './privacy/retention.ts'
import { privacyRoutes } from './privacy/routes.ts'
import type { InspectionLimits } from './rooms/ports.ts'
import { Rooms } from './rooms/rooms.ts'
import { addressKey, addressReader, loopback, networkTest } from './routing/addresses.ts'
import { unreadableRequest } from './routing/errors.ts'
import { rateLimits } from './routing/rate-limits.ts'
import { type Services, servicesOf } from './services.ts'
import { boardDocuments } from './storage/board-documents.ts'
import type { StorageDeps } from './storage/deps.ts'
import { copyDocument } from './storage/documents.ts'
import { Compaction } from './storage/log/compaction.ts'
import { PostgresUpdateLog } from './storage/log/update-log.ts'
import { storageRoutes } from './storage/routes.ts'
import { readVersion } from './version.ts'
import type { WebhookPace } from './webhooks/sender.ts'
import { startWebhooks } from './webhooks/start.ts'

/** Besides these, every setting of `.env.example` under its name in code: `publicUrl`, `maxFrameBytes`, … */
export interface BoardroomOptions extends Partial<Config> {
  /** A URL, your own pool (left open by `close`), or an opened database. Tables live in a schema of their own. */
  database: string | pg.Pool | Database
  /** Signs tickets and sessions: at least 32 characters, the same on every start. */
  secret: string
  /** Says who is asking, in place of the built-in sign-in. Tickets and share links keep working. */
  authenticate?: Authenticate
  /** Default: nothing is logged. */
  logger?: Logger
  /** Migrate the tables to this version first. Default: true. */
  migrate?: boolean
  /** Folder of the built canvas, to serve the pages as well; null (default): API and sockets alone. */
  clientFolder?: string | null
  /** Folder of the embedded database, whose disk is watched; null (default): the database is elsewhere. */
  dataFolder?: string | null
  /** How long to wait for another server on this database to stop; not used with an opened `Database`, which its opener has locked. Default: 60 s. */
  waitForServerMs?: number
  /** How long rooms stay open while the database is away, before their connections are closed with 4503. Default: a minute. */
  goOnUnsavedMs?: number
  /** How often the server checks that notifications from the database still arrive. Default: 5 s. */
  heartbeatMs?: number
  /** How webhooks are tried again, in place of days. */
  webhookPace?: Partial<WebhookPace>
  /** Which of several processes behind one port this is, in `/metrics`, and how each answers there for all of them. */
  metricsOf?: { worker: string; all: (own: () => Promise<string>) => () => Promise<string> }
  /** Tighter limits on what clients may send, besides those that are settings. Default: those of docs/security.md. */
  inspection?: InspectionLimits
}

export interface Boardroom extends Services {
  /** A handler for `http.createServer`. @returns false, and untouched, where the path is not ours. */
  handleRequest(request: IncomingMessage, response: ServerResponse): boolean
  /**
   * For the `connection` event (`secureConnection` of an https server), so that connections are counted and limited.
   * @returns false where too many are open: it has been answered and closed.
   */
  handleConnection(socket: Socket): boolean
  /** For the `upgrade` event. @returns false, and untouched, where the path is not ours. */
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): boolean
  /** A link that makes the first account, null where there is a sysadmin. */
  setupLink(): Promise<string | null>
  /** Refuses joins, flushes rooms and the trail, closes sockets with 1012 spread over `drainMs` (default 5 s), and frees everything. */
  close(options?: { drainMs?: number }): Promise<void>
}

/**
 * Starts a Boardroom inside this process.
 * @throws BoardroomError invalid_config | database_unreachable | database_too_new | database_in_use (by another
 *   server, which would not hear the rooms of this one)
 */
export async function createBoardroom(options: BoardroomOptions): Promise<Boardroom> {
  const {
    database: given,
    authenticate,
    logger,
    migrate = true,
    clientFolder = null,
    dataFolder = null,
    waitForServerMs,
    goOnUnsavedMs,
    heartbeatMs,
    inspection,
    webhookPace,
    ...settings
  } = options
  const config = configWith(settings)
  const log = logger ?? pino({ level: 'silent' })
  const database = await open(given, config, log)
  const opened = new OpenedParts()
  opened.add('database', () => (database === given ? undefined : database.close()))
  try {
    if (!isDatabase(given)) {
      const lock = await takeServerLock({
        direct: database.direct,
        schema: database.schema,
        log,
        isShared: config.natsUrl !== undefined,
        patienceMs: waitForServerMs,
        onWaiting: (message) => log.warn(message),
      })
      opened.add('server lock', () => lock.release())
    }
    if (migrate) await migrateUp(database)
    return await start({
      database,
      config: { ...config, secret: options.secret },
      log,
      clientFolder,
      dataFolder,
      goOnUnsavedMs,
      heartbeatMs,
      inspection,
      webhookPace,
      metricsOf: options.metricsOf,
      authenticate,
      opened,
    })
  } catch (error) {
    await opened.close(log).catch(() => undefined) // logged; the cause is what counts
    throw error
  }
}

/** Where the operator says nothing: an address that at least names the server. */
const mailFromOf = (publicUrl: string): string => `Boardroom <boardroom@${new URL(publicUrl).hostname}>`

const forgetEveryMs = 60 * 60_000

const isDatabase = (given: BoardroomOptions['database']): given is Database =>
  typeof given === 'object' && 'db' in given

async function open(given: BoardroomOptions['database'], config: Config, log: Logger): Promise<Database> {
  if (isDatabase(given)) return given
  const { databaseSchema: schema, databasePool: poolSize, databaseDirectUrl: directConnectionString } = config
  const target = typeof given === 'string' ? { connectionString: given } : { pool: given }
  return openDatabase({ ...target, directConnectionString, schema, poolSize, log })
}

interface Parts {
  database: Database
  config: Config & { secret: string }
  log: Logger
  clientFolder: string | null
  dataFolder: string | null
  goOnUnsavedMs: number | undefined
  heartbeatMs: number | undefined
  inspection: InspectionLimits | undefined
  webhookPace: Partial<WebhookPace> | undefined
  metricsOf: BoardroomOptions['metricsOf']
  authenticate: Authenticate | undefined
  opened: OpenedParts
}

async function start({
  database,
  config,
  log,
  clientFolder,
  dataFolder,
  goOnUnsavedMs,
  heartbeatMs,
  inspection,
  webhookPace,
  metricsOf,
  authenticate,
  opened,
}: Parts): Promise<Boardroom> {
  const { db, schema } = database
  const isClosing = new AbortController()
  const rates = rateLimits(config)
  const registry = new Registry()
  if (metricsOf !== undefined) registry.setDefaultLabels({ worker: metricsOf.worker })

  const disk = dataFolder === null ? null : new DiskWatch(dataFolder, log)
  opened.add('disk watch', () => disk?.close())
  const presence = new ServerPresence(database, log)
  await presence.start({ oneOfSeveral: config.natsUrl !== undefined })
  opened.add('presence of the server', () => presence.close())
  const chain = new AuditChain({ database, log, headsFile: config.auditHeadsFile ?? null })
  await chain.start()
  opened.add('audit chain', () => chain.close())
  // Closed before the chain, which then seals its last rows.
  const trail = new AuditTrail({ database, log, serverId: presence.serverId })
  opened.add('audit trail', () => trail.close())

  const notifications = new Notifications({ direct: database.direct, schema, log, heartbeatMs })
  await notifications.start()
  opened.add('notifications', () => notifications.close())

  const worker = new DocumentWorker({ log })
  opened.add('document worker', () => worker.close())
  // A thread of its own: expensive updates wait for each other here, and never hold up a fold.
  const dryRuns = new DocumentWorker({ log, timeoutMs: 30_000, maxWaiting: 32 })
  opened.add('dry runs', () => dryRuns.close())
  const compaction = new Compaction({ database, worker, log, restMs: 2000 })
  opened.add('compaction', () => compaction.close())
  const updateLog = new PostgresUpdateLog({
    ...{ database, log, keeper: compaction },
    onAgentEdits: () => journal.committed(),
  })
  opened.add('update log', () => updateLog.close())

  const askedText = await instanceText(db, config)
  const consentUrl = (boardId?: string) => {
    const query = boardId === undefined ? '' : `board=${boardId}`
    return clientFolder === null
      ? `${publicUrlOf(config, null)}/api/consent${query && `?board_id=${boardId}`}`
      : `${publicUrlOf(config, null)}/consent${query && `?${query}`}`
  }
  const access = new BoardAccess(db, config.publicBoards, { asked: askedText, urlFor: consentUrl })
  const journal = new AgentJournal({ db, log })
  opened.add("agents' journal", () => journal.close())
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
    limits: { ...config, inspection },
    logger: log,
    fold: (stored) => worker.foldStored(stored),
    cut: (state) => worker.run('cut', { state }),
    dryRun: (question) => dryRuns.run('dryRun', question),
    ...(goOnUnsavedMs === undefined ? {} : { goOnUnsavedMs }),
    onLeave: (connection, code, reason) =>
      recordLeave({ trail, presence, log }, connection, { code, reason }),
    onRelayed: (by, relayed) => recordRelayed(trail, by, relayed, log),
    onContested: (owner, contested) => recordContested(trail, owner, contested, log),
  })
  cluster?.onStranded(() => rooms.endAll(CloseCode.busy, 'this node is cut off; come back in a moment'))
  notifications.onAccess((payloads) => rooms.rights.notified(payloads))
  const news = commentNews({ db, log }, (boardId, event) => rooms.broadcastEvent(boardId, event))
  notifications.onEvent(({ boardId, event }) => {
    if (event.type === 'library') rooms.broadcastEverywhere(event)
    else if (event.type !== 'comment') rooms.broadcastEvent(boardId, event)
    else if (rooms.isOpen(boardId)) news(boardId, event)
  })
  roomMetrics(registry, rooms, notifications)
  storageMetrics(registry, { updateLog, compaction, disk })

  const ours = (origin: string, host: string | null) => isOurOrigin(config, origin, host)
  const urlFor = (host: string | null) => publicUrlOf(config, host)
  const boardUrl = (boardId: string, host: string | null) =>
    config.boardUrl?.replaceAll('{board_id}', boardId) ?? `${urlFor(host)}/b/${boardId}`
  const cookies = cookieNames(isHttps(config))
  const guests = new Guests(db, cookies)
  const authDeps: AuthDeps = {
    ...{ db, schema, cookies, trail, log },
    marked: database.marked(recordedApart),
    secret: config.secret,
    publicUrl: urlFor(null),
    isOurOrigin: ours,
    passwords: config.passwords,
  }
  const auth = createAuth(authDeps)
  const ssoSet = ssoSettings(config)
  const sso = ssoSet === null ? null : new (await import('./accounts/sso/sso.ts')).Sso(ssoSet, authDeps)
  const ticketKey = ticketKeyOf(config.secret)
  const identify: IdentifyDeps = {
    ...{ db, auth, guests, cookies, ticketKey, isOurOrigin: ours, authenticate },
    foreignTokens: foreignTokens(db, config),
    twoFactor: config.require2fa,
  }
  const addressOf = addressReader(config.trustedProxies, log)

  const documents = boardDocuments({
    worker,
    config,
    edit: (boardId, change, author) => rooms.applyAsServer(boardId, change, author),
    document: (boardId) => rooms.document(boardId),
  })
  const recordTexts = new RecordTexts({ db, documents, log, closing: isClosing.signal })
  const boards: BoardsDeps = {
    db,
    schema,
    access,
    publicBoards: config.publicBoards,
    instanceText: askedText,
    consentUrl,
    audit: trail,
    guests,
    limits: config,
    newGuests: rates.newGuests,
    failedGuesses: rates.failedLinks,
    makeTicket: async (identity, boardId) => (await makeTicket(ticketKey, identity, { boardId })).ticket,
    boardUrl,
    connections: everywhere(rooms, cluster),
    documents,
    recordTexts,
    copyDocument: async (trx, from, to) => {
      await copyDocument(trx, from, to)
      await copyThreads(trx, from, to)
    },
    notifications,
    closing: isClosing.signal,
    log,
  }

  const mayManage = (identity: Identity, boardId: string) =>
    requireManage(access, identity, boardId, { deleted: true })
  const needsLevel = async (
    identity: Identity,
    boardId: string,
    level: Level,
    { deleted = false }: { deleted?: boolean } = {},
  ) => {
    try {
      return await requireLevel(access, identity, boardId, level)
    } catch (error) {
      if (!deleted || !(error instanceof BoardroomError && error.code === 'board_deleted')) throw error
      return mayManage(identity, boardId)
    }
  }
  const storage: StorageDeps = {
    database,
    live: rooms,
    catchUp: (boardId) => compaction.catchUp(boardId),
    worker,
    requireLevel: needsLevel,
    trail,
    config,
    backgrounds: backgrounds(db, schema),
    threadsJson: (boardId) => threadsJson(db, boardId),
  }
  const mailer =
    config.smtpUrl === undefined
      ? null
      : (await import('./mail/mailer.ts')).createMailer({
          smtpUrl: config.smtpUrl,
          from: config.mailFrom ?? mailFromOf(urlFor(null)),
        })
  opened.add('mailer', () => mailer?.close())
  const comments: CommentsDeps = {
    db,
    schema,
    access,
    audit: trail,
    live: rooms,
    worker,
    limits: config,
    writes: rates.comments,
    mails: mailer !== null,
    secret: config.secret,
  }
  if (mailer !== null) {
    const mail = new CommentMail({
      ...{ db, access, mailer, log, secret: config.secret, publicUrl: urlFor(null) },
      minutes: config.mailDigestMinutes,
      boardUrl: (boardId) => boardUrl(boardId, null),
    })
    opened.add('mail of comments', () => mail.close())
  }
  const webhooks = startWebhooks({
    ...{ db, log, config, mailer, pace: webhookPace },
    publicUrl: urlFor(null),
  })
  opened.add('webhooks', () => webhooks.close())
  const agents = { db, access, trail, rooms, journal, comments, log, calls: rates.agentCalls }
  const signIn = { db, auth, trail, failedGuesses: rates.failedSignIns }
  const people: Parameters<typeof peopleRoutes>[0] = {
    ...{ ...signIn, mailer, config, log, cookies },
    ssoName: ssoSet?.name ?? null,
    mailsAsked: rates.mailsAsked,
    publicUrl: urlFor,
  }
  const checks = {
    database: async () => {
      await database.pool.query('select 1')
    },
    notifications: () => {
      if (!notifications.isListening) throw new Error('not listening')
    },
    saving: () => {
      if (!updateLog.isSaving) throw new Error('edits are not saved')
    },
  }
  const app = createApp({
    log,
    async identify(_request, incoming) {
      if (incoming === undefined) throw new BoardroomError('internal', 'a request without its node request')
      return { identity: await identifyRequest(identify, incoming), ip: addressOf(incoming) }
    },
    isOurOrigin: ours,
    publicUrl: () => urlFor(null),
    admitBody: (identity, boardId) => admitBody(access, identity, boardId),
    addressOf: (incoming) => (incoming === undefined ? null : addressOf(incoming)),
    recordDenied: ({ actor, boardId, reason, route }) =>
      trail.record({
        action: 'access_denied',
        actor,
        boardId,
        details: { reason, transport: 'http', route },
      }),
    headers: { publicUrl: urlFor(null), frameAncestors: config.frameAncestors },
    registry,
    metricsText: metricsOf?.all(() => registry.metrics()),
    checks,
    clientFolder,
    limits: config,
    version: readVersion(),
    mcp: mcpRoutes(agents, readVersion()),
    metricsToken: config.metricsToken,
    routers: [
      authRoutes({ ...signIn, config, guests, sso, publicUrl: urlFor(null) }),
      ssoRoutes({ ...signIn, sso, publicUrl: urlFor(null), cookies, log }),
      accountRoutes({ db, auth, guests, renames: rates.renames }),
      peopleRoutes(people),
      instanceRoutes({
        ...{ db, checks, limits: config, version: readVersion() },
        everyConnection: () => rooms.everyConnection(),
      }),
      serviceKeyRoutes({ db }),
      webhooks.routes,
      ticketRoutes({ db, ticketKey, requireLevel: needsLevel, publicUrl: urlFor }),
      boardsRoutes(boards),
      storageRoutes(storage),
      commentRoutes(comments),
      agentRoutes(agents),
      privacyRoutes({ db, schema, audit: trail }),
      auditRoutes({
        database,
        trail,
        log,
        notifications,
        requireManage: mayManage,
        closing: isClosing.signal,
      }),
    ],
  })
  const isOurs = pathOwner(app, clientFolder !== null)
  const listener = getRequestListener(app.fetch, {
    overrideGlobalObjects: false,
    errorHandler: unreadableRequest,
  })

  const plain = new PlainConnections({
    limits: config,
    isProxy: networkTest([...loopback, ...config.trustedProxies]),
    registry,
    log,
  })
  const upgrades = new Upgrades({
    identify: (request, boardId) => identifySocket(identify, request, boardId),
    addressOf(request) {
      const ip = addressOf(request)
      return { ip, key: addressKey(ip) }
    },
    isForeignPage: ({ headers }) =>
      headers.origin !== undefined && !ours(headers.origin, headers.host ?? null),
    admission: new Admission(config, rates, counts),
    rooms,
    trail,
    oweLeave: (connectionId) => presence.oweLeave(connectionId),
    isDatabaseWell: () => notifications.isListening && updateLog.isSaving && cluster?.isStranded !== true,
    logger: log,
    onRefused: refusalCounter(registry),
  })

  void recordTexts.followAll()
  const forgetting = setInterval(() => {
    void recordTexts.followAll()
    void cleanUp(db, config.retention, log, isClosing.signal)
  }, forgetEveryMs)
  opened.add('hourly cleaning', () => clearInterval(forgetting))

  let closed: Promise<void> | null = null
  const close = async (drainMs: number): Promise<void> => {
    isClosing.abort()
    await closing('joins', log, () => upgrades.close())
    await rooms.close({ spreadMs: drainMs })
    await opened.close(log)
  }

  return {
    ...servicesOf({ database, boards, access, rooms, storage, comments, ticketKey }),
    handleRequest(request, response) {
      if (!isOurs(request.url ?? '/')) return false
      void listener(request, response)
      return true
    },
    handleConnection: (socket) => plain.take(socket),
    handleUpgrade(request, socket, head) {
      if (!upgrades.handle(request, socket, head)) return false
      plain.release(socket)
      return true
    },
    setupLink: () => setupLink(db, urlFor(null)),
    close({ drainMs = 5000 } = {}) {
      closed ??= close(drainMs)
      return closed
    },
  }
}
