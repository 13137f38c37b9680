// The limits of design and .env.example at work: how much is let in, how anything beyond is refused or slowed down,
// and that honest bursts pass. Limits per account and joins per second are in joining.test.ts.
import { createConnection, type Socket } from 'node:net'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { WebSocket } from 'ws'
import * as Y from 'yjs'
import { CloseCode, MessageType } from '../../shared/protocol.ts'
import { withMadeFolder } from '../helpers/command-line.ts'
import { eventually } from '../helpers/eventually.ts'
import { withGuests } from '../helpers/guests.ts'
import { joinRefused, readMetrics, refusedBy, roomEvent } from '../helpers/metrics.ts'
import { startProgram } from '../helpers/program.ts'
import type { RawClient } from '../helpers/raw-client.ts'
import { withServer } from '../helpers/server.ts'
import { contentOf, writeUpdate } from '../helpers/update-writer.ts'

const limits = suite('limits of a running server')

/** The result of an upgrade: the HTTP status of a refusal, or 101. */
const upgradeStatus = (url: string, headers: Record<string, string> = {}): Promise<number> =>
  new Promise((resolve) => {
    const socket = new WebSocket(url, ['boardroom.v1'], { headers })
    socket.on('unexpected-response', (_request, response) => resolve(response.statusCode ?? 0))
    socket.on('open', () => {
      resolve(101)
      socket.terminate()
    })
    socket.on('error', () => undefined)
  })

/** Connects, says nothing, and returns everything it received when it is closed. */
function listenTo(origin: string, onClose: (said: string) => void): Socket {
  const socket = createConnection(Number(new URL(origin).port), '127.0.0.1')
  let said = ''
  socket.on('error', () => undefined) // 'close' follows
  socket.on('data', (data) => {
    said += data
  })
  socket.once('close', () => onClose(said))
  return socket
}

const oneStruct = (client: number) =>
  writeUpdate([{ client, clock: 0, structs: [{ ref: 4, parent: 'text', content: contentOf.string('x') }] }])

for (const [what, options, status, reason] of [
  ['a process', { maxConnections: 2 }, 503, 'too_many_connections'],
  ['one address', { maxConnectionsPerIp: 2 }, 429, 'too_many_connections_from_address'],
] as const) {
  limits(`connections of ${what}: more are refused before the handshake, and let in when one leaves`, () =>
    withServer(async ({ user, raw, wsUrl, origin }) => {
      const ada = await user('Ada')
      const board = await ada.board()
      const ticket = await ada.ticket(board)
      const [first, second] = [await raw(board, { ticket }), await raw(board, { ticket })]
      await Promise.all([first, second].map((client) => client.message(MessageType.hello)))
      assert.is(await upgradeStatus(`${wsUrl}/${board}`), status)
      assert.is((await readMetrics(origin)).get(joinRefused(reason)), 1)
      second.close()
      await eventually(async () => (await upgradeStatus(`${wsUrl}/${board}`)) === 101)
    }, options),
  )
}

limits(
  'connections that are not WebSockets: beyond the limit they get only 503, and WebSockets continue',
  () =>
    withMadeFolder(async (dataDir) => {
      const env = { BOARDROOM_MAX_HTTP_CONNECTIONS: '20', BOARDROOM_MAX_HTTP_CONNECTIONS_PER_IP: '1' }
      const program = await startProgram(dataDir, env)
      const sockets: Socket[] = []
      try {
        await withGuests(program, async (join) => {
          const clients: RawClient[] = []
          for (let at = 0; at < 12; at++) {
            const client = await join()
            await client.message(MessageType.hello)
            clients.push(client)
          }
          const answers: string[] = []
          for (let at = 0; at < 40; at++) {
            const socket = listenTo(program.origin, (said) => answers.push(said))
            sockets.push(socket)
            if (at >= 20) socket.write('GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n')
          }
          // The test's own few, kept alive, count too. A client that is still sending may be reset before it has read
          // its answer; not 429: loopback may be a proxy.
          const refused = () =>
            answers.filter((said) => /^$|^HTTP\/1\.1 503 .*\r\nConnection: close/.test(said))
          await eventually(() => refused().length >= 20)
          assert.ok(answers.length < 40, 'all were refused, as if WebSockets counted')
          assert.ok(refused().some((said) => said !== ''))
          const [first] = clients as [RawClient] // made above
          const count = first.edit((doc) => doc.getMap('notes').set('goes', 'on'))
          await eventually(() => first.saved >= count)
          assert.ok(clients.every(({ socket }) => socket.readyState === WebSocket.OPEN))
          for (const socket of sockets) socket.destroy()
          await eventually(() => answers.length === 40)
          const metrics = await eventually(async () => {
            const read = await readMetrics(program.origin).catch(() => null)
            return read?.has('boardroom_connections') ? read : null // is refused itself, until all closes are noticed
          })
          const sum = (name: string) =>
            [...metrics].reduce((total, [key, value]) => (key.includes(name) ? total + value : total), 0)
          assert.ok(sum('http_connections_refused_total{reason="too_many_connections"}') >= 20)
          const served = answers.filter((said) => said.startsWith('HTTP/1.1 200 ')).length
          assert.is(sum('http_request_seconds_count{method="GET",route="/healthz"'), served)
        })
      } finally {
        for (const socket of sockets) socket.destroy()
        await program.stop()
      }
    }),
)

limits('failed joins of one address: beyond the limit there is no handshake', () =>
  withServer(
    async ({ user, wsUrl, raw, origin }) => {
      const board = await (await user('Ada')).board()
      for (let i = 0; i < 3; i++) assert.is((await (await raw(board)).closed).code, CloseCode.notSignedIn)
      assert.is(await upgradeStatus(`${wsUrl}/${board}`), 429)
      assert.is((await readMetrics(origin)).get(joinRefused('too_many_failed_joins')), 1)
    },
    { failedJoinsPerMinutePerIp: 3 },
  ),
)

limits('failed joins of identified people, and of foreign pages, do not count against anybody else', () =>
  withServer(
    async ({ user, raw, wsUrl, origin }) => {
      const [ada, bob] = [await user('Ada'), await user('Bob')]
      const board = await ada.board()
      const foreign = { origin: 'https://elsewhere.example' }
      // A signed-in person without access, and a foreign page, both from this address.
      const cookie = { cookie: bob.cookie, origin }
      const codes: number[] = []
      for (let i = 0; i < 6; i++) codes.push((await (await raw(board, { headers: cookie })).closed).code)
      assert.equal(codes, [4403, 4403, 4403, CloseCode.busy, CloseCode.busy, CloseCode.busy])
      for (let i = 0; i < 3; i++)
        assert.is((await (await raw(board, { headers: foreign })).closed).code, CloseCode.notSignedIn)
      assert.is(await upgradeStatus(`${wsUrl}/${board}`, foreign), 429)
      // Everybody else at the address can still join and sign in.
      assert.is((await (await raw(board)).closed).code, CloseCode.notSignedIn)
      const inside = await raw(board, { headers: { cookie: ada.cookie, origin } })
      assert.is((await inside.message(MessageType.hello)).level, 'edit')
      assert.ok((await user('Eve')).cookie)
    },
    { failedJoinsPerMinutePerIp: 3 },
  ),
)

limits('writers of a room: those beyond the limit view, are told why, and get the next free seat', () =>
  withServer(
    async ({ user, raw, origin }) => {
      const ada = await user('Ada')
      const board = await ada.board()
      const ticket = await ada.ticket(board)
      const first = await raw(board, { ticket })
      await first.message(MessageType.hello)
      const second = await raw(board, { ticket })
      const { level, reason } = await second.message(MessageType.hello)
      assert.equal([level, reason], ['view', 'too_many_writers'])
      assert.is((await readMetrics(origin)).get(roomEvent('seats_missing')), 1)
      first.close()
      assert.is((await second.message(MessageType.level)).level, 'edit')
    },
    { maxWritersPerRoom: 1 },
  ),
)

limits(
  'a full board is shown to everyone and disconnects nobody: 66 with board_full, stock clients 4500',
  () =>
    withServer(
      async ({ user, raw, open, origin }) => {
        const ada = await user('Ada')
        const board = await ada.board()
        const ticket = await ada.ticket(board)
        const writer = await raw(board, { ticket })
        await writer.message(MessageType.hello)
        const stock = await open(board, { ticket })
        writer.edit((doc) => doc.getMap('notes').set('kept', 'yes'))
        await eventually(() => stock.doc.getMap('notes').get('kept') === 'yes')
        writer.edit((doc) => doc.getMap('notes').set('large', 'x'.repeat(100_000)))
        const change = await writer.message(MessageType.level)
        assert.equal([change.level, change.reason], ['view', 'board_full'])
        assert.is((await writer.message(MessageType.notice)).code, 'board_full')
        assert.is(await stock.closed, CloseCode.levelChanged)
        await eventually(() => stock.provider.synced)
        const late = await raw(board, { ticket })
        const { level, reason } = await late.message(MessageType.hello)
        assert.equal([level, reason], ['view', 'board_full'])
        assert.is((await readMetrics(origin)).get(roomEvent('boards_full')), 1)
        assert.is(writer.socket.readyState, WebSocket.OPEN)
      },
      { maxBoardBytes: 65_536 },
    ),
)

limits('new client ids of an update, a connection and a board', () =>
  withServer(
    async ({ user, raw, origin }) => {
      const ada = await user('Ada')
      const board = await ada.board()
      const ticket = await ada.ticket(board)
      const char = { ref: 4, parent: 'text', content: contentOf.string('x') }
      const many = await raw(board, { ticket })
      many.sendUpdate(writeUpdate([1, 2, 3].map((client) => ({ client, clock: 0, structs: [char] }))))
      assert.is((await many.message(MessageType.notice)).code, 'update_new_clients')
      const one = await raw(board, { ticket })
      for (const client of [1, 2, 3, 4]) one.sendUpdate(oneStruct(client))
      assert.is((await one.message(MessageType.notice)).refused_through, 4)
      const next = await raw(board, { ticket })
      for (const client of [5, 6]) next.sendUpdate(oneStruct(client))
      assert.is((await next.message(MessageType.notice)).refused_through, 2)
      const metrics = await readMetrics(origin)
      assert.is(metrics.get(refusedBy('connection_client_ids')), 1)
      assert.is(metrics.get(refusedBy('board_client_ids')), 1)
    },
    { maxNewClientsPerUpdate: 2, maxNewClientsPerConnection: 3, maxClientsPerBoard: 4 },
  ),
)

limits('updates over the budget are slowed down, and none is dropped', () =>
  withServer(
    async ({ user, raw, origin }) => {
      const ada = await user('Ada')
      const board = await ada.board()
      const ticket = await ada.ticket(board)
      const [writer, reader] = [await raw(board, { ticket }), await raw(board, { ticket })]
      await Promise.all([writer, reader].map((client) => client.message(MessageType.hello)))
      const begun = performance.now()
      // More than fits into one read of the socket; a whole read is always processed.
      let count = 0
      for (let i = 0; i < 3000; i++) count = writer.edit((doc) => doc.getMap('notes').set(`k${i}`, i))
      await eventually(() => writer.saved === count)
      assert.ok(performance.now() - begun > 1000, 'it was not slowed')
      await eventually(() => reader.doc.getMap('notes').size === 3000)
      assert.ok(((await readMetrics(origin)).get(roomEvent('slowed')) ?? 0) >= 1)
    },
    { updatesPerSecond: 1000, updatesBurst: 100 },
  ),
)

limits('honest bursts pass: 3,000 elements pasted, a pen at 120 Hz, 20,000 edits made offline', () =>
  withServer(async ({ user, open, origin }) => {
    const ada = await user('Ada')
    const board = await ada.board()
    const ticket = await ada.ticket(board)
    const [one, other] = [await open(board, { ticket }), await open(board, { ticket })]
    const elements = one.doc.getMap<Y.Map<unknown>>('elements')
    one.doc.transact(() => {
      for (let i = 0; i < 3000; i++)
        elements.set(
          `e${i}`,
          new Y.Map<unknown>([
            ['geo', [i, 2.5, 30, 40, 0]],
            ['type', 'rectangle'],
            ['seed', i],
          ]),
        )
    })
    await eventually(() => other.doc.getMap('elements').size === 3000)
    const points = one.doc.getArray<number>('points')
    for (let i = 0; i < 600; i++) points.push([i, i / 2])
    await eventually(() => other.doc.getArray('points').length === 1200)
    one.provider.disconnect()
    const log: Uint8Array[] = []
    one.doc.on('update', (update: Uint8Array) => log.push(update))
    for (let i = 0; i < 20_000; i++)
      i % 2 === 0 ? points.push([i]) : one.doc.getText('text').insert(i >> 1, 'x')
    one.provider.connect()
    await eventually(() => other.doc.getText('text').length === 10_000, { withinMs: 90_000 })
    assert.is(other.doc.getArray('points').length, 11_200)
    const metrics = await readMetrics(origin)
    assert.is(metrics.get(roomEvent('rejected')), 0)
    assert.equal([...one.closes, ...other.closes], [])
  }),
)

limits.run()
