// The SQL of one group commit: updates, their authors, and their side rows.
import { jsonbOf } from '../../audit/event.ts'
import { eventColumns, eventRecord } from '../../audit/queries.ts'
import { bigintArray, byteaArray, textArray, uuidArray } from '../../database/arrays.ts'
import type { Database } from '../../database/database.ts'
import { type ElementEdit, joinedEdit } from '../../documents/element-properties.ts'
import type { Author, SideRows } from '../../rooms/ports.ts'
import { tableIn } from './queries.ts'

/** One update for the log, with its authors as far as they changed. */
export interface Append {
  boardId: string
  update: Uint8Array
  authors: readonly Author[]
  sideRows: SideRows | null
}

/**
 * Commits a batch in one statement. Authors overwrite those in the database, because rooms decide who owns a client id.
 * @param isPrepared uses a named prepared statement, which saves a third of the time but fails behind some poolers.
 */
export async function insertUpdates(
  { pool, schema }: Database,
  batch: readonly Append[],
  { timeoutMs, isPrepared }: { timeoutMs: number; isPrepared: boolean },
): Promise<void> {
  const boards = uuidArray(batch.map(({ boardId }) => boardId))
  const data = byteaArray(batch.map(({ update }) => update))
  // The last entry per client id, because a statement cannot write a row twice; sorted, because two nodes must not lock
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
  const sideRows = sideRowsOf(batch)
  if (sideRows.length > 0) {
    name += '_side_rows'
    written.push(...sideRowStatements(schema, values.length))
    values.push(...sideRowValues(sideRows))
  }
  // pg supports this field, but its types lack it.
  const timeout = { query_timeout: timeoutMs }
  await pool.query({
    ...timeout,
    ...(isPrepared ? { name } : {}),
    text: written.length === 0 ? insertData : `with ${written.join()} ${insertData}`,
    values,
  })
}

interface SideRowsOfUpdate extends SideRows {
  boardId: string
}

const sideRowsOf = (batch: readonly Append[]): SideRowsOfUpdate[] =>
  batch.flatMap(({ boardId, sideRows }) => (sideRows === null ? [] : [{ boardId, ...sideRows }]))

/**
 * Writes the side rows of each update once. A commit whose outcome is unknown is repeated, also by other nodes; a
 * repetition waits for the first commit and then writes only the update.
 * @param before the number of parameters so far; those of {@link sideRowValues} follow.
 */
function sideRowStatements(schema: string, before: number): string[] {
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

function sideRowValues(sideRows: readonly SideRowsOfUpdate[]): (Buffer | string)[] {
  const edits = sideRows.flatMap(editsOf)
  const told = sideRows.flatMap(({ id, trail }) => trail.map((row) => ({ ...row, side_row_id: id })))
  return [
    // Sorted, so that two nodes that write the same ids do not deadlock.
    uuidArray(sideRows.map(({ id }) => id).sort()),
    uuidArray(edits.map(({ id }) => id)),
    uuidArray(edits.map(({ boardId }) => boardId)),
    uuidArray(edits.map(({ agentId }) => agentId)),
    textArray(edits.map(({ edit }) => nameInJournal(edit.elementId))),
    textArray(edits.map(({ edit }) => edit.change)),
    textArray(edits.map(({ edit }) => jsonbOf(edit.oldValues))),
    textArray(edits.map(({ edit }) => jsonbOf(edit.newValues))),
    jsonbOf(told),
    bigintArray(sideRows.flatMap(({ undone }) => undone.map(Number))),
  ]
}

/** The edits of agents in one update, joined into one per agent and element. */
function editsOf({ id, boardId, byAgents }: SideRowsOfUpdate) {
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

/** Clients may use characters in element ids that a text in Postgres cannot hold. */
const nameInJournal = (elementId: string): string => elementId.replaceAll('\u0000', '\ufffd').toWellFormed()
