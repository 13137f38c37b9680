// The plans of frequent statements with many rows: each uses indexes.
import { Kysely, PostgresDialect } from 'kysely'
import type pg from 'pg'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { agentRows, boardsOfAgent, grantRows } from '../../server/agents/queries.ts'
import { type AsQuestion, accessStatement } from '../../server/boards/access-queries.ts'
import { recordsOf, textOfBoard } from '../../server/boards/consent/queries.ts'
import { listRecordRows, recordOfBoard, variablesOfCode } from '../../server/boards/records/queries.ts'
import type { Db } from '../../server/database/database.ts'
import type { Tables } from '../../server/database/tables.ts'
import { type TestDatabase, withDatabase } from '../helpers/database.ts'
import {
  addManyRows,
  addMoreRows,
  manyAgent,
  manyAsked,
  manyBoard,
  manyGuest,
  manyTemplate,
  manyUser,
} from '../helpers/many-rows.ts'
import { testPool } from '../helpers/test-pool.ts'

const plan = suite('frequent statements with many rows')
const numbers = { users: 5_000, boards: 10_000, permissions: 50_000, linkUses: 20_000 }
const more = { grants: 30_000, consents: 20_000, records: 10_000 }

const question = (n: number): AsQuestion => ({
  boardId: manyBoard(1 + (n % 10_000)),
  userId: n % 3 === 0 ? manyUser(1 + (n % 5_000)) : null,
  guestId: n % 3 === 1 ? manyGuest(1 + (n % 5_000)) : null,
  agentId: n % 3 === 2 ? manyAgent(1 + (n % 500)) : null,
  sessionId: n % 3 === 0 ? 1 + (n % 5_000) : null,
  keyId: null,
})

interface PlanNode {
  'Node Type': string
  'Relation Name'?: string
  Plans?: PlanNode[]
}

const small = ['board_templates', 'folders', 'folder_permissions', 'board_invitations', 'service_keys']
/** Large tables that a plan scans sequentially. */
const scansOf = (node: PlanNode): string[] => [
  ...(node['Node Type'] === 'Seq Scan' ? [node['Relation Name'] ?? '?'] : []).filter(
    (table) => !small.includes(table),
  ),
  ...(node.Plans ?? []).flatMap(scansOf),
]

const planOf = async (pool: Pick<pg.Pool, 'query'>, how: string, sql: string, parameters: unknown[] = []) =>
  (await pool.query(`explain (${how}) ${sql}`, parameters)).rows[0]['QUERY PLAN'][0].Plan as PlanNode

/** The sequential scans in the statements that `ask` makes. */
async function scansOfAsking(test: TestDatabase, ask: (db: Db) => Promise<unknown>): Promise<string[]> {
  const made: { sql: string; parameters: readonly unknown[] }[] = []
  const pool = testPool({ connectionString: test.url, options: `-c search_path=${test.schema}`, max: 1 })
  const db = new Kysely<Tables>({
    dialect: new PostgresDialect({ pool }),
    log({ query }) {
      made.push(query)
    },
  })
  try {
    await ask(db)
    const found: string[] = []
    for (const { sql, parameters } of made)
      found.push(...scansOf(await planOf(pool, 'format json', sql, [...parameters])))
    return found
  } finally {
    await db.destroy()
  }
}

const asked: Record<string, (db: Db) => Promise<unknown>> = {
  'an agent’s grants': (db) => grantRows(db, manyAgent(7), null, 0, 100),
  'the agents of somebody': (db) => agentRows(db, manyUser(7), null, 100),
  'the boards of an agent': (db) => boardsOfAgent(db, manyAgent(7), 100),
  'the consents of a user': (db) => recordsOf(db, { userId: manyUser(7) }, 100),
  'the consents of a guest': (db) => recordsOf(db, { guestId: manyGuest(7) }, 100),
  'what a board asks': (db) => textOfBoard(db, manyBoard(70)),
  'the record of a board': (db) => recordOfBoard(db, manyBoard(7)),
  'the fields of a template’s records': (db) => variablesOfCode(db, manyTemplate),
  'the newest records of a template': (db) => listRecordRows(db, records({}), null, 101),
  'the newest records of all': (db) => listRecordRows(db, records({ template: undefined }), null, 101),
  'the next page of them': (db) =>
    listRecordRows(
      db,
      records({}),
      { key: new Date(Date.now() - 500_000).toISOString(), id: '00000000-0000-4000-d000-000000000500' },
      101,
    ),
  'somebody’s records': (db) => listRecordRows(db, records({ userId: manyUser(7) }), null, 101),
}
const records = (change: Partial<Parameters<typeof listRecordRows>[1]>) => ({
  ...{ template: manyTemplate as string | undefined, q: undefined, deleted: false, userId: null },
  ...change,
})

plan('use only indexes: the access decision, for one subject and for a room of two hundred', () =>
  withDatabase(async (test) => {
    const { db, pool, url, schema } = test
    await addManyRows(url, schema, numbers)
    await addMoreRows(url, schema, { ...numbers, ...more })
    for (const consent of [null, manyAsked])
      for (const count of [1, 3, 200]) {
        const { sql, parameters } = accessStatement(
          Array.from({ length: count }, (_, n) => question(n)),
          consent,
        ).compile(db)
        const about = `${count} subjects${consent === null ? '' : ', consent asked'}`
        assert.equal(scansOf(await planOf(pool, 'format json', sql, [...parameters])), [], about)
        // Its plan is cached, and made without the subjects.
        assert.equal(scansOf(await planOf(pool, 'generic_plan, format json', sql)), [], `${about}, kept`)
      }
    const scanned: Record<string, string[]> = {}
    for (const [about, ask] of Object.entries(asked)) {
      const tables = await scansOfAsking(test, ask)
      if (tables.length > 0) scanned[about] = tables
    }
    assert.equal(scanned, {})
    // As documented in docs/performance.md; not every installation has the extension, so no migration creates it.
    await pool.query(`create extension pg_trgm; create index board_records_parts on ${schema}.board_records
      using gin (search_key gin_trgm_ops) where deleted_at is null; analyze ${schema}.board_records`)
    for (const q of ['erson 7777', '00000007777'])
      assert.equal(
        await scansOfAsking(test, (searched) => listRecordRows(searched, records({ q }), null, 101)),
        [],
        `records by ${q}`,
      )
  }),
)

plan.run()
