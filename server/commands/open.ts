// Opens the database that the configuration means: an outside one, or the embedded one, which is started, adopted
// or, for commands beside a running server, only connected to.
import { randomBytes } from 'node:crypto'
import { mkdir, open, readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { Config } from '../config.ts'
import { type Database, openDatabase } from '../database/database.ts'
import { startEmbedded } from '../database/embedded.ts'
import { migrateUp } from '../database/migrate.ts'
import { takeServerLock } from '../database/server-lock.ts'
import { BoardroomError } from '../errors.ts'
import type { CommandContext } from './command.ts'

export interface Opened {
  database: Database
  /** Past a pooler, for LISTEN and session locks. */
  directUrl: string
  secret: string
  auditHeadsFile: string
  /** Nothing was in the database before. */
  isFirstStart: boolean
  close(): Promise<void>
}

/** For `serve`: alone on the database, migrated up, with the secret. */
export async function openForServing(context: CommandContext): Promise<Opened> {
  const { config, log, progress } = context
  const dataDir = resolve(config.dataDir)
  const connection = await connect(context, { alone: true })
  try {
    const { database, directUrl } = connection
    const serverLock =
      config.databaseUrl === undefined || config.natsUrl !== undefined
        ? null
        : await takeServerLock({
            direct: database.direct,
            schema: config.databaseSchema,
            log,
            onWaiting: progress,
          })
    const applied = await migrateUp(database, { onProgress: progress })
    return {
      database,
      directUrl,
      secret: await secretOf(config, dataDir),
      auditHeadsFile: config.auditHeadsFile ?? join(dataDir, 'audit-heads.ndjson'),
      isFirstStart: applied.wasEmpty,
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
  directUrl: string
  close(): Promise<void>
}

/** For every other command: beside a running server, or with the embedded database started for as long as it takes. */
export const openForCommand = (context: CommandContext): Promise<Connected> =>
  connect(context, { alone: false })

async function connect(context: CommandContext, { alone }: { alone: boolean }): Promise<Connected> {
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

/** What signs tickets and sessions. Beside the embedded database it is made once and kept, readable by us alone. */
async function secretOf(config: Config, dataDir: string): Promise<string> {
  if (config.secret !== undefined) return config.secret
  if (config.databaseUrl !== undefined) {
    throw new BoardroomError(
      'invalid_config',
      'BOARDROOM_SECRET is needed with DATABASE_URL, the same on every start; make one with: openssl rand -base64 32',
    )
  }
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
      `${path} is cut off; remove it to make a new one (everybody must sign in again)`,
    )
  }
  return secret
}
