// The SQL that reads a board's log, and what all SQL of the log shares. Bytes travel by COPY and binary arrays; see
// server/database/copy.ts for why.
import { copyRows } from '../../database/copy.ts'
import type { Database } from '../../database/database.ts'
import { withClient } from '../../database/with-client.ts'
import type { Author, Relay } from '../../rooms/ports.ts'

export interface StoredSnapshot {
  state: Uint8Array
  checksum: Uint8Array
}

export interface StoredRows {
  snapshot: StoredSnapshot | null
  updates: Uint8Array[]
  authors: Author[]
}

const uuidShape = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

/** The qualified name of a table in raw SQL. The configuration validates schema names; they are quoted anyway. */
export const tableIn = (schema: string, table: string): string => `"${schema.replaceAll('"', '""')}".${table}`

/** A board id as a literal, because COPY takes no parameters. @throws TypeError if it is not a UUID */
export const literalOf = (boardId: string): string => {
  if (!uuidShape.test(boardId)) throw new TypeError('a board id is a UUID')
  return `'${boardId}'::uuid`
}

/** Log rows in chunks of about 4 MiB, because reading thousands of small rows one by one is many times slower. */
export const chunked = (rows: string): string => `
  select chunk, string_agg(int4send(octet_length(data)), ''::bytea order by seq) as lengths,
         string_agg(data, ''::bytea order by seq) as data
  from (select seq, data, sum(octet_length(data)) over (order by seq) / 4194304 as chunk from ${rows}) as rows
  group by chunk`

/** One statement, so that snapshot, log and authors belong together. @returns null if there is no such board. */
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

/** Cuts concatenated values apart by their lengths (int4 each). */
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

/** @param relays one line of JSON per client id; jsonb never contains line breaks. */
function addRelays(authors: readonly Author[], clientIds: Buffer, relays: Buffer): void {
  const byClient = new Map(authors.map((author) => [author.clientId, author]))
  for (const [at, line] of relays.toString('utf8').split('\n').entries()) {
    const author = byClient.get(Number(clientIds.readBigInt64BE(at * 8)))
    if (author !== undefined) author.relays = JSON.parse(line) as Relay[] // only this server writes it
  }
}

/** The same memory as a Buffer, which pg sends in binary; it does not support a plain Uint8Array. */
export const asBuffer = (bytes: Uint8Array): Buffer =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
