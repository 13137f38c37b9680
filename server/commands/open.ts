// Opens the configured database: an external one, or the embedded one, which is started, adopted or, for commands
// beside a running server, only connected to.
import { randomBytes } from 'node:crypto'
import { mkdir, open, readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { AuditChain } from '../audit/chain.ts'
import { hadBoards } from '../boards/board-queries.ts'
import type { Config } from '../config.ts'
import { type Database, openDatabase } from '../database/database.ts'
import { startEmbedded } from '../database/embedded.ts'
import { type MigrationStatus, migrateUp, migrationStatus, settledStatus } from '../database/migrate.ts'
import { type ServerLock, takeServerLock } from '../database/server-lock.ts'
import { BoardroomError } from '../errors.ts'
import type { CommandContext } from './command.ts'

export interface Opened {
  database: Database
  /** Bypasses a pooler, for LISTEN and session locks. */
  directUrl: string
  secret: string
  auditHeadsFile: string
  /** There has never been a board; there may already be accounts, and the tables may have been created by hand. */
  isFirstStart: boolean
  close(): Promise<void>
}

/** For `serve`: alone on the database, migrated up, with the secret. */
export async function openForServing(context: CommandContext): Promise<Opened> {
  const { config, log, progress } = context
  const dataDir = resolve(config.dataDir)
  if (config.databaseUrl !== undefined && config.secret === undefined) throw secretMissing()
  if (config.databaseUrl === undefined && config.natsUrl !== undefined)
    throw new BoardroomError(
      'invalid_config',
      'NATS_URL: several nodes need an external database: set DATABASE_URL as well, or leave NATS_URL out',
    )
  const connection = await connect(context, { alone: true })
  try {
    const { database, directUrl } = connection
    const serverLock =
      config.databaseUrl === undefined
        ? null // the embedded cluster has its own
        : await takeServerLock({
            direct: database.direct,
            schema: config.databaseSchema,
            log,
            isShared: config.natsUrl !== undefined,
            onWaiting: progress,
          })
    await migrateUp(database, { onProgress: progress })
    return {
      database,
      directUrl,
      secret: await secretOf(config, dataDir),
      auditHeadsFile: config.auditHeadsFile ?? join(dataDir, 'audit-heads.ndjson'),
      isFirstStart: !(await hadBoards(database.db)),
      async close() {
        await serverLock?.release()
        await connection.close()
      },
    }
  } catch (error) {
    await connection.close()
    throw error
  }
}

export interface Connected {
  database: Database
  /** Bypasses a pooler, for LISTEN and session locks. */
  directUrl: string
  /** Whatever uses the database and must be closed before it, in reverse order. Ctrl-C closes the same way. */
  onClose(step: () => Promise<void>): void
  close(): Promise<void>
}

export interface CommandNeeds {
  /** No server may use the database meanwhile. */
  alone?: boolean
  /** `any`: also behind this version, or empty. Default: this version's; an empty database is brought there. */
  schema?: 'any'
  /** The command writes to the trail, which is sealed at the end, because there may be no server to do it. */
  recorded?: boolean
  /** What Ctrl-C does. Default: closes the database and ends the program. */
  onInterrupt?: () => void
}

/**
 * For every other command: beside a running server, or with the embedded database started for as long as it takes.
 * @throws BoardroomError database_in_use (`alone`) | database_too_new | conflict (behind this version) | …
 */
export async function openForCommand(context: CommandContext, needs: CommandNeeds = {}): Promise<Connected> {
  const { config, log, progress } = context
  const connection = await connect(context, { alone: needs.alone === true })
  let lock: ServerLock | null = null
  const steps: (() => Promise<void>)[] = []
  let closed: Promise<void> | null = null
  const close = (): Promise<void> => {
    closed ??= (async () => {
      for (const step of steps.splice(0).reverse()) await step()
      if (needs.recorded === true)
        await new AuditChain({ database: connection.database, log, headsFile: null }).seal()
      await lock?.release()
      await connection.close()
      for (const signal of endingSignals) process.off(signal, interrupted)
    })()
    return closed
  }
  const interrupted = () => {
    if (needs.onInterrupt !== undefined) return needs.onInterrupt()
    void close().finally(() => process.exit(130))
  }
  for (const signal of endingSignals) process.on(signal, interrupted)
  try {
    const { database } = connection
    if (needs.alone === true) {
      const patienceMs = 1000 // a server that was told to stop may still be stopping
      lock = await takeServerLock({ direct: database.direct, schema: config.databaseSchema, log, patienceMs })
    }
    if (needs.schema !== 'any') await bringUp(database, progress)
    return { ...connection, onClose: (step) => void steps.push(step), close }
  } catch (error) {
    await close()
    throw error
  }
}

const endingSignals = ['SIGINT', 'SIGTERM'] as const

/** Migrates an empty database; one of an older version is left to the next start of the server, or to the operator. */
async function bringUp(database: Database, onProgress: (text: string) => void): Promise<void> {
  let states = await migrationStatus(database)
  if (missingOf(states).length > 0) states = await settledStatus(database, { onProgress })
  const missing = missingOf(states)
  const isEmpty = missing.length === states.length
  if (missing.length > 0 && !isEmpty) {
    throw new BoardroomError(
      'conflict',
      `the database lacks the migration ${missing[0]?.name}; back it up, then run: boardroom migrate up`,
    )
  }
  if (isEmpty || states.some(({ isKnown }) => !isKnown)) await migrateUp(database, { onProgress })
}

const missingOf = (states: readonly MigrationStatus[]) => states.filter(({ appliedAt }) => appliedAt === null)

async function connect(
  context: CommandContext,
  { alone }: { alone: boolean },
): Promise<Omit<Connected, 'onClose'>> {
  const { config, log, progress } = context
  const { databaseSchema: schema, databasePool: poolSize } = config
  if (config.databaseUrl !== undefined) {
    const database = await openDatabase({
      connectionString: config.databaseUrl,
      directConnectionString: config.databaseDirectUrl,
      schema,
      poolSize,
      log,
    })
    return {
      database,
      directUrl: config.databaseDirectUrl ?? config.databaseUrl,
      close: () => database.close(),
    }
  }
  const embedded = await startEmbedded({
    dataDir: resolve(config.dataDir),
    log,
    onProgress: progress,
    purpose: alone ? 'server' : 'command',
  })
  try {
    const database = await openDatabase({ connectionString: embedded.url, schema, poolSize, log })
    return {
      database,
      directUrl: embedded.url,
      async close() {
        await database.close()
        await embedded.stop()
      },
    }
  } catch (error) {
    await embedded.stop()
    throw error
  }
}

const secretMissing = () =>
  new BoardroomError(
    'invalid_config',
    'DATABASE_URL requires BOARDROOM_SECRET, the same on every start; generate one with: openssl rand -base64 32',
  )

/** Signs tickets and sessions. With the embedded database it is generated once and stored so that only our user can read it. */
async function secretOf(config: Config, dataDir: string): Promise<string> {
  if (config.secret !== undefined) return config.secret
  const path = join(dataDir, 'secret')
  try {
    await mkdir(dataDir, { recursive: true })
    const file = await open(path, 'wx', 0o600)
    try {
      await file.write(`${randomBytes(32).toString('base64url')}\n`)
      await file.sync()
    } finally {
      await file.close()
    }
  } catch (error) {
    const exists = error instanceof Error && 'code' in error && error.code === 'EEXIST'
    if (!exists)
      throw new BoardroomError(
        'data_folder_unusable',
        `cannot write ${path}; make its folder writable for this user, or set BOARDROOM_DATA_DIR`,
        { cause: error },
      )
  }
  const secret = (await readFile(path, 'utf8')).trim()
  if (secret.length < 32) {
    throw new BoardroomError(
      'data_folder_unusable',
      `${path} is truncated; delete it to generate a new one (everybody must sign in again)`,
    )
  }
  return secret
}
