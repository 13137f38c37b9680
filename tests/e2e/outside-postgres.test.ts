// An external Postgres that loses power while people draw, connected directly and through a pooler. The trail,
// backups and other outages are tested there by running their files on it: tests/run.ts.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import * as Y from 'yjs'
import { verifyAudit } from '../../server/audit/verify.ts'
import { MessageType } from '../../shared/protocol.ts'
import { eventually } from '../helpers/eventually.ts'
import { onOutside, outsideWays, whyNot } from '../helpers/outside-postgres.ts'
import { withServer } from '../helpers/server.ts'

const outside = suite('an external Postgres')

for (const way of outsideWays) {
  const reason = whyNot(way)
  if (reason !== null) {
    console.log(`# skipped 1: ${reason}`)
    continue
  }
  outside(`that loses power and comes back costs nobody an edit or the connection (${way})`, () =>
    onOutside(way, (postgres) =>
      withServer(async ({ user, raw, boardroom, database, actions }) => {
        const ada = await user('Ada')
        const board = await ada.board()
        const ticket = await ada.ticket(board)
        const [writer, watcher] = [await raw(board, { ticket }), await raw(board, { ticket })]
        await Promise.all([writer, watcher].map((client) => client.message(MessageType.hello)))
        const put = (key: string) => writer.edit((doc) => doc.getMap('notes').set(key, key))
        const before = put('before')
        await eventually(() => writer.saved >= before)
        let last = 0
        await postgres.whileAway(async () => {
          last = put('meanwhile')
          await eventually(() => watcher.doc.getMap('notes').has('meanwhile'))
          assert.is(writer.saved, before, 'nothing is called saved before it is')
        })
        await eventually(() => writer.saved >= last)
        for (const client of [writer, watcher]) assert.is(client.socket.readyState, client.socket.OPEN)
        const stored = new Y.Doc()
        Y.applyUpdate(stored, await boardroom.documents.read(board))
        assert.equal(stored.getMap('notes').toJSON(), { before: 'before', meanwhile: 'meanwhile' })
        for (const client of [writer, watcher]) client.close()
        await eventually(
          async () => (await actions(board)).filter((action) => action === 'leave').length === 2,
        )
        const verified = await verifyAudit(database, {})
        assert.ok(verified.ok, JSON.stringify(verified))
      }),
    ),
  )
}

outside.run()
