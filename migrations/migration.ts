// What a migration is. A released one is frozen: it is never edited and imports kysely alone (and this file).
import { type Kysely, sql } from 'kysely'

export interface Migration {
  /** `0001-accounts`: number, then the noun. Recorded in the database; never renamed. */
  name: string
  /** @param schema any legal name; it exists already. Runs inside a transaction of the caller's. */
  up(db: Kysely<unknown>, schema: string): Promise<void>
  /** Takes away exactly what `up` made, with whatever data is in it. */
  down(db: Kysely<unknown>, schema: string): Promise<void>
}

/** A schema's name as SQL writes it. */
export const quoted = (schema: string): string => `"${schema.replaceAll('"', '""')}"`

/** A text as SQL writes it. */
export const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`

/** The clause that fixes where a function's names are looked up, whatever its caller's `search_path` says. */
export const fixedSearchPath = (schema: string): string =>
  `set search_path = pg_catalog, ${quoted(schema)}, pg_temp`

/** Runs several statements, none of which takes parameters. */
export const run = async (db: Kysely<unknown>, statements: string): Promise<void> => {
  await sql.raw(statements).execute(db)
}
