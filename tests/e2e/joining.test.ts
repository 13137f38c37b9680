import { once } from 'node:events'
import { request } from 'node:http'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { WebSocket } from 'ws'
import { CloseCode, MessageType } from '../../shared/protocol.ts'
import { eventually } from '../helpers/eventually.ts'
import type { RawClient } from '../helpers/raw-client.ts'
import { withServer } from '../helpers/server.ts'

const joining = suite('joining a board')
/** Waits for the end, with a time limit. */
const endOf = async (client: RawClient) => {
  await eventually(() => client.socket.readyState === client.socket.CLOSED)
  return client.closed
}
const missing = '00000000-0000-4000-8000-000000000000'

joining('the stock provider opens a board with a ticket as subprotocol, and the ticket is not echoed', () =>
  withServer(async ({ user, open }) => {
    const ada = await user('Ada')
    const board = await ada.board()
    const client = await open(board, { ticket: await ada.ticket(board) })
    assert.ok(client.provider.synced)
    assert.is(client.provider.ws?.protocol, 'boardroom.yjs')
  }),
)

joining('the stock provider opens a board with ?ticket=', () =>
  withServer(async ({ user, open }) => {
    const ada = await user('Ada')
    const board = await ada.board()
    const client = await open(board, { ticket: await ada.ticket(board), via: 'query' })
    assert.ok(client.provider.synced)
  }),
)

joining('a session cookie opens a board from a page of ours', () =>
  withServer(async ({ user, open, origin }) => {
    const ada = await user('Ada')
    const board = await ada.board()
    const client = await open(board, { cookie: ada.cookie, origin })
    assert.ok(client.provider.synced)
  }),
)

for (const [what, origin] of [
  ['another site', 'https://evil.example'],
  ['a page without an origin', 'null'],
] as const) {
  joining(`a session cookie that ${what} carries along counts for nothing`, () =>
    withServer(async ({ user, open }) => {
      const ada = await user('Ada')
      const board = await ada.board()
      const client = await open(board, { cookie: ada.cookie, origin, waitFor: 'closed' })
      assert.is(await client.closed, CloseCode.notSignedIn)
    }),
  )
}

joining('a session cookie without any Origin counts for nothing', () =>
  withServer(async ({ user, open }) => {
    const ada = await user('Ada')
    const board = await ada.board()
    const client = await open(board, { cookie: ada.cookie, waitFor: 'closed' })
    assert.is(await client.closed, CloseCode.notSignedIn)
  }),
)

joining('a bad ticket is refused and never falls back to the cookie beside it', () =>
  withServer(async ({ user, raw, origin }) => {
    const ada = await user('Ada')
    const board = await ada.board()
    const client = await raw(board, { ticket: 'not.a.ticket', headers: { cookie: ada.cookie, origin } })
    assert.is((await client.closed).code, CloseCode.notSignedIn)
  }),
)

joining('an unidentified client gets 4401 on a private board, and access to a public one', () =>
  withServer(async ({ user, open }) => {
    const ada = await user('Ada')
    const board = await ada.board()
    const turnedAway = await open(board, { waitFor: 'closed' })
    assert.is(await turnedAway.closed, CloseCode.notSignedIn)
    await ada.grant(board, null, 'view')
    const client = await open(board)
    assert.ok(client.provider.synced)
  }),
)

joining('a person without access learns nothing: a private and a missing board close alike', () =>
  withServer(async ({ user, open, origin }) => {
    const [ada, eve, root] = [await user('Ada'), await user('Eve'), await user('Root', 'sysadmin')]
    const board = await ada.board()
    const asEve = { cookie: eve.cookie, origin, waitFor: 'closed' } as const
    assert.is(await (await open(board, asEve)).closed, CloseCode.noAccess)
    assert.is(await (await open(missing, asEve)).closed, CloseCode.noAccess)
    assert.is(await (await open('no-uuid', asEve)).closed, CloseCode.noAccess)
    assert.is(await (await open(missing, { ...asEve, cookie: root.cookie })).closed, CloseCode.noSuchBoard)
  }),
)

joining('a deleted board closes with 4410 for people who had access, with 4403 for others', () =>
  withServer(async ({ user, open, origin }) => {
    const [ada, eve] = [await user('Ada'), await user('Eve')]
    const board = await ada.board()
    await ada.ask('DELETE', `/api/boards/${board}`)
    const asAda = await open(board, { cookie: ada.cookie, origin, waitFor: 'closed' })
    assert.is(await asAda.closed, CloseCode.boardDeleted)
    const asEve = await open(board, { cookie: eve.cookie, origin, waitFor: 'closed' })
    assert.is(await asEve.closed, CloseCode.noAccess)
  }),
)

joining('a ticket opens its own board and no other', () =>
  withServer(async ({ user, open }) => {
    const ada = await user('Ada')
    const [one, other] = [await ada.board('One'), await ada.board('Other')]
    const client = await open(other, { ticket: await ada.ticket(one), waitFor: 'closed' })
    assert.is(await client.closed, CloseCode.notSignedIn)
  }),
)

joining('a ticket ends with the session that issued it', () =>
  withServer(async ({ user, open }) => {
    const ada = await user('Ada')
    const board = await ada.board()
    const ticket = await ada.ticket(board)
    await ada.ask('POST', '/api/auth/sign-out', {})
    const client = await open(board, { ticket, waitFor: 'closed' })
    assert.is(await client.closed, CloseCode.notSignedIn)
  }),
)

joining('a ticket capped at view gives no more, even if its issuer owns the board', () =>
  withServer(async ({ user, raw }) => {
    const ada = await user('Ada')
    const board = await ada.board()
    const client = await raw(board, { ticket: await ada.ticket(board, { max_level: 'view' }) })
    assert.is((await client.message(MessageType.hello)).level, 'view')
  }),
)

joining('a client that offers only a ticket gets 400, because no name could be selected', () =>
  withServer(async ({ user, wsUrl }) => {
    const ada = await user('Ada')
    const board = await ada.board()
    const socket = new WebSocket(`${wsUrl}/${board}`, [`boardroom.ticket.${await ada.ticket(board)}`])
    const status = await new Promise((resolve) => {
      socket.on('unexpected-response', (_request, response) => resolve(response.statusCode))
      socket.on('error', () => undefined)
    })
    assert.is(status, 400)
  }),
)

joining('the hello of boardroom.v1 contains the user, the level and the limits', () =>
  withServer(async ({ user, raw }) => {
    const ada = await user('Ada')
    const board = await ada.board()
    const client = await raw(board, { ticket: await ada.ticket(board) })
    const hello = await client.message(MessageType.hello)
    assert.equal(hello.principal, { kind: 'user', id: `user:${ada.id}`, name: 'Ada' })
    assert.is(hello.level, 'edit')
    assert.is(hello.board_id, board)
    assert.is(hello.limits.max_frame_bytes, 16 * 1024 * 1024)
    assert.is(client.received[0]?.type, MessageType.hello)
  }),
)

joining('a join is admitted only after its row is committed', () =>
  withServer(async ({ user, raw, pool, schema, url }) => {
    const ada = await user('Ada')
    const board = await ada.board()
    const ticket = await ada.ticket(board)
    // A lock on the table keeps the row from being committed.
    const { default: pg } = await import('pg')
    const holder = new pg.Client({ connectionString: url })
    await holder.connect()
    let client: RawClient
    try {
      await holder.query('begin')
      await holder.query(`lock table ${schema}.audit_logs in share mode`)
      client = await raw(board, { ticket })
      await eventually(async () => {
        const { rows } = await pool.query(
          `select 1 from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database() and query ilike '%audit%'`,
        )
        return rows.length > 0
      })
      assert.equal(client.received, [], 'nothing is said before the row is there')
      await holder.query('rollback')
    } finally {
      await holder.end()
    }
    await client.message(MessageType.hello)
    const { rows } = await pool.query(
      `select 1 from ${schema}.audit_logs where action = 'access' and board_id = $1`,
      [board],
    )
    assert.is(rows.length, 1)
  }),
)

joining('a join whose row cannot be written is refused, with a code after which clients retry', () =>
  withServer(async ({ user, raw, pool, schema }) => {
    const ada = await user('Ada')
    const board = await ada.board()
    const ticket = await ada.ticket(board)
    await pool.query(
      `create function ${schema}.no() returns trigger language plpgsql as $$ begin raise exception 'no'; end $$`,
    )
    await pool.query(
      `create trigger no before insert on ${schema}.audit_logs for each row when (new.action = 'access') execute function ${schema}.no()`,
    )
    const client = await raw(board, { ticket })
    const { code } = await endOf(client)
    assert.is(code, CloseCode.busy)
    assert.equal(client.received, [])
  }),
)

joining(
  'a board that cannot be read is refused with a retry code, never served empty, and the leave is recorded',
  () =>
    withServer(async ({ user, raw, open, pool, schema, actions }) => {
      const ada = await user('Ada')
      const board = await ada.board()
      const ticket = await ada.ticket(board)
      const client = await open(board, { ticket })
      client.doc.getMap('notes').set('x', 1)
      const second = await open(board, { ticket })
      await eventually(() => second.doc.getMap('notes').get('x') === 1)
      client.stop()
      second.stop()
      await eventually(async () => {
        const { rows } = await pool.query(`select 1 from ${schema}.board_snapshots where board_id = $1`, [
          board,
        ])
        return rows.length === 1
      })
      await pool.query(
        `update ${schema}.board_snapshots set checksum = sha256('other') where board_id = $1`,
        [board],
      )
      const refused = await raw(board, { ticket })
      assert.is((await refused.closed).code, CloseCode.busy)
      assert.equal(refused.bodies(MessageType.sync), [])
      await eventually(async () => (await actions(board)).filter((action) => action === 'leave').length === 3)
    }),
)

joining('requests that are not our WebSockets get plain text, never HTML', () =>
  withServer(async ({ user, wsUrl }) => {
    const board = await (await user('Ada')).board()
    const statusOf = async (headers: Record<string, string>) => {
      const asked = request(`${wsUrl.replace('ws:', 'http:')}/${board}`, {
        headers: {
          connection: 'Upgrade',
          upgrade: 'websocket',
          'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
          'sec-websocket-version': '13',
          ...headers,
        },
      }).end()
      const [response] = await once(asked, 'response')
      let body = ''
      for await (const part of response) body += part
      return { status: response.statusCode, headers: response.headers, body }
    }
    const other = await statusOf({ 'sec-websocket-protocol': 'graphql-ws' })
    assert.is(other.status, 400)
    assert.match(other.body, /^offer the subprotocol boardroom.yjs/)
    assert.is(other.headers['retry-after'], undefined, 'coming back as it is would not help')
    const old = await statusOf({ 'sec-websocket-version': '7' })
    assert.equal([old.status, old.headers['content-type']], [400, 'text/plain'])
    assert.is(old.headers['sec-websocket-version'], '13')
  }),
)

joining('paths that are not boards are answered with 404 by the server’s owner', () =>
  withServer(async ({ boardroom }) => {
    const request = { url: '/elsewhere', headers: {} } as never
    const socket = { destroyed: false, on: () => assert.unreachable('the socket was touched') } as never
    assert.is(boardroom.handleUpgrade(request, socket, Buffer.alloc(0)), false)
  }),
)

joining('too many joins a second from one address get 429 before the handshake', () =>
  withServer(
    async ({ wsUrl }) => {
      const statuses = await Promise.all(
        Array.from({ length: 20 }, () => {
          const socket = new WebSocket(`${wsUrl}/${missing}`)
          return new Promise((resolve) => {
            socket.on('unexpected-response', (_request, response) => resolve(response.statusCode))
            socket.on('error', () => undefined)
            socket.on('close', (code) => resolve(code))
          })
        }),
      )
      assert.ok(statuses.includes(429), statuses.join())
      assert.ok(statuses.includes(CloseCode.notSignedIn), statuses.join())
    },
    { joinsPerSecondPerIp: 5 },
  ),
)

joining('an account has a limited number of connections, and closing tabs frees them', () =>
  withServer(
    async ({ user, raw }) => {
      const ada = await user('Ada')
      const board = await ada.board()
      const ticket = await ada.ticket(board)
      const first = await raw(board, { ticket })
      await first.message(MessageType.hello)
      const second = await raw(board, { ticket })
      assert.is((await endOf(second)).code, CloseCode.busy)
      first.close()
      await eventually(async () => {
        const third = await raw(board, { ticket })
        return Promise.race([
          third.message(MessageType.hello).then(() => true),
          third.closed.then(() => false),
        ])
      })
    },
    { maxConnectionsPerPrincipal: 1 },
  ),
)

joining.run()
