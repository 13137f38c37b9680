// The SQL of folding and replacing a board's log.
import type { ClientBase } from 'pg'
import { bigintArray, byteaArray } from '../../database/arrays.ts'
import { copyRows } from '../../database/copy.ts'
import { asBuffer, chunked, cutUp, literalOf, type StoredSnapshot, tableIn } from './queries.ts'

/** Locks the board for folding until the transaction ends. @returns false if it is locked already. */
export async function lockFolding(client: ClientBase, schema: string, boardId: string): Promise<boolean> {
  const { rows } = await client.query<{ locked: boolean }>(
    'select pg_try_advisory_xact_lock(hashtextextended($1, 0)) as locked',
    [`${schema}.fold.${boardId}`],
  )
  return rows[0]?.locked ?? false
}

/** The current snapshot, locked until the transaction ends. */
export async function readSnapshot(
  client: ClientBase,
  schema: string,
  boardId: string,
): Promise<StoredSnapshot | null> {
  const [row] = await copyRows(
    client,
    `select checksum, state from ${tableIn(schema, 'board_snapshots')} where board_id = ${literalOf(boardId)} for update`,
  )
  const [checksum, state] = row ?? []
  return checksum && state ? { checksum, state } : null
}

/**
 * Deletes the rows of a board's log and returns exactly those. Never "up to a number", because a row with a smaller
 * number may be committed later.
 * @returns in log order, with the time of each (ms since 1970)
 */
export async function takeUpdates(
  client: ClientBase,
  schema: string,
  boardId: string,
): Promise<{ updates: Uint8Array[]; times: number[] }> {
  const rows = await copyRows(
    client,
    `with taken as (
       delete from ${tableIn(schema, 'board_updates')} where board_id = ${literalOf(boardId)}
       returning seq, data, created_at)
     select lengths, data, null from (${chunked('taken')}) as log
     union all
     select null, null, string_agg(int8send((extract(epoch from created_at) * 1000)::bigint), ''::bytea order by seq)
     from taken`,
  )
  const updates: Uint8Array[] = []
  const times: number[] = []
  for (const [lengths, data, moments] of rows) {
    if (lengths && data) updates.push(...cutUp(lengths, data))
    for (let place = 0; place < (moments?.length ?? 0); place += 8)
      times.push(Number(moments?.readBigInt64BE(place)))
  }
  return { updates, times }
}

/** Must be called in the transaction that took them. */
export const putBackUpdates = (client: ClientBase, schema: string, boardId: string, updates: Uint8Array[]) =>
  client.query({
    text: `insert into ${tableIn(schema, 'board_updates')} (board_id, data) select $1::uuid, * from unnest($2::bytea[])`,
    values: [boardId, byteaArray(updates)],
  })

export const writeSnapshot = (
  client: ClientBase,
  schema: string,
  boardId: string,
  snapshot: StoredSnapshot,
) =>
  client.query({
    text: `insert into ${tableIn(schema, 'board_snapshots')} (board_id, state, checksum) values ($1, $2, $3)
      on conflict (board_id) do update set state = excluded.state, checksum = excluded.checksum, created_at = now()`,
    values: [boardId, asBuffer(snapshot.state), asBuffer(snapshot.checksum)],
  })

/** The text by which the board is found, in addition to its title. */
export const writeSearchKey = (client: ClientBase, schema: string, boardId: string, key: string) =>
  client.query({
    text: `insert into ${tableIn(schema, 'board_search')} (board_id, title, title_key, text_key)
      select id, title, lower(title), $2 from ${tableIn(schema, 'boards')} where id = $1
      on conflict (board_id) do update set text_key = excluded.text_key, updated_at = now()
      where board_search.text_key <> excluded.text_key`,
    values: [boardId, key],
  })

/** Seconds since the newest automatic version; null if there is none. */
export async function ageOfLastVersion(
  client: ClientBase,
  schema: string,
  boardId: string,
): Promise<number | null> {
  const { rows } = await client.query<{ age: number | null }>({
    text: `select extract(epoch from now() - max(created_at))::float8 as age
      from ${tableIn(schema, 'board_versions')} where board_id = $1 and reason = 'automatic'`,
    values: [boardId],
  })
  return rows[0]?.age ?? null
}

/** Locks the board against deletion until the transaction ends. @returns false if there is none. */
export async function holdBoard(client: ClientBase, schema: string, boardId: string): Promise<boolean> {
  const { rowCount } = await client.query(
    `select from ${tableIn(schema, 'boards')} where id = $1 for no key update`,
    [boardId],
  )
  return rowCount === 1
}

/**
 * Retires all client ids of a document that is being replaced: `clientIds` and those of known authors.
 * @param author the client id of the new document.
 */
export async function retireAuthors(
  client: ClientBase,
  schema: string,
  boardId: string,
  clientIds: readonly number[],
  author: number,
): Promise<void> {
  const authors = tableIn(schema, 'board_authors')
  await client.query(`update ${authors} set principal = 'retired' where board_id = $1`, [boardId])
  await client.query({
    text: `insert into ${authors} (board_id, client_id, principal)
      select $1::uuid, id, case when id = $3::bigint then 'system' else 'retired' end from unnest($2::bigint[]) as id
      on conflict (board_id, client_id) do nothing`,
    values: [boardId, bigintArray([...clientIds, author]), author],
  })
}
