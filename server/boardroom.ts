// The library: opens every part in order (parts/) and closes what it opened. It never listens, prints, reads argv or the
// environment, installs signal handlers or ends the process; `close` leaves nothing behind.
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type pg from 'pg'
import { type Logger, pino } from 'pino'
import { Registry } from 'prom-client'
import type { Authenticate } from './accounts/identify.ts'
import { setupLink } from './accounts/setup.ts'
import { type Config, configWith } from './config.ts'
import { type Database, openDatabase } from './database/database.ts'
import { migrateUp } from './database/migrate.ts'
import { takeServerLock } from './database/server-lock.ts'
import { openEdge } from './parts/edge.ts'
import type { Given, MetricsOf } from './parts/given.ts'
import { openHourly } from './parts/hourly.ts'
import { openLive } from './parts/live.ts'
import { openNouns } from './parts/nouns.ts'
import { closing, OpenedParts } from './parts/opened-parts.ts'
import { openPeople } from './parts/people.ts'
import { openRecords } from './parts/records.ts'
import type { InspectionLimits } from './rooms/ports.ts'
import { rateLimits } from './routing/rate-limits.ts'
import { type Services, servicesOf } from './services.ts'
import type { WebhookPace } from './webhooks/sender.ts'

/** Besides these, every setting of `.env.example` under its name in code: `publicUrl`, `maxFrameBytes`, … */
export interface BoardroomOptions extends Partial<Config> {
  /** A URL, your own pool (left open by `close`), or an opened database. Tables live in a schema of their own. */
  database: string | pg.Pool | Database
  /** Signs tickets and sessions: at least 32 characters, the same on every start. */
  secret: string
  /** Identifies the person asking, instead of the built-in sign-in. Tickets and share links keep working. */
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
  /** The retry schedule of webhooks; default: over three days. */
  webhookPace?: Partial<WebhookPace>
  /** One of several processes behind one port. */
  metricsOf?: MetricsOf
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
    database: handedIn,
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
    metricsOf,
    ...settings
  } = options
  const config = configWith(settings)
  const log = logger ?? pino({ level: 'silent' })
  const database = await open(handedIn, config, log)
  const opened = new OpenedParts()
  opened.add('database', () => (database === handedIn ? undefined : database.close()))
  try {
    if (!isDatabase(handedIn)) {
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
    const registry = new Registry()
    if (metricsOf !== undefined) registry.setDefaultLabels({ worker: metricsOf.worker })
    const isClosing = new AbortController()
    const given: Given = {
      ...{ database, log, clientFolder, dataFolder, goOnUnsavedMs, heartbeatMs, inspection, webhookPace },
      ...{ metricsOf, authenticate, registry, opened, closing: isClosing.signal },
      config: { ...config, secret: options.secret },
      rates: rateLimits(config),
    }
    return await start(given, isClosing)
  } catch (error) {
    await opened.close(log).catch(() => undefined) // logged; the original error is what matters
    throw error
  }
}

const isDatabase = (given: BoardroomOptions['database']): given is Database =>
  typeof given === 'object' && 'db' in given

async function open(given: BoardroomOptions['database'], config: Config, log: Logger): Promise<Database> {
  if (isDatabase(given)) return given
  const { databaseSchema: schema, databasePool: poolSize, databaseDirectUrl: directConnectionString } = config
  const target = typeof given === 'string' ? { connectionString: given } : { pool: given }
  return openDatabase({ ...target, directConnectionString, schema, poolSize, log })
}

async function start(given: Given, isClosing: AbortController): Promise<Boardroom> {
  const { database, log, opened } = given
  const records = await openRecords(given)
  const live = await openLive(given, records)
  const people = await openPeople(given, records)
  const nouns = await openNouns(given, records, live, people)
  const { isOurPath, listener, plain, upgrades } = openEdge({ given, records, live, people, nouns })
  const { access, rooms } = live
  const { boards, storage, comments } = nouns

  openHourly(given, nouns)

  let closed: Promise<void> | null = null
  const close = async (drainMs: number): Promise<void> => {
    isClosing.abort()
    await closing('joins', log, () => upgrades.close())
    await rooms.close({ spreadMs: drainMs })
    await opened.close(log)
  }

  return {
    ...servicesOf({ database, boards, access, rooms, storage, comments, ticketKey: people.ticketKey }),
    handleRequest(request, response) {
      if (!isOurPath(request.url ?? '/')) return false
      void listener(request, response)
      return true
    },
    handleConnection: (socket) => plain.take(socket),
    handleUpgrade(request, socket, head) {
      if (!upgrades.handle(request, socket, head)) return false
      plain.release(socket)
      return true
    },
    setupLink: () => setupLink(database.db, people.urlFor(null)),
    close({ drainMs = 5000 } = {}) {
      closed ??= close(drainMs)
      return closed
    },
  }
}
