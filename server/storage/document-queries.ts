// The SQL of versions, files and copies of documents, one function per question.
import { type Kysely, sql } from 'kysely'
import type { BoardEvent } from '../../shared/protocol.ts'
import type { NewRow, Tables } from '../database/tables.ts'

type Db = Kysely<Tables>

export const lockBoard = (trx: Db, boardId: string) =>
  trx.selectFrom('boards').select('id').where('id', '=', boardId).forNoKeyUpdate().executeTakeFirst()

export async function bytesOfFiles(
  trx: Db,
  boardId: string,
  id: string,
): Promise<{ known: boolean; bytes: number }> {
  const row = await trx
    .selectFrom('board_files')
    .select([
      sql<boolean>`coalesce(bool_or(id = ${id}), false)`.as('known'),
      sql<string>`coalesce(sum(size), 0)::text`.as('bytes'),
    ])
    .where('board_id', '=', boardId)
    .executeTakeFirstOrThrow()
  return { known: row.known, bytes: Number(row.bytes) }
}

/** One upload per owner at a time, until the transaction ends, so that two cannot exceed the limit together. */
export const lockFilesOfOwner = (trx: Db, boardId: string) =>
  sql`select pg_advisory_xact_lock(hashtext('files of an owner'), owner_id)
      from ${sql.table('boards')} where id = ${boardId}`.execute(trx)

/** The size of the files on all boards of the board's owner. Identical files count once. */
export async function bytesOfOwner(trx: Db, boardId: string): Promise<number> {
  const { rows } = await sql<{ bytes: string }>`
    select coalesce(sum(size), 0)::text as bytes from (
      select distinct f.id, f.size from ${sql.table('boards')} b
      join ${sql.table('boards')} o on o.owner_id = b.owner_id
      join ${sql.table('board_files')} f on f.board_id = o.id
      where b.id = ${boardId}) contents`.execute(trx)
  return Number(rows[0]?.bytes)
}

/**
 * Stores content that a board is about to refer to. Writes it even if it exists, to wait for transactions that are removing
 * it, and to make later ones wait.
 */
export const holdContent = (trx: Db, sha256: string, data: Buffer) =>
  trx
    .insertInto('file_contents')
    .values({ sha256, data })
    .onConflict((conflict) => conflict.column('sha256').doUpdateSet({ used_at: sql`now()` }))
    .execute()

export const insertFile = (db: Db, row: NewRow<'board_files'>) =>
  db
    .insertInto('board_files')
    .values(row)
    .onConflict((conflict) => conflict.doNothing())
    .execute()

/** Writes the initial document of a new board, and its author. */
export async function insertFirstUpdate(
  trx: Db,
  boardId: string,
  data: Buffer,
  clientIds: readonly number[],
  principal: string,
): Promise<void> {
  await trx.insertInto('board_updates').values({ board_id: boardId, data }).execute()
  await trx
    .insertInto('board_authors')
    .values(clientIds.map((client_id) => ({ board_id: boardId, client_id, principal, relays: null })))
    .execute()
}

export const upsertFile = (db: Db, row: NewRow<'board_files'>) =>
  db
    .insertInto('board_files')
    .values(row)
    .onConflict((conflict) =>
      conflict.columns(['board_id', 'id']).doUpdateSet((eb) => ({
        mime: eb.ref('excluded.mime'),
        size: eb.ref('excluded.size'),
        content: eb.ref('excluded.content'),
        created_by: eb.ref('excluded.created_by'),
        created_at: sql`now()`,
      })),
    )
    .execute()

export const readFile = (db: Db, boardId: string, id: string) =>
  db
    .selectFrom('board_files')
    .innerJoin('file_contents', 'file_contents.sha256', 'board_files.content')
    .select(['mime', 'size', 'data', 'created_at as createdAt'])
    .where('board_id', '=', boardId)
    .where('id', '=', id)
    .executeTakeFirst()

const versionRows = (db: Db, boardId: string) =>
  db
    .selectFrom('board_versions')
    .leftJoin('users', 'users.id', 'board_versions.created_by')
    .select([
      'board_versions.id',
      'board_versions.board_id',
      'board_versions.name',
      'board_versions.reason',
      sql<number>`octet_length(board_versions.state)`.as('bytes'),
      'board_versions.created_by',
      'users.name as created_by_name',
      'board_versions.created_at',
      // As text for the cursor, because a Date has no microseconds.
      sql<string>`board_versions.created_at::text`.as('moment'),
    ])
    .where('board_versions.board_id', '=', boardId)

/** Newest first, following `after`. */
export const listVersions = (
  db: Db,
  boardId: string,
  limit: number,
  after: { moment: string; id: string } | null,
) => {
  const query = versionRows(db, boardId)
    .orderBy('board_versions.created_at', 'desc')
    .orderBy('board_versions.id', 'desc')
    .limit(limit)
  if (after === null) return query.execute()
  return query
    .where(
      sql<boolean>`(board_versions.created_at, board_versions.id) < (${after.moment}::timestamptz, ${after.id}::uuid)`,
    )
    .execute()
}

export const readVersion = (db: Db, boardId: string, versionId: string) =>
  versionRows(db, boardId)
    .select(['board_versions.state', 'board_versions.checksum'])
    .where('board_versions.id', '=', versionId)
    .executeTakeFirst()

export const insertVersion = (db: Db, row: NewRow<'board_versions'>) =>
  db.insertInto('board_versions').values(row).returning('id').executeTakeFirstOrThrow()

export const countNamedVersions = async (db: Db, boardId: string): Promise<number> => {
  const row = await db
    .selectFrom('board_versions')
    .select(sql<number>`count(*)::integer`.as('count'))
    .where('board_id', '=', boardId)
    .where('reason', '=', 'named')
    .executeTakeFirstOrThrow()
  return row.count
}

/** Notifies the board's connections on every node. */
export const announce = (db: Db, schema: string, boardId: string, event: BoardEvent) =>
  sql`select pg_notify(${`${schema}_events`}, ${JSON.stringify({ board_id: boardId, event })})`.execute(db)

export const authorIds = async (db: Db, boardId: string, principal: string): Promise<number[]> => {
  const rows = await db
    .selectFrom('board_authors')
    .select('client_id')
    .where('board_id', '=', boardId)
    .where('principal', '=', principal)
    .execute()
  return rows.map(({ client_id }) => Number(client_id))
}

/**
 * The log first and then the snapshot: if a fold commits in between, it moves rows into the snapshot. Having them twice
 * does no harm, but missing them would.
 */
export async function copyRows(db: Db, from: string, to: string): Promise<void> {
  await db
    .insertInto('board_updates')
    .columns(['board_id', 'data'])
    .expression((eb) =>
      eb
        .selectFrom('board_updates')
        .select([sql<string>`${to}::uuid`.as('board_id'), 'data'])
        .where('board_id', '=', from)
        .orderBy('seq'),
    )
    .execute()
  await db
    .insertInto('board_snapshots')
    .columns(['board_id', 'state', 'checksum'])
    .expression((eb) =>
      eb
        .selectFrom('board_snapshots')
        .select([sql<string>`${to}::uuid`.as('board_id'), 'state', 'checksum'])
        .where('board_id', '=', from),
    )
    .execute()
  await db
    .insertInto('board_authors')
    .columns(['board_id', 'client_id', 'principal', 'first_seen'])
    .expression((eb) =>
      eb
        .selectFrom('board_authors')
        .select([sql<string>`${to}::uuid`.as('board_id'), 'client_id', 'principal', 'first_seen'])
        .where('board_id', '=', from),
    )
    .execute()
  // Locked, so that they still exist for the copy if the last other board that refers to them is removed.
  await db
    .selectFrom('file_contents')
    .select('sha256')
    .where('sha256', 'in', (eb) =>
      eb.selectFrom('board_files').select('content').where('board_id', '=', from),
    )
    .orderBy('sha256')
    .forKeyShare()
    .execute()
  await db
    .insertInto('board_files')
    .columns(['board_id', 'id', 'mime', 'size', 'content', 'created_by'])
    .expression((eb) =>
      eb
        .selectFrom('board_files')
        .select([sql<string>`${to}::uuid`.as('board_id'), 'id', 'mime', 'size', 'content', 'created_by'])
        .where('board_id', '=', from),
    )
    .execute()
}
