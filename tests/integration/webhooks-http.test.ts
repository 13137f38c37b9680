// Webhooks, from the change to the receiver that verifies its signature: what is sent, to whom it is not, and what
// happens with receivers that fail, hang, redirect or are gone.
import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net'
import { sql } from 'kysely'
import { Webhook } from 'standardwebhooks'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { createOutgoing, isPublic } from '../../server/webhooks/outgoing.ts'
import { setFailed } from '../../server/webhooks/queries.ts'
import { eventually } from '../helpers/eventually.ts'
import { make } from '../helpers/factories.ts'
import { type Sentences, say } from '../helpers/sentences.ts'
import { type Answer, type Person, type TestServer, withServer } from '../helpers/server.ts'

interface Received {
  path: string
  headers: IncomingMessage['headers']
  body: string
  // biome-ignore lint/suspicious/noExplicitAny: events are looked at by assertions
  event: any
}

interface Receiver {
  origin: string
  received: Received[]
  /** What has arrived for a path. */
  at(path: string): Received[]
}

/**
 * Paths decide how it answers: /ok, /flaky (fine from the third time on), /gone, /away (500), /elsewhere (a
 * redirect), /hang.
 */
async function withReceiver(work: (receiver: Receiver) => Promise<void>): Promise<void> {
  const received: Received[] = []
  const at = (path: string) => received.filter((one) => one.path === path)
  const server = createServer((request, response) => {
    let body = ''
    request.on('data', (chunk) => (body += chunk))
    request.on('end', () => {
      const path = request.url ?? ''
      received.push({ path, headers: request.headers, body, event: JSON.parse(body) })
      if (path === '/hang') return
      if (path === '/elsewhere') response.writeHead(302, { location: '/ok' }).end()
      else if (path === '/gone') response.writeHead(410).end('never again')
      else if (path === '/away') response.writeHead(500).end('broken')
      else if (path === '/flaky' && at(path).length < 3) response.writeHead(503).end('soon')
      else response.writeHead(200).end('thank you')
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  try {
    // A TCP port was requested.
    await work({ origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, received, at })
  } finally {
    server.closeAllConnections()
    server.close()
  }
}

interface World extends TestServer, Receiver {
  root: Person
  hook(path: string, events: string[], by?: Person['ask']): Promise<Answer>
  key(issuer: string): Promise<{ id: string; ask: Person['ask'] }>
  /** Nothing has arrived, and nothing will. */
  fresh(): Promise<void>
}

const pace = {
  retryAfterS: [0.02, 0.02, 0.02, 0.02],
  pollMs: 20,
  timeoutMs: 300,
  disableAfterMs: 5 * 86_400_000,
}

const withWebhooks = (work: (world: World) => Promise<void>) =>
  withReceiver((receiver) =>
    withServer(
      async (server) => {
        const root = await server.user('Root', 'sysadmin')
        const hook: World['hook'] = async (path, events, by = root.ask) => {
          const answer = await by('POST', '/api/webhooks', { url: receiver.origin + path, events })
          assert.is(answer.status, 201, JSON.stringify(answer.body))
          return answer
        }
        const key: World['key'] = async (issuer) => {
          const body = { name: 'Backend', issuer, scopes: ['boards', 'webhooks'] }
          const made = (await root.ask('POST', '/api/service-keys', body)).body
          const authorization = `Bearer ${made.key}`
          return {
            id: made.id,
            ask: (method, path, sent) => server.ask(method, path, sent, { authorization }),
          }
        }
        const fresh = async () => {
          await server.db.deleteFrom('webhooks').execute()
          receiver.received.length = 0
        }
        await work({ ...server, ...receiver, origin: receiver.origin, root, hook, key, fresh })
      },
      { webhookPrivateNetworks: ['127.0.0.0/8'], webhookPace: pace },
    ),
  )

const told: Sentences<World> = [
  [
    'tell of boards, permissions, joins, comments and versions, signed, and of nothing rolled back',
    async ({ root, hook, at, user, open, db, boardroom }) => {
      const { body: made } = await hook('/ok', ['*'])
      assert.match(made.secret, /^whsec_[\w+/]{43}=$/)
      const bob = await user('Bob')
      const board = await root.board('Plans')
      await root.grant(board, bob, 'comment')
      const client = await open(board, { ticket: await bob.ticket(board) })
      client.stop()
      await bob.ask('POST', `/api/boards/${board}/threads`, { anchor: { x: 1, y: 2 }, body: 'Why so?' })
      await root.ask('POST', `/api/boards/${board}/versions`, { name: 'First' })
      await db
        .transaction()
        .execute(async (trx) => {
          await trx.updateTable('boards').set({ title: 'Never' }).where('id', '=', board).execute()
          throw new Error('rolled back')
        })
        .catch(() => undefined)
      await root.ask('DELETE', `/api/boards/${board}`)
      const expected = [
        'board.created',
        'permission.changed',
        'connection.joined',
        'connection.left',
        'comment.created',
        'version.created',
        'board.deleted',
      ]
      const types = () => at('/ok').flatMap(({ event }) => (event.data.board_id === board ? event.type : []))
      await eventually(
        () => expected.every((type) => types().includes(type)) || assert.equal(types(), expected),
      )
      assert.not.ok(types().includes('board.updated'), 'what was rolled back was never told')
      for (const { headers, body } of at('/ok')) {
        const sent = headers as Record<string, string> // each of these occurs once
        const verified = new Webhook(made.secret).verify(body, sent) as { type: string }
        assert.type(verified.type, 'string')
        assert.throws(() => new Webhook(made.secret).verify(`${body} `, sent))
      }
      const find = (type: string) =>
        at('/ok').find(({ event }) => event.type === type && event.data.board_id === board)?.event.data
      assert.equal(
        [find('permission.changed').person.id, find('permission.changed').new_values.level],
        [`user:${bob.id}`, 'comment'],
      )
      assert.equal(
        [
          find('comment.created').body,
          find('comment.created').author_name,
          find('comment.created').board_title,
        ],
        ['Why so?', 'Bob', 'Plans'],
      )
      assert.is(find('connection.joined').actor.id, `user:${bob.id}`)
      assert.not.match(
        JSON.stringify(at('/ok')),
        /example\.org|127\.0\.0\.1.*user_agent/,
        'no address of anybody',
      )

      // The receiver has it before the server has recorded its answer.
      const page = await eventually(async () => {
        const { body } = await root.ask('GET', `/api/webhooks/${made.id}/deliveries?limit=2`)
        return body.items.every(({ state }: { state: string }) => state === 'delivered') && body
      })
      assert.is(page.items.length, 2)
      assert.equal(
        [page.items[0].state, page.items[0].last_status, page.items[0].last_answer],
        ['delivered', 200, 'thank you'],
      )
      assert.match(page.items[0].event_id, /^msg_[0-9a-f]{32}$/)
      const { body: rest } = await root.ask(
        'GET',
        `/api/webhooks/${made.id}/deliveries?limit=2&cursor=${page.next_cursor}`,
      )
      assert.ok(BigInt(rest.items[0].id) < BigInt(page.items[1].id))

      const sent = at('/ok').length
      const { body: rotated } = await root.ask('POST', `/api/webhooks/${made.id}/rotate`, {})
      assert.is((await root.ask('POST', `/api/webhooks/${made.id}/rotate`, {})).status, 409)
      assert.is((await root.ask('POST', `/api/webhooks/${made.id}/test`)).status, 202)
      await eventually(() => at('/ok').length > sent)
      const last = at('/ok').at(-1)
      for (const secret of [made.secret, rotated.secret])
        new Webhook(secret).verify(last?.body ?? '', last?.headers as Record<string, string>)
      await root.ask('POST', `/api/webhooks/${made.id}/deliveries/${page.items[0].id}/retry`)
      await eventually(
        () => at('/ok').filter((one) => one.headers['webhook-id'] === page.items[0].event_id).length === 2,
      )

      const { items } = (await root.ask('GET', '/api/audit?category=account&limit=200')).body
      const rows = items.filter((row: { resource_id: string }) => row.resource_id === made.id)
      assert.equal(
        rows.map((row: { action: string }) => row.action),
        ['update', 'create'],
      )
      assert.not.match(JSON.stringify(items), /whsec_/)
      assert.ok(boardroom)
    },
  ],
  [
    'try again while a receiver fails, hangs or redirects, and end where it is gone or only fails',
    async ({ root, hook, at, ask }) => {
      const ids: Record<string, string> = {}
      for (const path of ['/flaky', '/hang', '/elsewhere', '/gone', '/away'])
        ids[path] = (await hook(path, ['board.created'])).body.id
      await root.board()
      const first = async (path: string) => {
        const { body } = await root.ask('GET', `/api/webhooks/${ids[path]}/deliveries`)
        return body.items[0]
      }
      await eventually(async () => (await first('/flaky')).state === 'delivered')
      assert.equal([(await first('/flaky')).attempts, at('/flaky').length], [3, 3])
      assert.is(new Set(at('/flaky').map(({ headers }) => headers['webhook-id'])).size, 1, 'the same id')
      assert.is((await root.ask('GET', `/api/webhooks/${ids['/flaky']}`)).body.state, 'active')

      await eventually(async () => (await first('/hang')).last_error !== null)
      assert.match((await first('/hang')).last_error, /no complete response within 0.3 s/)
      await eventually(async () => (await first('/elsewhere')).state === 'failed')
      assert.match((await first('/elsewhere')).last_error, /302: redirects are not followed/)
      assert.is(at('/ok').length, 0, 'nobody went where the redirect pointed')

      const state = async (path: string) => (await root.ask('GET', `/api/webhooks/${ids[path]}`)).body
      await eventually(async () => (await state('/gone')).state === 'disabled')
      assert.is(at('/gone').length, 1)
      assert.match((await state('/gone')).disabled_reason, /410/)
      assert.equal((await ask('GET', '/api/webhooks')).status, 401)
      assert.is((await root.ask('POST', `/api/webhooks/${ids['/gone']}/test`)).status, 409)
      const { items } = (await root.ask('GET', '/api/audit?category=account&limit=200')).body
      const row = items.find((one: { resource_id: string }) => one.resource_id === ids['/gone'])
      assert.equal([row.action, row.actor_kind, row.resource_type], ['update', 'system', 'webhook'])

      // After a restart, undelivered events are sent.
      await root.ask('PATCH', `/api/webhooks/${ids['/gone']}`, { enabled: true })
      await eventually(() => at('/gone').length === 2)
    },
  ],
  [
    'are disabled once nothing could be delivered for long, and what happens then is not queued',
    async ({ root, hook, at, db }) => {
      const { id } = (await hook('/away', ['board.created'])).body
      const sixDaysAgo = new Date(Date.now() - 6 * 86_400_000)
      await db.updateTable('webhooks').set({ failing_since: sixDaysAgo }).where('id', '=', id).execute()
      await root.board()
      await eventually(async () => (await root.ask('GET', `/api/webhooks/${id}`)).body.state === 'disabled')
      const { body } = await root.ask('GET', `/api/webhooks/${id}`)
      assert.match(body.disabled_reason, /^nothing has been delivered since .*responded with 500/)
      const tried = at('/away').length
      await root.board()
      const { items } = (await root.ask('GET', `/api/webhooks/${id}/deliveries`)).body
      assert.equal([items.length, at('/away').length], [1, tried])
    },
  ],
  [
    'reach no private network, by address or by name, and are the administrators’',
    async ({ root, user, ask }) => {
      const post = (url: string, more = {}) =>
        root.ask('POST', '/api/webhooks', { url, events: ['*'], ...more })
      const privates = [
        'http://[::1]/',
        'http://10.0.0.1/',
        'http://169.254.10.10/',
        'http://[::ffff:192.168.0.1]/',
      ]
      for (const url of privates) {
        const answer = await post(url)
        assert.is(answer.status, 400, url)
        assert.match(answer.body.error.message, 'BOARDROOM_WEBHOOK_PRIVATE_NETWORKS')
      }
      const wrong = ['ftp://example.org/', 'nowhere', 'https://ada:secret@example.org/', '']
      for (const url of wrong) assert.is((await post(url)).status, 400, url)
      for (const events of [[], ['board'], ['board.exploded']])
        assert.is((await post('https://example.org/', { events })).status, 400)
      const bob = await user('Bill')
      const good = { url: 'https://example.org/', events: ['*'] }
      assert.is((await bob.ask('POST', '/api/webhooks', good)).status, 403)
      assert.is((await bob.ask('GET', '/api/webhooks')).status, 403)
      assert.is((await ask('POST', '/api/webhooks', good)).status, 401)
    },
  ],
  [
    'of a service key tell of the boards of its issuer alone',
    async ({ root, hook, at, key }) => {
      const [{ ask: shop }, { ask: school }] = [await key('shop'), await key('school')]
      const { body: made } = await hook('/ok', ['board.*'], shop)
      assert.is(made.issuer, 'shop')
      await root.board('Private')
      await school('POST', '/api/boards', { title: 'Of the school' })
      await shop('POST', '/api/boards', { title: 'Of the shop' })
      await eventually(() => at('/ok').length > 0)
      assert.equal(
        at('/ok').map(({ event }) => event.data.board_title),
        ['Of the shop'],
      )
      assert.is((await school('GET', `/api/webhooks/${made.id}`)).status, 404)
      assert.equal((await school('GET', '/api/webhooks')).body.items, [])
      assert.is((await root.ask('GET', '/api/webhooks')).body.items.length, 1)
      assert.is((await shop('DELETE', `/api/webhooks/${made.id}`)).status, 204)
      assert.is((await root.ask('GET', '/api/webhooks')).body.items.length, 0)
    },
  ],
  [
    'end with the right of whoever changed them last: a service key, an administrator',
    async ({ root, user, hook, key, at, db }) => {
      const [lost, kept] = [await key('shop'), await key('shop')]
      const chief = await user('Chief', 'admin')
      const hooks: Record<string, string> = {}
      hooks['/lost'] = (await hook('/lost', ['board.*'], lost.ask)).body.id
      hooks['/chief'] = (await hook('/chief', ['board.*'], chief.ask)).body.id
      hooks['/kept'] = (await hook('/kept', ['board.*'], kept.ask)).body.id
      await kept.ask('POST', '/api/boards', { title: 'Before' })
      await eventually(() => ['/lost', '/chief', '/kept'].every((path) => at(path).length === 1))
      // The receivers have them a moment before the rows say so.
      const open = () =>
        db.selectFrom('webhook_deliveries').select('id').where('state', '=', 'pending').execute()
      await eventually(async () => (await open()).length === 0)
      // Waiting events are not sent either.
      const later = {
        state: 'pending' as const,
        delivered_at: null,
        next_attempt_at: new Date(Date.now() + 3_600_000),
      }
      await db.updateTable('webhook_deliveries').set(later).execute()
      await root.ask('DELETE', `/api/service-keys/${lost.id}`)
      await root.ask('PATCH', `/api/users/${chief.id}`, { role: 'user' })
      await db
        .updateTable('webhook_deliveries')
        .set({ next_attempt_at: new Date(0) })
        .execute()
      await kept.ask('POST', '/api/boards', { title: 'After' })
      await eventually(() => at('/kept').length === 3)
      assert.equal([at('/lost').length, at('/chief').length], [1, 1])
      for (const path of ['/lost', '/chief']) {
        const { body } = await root.ask('GET', `/api/webhooks/${hooks[path]}`)
        assert.equal(
          [body.state, /no longer has the right/.test(body.disabled_reason)],
          ['disabled', true],
          path,
        )
        assert.is((await root.ask('POST', `/api/webhooks/${hooks[path]}/test`)).status, 409)
      }
      // From then on another key of the issuer, or an administrator, answers for it.
      await kept.ask('PATCH', `/api/webhooks/${hooks['/lost']}`, { enabled: true })
      await root.ask('PATCH', `/api/webhooks/${hooks['/chief']}`, { enabled: true })
      await eventually(() => at('/lost').length === 2 && at('/chief').length === 2)
    },
  ],
  [
    'are limited for each holder, and one who has many slow ones holds up nobody else',
    async ({ root, hook, key, at, db }) => {
      const { ask: shop } = await key('shop')
      await Promise.all(Array.from({ length: 40 }, () => hook('/hang', ['board.created'])))
      await hook('/ok', ['board.created'], shop)
      await root.board()
      await eventually(() => at('/hang').length >= 16)
      await shop('POST', '/api/boards', { title: 'Of the shop' })
      await eventually(() => at('/ok').length === 1)
      assert.ok(at('/hang').length <= 32, `${at('/hang').length} had been tried`)
      for (let count = 0; count < 60; count++) await make.webhook(db)
      const body = { url: 'https://example.org/', events: ['*'] }
      const refused = await root.ask('POST', '/api/webhooks', body)
      assert.equal([refused.status, refused.body.error.details.limit], [409, 'webhooks'])
      assert.is((await shop('POST', '/api/webhooks', body)).status, 201)
    },
  ],
  [
    'are removed while a delivery of theirs fails',
    async ({ db }) => {
      const { id: webhookId } = await make.webhook(db)
      const { id } = await make.webhookDelivery(db, { webhook_id: webhookId })
      const outcome = { status: 500, error: 'answered 500', answer: null }
      const waiting = sql`select from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`
      const failed = await db.transaction().execute(async (trx) => {
        await trx.selectFrom('webhooks').select('id').where('id', '=', webhookId).forUpdate().execute()
        const failing = setFailed(db, { id, webhook_id: webhookId }, outcome, 1)
        await eventually(async () => (await waiting.execute(db)).rows.length > 0)
        await trx.deleteFrom('webhooks').where('id', '=', webhookId).execute()
        return { failing }
      })
      assert.is(await failed.failing, null)
    },
  ],
  [
    'hold up no write on a board while they are removed',
    async ({ root, hook, db }) => {
      const { id } = (await hook('/away', ['board.*'])).body
      await db.transaction().execute(async (trx) => {
        await trx.deleteFrom('webhooks').where('id', '=', id).execute()
        await root.board('Made meanwhile')
      })
      assert.is((await root.ask('GET', `/api/webhooks/${id}`)).status, 404)
    },
  ],
]

const webhooks = suite('webhooks')

webhooks(told.map(([sentence]) => sentence).join('; '), () =>
  withWebhooks(
    say(
      told.map(
        ([sentence, work]) =>
          [
            sentence,
            async (world) => {
              await world.fresh()
              await work(world)
            },
          ] as const,
      ),
    ),
  ),
)

webhooks.run()

const outgoing = suite('an outgoing request')

outgoing('knows public addresses from all others', () => {
  for (const address of ['1.1.1.1', '93.184.216.34', '2606:4700:4700::1111', '192.0.1.1'])
    assert.ok(isPublic(address), address)
  const others = [
    '0.0.0.0',
    '10.1.2.3',
    '100.64.0.1',
    '127.0.0.1',
    '169.254.1.1',
    '172.31.0.1',
    '192.168.1.1',
  ]
  for (const address of [...others, '198.18.0.1', '224.0.0.1', '255.255.255.255'])
    assert.not(isPublic(address), address)
  for (const address of [
    '::',
    '::1',
    'fe80::1',
    'fc00::1',
    'ff02::1',
    '64:ff9b::a00:1',
    '2002:a00:1::',
    '2001:db8::1',
  ])
    assert.not(isPublic(address), address)
})

outgoing('checks the address that a name resolves to, when it connects', async () => {
  // A name that only looks foreign; every system resolves it to itself.
  const closed = createOutgoing({ privateNetworks: [], timeoutMs: 1000 })
  const outcome = await closed.post('http://localhost:9/', {}, '{}')
  assert.match(outcome.error ?? '', /localhost is in a private network/)
  for (const url of [
    'http://127.0.0.1:9/',
    'http://localhost/',
    'http://0x7f000001/',
    'http://a.localhost./',
  ])
    assert.match(closed.refusalOf(url) ?? '', 'is in a private network', url)
  const open = createOutgoing({ privateNetworks: ['127.0.0.0/8', '::1'], timeoutMs: 1000 })
  assert.match((await open.post('http://localhost:9/', {}, '{}')).error ?? '', /ECONNREFUSED/)
})

outgoing('fails quickly if the answer is an upgrade, only informational, truncated or invalid', async () => {
  const answers: Record<string, string> = {
    upgrade: 'HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: other\r\n\r\n',
    hints: 'HTTP/1.1 103 Early Hints\r\n\r\n',
    'broken off': 'HTTP/1.1 200 OK\r\ncontent-length: 20\r\n\r\nthank',
    nothing: '',
  }
  const asked: string[] = Object.keys(answers)
  const sockets = new Set<Socket>()
  const receiver = createTcpServer((socket) => {
    sockets.add(socket.on('error', () => undefined))
    socket.once('data', (head) => {
      const which = asked.find((name) => head.toString().startsWith(`POST /${name.replace(' ', '-')} `)) ?? ''
      socket.write(answers[which] ?? '')
      if (which === 'broken off' || which === 'nothing') socket.end()
    })
  }).listen(0, '127.0.0.1')
  await once(receiver, 'listening')
  // A TCP port was requested.
  const { port } = receiver.address() as AddressInfo
  const { post } = createOutgoing({ privateNetworks: ['127.0.0.0/8'], timeoutMs: 200 })
  const errorOf = async (which: string) => {
    const late = new Promise<string>((done) => setTimeout(done, 2000, 'never settled').unref())
    const outcome = post(`http://127.0.0.1:${port}/${which.replace(' ', '-')}`, {}, '{}')
    return Promise.race([late, outcome.then(({ status, error }) => `${status}: ${error}`)])
  }
  const outcomes = await Promise.all(asked.map(errorOf))
  for (const socket of sockets) socket.destroy()
  receiver.close()
  assert.match(outcomes[0] ?? '', /^null: responded with 101/)
  assert.match(outcomes[1] ?? '', /^null: no complete response within 0.2 s/)
  assert.match(outcomes[2] ?? '', /^null: .*(broke off|aborted)/)
  assert.match(outcomes[3] ?? '', /^null: (socket hang up|the connection ended)/)
})

outgoing.run()
