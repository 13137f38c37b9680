// The SQL of the log and its folding, one question a function. Bytes travel by COPY and binary arrays; see
// server/database/copy.ts for why.
import type { ClientBase } from 'pg'
import { jsonbOf } from '../../audit/event.ts'
import { eventColumns, eventRecord } from '../../audit/queries.ts'
import { bigintArray, byteaArray, textArray, uuidArray } from '../../database/arrays.ts'
import { copyRows } from '../../database/copy.ts'
import type { Database } from '../../database/database.ts'
import { withClient } from '../../database/with-client.ts'
import { type ElementEdit, joinedEdit } from '../../documents/element-properties.ts'
import type { Author, Relay, SideRows } from '../../rooms/ports.ts'

export interface StoredSnapshot {
  state: Uint8Array
  checksum: Uint8Array
}

/** One update of the log, with what must be remembered about who wrote it. */
export interface Append {
  boardId: string
  update: Uint8Array
  authors: readonly Author[]
  beside: SideRows | null
}

export interface StoredRows {
  snapshot: StoredSnapshot | null
  updates: Uint8Array[]
  authors: Author[]
}

const uuidShape = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

/** A table as raw SQL names it; schema names are checked by the configuration, and quoted all the same. */
export const tableIn = (schema: string, table: string): string => `"${schema.replaceAll('"', '""')}".${table}`

/** COPY takes no parameters: the id is written into the statement, and only if it is nothing but an id. */
export const literalOf = (boardId: string): string => {
  if (!uuidShape.test(boardId)) throw new TypeError('a board id is a UUID')
  return `'${boardId}'::uuid`
}

/** Rows of a log in chunks of about 4 MiB: thousands of small rows are read many times faster so than one by one. */
const chunked = (rows: string): string => `
  select chunk, string_agg(int4send(octet_length(data)), ''::bytea order by seq) as lengths,
         string_agg(data, ''::bytea order by seq) as data
  from (select seq, data, sum(octet_length(data)) over (order by seq) / 4194304 as chunk from ${rows}) as rows
  group by chunk`

/** One statement, so that snapshot, log and authors are of one moment. @returns null where there is no such board. */
export async function readBoard({ pool, schema }: Database, boardId: string): Promise<StoredRows | null> {
  if (!uuidShape.test(boardId)) return null
  const id = literalOf(boardId)
  const rows = await withClient(pool, (client) =>
    copyRows(
      client,
      `select kind, head, body from (
         select 0 as kind, 0::bigint as place, null::bytea as head, null::bytea as body
         from ${tableIn(schema, 'boards')} where id = ${id}
         union all
         select 1, 0, checksum, state from ${tableIn(schema, 'board_snapshots')} where board_id = ${id}
         union all
         select 2, chunk, lengths, data from (${chunked(`${tableIn(schema, 'board_updates')} where board_id = ${id}`)}) as log
         union all
         select 3, 0, string_agg(int8send(client_id), ''::bytea order by client_id),
                convert_to(string_agg(principal, E'\\n' order by client_id), 'UTF8')
         from ${tableIn(schema, 'board_authors')} where board_id = ${id}
         union all
         select 4, 0, string_agg(int8send(client_id), ''::bytea order by client_id),
                convert_to(string_agg(relays::text, E'\\n' order by client_id), 'UTF8')
         from ${tableIn(schema, 'board_authors')} where board_id = ${id} and relays is not null
       ) as parts order by kind, place`,
    ),
  )
  return storedRowsOf(rows)
}

function storedRowsOf(rows: (Buffer | null)[][]): StoredRows | null {
  const stored: StoredRows = { snapshot: null, updates: [], authors: [] }
  let exists = false
  for (const [kindBytes, head, body] of rows) {
    const kind = kindBytes?.readInt32BE(0)
    if (kind === 0) exists = true
    if (!head || !body) continue
    if (kind === 1) stored.snapshot = { checksum: head, state: body }
    else if (kind === 2) stored.updates.push(...cutUp(head, body))
    else if (kind === 3) stored.authors = authorsOf(head, body)
    else if (kind === 4) addRelays(stored.authors, head, body)
  }
  return exists ? stored : null
}

/** Bytes that follow each other, by their lengths (int4 each). */
export function cutUp(lengths: Buffer, data: Buffer): Buffer[] {
  const parts: Buffer[] = []
  let at = 0
  for (let place = 0; place < lengths.length; place += 4) {
    const end = at + lengths.readInt32BE(place)
    parts.push(data.subarray(at, end))
    at = end
  }
  return parts
}

const authorsOf = (clientIds: Buffer, principals: Buffer): Author[] =>
  principals
    .toString('utf8')
    .split('\n')
    .map((principal, at) => ({ clientId: Number(clientIds.readBigInt64BE(at * 8)), principal }))

/** @param relays a line of JSON for each of `clientIds`; jsonb writes no line breaks. */
function addRelays(authors: readonly Author[], clientIds: Buffer, relays: Buffer): void {
  const byClient = new Map(authors.map((author) => [author.clientId, author]))
  for (const [at, line] of relays.toString('utf8').split('\n').entries()) {
    const author = byClient.get(Number(clientIds.readBigInt64BE(at * 8)))
    if (author !== undefined) author.relays = JSON.parse(line) as Relay[] // written by us alone
  }
}

/**
 * One commit. Where the database knows somebody else as the author of a client id, the caller's word wins: rooms
 * decide whose an id is.
 * @param isPrepared by name, which saves a third of the time and does not work through every pooler.
 */
export async function insertUpdates(
  { pool, schema }: Database,
  batch: readonly Append[],
  { timeoutMs, isPrepared }: { timeoutMs: number; isPrepared: boolean },
): Promise<void> {
  const boards = uuidArray(batch.map(({ boardId }) => boardId))
  const data = byteaArray(batch.map(({ update }) => update))
  // The last word on each, in one order: a row cannot be written twice in a statement, and two nodes must not lock
  // the same rows in opposite orders.
  const authors = new Map<string, { boardId: string; author: Author }>()
  for (const { boardId, authors: own } of batch)
    for (const author of own) authors.set(`${boardId} ${author.clientId}`, { boardId, author })
  const insertData = `insert into ${tableIn(schema, 'board_updates')} (board_id, data)
    select * from unnest($1::uuid[], $2::bytea[])`
  const values: (Buffer | string)[] = [boards, data]
  const written: string[] = []
  let name = 'insert_updates'
  if (authors.size > 0) {
    name += '_authors'
    written.push(`authors as (
      insert into ${tableIn(schema, 'board_authors')} as known (board_id, client_id, principal, relays)
      select board_id, client_id, principal, nullif(relays, '')::jsonb
      from unnest($3::uuid[], $4::bigint[], $5::text[], $6::text[]) as new (board_id, client_id, principal, relays)
      on conflict (board_id, client_id) do update set principal = excluded.principal, relays = excluded.relays
      where known.principal <> excluded.principal or known.relays is distinct from excluded.relays)`)
    const sorted = [...authors].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, entry]) => entry)
    values.push(
      uuidArray(sorted.map(({ boardId }) => boardId)),
      bigintArray(sorted.map(({ author }) => author.clientId)),
      textArray(sorted.map(({ author }) => author.principal)),
      textArray(
        sorted.map(({ author: { relays = [] } }) => (relays.length === 0 ? '' : JSON.stringify(relays))),
      ),
    )
  }
  const beside = sideRowsOf(batch)
  if (beside.length > 0) {
    name += '_beside'
    written.push(...besideStatements(schema, values.length))
    values.push(...besideValues(beside))
  }
  // A field that pg knows and its types leave out.
  const timeout = { query_timeout: timeoutMs }
  await pool.query({
    ...timeout,
    ...(isPrepared ? { name } : {}),
    text: written.length === 0 ? insertData : `with ${written.join()} ${insertData}`,
    values,
  })
}

interface BesideUpdate extends SideRows {
  boardId: string
}

const sideRowsOf = (batch: readonly Append[]): BesideUpdate[] =>
  batch.flatMap(({ boardId, beside }) => (beside === null ? [] : [{ boardId, ...beside }]))

/**
 * Whoever is first with an id writes what belongs to it. A commit of which nobody knows whether it was made is made again,
 * and by other nodes too: the second waits for the first, and writes the update alone.
 * @param before how many parameters there are already; those of {@link besideValues} follow.
 */
function besideStatements(schema: string, before: number): string[] {
  const $ = (number: number) => `$${before + number}`
  const edits = ['uuid', 'uuid', 'uuid', 'text', 'text', 'text', 'text']
  const arrays = edits.map((type, at) => `${$(at + 2)}::${type}[]`)
  const isFirst = 'side_row_id in (select id from first)'
  return [
    `first as (
      insert into ${tableIn(schema, 'side_rows_written')} (id) select unnest(${$(1)}::uuid[])
      on conflict do nothing returning id)`,
    `edits as (
      insert into ${tableIn(schema, 'agent_edits')} (board_id, agent_id, element_id, change, old_values, new_values, in_trail)
      select board_id, agent_id, element_id, change, old_values::jsonb, new_values::jsonb, false
      from unnest(${arrays.join()}) with ordinality
        as new (side_row_id, board_id, agent_id, element_id, change, old_values, new_values, place)
      where ${isFirst} order by place)`,
    `told as (
      insert into ${tableIn(schema, 'audit_logs')} (${eventColumns.join()})
      select ${eventColumns.join()} from jsonb_to_recordset(${$(9)}::jsonb) as event (side_row_id uuid, ${eventRecord})
      where ${isFirst})`,
    `undone as (
      update ${tableIn(schema, 'agent_edits')} set undone_at = now() where id = any(${$(10)}::bigint[]))`,
  ]
}

function besideValues(beside: readonly BesideUpdate[]): (Buffer | string)[] {
  const edits = beside.flatMap(editsOf)
  const told = beside.flatMap(({ id, trail }) => trail.map((row) => ({ ...row, side_row_id: id })))
  return [
    // In one order: two nodes that write the same wait for each other, and not crosswise.
    uuidArray(beside.map(({ id }) => id).sort()),
    uuidArray(edits.map(({ id }) => id)),
    uuidArray(edits.map(({ boardId }) => boardId)),
    uuidArray(edits.map(({ agentId }) => agentId)),
    textArray(edits.map(({ edit }) => nameInJournal(edit.elementId))),
    textArray(edits.map(({ edit }) => edit.change)),
    textArray(edits.map(({ edit }) => jsonbOf(edit.oldValues))),
    textArray(edits.map(({ edit }) => jsonbOf(edit.newValues))),
    jsonbOf(told),
    bigintArray(beside.flatMap(({ undone }) => undone.map(Number))),
  ]
}

/** What agents did by one update: one for each element, whatever was done to it on the way. */
function editsOf({ id, boardId, byAgents }: BesideUpdate) {
  const all = new Map<string, { id: string; boardId: string; agentId: string; edit: ElementEdit }>()
  for (const { agentId, edits } of byAgents)
    for (const edit of edits) {
      const key = `${agentId} ${edit.elementId}`
      const before = all.get(key)
      if (before === undefined) all.set(key, { id, boardId, agentId, edit })
      else before.edit = joinedEdit(before.edit, edit)
    }
  return [...all.values()]
}

/** As a client may name an element in a document, and a text of Postgres may not hold it. */
const nameInJournal = (elementId: string): string => elementId.replaceAll('\u0000', '\ufffd').toWellFormed()

/** Until the transaction ends, nobody else folds this board. @returns false where somebody else does. */
export async function lockFolding(client: ClientBase, schema: string, boardId: string): Promise<boolean> {
  const { rows } = await client.query<{ locked: boolean }>(
    'select pg_try_advisory_xact_lock(hashtextextended($1, 0)) as locked',
    [`${schema}.fold.${boardId}`],
  )
  return rows[0]?.locked ?? false
}

/** The snapshot as it is now, locked against others who write it. */
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
 * Take rows out of a board's log: exactly those returned are gone. Never "up to a number": a row with a smaller
 * number may be committed later.
 * @returns in the log's order, with when each was committed (ms since 1970)
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

/** Into the same transaction that took them. */
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

/** What the board is found by beside its title. */
export const writeSearchKey = (client: ClientBase, schema: string, boardId: string, key: string) =>
  client.query({
    text: `insert into ${tableIn(schema, 'board_search')} (board_id, title, title_key, text_key)
      select id, title, lower(title), $2 from ${tableIn(schema, 'boards')} where id = $1
      on conflict (board_id) do update set text_key = excluded.text_key, updated_at = now()
      where board_search.text_key <> excluded.text_key`,
    values: [boardId, key],
  })

/** Seconds since the newest automatic version; null where there is none. */
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

/** The board, held until the transaction ends. @returns false where there is none. */
export async function holdBoard(client: ClientBase, schema: string, boardId: string): Promise<boolean> {
  const { rowCount } = await client.query(
    `select from ${tableIn(schema, 'boards')} where id = $1 for no key update`,
    [boardId],
  )
  return rowCount === 1
}

/** From now on `clientIds`, and earlier authors, belong to a document that is gone; `author` is the new one's. */
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

/** pg sends a Buffer in binary; a plain Uint8Array it would not know. Shares the memory. */
export const asBuffer = (bytes: Uint8Array): Buffer =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
