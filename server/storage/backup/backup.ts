// Backs up a running instance into one file, and restores it into an empty one, without external programs.
import { createHash } from 'node:crypto'
import { access } from 'node:fs/promises'
import type { ClientBase } from 'pg'
import type { z } from 'zod'
import { copyIn, copyOut } from '../../database/copy.ts'
import { type Database, openForLongWork } from '../../database/database.ts'
import { withClient } from '../../database/with-client.ts'
import { BoardroomError } from '../../errors.ts'
import {
  damaged,
  End,
  type Frame,
  FrameType,
  formatVersion,
  frame,
  Header,
  jsonFrame,
  readBackupFile,
  TableEnd,
  TableStart,
  writeBackupFile,
} from './backup-file.ts'
import {
  firstFilledTable,
  migrationsOf,
  partitionsOf,
  quoted,
  sequencesOf,
  type TriggerState,
  tablesOf,
  triggersOf,
} from './backup-queries.ts'

export interface BackupOptions {
  /** Reports progress, a sentence per table. */
  onProgress?: (message: string) => void
}

export interface BackupSummary {
  tables: number
  rows: number
}

/**
 * Writes a consistent snapshot of all rows to `file`. People can keep working meanwhile.
 * @param file must not exist; appears when it is complete.
 * @throws BoardroomError conflict (the file exists) | database_unreachable
 */
export async function backup(
  database: Database,
  file: string,
  options: BackupOptions = {},
): Promise<BackupSummary> {
  const exists = await access(file).then(
    () => true,
    () => false,
  )
  if (exists)
    throw new BoardroomError('conflict', `${file} exists; choose another name, so that no backup is lost`)
  const summary: BackupSummary = { tables: 0, rows: 0 }
  await alone(database, async (client) => {
    await client.query(`begin isolation level repeatable read read only; set local timezone = 'UTC'`)
    await writeBackupFile(file, contentOf(client, database.schema, summary, options))
    await client.query('commit')
  })
  return summary
}

async function* contentOf(
  client: ClientBase,
  schema: string,
  summary: BackupSummary,
  { onProgress }: BackupOptions,
): AsyncGenerator<Buffer> {
  const header: Header = {
    product: 'boardroom-backup',
    format: formatVersion,
    migrations: await migrationsOf(client, schema),
    created_at: new Date().toISOString(),
    partitions: await partitionsOf(client, schema),
  }
  yield* jsonFrame(FrameType.header, header)
  for (const table of await tablesOf(client, schema)) {
    yield* jsonFrame(FrameType.table, table)
    const hash = createHash('sha256')
    let rows = 0
    const query = `select ${table.columns.map(quoted).join()} from ${quoted(schema)}.${quoted(table.name)}`
    const chunks = copyOut(client, `copy (${query}) to stdout (format binary)`, (count) => {
      rows = count
    })
    for await (const chunk of chunks) {
      hash.update(chunk)
      yield* frame(FrameType.data, chunk)
    }
    yield* jsonFrame(FrameType.tableEnd, { rows, sha256: hash.digest('hex') })
    summary.tables++
    summary.rows += rows
    onProgress?.(`${table.name}: ${rows} rows`)
  }
  // Last: numbers handed out meanwhile only make them higher, which is harmless; lower would not be.
  yield* jsonFrame(FrameType.end, { tables: summary.tables, sequences: await sequencesOf(client, schema) })
}

/**
 * Fills an empty instance from `file` in one transaction. Must be run by the owner of the tables, while no server uses
 * them.
 * @throws BoardroomError invalid_request (truncated, damaged, not a backup) | conflict (not empty) | database_too_new |
 *   database_unreachable
 */
export async function restore(
  database: Database,
  file: string,
  options: BackupOptions = {},
): Promise<BackupSummary> {
  const frames = readBackupFile(file)
  try {
    return await alone(database, async (client) => {
      await client.query(`begin; set local timezone = 'UTC'`)
      const summary = await restoreWithin(client, database.schema, frames, options)
      await client.query('commit')
      return summary
    })
  } finally {
    await frames.return(undefined)
  }
}

async function restoreWithin(
  client: ClientBase,
  schema: string,
  frames: AsyncGenerator<Frame>,
  { onProgress }: BackupOptions,
): Promise<BackupSummary> {
  const header = parsed(Header, await nextOf(frames, FrameType.header))
  refuseOtherVersions(header, await migrationsOf(client, schema))
  const tables = await tablesOf(client, schema)
  const filled = await firstFilledTable(client, schema, tables)
  if (filled !== null) {
    throw new BoardroomError(
      'conflict',
      `a backup can only be restored into an instance that was never started, but "${filled}" has rows. Choose a new data folder (--data-dir) or schema (--database-schema). Nothing was changed`,
    )
  }
  await makePartitions(client, schema, header)
  // Rows are inserted unchanged: no trigger records, announces or refuses them. The owner may disable triggers within the transaction.
  const triggers = await triggersOf(client, schema)
  for (const table of new Set(triggers.map((trigger) => trigger.table))) {
    await client.query(`alter table ${quoted(schema)}.${quoted(table)} disable trigger user`)
  }
  await client.query(`delete from ${quoted(schema)}.users`) // the system actor, which is included in the file
  const summary: BackupSummary = { tables: 0, rows: 0 }
  for (;;) {
    const next = await nextOf(frames, FrameType.table, FrameType.end)
    if (next.type === FrameType.end) {
      const { tables: told, sequences } = parsed(End, next)
      if (told !== summary.tables) throw damaged('tables are missing')
      if (!(await frames.next()).done) throw damaged('there is data after its end')
      for (const trigger of triggers) await client.query(enabling(schema, trigger))
      for (const [name, value] of Object.entries(sequences)) {
        await client.query('select setval($1::regclass, $2::bigint)', [
          `${quoted(schema)}.${quoted(name)}`,
          value,
        ])
      }
      return summary
    }
    const table = parsed(TableStart, next)
    const known = tables.find(({ name }) => name === table.name)
    if (known === undefined || table.columns.some((column) => !known.columns.includes(column))) {
      throw damaged(`it has an unknown table: ${table.name}`)
    }
    const end: { told: z.infer<typeof TableEnd> | null; sha256: string } = { told: null, sha256: '' }
    const target = `${quoted(schema)}.${quoted(table.name)} (${table.columns.map(quoted).join()})`
    const rows = await copyIn(client, `copy ${target} from stdin (format binary)`, tableData(frames, end))
    if (end.told?.rows !== rows || end.told.sha256 !== end.sha256)
      throw damaged(`the rows of ${table.name} do not match their checksum`)
    summary.tables++
    summary.rows += rows
    onProgress?.(`${table.name}: ${rows} rows`)
  }
}

/** The rows of one table, up to its end frame, which is left in `end`. */
async function* tableData(
  frames: AsyncGenerator<Frame>,
  end: { told: z.infer<typeof TableEnd> | null; sha256: string },
): AsyncGenerator<Buffer> {
  const hash = createHash('sha256')
  for (;;) {
    const next = await nextOf(frames, FrameType.data, FrameType.tableEnd)
    if (next.type === FrameType.tableEnd) {
      end.told = parsed(TableEnd, next)
      end.sha256 = hash.digest('hex')
      return
    }
    hash.update(next.payload)
    yield next.payload
  }
}

function refuseOtherVersions(header: Header, here: string[]): void {
  const unknown = header.migrations.find((name) => !here.includes(name))
  if (header.format > formatVersion || unknown !== undefined) {
    throw new BoardroomError(
      'database_too_new',
      `this backup was made by a newer Boardroom (${unknown ?? `format ${header.format}`}); restore it with that version or a later one. Nothing was changed`,
    )
  }
  const missing = here.find((name) => !header.migrations.includes(name))
  if (missing !== undefined) {
    throw new BoardroomError(
      'conflict',
      `this backup was made before the migration ${missing}: take the empty instance back to ${header.migrations.at(-1)} with "migrate down", restore, then "migrate up". Nothing was changed`,
    )
  }
}

/** Creates months of the trail that this instance lacks. */
async function makePartitions(client: ClientBase, schema: string, header: Header): Promise<void> {
  const existing = new Set((await partitionsOf(client, schema)).map(({ name }) => name))
  for (const { parent, name, bounds } of header.partitions) {
    if (existing.has(name)) continue
    // Inserted verbatim into the statement, so they must be nothing but bounds.
    if (!/^FOR VALUES FROM \('[-+: .\dT]+'\) TO \('[-+: .\dT]+'\)$/.test(bounds))
      throw damaged(`a partition has no bounds: ${name}`)
    const partition = `${quoted(schema)}.${quoted(name)}`
    await client.query(`create table ${partition} partition of ${quoted(schema)}.${quoted(parent)} ${bounds}`)
    await client.query(`select ${quoted(schema)}.guard_audit_partition($1::regclass)`, [partition])
  }
}

const enabling = (schema: string, { table, trigger, state }: TriggerState): string => {
  const how = { O: 'enable', A: 'enable always', R: 'enable replica' }[state] ?? 'disable'
  return `alter table ${quoted(schema)}.${quoted(table)} ${how} trigger ${quoted(trigger)}`
}

async function nextOf(frames: AsyncGenerator<Frame>, ...types: number[]): Promise<Frame> {
  const next = await frames.next()
  if (next.done === true) throw damaged('it is truncated')
  if (!types.includes(next.value.type)) throw damaged('it is damaged, or not a Boardroom backup')
  return next.value
}

function parsed<Schema extends z.ZodType>(schema: Schema, { payload }: Frame): z.infer<Schema> {
  try {
    return schema.parse(JSON.parse(payload.toString('utf8')))
  } catch (error) {
    throw damaged('it is damaged, or not a Boardroom backup', error)
  }
}

/** A separate connection without pooler and time-outs; if it fails, its transaction is rolled back. */
async function alone<Result>(
  database: Database,
  work: (client: ClientBase) => Promise<Result>,
): Promise<Result> {
  const dedicated = openForLongWork(database)
  try {
    return await withClient(dedicated.pool, work)
  } finally {
    await dedicated.close()
  }
}
