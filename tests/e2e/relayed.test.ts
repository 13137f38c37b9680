// Edits under somebody's client id while that person is away, on a complete server: stored, compared when the owner
// comes back, reported, and in the trail; and a guest who signs in.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import * as Y from 'yjs'
import { CloseCode } from '../../shared/protocol.ts'
import { eventually } from '../helpers/eventually.ts'
import { readMetrics, refusedBy, roomEvent } from '../helpers/metrics.ts'
import { type TestServer, withServer } from '../helpers/server.ts'
import { contentOf, writeUpdate } from '../helpers/update-writer.ts'

const relayed = suite('edits relayed on a running server')

/** Rows about client ids, oldest first. */
const rowsAbout = ({ db }: TestServer, board: string) =>
  db
    .selectFrom('audit_logs')
    .select(['user_id', 'resource_id', 'details'])
    .where('board_id', '=', board)
    .where('resource_type', '=', 'client_id')
    .orderBy('timestamp')
    .execute()

relayed('a stock client that comes back with other edits is closed with 4400, and the trail names both', () =>
  withServer(async (server) => {
    const { user, open, raw, db, origin } = server
    const [ada, eve] = [await user('Ada'), await user('Eve')]
    const board = await ada.board()
    await ada.grant(board, eve, 'edit')
    const ticket = await ada.ticket(board)
    const client = await open(board, { ticket })
    const id = client.doc.clientID
    client.doc.getMap('notes').set('known', 1)
    const evil = await raw(board, { ticket: await eve.ticket(board) })
    await eventually(() => evil.doc.getMap('notes').get('known') === 1)
    client.provider.disconnect()
    client.doc.getMap('notes').set('offline', 2)
    await eventually(
      async () => (await ada.ask('GET', `/api/boards/${board}/connections`)).body.items.length === 1,
    )
    const forged = evil.sendUpdate(
      writeUpdate([
        { client: id, clock: 1, structs: [{ ref: 4, parent: 'text', content: contentOf.string('evil') }] },
      ]),
    )
    await eventually(() => evil.saved >= forged)
    const stored = await db
      .selectFrom('board_authors')
      .select(['principal', 'relays'])
      .where('client_id', '=', String(id))
      .executeTakeFirstOrThrow()
    assert.equal(stored, {
      principal: `user:${ada.id}`,
      relays: [{ by: `user:${eve.id}`, fromClock: 1, toClock: 5 }],
    })
    client.closes.length = 0
    client.provider.connect()
    await eventually(() => client.closes[0] === CloseCode.protocolViolation)
    // It found its own id in the server's data and took another; y-websocket fails on that when it is destroyed.
    client.doc.clientID = id
    const rows = await eventually(async () => {
      const found = await rowsAbout(server, board)
      return found.length === 2 ? found : null
    })
    assert.equal(
      rows.map(({ user_id, resource_id }) => [user_id, resource_id]),
      [
        [eve.id, String(id)],
        [ada.id, String(id)],
      ],
    )
    assert.match(JSON.stringify(rows[0]?.details), `"owner": "user:${ada.id}"`.replaceAll(' ', ''))
    assert.match(JSON.stringify(rows[1]?.details), `"relayed_by":["user:${eve.id}"]`)
    const metrics = await readMetrics(origin)
    assert.is(metrics.get(roomEvent('relayed')), 1)
    assert.is(metrics.get(roomEvent('contested')), 1)
    assert.is(metrics.get(refusedBy('relayed')), 1)
  }),
)

relayed('a stock client that comes back with the same edits continues, and the record is cleared', () =>
  withServer(async (server) => {
    const { user, open, db } = server
    const [ada, bob] = [await user('Ada'), await user('Bob')]
    const board = await ada.board()
    await ada.grant(board, bob, 'edit')
    const client = await open(board, { ticket: await ada.ticket(board) })
    const peer = await open(board, { ticket: await bob.ticket(board) })
    client.doc.getMap('notes').set('known', 1)
    await eventually(() => peer.doc.getMap('notes').get('known') === 1)
    client.provider.disconnect()
    await eventually(
      async () => (await ada.ask('GET', `/api/boards/${board}/connections`)).body.items.length === 1,
    )
    for (let i = 0; i < 5; i++) client.doc.getText('text').insert(0, `offline ${i} `)
    // Bypassing the server, as between tabs of one browser.
    Y.applyUpdate(peer.doc, Y.encodeStateAsUpdate(client.doc))
    peer.doc.getMap('notes').set('peer', 1)
    const relays = () =>
      db
        .selectFrom('board_authors')
        .select('relays')
        .where('client_id', '=', String(client.doc.clientID))
        .executeTakeFirst()
    await eventually(async () => (await relays())?.relays)
    client.closes.length = 0
    client.provider.connect()
    await eventually(() => client.provider.synced)
    client.doc.getMap('notes').set('back', 1)
    await eventually(() => peer.doc.getMap('notes').get('back') === 1)
    await eventually(async () => (await relays())?.relays === null)
    assert.equal(client.doc.getText('text').toString(), peer.doc.getText('text').toString())
    assert.equal(client.closes, [])
    assert.is((await rowsAbout(server, board)).length, 1, 'who relayed it stays in the trail')
  }),
)

relayed('a guest who signs in continues with the same document', () =>
  withServer(async ({ user, ask, open, raw, db, origin }) => {
    const ada = await user('Ada')
    const board = await ada.board()
    const { body: link } = await ada.ask('POST', `/api/boards/${board}/share-links`, { level: 'edit' })
    const token = new URL(link.url).hash.slice('#k='.length)
    const exchanged = await ask('POST', '/api/share-links/exchange', { token, name: 'Gil' }, { origin })
    const guestCookie = exchanged.headers.getSetCookie()[0]?.split(';')[0] ?? ''
    const client = await open(board, { cookie: guestCookie, origin })
    client.doc.getMap('notes').set('by the guest', 1)
    const watcher = await raw(board, { ticket: await ada.ticket(board) })
    await eventually(() => watcher.doc.getMap('notes').size === 1)
    client.provider.destroy()
    const gil = await user('Gil')
    await ada.grant(board, gil, 'edit')
    const again = await open(board, { cookie: `${guestCookie}; ${gil.cookie}`, origin, doc: client.doc })
    again.doc.getMap('notes').set('signed in', 1)
    await eventually(() => watcher.doc.getMap('notes').size === 2)
    const author = await eventually(async () => {
      const row = await db
        .selectFrom('board_authors')
        .select(['principal', 'relays'])
        .where('client_id', '=', String(client.doc.clientID))
        .executeTakeFirst()
      return row?.principal === `user:${gil.id}` ? row : null
    })
    assert.is(author.relays, null)
  }),
)

relayed.run()
