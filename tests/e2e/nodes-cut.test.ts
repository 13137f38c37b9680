// A node that is cut off from Postgres, or from Postgres and NATS, while another one is not.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import * as Y from 'yjs'
import { DatabaseWay } from '../helpers/database-way.ts'
import { eventually } from '../helpers/eventually.ts'
import { hasNats, NatsWay } from '../helpers/nats.ts'
import { type TestNodes, withNodes } from '../helpers/nodes.ts'

const cut = suite('a node that is cut off')

interface Ways {
  toDatabase: DatabaseWay
  toNats: NatsWay
}

/** The second node has separate connections. */
async function withWays(work: (nodes: TestNodes, ways: Ways) => Promise<void>): Promise<void> {
  const ways = { toDatabase: new DatabaseWay(), toNats: new NatsWay() }
  try {
    await withNodes(
      async (nodes) => {
        try {
          await work(nodes, ways)
        } finally {
          for (const way of Object.values(ways)) way.restore()
        }
      },
      {},
      async (nats, { serverUrl, directUrl }) => ({
        natsUrl: await ways.toNats.open(nats.port),
        database: await ways.toDatabase.open(serverUrl),
        ...(directUrl === undefined ? {} : { databaseDirectUrl: await ways.toDatabase.open(directUrl) }),
      }),
    )
  } finally {
    for (const way of Object.values(ways)) way.close()
  }
}

const textOf = (doc: Y.Doc): string => doc.getText('t').toString()

cut('from Postgres still exchanges edits, reports nothing as saved, and other nodes save what it wrote', () =>
  withWays(async ({ one, other }, { toDatabase }) => {
    const ada = await one.user('Ada')
    const board = await ada.board()
    const ticket = await ada.ticket(board)
    const a = await one.open(board, { ticket })
    const b = await other.raw(board, { ticket })
    b.edit((doc) => doc.getText('t').insert(0, 'before '))
    await eventually(() => textOf(a.doc) === 'before ' && b.saved === 1)

    toDatabase.cut()
    const edit = b.edit((doc) => doc.getText('t').insert(7, 'meanwhile '))
    await eventually(() => textOf(a.doc) === 'before meanwhile ')
    a.doc.getText('t').insert(17, 'seen')
    await eventually(() => textOf(b.doc) === 'before meanwhile seen')
    // The other node stores it, since nobody announces that it is stored: read directly, not through any room.
    const stored = new Y.Doc()
    await eventually(async () => {
      for (const { data } of await one.db.selectFrom('board_updates').select('data').execute())
        Y.applyUpdate(stored, data)
      return textOf(stored) === 'before meanwhile seen'
    })
    assert.ok(b.saved < edit, 'called saved by a node that does not know')

    // People who were sent away there can join here; and a node that is back is as good as before.
    assert.is((await b.closed).code, 4503)
    assert.is((await (await other.raw(board, { ticket })).closed).code, 4503)
    const c = await one.raw(board, { ticket })
    await eventually(() => textOf(c.doc) === 'before meanwhile seen')
    toDatabase.restore()
    const d = await eventually(async () => {
      const again = await other.raw(board, { ticket })
      await eventually(() => textOf(again.doc) === 'before meanwhile seen', { withinMs: 1000 })
      return again
    })
    const last = d.edit((doc) => doc.getText('t').insert(0, 'last '))
    await eventually(() => d.saved >= last && textOf(a.doc).startsWith('last before'))
  }),
)

for (const silent of [false, true])
  cut(
    `from Postgres and NATS${silent ? ', without being told,' : ''} sends its people to the others, and nothing is lost`,
    () =>
      withWays(async ({ one, other }, { toDatabase, toNats }) => {
        const ada = await one.user('Ada')
        const bob = await one.user('Bob')
        const board = await ada.board()
        await ada.grant(board, bob, 'edit')
        const a = await one.open(board, { ticket: await ada.ticket(board) })
        const b = await other.open(board, { ticket: await bob.ticket(board) })
        a.doc.getMap('m').set('before', 1)
        await eventually(() => b.doc.getMap('m').has('before'))
        for (const way of [toDatabase, toNats])
          if (silent) {
            way.isSilentUp = true
            way.isSilentDown = true
          } else way.cut()
        a.doc.getMap('m').set('a', 1)
        b.doc.getMap('m').set('b', 1)
        await eventually(() => b.closes.length > 0)
        assert.is(b.closes[0], 4503)
        b.provider.serverUrl = one.wsUrl
        await eventually(() => a.doc.getMap('m').has('b') && b.doc.getMap('m').has('a'))
        for (const way of [toDatabase, toNats]) way.restore()
        const c = await other.open(board, { ticket: await ada.ticket(board) })
        c.provider.awareness.setLocalStateField('x', 1)
        await eventually(() => c.doc.getMap('m').size === 3)
        // Everybody once.
        await eventually(() => [a, b, c].every(({ provider }) => provider.awareness.getStates().size === 3))
      }),
  )

if (hasNats(3)) cut.run()
