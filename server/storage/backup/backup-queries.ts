// Reads tables, columns, partitions and sequences from the catalog. Nothing is listed by hand, so that a table added by a
// later migration is automatically included in backups.
import type { ClientBase } from 'pg'

export const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`

/** Maintained by the migrations; a backup lists these in its header instead. */
const recordTable = 'migrations'

export interface TableShape {
  name: string
  columns: string[]
}

/** Every table except partitions (their rows are read through the parent), each after the ones it references. */
export async function tablesOf(client: ClientBase, schema: string): Promise<TableShape[]> {
  const { rows: tables } = await client.query<TableShape>(
    `select c.relname as name, array_agg(a.attname::text order by a.attnum) as columns
     from pg_class c join pg_attribute a on a.attrelid = c.oid
     where c.relnamespace = $1::regnamespace and c.relkind in ('r', 'p') and not c.relispartition and c.relname <> $2
       and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
     group by c.relname order by c.relname`,
    [quoted(schema), recordTable],
  )
  const { rows: references } = await client.query<{ child: string; parent: string }>(
    `select distinct child.relname as child, parent.relname as parent
     from pg_constraint k join pg_class child on child.oid = k.conrelid join pg_class parent on parent.oid = k.confrelid
     where k.contype = 'f' and child.relnamespace = $1::regnamespace and child.oid <> parent.oid`,
    [quoted(schema)],
  )
  const ordered: TableShape[] = []
  const waiting = new Map(tables.map((table) => [table.name, table]))
  while (waiting.size > 0) {
    const ready = [...waiting.values()].filter(
      ({ name }) => !references.some(({ child, parent }) => child === name && waiting.has(parent)),
    )
    if (ready.length === 0)
      throw new Error(`tables refer to each other in a circle: ${[...waiting.keys()].join(', ')}`)
    for (const table of ready) {
      ordered.push(table)
      waiting.delete(table.name)
    }
  }
  return ordered
}

export async function partitionsOf(
  client: ClientBase,
  schema: string,
): Promise<{ parent: string; name: string; bounds: string }[]> {
  const { rows } = await client.query<{ parent: string; name: string; bounds: string }>(
    `select parent.relname as parent, part.relname as name, pg_get_expr(part.relpartbound, part.oid) as bounds
     from pg_inherits i join pg_class part on part.oid = i.inhrelid join pg_class parent on parent.oid = i.inhparent
     where parent.relnamespace = $1::regnamespace and part.relispartition and part.relkind in ('r', 'p')
     order by part.relname`,
    [quoted(schema)],
  )
  return rows
}

export async function migrationsOf(client: ClientBase, schema: string): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    `select name from ${quoted(schema)}.${recordTable} order by name`,
  )
  return rows.map(({ name }) => name)
}

/** Last values by name; sequences that were never used are left out. */
export async function sequencesOf(client: ClientBase, schema: string): Promise<Record<string, string>> {
  const { rows } = await client.query<{ name: string; value: string }>(
    `select sequencename as name, last_value::text as value from pg_sequences
     where schemaname = $1 and last_value is not null`,
    [schema],
  )
  return Object.fromEntries(rows.map(({ name, value }) => [name, value]))
}

export interface TriggerState {
  table: string
  trigger: string
  /** As in pg_trigger: O origin, D disabled, A always, R replica. */
  state: string
}

/** Of our own triggers, parents before partitions. */
export async function triggersOf(client: ClientBase, schema: string): Promise<TriggerState[]> {
  const { rows } = await client.query<TriggerState>(
    `select c.relname as table, t.tgname as trigger, t.tgenabled as state
     from pg_trigger t join pg_class c on c.oid = t.tgrelid
     where c.relnamespace = $1::regnamespace and not t.tgisinternal
     order by c.relispartition, c.relname, t.tgname`,
    [quoted(schema)],
  )
  return rows
}

/** The first table with rows; a fresh instance contains only the system actor. */
export async function firstFilledTable(
  client: ClientBase,
  schema: string,
  tables: readonly TableShape[],
): Promise<string | null> {
  for (const { name } of tables) {
    const others = name === 'users' ? `where email is distinct from 'system@boardroom.invalid'` : ''
    const { rows } = await client.query<{ filled: boolean }>(
      `select exists (select from ${quoted(schema)}.${quoted(name)} ${others}) as filled`,
    )
    if (rows[0]?.filled === true) return name
  }
  return null
}
