// A node of an older version next to one that has migrated the tables to a newer version.
import { rejects } from 'node:assert/strict'
import { sql } from 'kysely'
import { suite } from 'uvu'
import { eventually } from '../helpers/eventually.ts'
import { hasNats } from '../helpers/nats.ts'
import { withNodes } from '../helpers/nodes.ts'

const older = suite('a node of an older version')

older('continues to run when a newer one migrates, and does not start afterwards, with advice', () =>
  withNodes(async ({ one, other, database: { db }, start }) => {
    const ada = await one.user('Ada')
    const board = await ada.board()
    const ticket = await ada.ticket(board)
    const a = await one.raw(board, { ticket })
    await sql`insert into ${sql.table('migrations')} (name) values ('9999-of-a-newer-version')`.execute(db)
    const b = await other.raw(board, { ticket })
    const edit = a.edit((doc) => doc.getMap('m').set('a', 1))
    await eventually(() => a.saved >= edit && b.doc.getMap('m').has('a'))
    await rejects(start(), {
      code: 'database_too_new',
      message:
        /^the database was migrated by a newer Boardroom \(9999-of-a-newer-version\); start that version, or use it to revert its migrations/,
    })
    const last = b.edit((doc) => doc.getMap('m').set('b', 1))
    await eventually(() => b.saved >= last && a.doc.getMap('m').has('b'))
  }),
)

if (hasNats(1)) older.run()
