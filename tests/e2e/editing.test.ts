import { readFileSync } from 'node:fs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import * as Y from 'yjs'
import { CloseCode, encodeSync, MessageType, SyncStep } from '../../shared/protocol.ts'
import { elementsOf, readScene, writeElements } from '../../shared/scene.ts'
import { eventually } from '../helpers/eventually.ts'
import { type StockClient, withServer } from '../helpers/server.ts'

const editing = suite('editing together')

const drawing = (name: string) => {
  const scene = readScene(JSON.parse(readFileSync(`tests/fixtures/boards/${name}.excalidraw`, 'utf8')))
  if (scene === null) throw new Error(`${name} is no drawing`)
  return scene.elements
}
const stateOf = (doc: Y.Doc) => Buffer.from(Y.encodeStateVector(doc)).toString('hex')
/** Keys in order: a Y.Map lists them in order of arrival, which differs between clients. */
const sorted = (_: string, value: unknown): unknown =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
    : value
const contentOf = (doc: Y.Doc) => JSON.stringify(doc.getMap('elements').toJSON(), sorted)
const allEqual = (clients: StockClient[]) => new Set(clients.map(({ doc }) => contentOf(doc))).size === 1
/** Somebody else's drawing, as one update. */
const drawn = (name: string) => {
  const doc = new Y.Doc()
  writeElements(doc, drawing(name))
  return Y.encodeStateAsUpdate(doc)
}

editing('three stock clients converge on a real drawing', () =>
  withServer(async ({ user, open }) => {
    const ada = await user('Ada')
    const board = await ada.board()
    const ticket = await ada.ticket(board)
    const clients = [
      await open(board, { ticket }),
      await open(board, { ticket }),
      await open(board, { ticket }),
    ]
    const [first, second, third] = clients as [StockClient, StockClient, StockClient]
    writeElements(first.doc, drawing('hexagonal-architecture'))
    second.doc.getMap('notes').set('by', 'second')
    await eventually(() => elementsOf(third.doc).length === 582 && allEqual(clients))
    third.doc.transact(() => {
      for (const element of elementsOf(third.doc).slice(0, 50)) {
        const map = third.doc.getMap('elements').get(element.id)
        if (map instanceof Y.Map) map.set('strokeColor', '#123456')
      }
    })
    await eventually(() => allEqual(clients) && first.doc.getMap('notes').get('by') === 'second')
    assert.is(elementsOf(first.doc).filter(({ strokeColor }) => strokeColor === '#123456').length, 50)
  }),
)

editing('fifty stock clients converge while all of them draw', () =>
  withServer(async ({ user, open }) => {
    const ada = await user('Ada')
    const board = await ada.board()
    await ada.grant(board, null, 'edit')
    const clients = await Promise.all(Array.from({ length: 50 }, () => open(board)))
    clients[0]?.doc.transact(() => Y.applyUpdate(clients[0]?.doc as Y.Doc, drawn('customer-journey-map')))
    clients.forEach(({ doc }, i) => {
      for (let j = 0; j < 5; j++) doc.getMap('elements').set(`${i}-${j}`, new Y.Map([['x', i * j]]))
    })
    await eventually(
      () => allEqual(clients) && clients.every(({ doc }) => doc.getMap('elements').size === 304 + 250),
      { withinMs: 90_000 },
    )
  }),
)

editing('edits made offline come back', () =>
  withServer(async ({ user, open }) => {
    const ada = await user('Ada')
    const board = await ada.board()
    const ticket = await ada.ticket(board)
    const [away, here] = [await open(board, { ticket }), await open(board, { ticket })]
    away.provider.disconnect()
    away.doc.getMap('notes').set('away', 1)
    here.doc.getMap('notes').set('here', 2)
    away.provider.connect()
    await eventually(() => stateOf(away.doc) === stateOf(here.doc))
    assert.equal(here.doc.getMap('notes').toJSON(), { away: 1, here: 2 })
  }),
)

for (const level of ['view', 'comment'] as const) {
  editing(`${level} cannot change the document by any sync frame, and stays connected`, () =>
    withServer(async ({ user, raw, open }) => {
      const [ada, bob] = [await user('Ada'), await user('Bob')]
      const board = await ada.board()
      await ada.grant(board, bob, level)
      const owner = await open(board, { ticket: await ada.ticket(board) })
      owner.doc.getMap('notes').set('kept', 'yes')
      const guest = await raw(board, { ticket: await bob.ticket(board) })
      await eventually(() => guest.doc.getMap('notes').get('kept') === 'yes')
      const evil = new Y.Doc()
      evil.getMap('notes').set('kept', 'no')
      const update = Y.encodeStateAsUpdate(evil)
      guest.sendUpdate(update, SyncStep.step2)
      guest.sendUpdate(update, SyncStep.update)
      const notice = await guest.message(MessageType.notice, (body) => body.refused_through === 2)
      assert.is(typeof notice.code, 'string')
      owner.doc.getMap('notes').set('after', 1)
      await eventually(() => guest.doc.getMap('notes').get('after') === 1)
      assert.is(owner.doc.getMap('notes').get('kept'), 'yes')
      assert.is(guest.socket.readyState, guest.socket.OPEN)
    }),
  )
}

editing('a stock client at view that edits is told why by the auth message, and stays connected', () =>
  withServer(async ({ user, open }) => {
    const [ada, bob] = [await user('Ada'), await user('Bob')]
    const board = await ada.board()
    await ada.grant(board, bob, 'view')
    const viewer = await open(board, { ticket: await bob.ticket(board) })
    viewer.doc.getMap('notes').set('x', 1)
    const owner = await open(board, { ticket: await ada.ticket(board) })
    owner.doc.getMap('notes').set('y', 2)
    await eventually(() => viewer.doc.getMap('notes').get('y') === 2)
    assert.is(owner.doc.getMap('notes').get('x'), undefined)
    assert.equal(viewer.closes, [])
  }),
)

editing('a level raised through the API takes effect on the open socket', () =>
  withServer(async ({ user, raw }) => {
    const [ada, bob] = [await user('Ada'), await user('Bob')]
    const board = await ada.board()
    await ada.grant(board, bob, 'view')
    const client = await raw(board, { ticket: await bob.ticket(board) })
    await client.message(MessageType.hello)
    await ada.grant(board, bob, 'edit')
    assert.is((await client.message(MessageType.level)).level, 'edit')
    const count = client.edit((doc) => doc.getMap('notes').set('x', 1))
    await eventually(() => client.saved >= count)
  }),
)

editing('a stock client whose level changed is closed with 4500 and reconnects at the new level', () =>
  withServer(async ({ user, open }) => {
    const [ada, bob] = [await user('Ada'), await user('Bob')]
    const board = await ada.board()
    await ada.grant(board, bob, 'view')
    const client = await open(board, { ticket: await bob.ticket(board) })
    await ada.grant(board, bob, 'edit')
    assert.is(await client.closed, CloseCode.levelChanged)
    await eventually(() => client.provider.synced)
    const owner = await open(board, { ticket: await ada.ticket(board) })
    client.doc.getMap('notes').set('x', 1)
    await eventually(() => owner.doc.getMap('notes').get('x') === 1)
  }),
)

editing('removed access closes with 4403 at once, and the stock client stops', () =>
  withServer(async ({ user, open }) => {
    const [ada, bob] = [await user('Ada'), await user('Bob')]
    const board = await ada.board()
    const { body } = await ada.grant(board, bob, 'edit')
    const client = await open(board, { ticket: await bob.ticket(board) })
    await ada.ask('DELETE', `/api/boards/${board}/permissions/${body.id}`)
    assert.is(await client.closed, CloseCode.noAccess)
    assert.is(client.provider.shouldConnect, false)
  }),
)

editing('deleting a board closes everybody with 4410; signing out closes with 4401', () =>
  withServer(async ({ user, raw }) => {
    const [ada, bob] = [await user('Ada'), await user('Bob')]
    const board = await ada.board()
    await ada.grant(board, bob, 'view')
    const [asAda, asBob] = [
      await raw(board, { ticket: await ada.ticket(board) }),
      await raw(board, { ticket: await bob.ticket(board) }),
    ]
    await Promise.all([asAda.message(MessageType.hello), asBob.message(MessageType.hello)])
    await bob.ask('POST', '/api/auth/sign-out', {})
    assert.is((await asBob.closed).code, CloseCode.notSignedIn)
    await ada.ask('DELETE', `/api/boards/${board}`)
    assert.is((await asAda.closed).code, CloseCode.boardDeleted)
  }),
)

editing('a revoked link closes everybody who used it, even if it was revoked by SQL', () =>
  withServer(async ({ user, ask, raw, pool, schema }) => {
    const ada = await user('Ada')
    const board = await ada.board()
    const link = (await ada.ask('POST', `/api/boards/${board}/share-links`, { level: 'edit' })).body
    const token = link.url.split('#k=')[1]
    const guest = (await ask('POST', '/api/share-links/exchange', { token, name: 'Gil' })).body
    assert.is(guest.level, 'edit')
    const client = await raw(board, { ticket: guest.ticket })
    await client.message(
      MessageType.hello,
      (hello) => hello.principal.kind === 'guest' && hello.principal.name === 'Gil',
    )
    await pool.query(`update ${schema}.share_links set revoked_at = now() where id = $1`, [link.id])
    assert.is((await client.closed).code, CloseCode.noAccess)
  }),
)

editing('saved counts sync frames once they are committed', () =>
  withServer(async ({ user, raw, db }) => {
    const ada = await user('Ada')
    const board = await ada.board()
    const client = await raw(board, { ticket: await ada.ticket(board) })
    await client.message(MessageType.hello)
    let count = 0
    for (let i = 0; i < 20; i++) count = client.edit((doc) => doc.getMap('notes').set(`k${i}`, i))
    await eventually(() => client.saved === count)
    const rows = await db.selectFrom('board_updates').select('data').where('board_id', '=', board).execute()
    const stored = new Y.Doc()
    for (const row of rows) Y.applyUpdate(stored, row.data)
    assert.is(Object.keys(stored.getMap('notes').toJSON()).length, 20)
  }),
)

editing('a text frame closes with 1003 and an oversized one with 4413, and the others continue', () =>
  withServer(
    async ({ user, raw }) => {
      const ada = await user('Ada')
      const board = await ada.board()
      const ticket = await ada.ticket(board)
      const [other, text, large] = [
        await raw(board, { ticket }),
        await raw(board, { ticket }),
        await raw(board, { ticket }),
      ]
      await Promise.all([other, text, large].map((client) => client.message(MessageType.hello)))
      text.socket.send('hello')
      assert.is((await text.closed).code, CloseCode.unsupportedData)
      large.send(new Uint8Array(70_000))
      assert.is((await large.closed).code, CloseCode.frameTooLarge)
      const count = other.edit((doc) => doc.getMap('notes').set('x', 1))
      await eventually(() => other.saved >= count)
    },
    { maxFrameBytes: 65_536 },
  ),
)

editing('malformed updates are refused and the third closes with 4400, while the others continue', () =>
  withServer(async ({ user, raw }) => {
    const ada = await user('Ada')
    const board = await ada.board()
    const ticket = await ada.ticket(board)
    const [other, evil] = [await raw(board, { ticket }), await raw(board, { ticket })]
    await Promise.all([other, evil].map((client) => client.message(MessageType.hello)))
    for (let i = 0; i < 3; i++)
      evil.send(encodeSync(SyncStep.update, Uint8Array.of(1, 255, 255, 255, 127, 1, 0)))
    assert.is((await evil.closed).code, CloseCode.protocolViolation)
    const count = other.edit((doc) => doc.getMap('notes').set('x', 1))
    await eventually(() => other.saved >= count)
  }),
)

editing.run()
