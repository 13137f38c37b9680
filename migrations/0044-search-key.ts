// What boards and records are found by is folded further, for everybody who types `lodz` for Łódź; names and titles
// without a stored key are compared the same way.
import { type Kysely, sql } from 'kysely'
import { literal, quoted, run } from './migration.ts'

const from = 'łøđðħŧŋıəƀɓɖɗɛƒɣɨƙɲɔʉʋƴς‘’ʼ“”‐‒–—−'
const to = `loddhtniebbddefgiknouvyσ'''""-----`
const marks =
  '[\\u0300-\\u036f\\u0591-\\u05bd\\u05bf\\u05c1\\u05c2\\u05c4\\u05c5\\u05c7\\u0640\\u064b-\\u065f\\u0670\\u00ad\\u200b-\\u200f\\u2060-\\u2064\\ufe00-\\ufe0f\\ufeff]'

export async function up(db: Kysely<unknown>, schema: string): Promise<void> {
  const s = quoted(schema)
  // A database of the locale C knows the case of ASCII alone.
  const { rows } = await sql<{ name: string }>`
    select collname as name from pg_collation
    where collname in ('und-x-icu', 'pg_c_utf8', 'C.utf8') and collencoding in (-1, pg_char_to_encoding('UTF8'))
      and collnamespace = 'pg_catalog'::regnamespace
    order by collname desc limit 1`.execute(db)
  const collation = rows[0] === undefined ? 'default' : rows[0].name
  await run(
    db,
    `
-- As the server folds texts for searching.
create function ${s}.search_key(words text) returns text language sql immutable strict parallel safe as $$
select btrim(regexp_replace(normalize(
  replace(replace(replace(replace(
    translate(
      regexp_replace(normalize(lower(upper(normalize(words, NFKC) collate pg_catalog.${quoted(collation)})), NFD), ${literal(marks)}, '', 'g'),
      ${literal(from)}, ${literal(to)}),
    'ß', 'ss'), 'æ', 'ae'), 'œ', 'oe'), 'þ', 'th'),
  NFC), '\\s+', ' ', 'g'))
$$;

-- Keys of Latin letters alone stay as they are.
update ${s}.board_search set title_key = ${s}.search_key(title_key), text_key = ${s}.search_key(text_key)
  where title_key ~ '[^[:ascii:]]' or text_key ~ '[^[:ascii:]]';
update ${s}.board_records set search_key = ${s}.search_key(search_key) where search_key ~ '[^[:ascii:]]';
`,
  )
}

export async function down(db: Kysely<unknown>, schema: string): Promise<void> {
  const s = quoted(schema)
  await run(
    db,
    `
drop function ${s}.search_key(text);
`,
  )
}
