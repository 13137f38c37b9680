import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type AsQuestion, accessStatement } from '../../server/boards/access-queries.ts'
import { withDatabase } from '../helpers/database.ts'
import { addManyRows, manyBoard, manyGuest, manyUser } from '../helpers/many-rows.ts'

const plan = suite('the access decision among many rows')

const question = (n: number): AsQuestion => ({
  boardId: manyBoard(1 + (n % 10_000)),
  userId: n % 2 === 0 ? manyUser(1 + (n % 5_000)) : null,
  guestId: n % 2 === 0 ? null : manyGuest(1 + (n % 5_000)),
  agentId: null,
  sessionId: n % 2 === 0 ? 1 + (n % 5_000) : null,
  keyId: null,
})

interface PlanNode {
  'Node Type': string
  'Relation Name'?: string
  Plans?: PlanNode[]
}

const scansOf = (node: PlanNode): string[] => [
  ...(node['Node Type'] === 'Seq Scan' ? [node['Relation Name'] ?? '?'] : []),
  ...(node.Plans ?? []).flatMap(scansOf),
]

const big = ['users', 'sessions', 'guests', 'boards', 'board_permissions', 'share_links', 'share_link_uses']

plan('uses indexes alone, for one subject and for a room of two hundred', () =>
  withDatabase(async ({ db, pool, url, schema }) => {
    await addManyRows(url, schema, { users: 5_000, boards: 10_000, permissions: 50_000, linkUses: 20_000 })
    for (const count of [1, 200]) {
      const { sql, parameters } = accessStatement(
        Array.from({ length: count }, (_, n) => question(n)),
      ).compile(db)
      const { rows } = await pool.query(`explain (format json) ${sql}`, [...parameters])
      const scanned = scansOf(rows[0]['QUERY PLAN'][0].Plan)
      assert.equal(
        scanned.filter((table) => big.includes(table)),
        [],
        `${count} subjects`,
      )
      // Its plan is kept, and made without the subjects then.
      const kept = await pool.query(`explain (generic_plan, format json) ${sql}`)
      assert.equal(
        scansOf(kept.rows[0]['QUERY PLAN'][0].Plan).filter((table) => big.includes(table)),
        [],
        'the plan that is kept',
      )
    }
  }),
)

plan.run()
