// Raw SQL finds its tables in our schema, whatever the role's search path is.
import {
  DummyDriver,
  Kysely,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  sql,
} from 'kysely'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { qualifyRawTables } from '../../server/database/raw-tables.ts'
import type { Tables } from '../../server/database/tables.ts'

const raw = suite('tables in raw SQL')

const db = new Kysely<Tables>({
  dialect: {
    createAdapter: () => new PostgresAdapter(),
    createDriver: () => new DummyDriver(),
    createIntrospector: (any) => new PostgresIntrospector(any),
    createQueryCompiler: () => new PostgresQueryCompiler(),
  },
  plugins: [qualifyRawTables('rooms')],
}).withSchema('rooms')

raw('get the schema, even in a nested fragment', () => {
  const inner = sql`select id from ${sql.table('users')}`
  assert.is(
    sql`select * from ${sql.table('boards')} b where ${sql.join([sql`owner_id in (${inner})`])}`.compile(db)
      .sql,
    'select * from "rooms"."boards" b where owner_id in (select id from "rooms"."users")',
  )
})

raw('get it inside a built query too, and once', () => {
  const query = db
    .selectFrom('boards as b')
    .select('b.id')
    .where(sql<boolean>`exists (select from ${sql.table('users')} u where u.id = ${sql.ref('b.owner_id')})`)
  assert.is(
    query.compile().sql,
    'select "b"."id" from "rooms"."boards" as "b" where exists (select from "rooms"."users" u where u.id = "b"."owner_id")',
  )
})

raw('keep a schema that they were given', () => {
  assert.is(
    sql`select from ${sql.table('pg_catalog.pg_roles')}`.compile(db).sql,
    'select from "pg_catalog"."pg_roles"',
  )
})

raw.run()
