import type { IncomingMessage } from 'node:http'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  type Authenticate,
  identifyRequest,
  identifySocket,
  isRefusal,
} from '../../server/accounts/identify.ts'
import { makeTicket } from '../../server/accounts/tickets.ts'
import { createUser, disableUser } from '../../server/accounts/users.ts'
import { transactionAs } from '../../server/audit/actor.ts'
import type { Config } from '../../server/config.ts'
import { type Identity, principalKey, systemActor } from '../../server/principal.ts'
import { type Accounts, codeOf, withAccounts } from '../helpers/accounts.ts'

const board = '0b9a1f3e-6a0b-4a3b-9a52-2f4a5f6f7a10'
const otherBoard = '11111111-6a0b-4a3b-9a52-2f4a5f6f7a10'
const ours = { origin: 'http://localhost:4400', host: 'localhost:4400' }
const evil = { origin: 'https://evil.example', host: 'localhost:4400' }

const request = (url: string, headers: Record<string, string> = {}, method = 'GET') =>
  ({ url, method, headers, socket: {} }) as unknown as IncomingMessage // what is read of it

interface World extends Accounts {
  /** Cookie header and identity of Ada, signed in. */
  ada: { cookie: string; identity: Identity; token: string }
  /** Cookie header and id of a guest. */
  guest: { cookie: string; id: string }
  /** `user:2`, `guest:…`, `anonymous`, or the close code. */
  socket(headers?: Record<string, string>, query?: string): Promise<string | number>
}

const withWorld = (
  changes: Partial<Config> & { authenticate?: Authenticate },
  work: (world: World) => Promise<void>,
) =>
  withAccounts(changes, async (accounts) => {
    const { db, browser, identify, guests } = accounts
    const person = { name: 'Ada', email: 'ada@example.org', password: 'correct horse' }
    await createUser(db, systemActor, person)
    const tab = browser()
    const answer = await tab.post('/api/auth/sign-in/email', {
      email: person.email,
      password: person.password,
    })
    const { token } = (await answer.json()) as { token: string }
    const own = { ...identify, authenticate: undefined }
    const identity = await identifyRequest(own, request('/api/me', { ...ours, cookie: tab.cookie }))
    const { guestId, cookie } = await transactionAs(db, systemActor, (trx) =>
      guests.create(trx, { name: 'Gus', linkExpiresAt: null }),
    )
    const socket: World['socket'] = async (headers = ours, query = '') => {
      const found = await identifySocket(identify, request(`/ws/${board}${query}`, headers), board)
      return isRefusal(found) ? found.code : shortOf(found)
    }
    const guest = { cookie: cookie.split(';')[0] ?? '', id: guestId }
    await work({ ...accounts, ada: { cookie: tab.cookie, identity, token }, guest, socket })
  })

const shortOf = ({ principal }: Identity) =>
  principal.kind === 'anonymous' ? 'anonymous' : principalKey(principal)
const ticketFor = async (
  { identify, ada }: World,
  wanted: { boardId?: string; expiresInS?: number; nowMs?: number } = {},
) => (await makeTicket(identify.ticketKey, ada.identity, { boardId: board, ...wanted })).ticket
const adaKey = ({ ada }: World) => principalKey(ada.identity.principal)
const asProtocol = (ticket: string) => ({
  ...ours,
  'sec-websocket-protocol': `boardroom.yjs, boardroom.ticket.${ticket}`,
})

const socket = suite('who opens a socket')

socket('is identified by the ticket, as subprotocol or query, with its session and its cap', () =>
  withWorld({}, async (world) => {
    const ticket = await ticketFor(world)
    assert.is(await world.socket(asProtocol(ticket)), adaKey(world))
    assert.is(await world.socket({ host: 'x' }, `?ticket=${ticket}`), adaKey(world))
    const { ticket: capped } = await makeTicket(world.identify.ticketKey, world.ada.identity, {
      boardId: board,
      maxLevel: 'view',
    })
    const found = await identifySocket(world.identify, request(`/ws/${board}`, asProtocol(capped)), board)
    const { sessionId } = world.ada.identity
    const { principal } = world.ada.identity
    assert.equal(found, { principal, via: 'ticket', sessionId, boardId: board, maxLevel: 'view' })
  }),
)

socket('is the subprotocol’s ticket before the query’s, and a ticket before any cookie', () =>
  withWorld({}, async (world) => {
    const { ticket } = await makeTicket(
      world.identify.ticketKey,
      {
        ...world.ada.identity,
        principal: { kind: 'guest', guestId: world.guest.id, name: 'Gus' },
        sessionId: null,
      },
      { boardId: board },
    )
    const guestKey = `guest:${world.guest.id}`
    assert.is(
      await world.socket(
        { ...asProtocol(ticket), cookie: world.ada.cookie },
        `?ticket=${await ticketFor(world)}`,
      ),
      guestKey,
    )
    assert.is(await world.socket({ ...ours, cookie: world.ada.cookie }, `?ticket=${ticket}`), guestKey)
  }),
)

socket('is refused with 4401 for an invalid ticket, even with a valid cookie', () =>
  withWorld({}, async (world) => {
    const good = await ticketFor(world)
    const expired = await ticketFor(world, { expiresInS: 1, nowMs: Date.now() - 5000 })
    const elsewhere = await ticketFor(world, { boardId: otherBoard })
    for (const bad of [expired, elsewhere, `${good}x`, 'rubbish', '']) {
      assert.is(await world.socket({ ...asProtocol(bad), cookie: world.ada.cookie }), 4401, bad)
      assert.is(await world.socket({ ...ours, cookie: world.ada.cookie }, `?ticket=${bad}`), 4401, bad)
    }
  }),
)

socket('is refused once the session behind the ticket has ended, or its user is deactivated', () =>
  withWorld({}, async (world) => {
    const ticket = await ticketFor(world)
    const unbound = await makeTicket(
      world.identify.ticketKey,
      { ...world.ada.identity, sessionId: null },
      { boardId: board },
    )
    const credentials = { email: 'ada@example.org', password: 'correct horse' }
    await world.browser().post('/api/auth/sign-in/email', credentials)
    const { sessionId } = world.ada.identity
    await world.db.deleteFrom('sessions').where('id', '=', Number(sessionId)).execute()
    assert.is(await world.socket(asProtocol(ticket)), 4401, 'another session of hers goes on')
    assert.is(await world.socket(asProtocol(unbound.ticket)), adaKey(world))
    await disableUser(world.db, systemActor, 'ada@example.org')
    assert.is(await world.socket(asProtocol(unbound.ticket)), 4401)
  }),
)

socket('is the session or guest of the cookie where the page is ours, the user first', () =>
  withWorld({}, async (world) => {
    assert.is(await world.socket({ ...ours, cookie: world.ada.cookie }), adaKey(world))
    assert.is(await world.socket({ ...ours, cookie: world.guest.cookie }), `guest:${world.guest.id}`)
    assert.is(
      await world.socket({ ...ours, cookie: `${world.guest.cookie}; ${world.ada.cookie}` }),
      adaKey(world),
    )
  }),
)

socket(
  'is anonymous with a cookie from a foreign page, or from no page (cross-site WebSocket hijacking)',
  () =>
    withWorld({}, async (world) => {
      for (const { cookie } of [world.ada, world.guest]) {
        assert.is(await world.socket({ ...evil, cookie }), 'anonymous')
        assert.is(await world.socket({ host: ours.host, cookie }), 'anonymous')
        assert.is(await world.socket({ ...ours, origin: 'null', cookie }), 'anonymous')
      }
    }),
)

socket('is a new anonymous person each time without credentials, or with expired ones', () =>
  withWorld({}, async (world) => {
    const ask = async () => {
      const found = await identifySocket(world.identify, request(`/ws/${board}`, ours), board)
      return isRefusal(found) ? '' : principalKey(found.principal)
    }
    assert.is.not(await ask(), await ask())
    await world.db.deleteFrom('sessions').execute()
    assert.is(await world.socket({ ...ours, cookie: world.ada.cookie }), 'anonymous')
    assert.is(
      await world.socket({ ...ours, cookie: `${world.ada.cookie}x; boardroom.guest=%00` }),
      'anonymous',
    )
  }),
)

socket.run()

const http = suite('who sends a request')

http('is whom a ticket says on the routes of its board and nowhere else', () =>
  withWorld({}, async (world) => {
    const authorization = `Bearer ${await ticketFor(world)}`
    const ask = async (path: string) =>
      shortOf(await identifyRequest(world.identify, request(path, { authorization })))
    assert.is(await ask(`/api/boards/${board}`), adaKey(world))
    assert.is(await ask(`/mounted/api/boards/${board.toUpperCase()}/threads?x=1`), adaKey(world))
    const elsewhere = [
      `/api/boards/${otherBoard}`,
      '/api/me',
      '/api/boards',
      `/api/audit?board_id=${board}`,
      `/api/x?/boards/${board}`,
      `/api/boards/${otherBoard}/boards/${board}`,
    ]
    for (const path of elsewhere) {
      assert.is(await ask(path).catch((error: { code: string }) => error.code), 'not_signed_in', path)
    }
  }),
)

http('is refused for an invalid bearer token, even with a valid cookie', () =>
  withWorld({}, async ({ send, ada }) => {
    const good = await send('/api/me', { headers: { ...ours, authorization: `Bearer ${ada.token}` } })
    assert.is(good.status, 200)
    for (const bad of ['x', 'a.b', 'a.b.c', `${ada.token}x`]) {
      const answer = await send('/api/me', {
        headers: { ...ours, cookie: ada.cookie, authorization: `Bearer ${bad}` },
      })
      assert.equal([answer.status, await codeOf(answer)], [401, 'not_signed_in'], bad)
    }
  }),
)

http('may ask for a ticket, which opens the socket, and with which no other can be had', () =>
  withWorld({}, async (world) => {
    const ask = (headers: Record<string, string>, json: unknown = {}) =>
      world.send(`/api/boards/${board}/tickets`, { method: 'POST', json, headers })
    const answer = await ask({ ...ours, cookie: world.ada.cookie }, { expires_in: 60 })
    const { ticket, url, expires_at } = (await answer.json()) as {
      ticket: string
      url: string
      expires_at: string
    }
    assert.is(url, `ws://localhost:4400/ws/${board}`)
    assert.ok(Math.abs(Date.parse(expires_at) - Date.now() - 60_000) < 5000)
    assert.is(await world.socket(asProtocol(ticket)), adaKey(world))
    assert.is((await ask({ authorization: `Bearer ${ticket}` })).status, 403)
    assert.is((await ask({ ...ours, cookie: world.ada.cookie }, { expires_in: 86_401 })).status, 400)
    const service = await ask(
      { ...ours, cookie: world.ada.cookie },
      { user: { external_id: 'u', name: 'U' } },
    )
    assert.is(service.status, 403, 'tickets of others are for service keys')
  }),
)

http.run()

const embedder = suite('an embedder’s authenticate')
const knowsToken: Authenticate = ({ headers, url }) =>
  headers.authorization === 'Bearer theirs' ||
  headers.cookie?.includes('app=1') ||
  url?.includes('app_token=1')
    ? { externalId: 'u-1', name: 'Theirs' }
    : null

embedder('replaces our sessions, and creates its users at first sight', () =>
  withWorld({ authenticate: knowsToken }, async (world) => {
    const theirs = await world.socket(ours, '?app_token=1')
    const row = await world.db
      .selectFrom('users')
      .selectAll()
      .where('external_id', '=', 'u-1')
      .executeTakeFirstOrThrow()
    assert.equal([theirs, row.name, row.issuer], [`user:${row.id}`, 'Theirs', 'embedder'])
    assert.is(await world.socket({ ...ours, cookie: world.ada.cookie }), 'anonymous', 'our session')
    const me = await world.send('/api/me', { headers: { authorization: 'Bearer theirs' } })
    assert.is(((await me.json()) as { user_id: number }).user_id, row.id)
    const refused = await world.send('/api/me', { headers: { authorization: `Bearer ${world.ada.token}` } })
    assert.is(refused.status, 401)
  }),
)

embedder('leaves tickets and guests of share links as they are', () =>
  withWorld({ authenticate: knowsToken }, async (world) => {
    assert.is(await world.socket(asProtocol(await ticketFor(world)), '?app_token=1'), adaKey(world))
    assert.is(await world.socket({ ...ours, cookie: world.guest.cookie }), `guest:${world.guest.id}`)
  }),
)

embedder('is not called if a foreign page sends cookies', () =>
  withWorld({ authenticate: knowsToken }, async (world) => {
    assert.match(String(await world.socket({ ...ours, cookie: 'app=1' })), /^user:/)
    assert.is(await world.socket({ ...evil, cookie: 'app=1' }), 'anonymous')
    assert.match(
      String(await world.socket(evil, '?app_token=1')),
      /^user:/,
      'no cookie, nothing carried along',
    )
  }),
)

embedder('fails closed when it breaks, or names somebody deactivated', () =>
  withWorld({ authenticate: () => Promise.reject(new Error('their database is away')) }, async (world) => {
    const broken = await world.socket().catch((error: unknown) => error)
    assert.match(String(broken), /their database is away/)
    world.identify.authenticate = () => ({ externalId: 'u-1', name: 'Theirs' })
    assert.match(String(await world.socket()), /^user:/)
    await world.db.updateTable('users').set({ is_active: false }).where('external_id', '=', 'u-1').execute()
    assert.is(await world.socket(), 4401)
  }),
)

embedder.run()
