// The colour behind a drawing, the same for everybody.
import type { Kysely } from 'kysely'
import { quoted, run } from './migration.ts'

export async function up(db: Kysely<unknown>, schema: string): Promise<void> {
  const s = quoted(schema)
  await run(
    db,
    `
-- null: white; else a colour of CSS, as Excalidraw writes them
alter table ${s}.boards add column background varchar(80)
  check (background ~* '^(#([0-9a-f]{3,4}|[0-9a-f]{6}|[0-9a-f]{8})|[a-z]{3,30}|(rgb|hsl)a?[(][0-9.,%/ deg]{5,60}[)])$');
`,
  )
}

export async function down(db: Kysely<unknown>, schema: string): Promise<void> {
  await run(db, `alter table ${quoted(schema)}.boards drop column background;`)
}
