// The SQL of folding many short logs in one transaction: the same queries as for one board, for all of them at once.
import type { ClientBase } from 'pg'
import { byteaArray, textArray, uuidArray } from '../../database/arrays.ts'
import { copyRows } from '../../database/copy.ts'
import type { Folded } from '../../documents/folding.ts'
import { cutUp, literalOf, type StoredSnapshot, tableIn } from './queries.ts'

/** The result of a fold that is not written yet; changedAt: ms since 1970. */
export interface FoldedLog {
  boardId: string
  folded: Folded
  changedAt: number
}

/** Locks boards for folding until the transaction ends. @returns those that were not locked already. @see lockFolding */
export async function lockFoldings(
  client: ClientBase,
  schema: string,
  boardIds: readonly string[],
): Promise<string[]> {
  const { rows } = await client.query<{ id: string; locked: boolean }>({
    text: `select id, pg_try_advisory_xact_lock(hashtextextended($1 || id, 0)) as locked
      from unnest($2::text[]) as id`,
    values: [`${schema}.fold.`, textArray(boardIds)],
  })
  return rows.filter(({ locked }) => locked).map(({ id }) => id)
}

export async function readSnapshots(
  client: ClientBase,
  schema: string,
  boardIds: readonly string[],
): Promise<Map<string, StoredSnapshot>> {
  const rows = await copyRows(
    client,
    `select board_id::text, checksum, state from ${tableIn(schema, 'board_snapshots')}
     where board_id = any(${literalsOf(boardIds)}) order by board_id for update`,
  )
  const snapshots = new Map<string, StoredSnapshot>()
  for (const [id, checksum, state] of rows)
    if (id && checksum && state) snapshots.set(id.toString(), { checksum, state })
  return snapshots
}

/** Deletes the rows of several logs and returns exactly those, in log order. @see takeUpdates */
export async function takeUpdatesOf(
  client: ClientBase,
  schema: string,
  boardIds: readonly string[],
): Promise<{ boardId: string; updates: Uint8Array[]; times: number[] }[]> {
  const rows = await copyRows(
    client,
    `with taken as (
       delete from ${tableIn(schema, 'board_updates')} where board_id = any(${literalsOf(boardIds)})
       returning board_id, seq, data, created_at)
     select board_id::text, string_agg(int4send(octet_length(data)), ''::bytea order by seq),
       string_agg(data, ''::bytea order by seq),
       string_agg(int8send((extract(epoch from created_at) * 1000)::bigint), ''::bytea order by seq)
     from taken group by board_id`,
  )
  return rows.flatMap(([id, lengths, data, moments]) => {
    if (!id || !lengths || !data || !moments) return []
    const times = Array.from({ length: moments.length / 8 }, (_, at) =>
      Number(moments.readBigInt64BE(at * 8)),
    )
    return [{ boardId: id.toString(), updates: cutUp(lengths, data), times }]
  })
}

export const writeSnapshots = (client: ClientBase, schema: string, logs: readonly FoldedLog[]) =>
  client.query({
    text: `insert into ${tableIn(schema, 'board_snapshots')} (board_id, state, checksum)
      select * from unnest($1::uuid[], $2::bytea[], $3::bytea[])
      on conflict (board_id) do update set state = excluded.state, checksum = excluded.checksum, created_at = now()`,
    values: [
      idsOf(logs),
      byteaArray(logs.map(({ folded }) => folded.state)),
      byteaArray(logs.map(({ folded }) => folded.checksum)),
    ],
  })

/** @see writeSearchKey */
export const writeSearchKeys = (client: ClientBase, schema: string, logs: readonly FoldedLog[]) =>
  client.query({
    text: `insert into ${tableIn(schema, 'board_search')} (board_id, title, title_key, text_key)
      select b.id, b.title, ${tableIn(schema, 'search_key')}(b.title), new.key
      from unnest($1::uuid[], $2::text[]) as new (id, key) join ${tableIn(schema, 'boards')} b on b.id = new.id
      on conflict (board_id) do update set text_key = excluded.text_key, updated_at = now()
      where board_search.text_key <> excluded.text_key`,
    values: [idsOf(logs), textArray(logs.map(({ folded }) => folded.searchKey))],
  })

/** Leaves out versions that are identical to the newest one of their board. @see keepVersion */
export const keepAutomaticVersions = (
  client: ClientBase,
  schema: string,
  kept: readonly { boardId: string; state: Uint8Array; checksum: Uint8Array }[],
) => {
  const versions = tableIn(schema, 'board_versions')
  return client.query({
    text: `insert into ${versions} (board_id, reason, state, checksum)
      select new.id, 'automatic', new.state, new.checksum
      from unnest($1::uuid[], $2::bytea[], $3::bytea[]) as new (id, state, checksum)
      where new.checksum is distinct from
        (select checksum from ${versions} where board_id = new.id order by created_at desc limit 1)`,
    values: [
      idsOf(kept),
      byteaArray(kept.map(({ state }) => state)),
      byteaArray(kept.map(({ checksum }) => checksum)),
    ],
  })
}

/** Boards that may have versions to prune: automatic ones all stay for two hours. @see pruneVersions */
export async function prunableOf(
  client: ClientBase,
  schema: string,
  boardIds: readonly string[],
): Promise<string[]> {
  const { rows } = await client.query<{ id: string }>({
    text: `select id::text from unnest($1::uuid[]) as id
      where exists (select from ${tableIn(schema, 'board_versions')}
        where board_id = id and created_at < now() - interval '2 hours' and reason <> 'named')`,
    values: [uuidArray(boardIds)],
  })
  return rows.map(({ id }) => id)
}

const idsOf = (boards: readonly { boardId: string }[]): Buffer =>
  uuidArray(boards.map(({ boardId }) => boardId))

const literalsOf = (boardIds: readonly string[]): string => `array[${boardIds.map(literalOf).join()}]::uuid[]`
