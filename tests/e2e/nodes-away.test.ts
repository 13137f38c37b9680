// What happens on a node while its connection to NATS is lost for less than the time after which nodes forget each
// other.
import { suite } from 'uvu'
import { eventually } from '../helpers/eventually.ts'
import { readMetrics } from '../helpers/metrics.ts'
import { hasNats, NatsWay } from '../helpers/nats.ts'
import { type TestNodes, withNodes } from '../helpers/nodes.ts'
import { awareness } from '../helpers/raw-client.ts'
import type { TestServer } from '../helpers/server.ts'

const away = suite('a node that briefly loses NATS')

/** The second node has a separate connection. */
const withWay = async (work: (nodes: TestNodes, way: NatsWay) => Promise<void>): Promise<void> => {
  const way = new NatsWay()
  try {
    await withNodes(
      (nodes) => work(nodes, way),
      {},
      async (nats) => ({ natsUrl: await way.open(nats.port) }),
    )
  } finally {
    way.close()
  }
}

const hasClosed = async ({ origin }: TestServer) => (await readMetrics(origin)).get('boardroom_rooms') === 0
/** Says who is there. */
const shown = ({ doc }: { doc: { clientID: number } }) =>
  awareness([{ clientId: doc.clientID, clock: 1, state: { x: 1 } }])

away('and closes a board meanwhile: its edits appear, and its people disappear', () =>
  withWay(async ({ one, other }, way) => {
    const ada = await one.user('Ada')
    const board = await ada.board()
    const a = await one.open(board, { ticket: await ada.ticket(board) })
    const b = await other.raw(board, { ticket: await ada.ticket(board) })
    b.edit((doc) => doc.getMap('m').set('before', 1))
    b.send(shown(b))
    await eventually(() => a.doc.getMap('m').has('before'))
    await eventually(() => a.provider.awareness.getStates().has(b.doc.clientID))
    way.cut()
    const edit = b.edit((doc) => doc.getMap('m').set('meanwhile', 1))
    await eventually(() => b.saved >= edit)
    b.terminate()
    await eventually(() => hasClosed(other))
    way.restore()
    await eventually(() => a.doc.getMap('m').has('meanwhile'))
    await eventually(() => !a.provider.awareness.getStates().has(b.doc.clientID))
  }),
)

away('and opens, changes and closes a board without the others knowing: the change appears', () =>
  withWay(async ({ one, other }, way) => {
    const ada = await one.user('Ada')
    const board = await ada.board()
    const a = await one.open(board, { ticket: await ada.ticket(board) })
    way.cut()
    const b = await other.raw(board, { ticket: await ada.ticket(board) })
    const edit = b.edit((doc) => doc.getMap('m').set('meanwhile', 1))
    await eventually(() => b.saved >= edit)
    b.terminate()
    await eventually(() => hasClosed(other))
    way.restore()
    await eventually(() => a.doc.getMap('m').has('meanwhile'))
  }),
)

away('and loses one of two people meanwhile: the one who left disappears, the other stays visible', () =>
  withWay(async ({ one, other }, way) => {
    const ada = await one.user('Ada')
    const board = await ada.board()
    const ticket = await ada.ticket(board)
    const a = await one.open(board, { ticket })
    const [b, c] = [await other.raw(board, { ticket }), await other.raw(board, { ticket })]
    const seen = (id: number) => a.provider.awareness.getStates().has(id)
    b.send(shown(b))
    c.send(shown(c))
    await eventually(() => seen(b.doc.clientID) && seen(c.doc.clientID))
    way.cut()
    b.terminate()
    await eventually(async () => (await one.actions(board)).includes('leave'))
    way.restore()
    await eventually(() => !seen(b.doc.clientID) && seen(c.doc.clientID))
  }),
)

if (hasNats(3)) away.run()
