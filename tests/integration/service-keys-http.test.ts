// Another application's server, using a service key: boards, permissions and tickets for its own people.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { ServiceScope } from '../../shared/api/service-keys.ts'
import { eventually } from '../helpers/eventually.ts'
import { type Sentences, say } from '../helpers/sentences.ts'
import { type Answer, type Person, type TestServer, withServer } from '../helpers/server.ts'

interface Key {
  id: string
  key: string
  ask(method: string, path: string, body?: unknown): Promise<Answer>
}

interface World extends TestServer {
  root: Person
  key(scopes?: ServiceScope[], more?: object): Promise<Key>
  asKey(secret: string): Key['ask']
}

const everything: ServiceScope[] = ['boards', 'permissions', 'tickets']

const withKeys = (work: (world: World) => Promise<void>) =>
  withServer(
    async (server) => {
      const root = await server.user('Root', 'sysadmin')
      const asKey = (secret: string): Key['ask'] => {
        return (method, path, body) => server.ask(method, path, body, { authorization: `Bearer ${secret}` })
      }
      const key: World['key'] = async (scopes = everything, more = {}) => {
        const made = await root.ask('POST', '/api/service-keys', {
          name: 'Backend',
          issuer: 'shop',
          scopes,
          ...more,
        })
        assert.is(made.status, 201, JSON.stringify(made.body))
        return { id: made.body.id, key: made.body.key, ask: asKey(made.body.key) }
      }
      await work({ ...server, root, key, asKey })
    },
    { maxBoardsPerUser: 2 },
  )

const outcome = ({ status, body }: Answer) => [status, body.error?.code]
const told: Sentences<World> = [
  [
    'makes boards, grants and asks for tickets of its own people, who draw',
    async ({ key, open, db, root }) => {
      const app = await key()
      const made = await app.ask('POST', '/api/boards', { title: 'From the shop' })
      assert.equal([made.status, made.body.may_manage], [201, true])
      const board = `/api/boards/${made.body.id}`
      const granted = await app.ask('POST', `${board}/permissions`, { external_id: 'u-1', level: 'edit' })
      assert.is(granted.status, 201, 'before the first visit')
      const user = { external_id: 'u-1', name: 'Una' }
      const ticket = await app.ask('POST', `${board}/tickets`, { user })
      assert.is(ticket.status, 200, JSON.stringify(ticket.body))
      const una = await open(made.body.id, { ticket: ticket.body.ticket })
      una.doc.getMap('notes').set('a', 1)
      await eventually(async () => (await app.ask('GET', `${board}/connections`)).body.items.length === 1)
      const { body: here } = await app.ask('GET', `${board}/connections`)
      assert.equal([here.items[0].principal.name, here.items[0].level], ['Una', 'edit'])
      const row = await db
        .selectFrom('users')
        .select(['issuer', 'name'])
        .where('external_id', '=', 'u-1')
        .execute()
      assert.equal(row, [{ issuer: 'shop', name: 'Una' }], 'one person, by her own name')

      const stranger = await app.ask('POST', `${board}/tickets`, {
        user: { external_id: 'u-2', name: 'Ulf' },
      })
      assert.is(stranger.status, 200, 'a ticket says who')
      assert.is(
        await (await open(made.body.id, { ticket: stranger.body.ticket, waitFor: 'closed' })).closed,
        4403,
      )

      for (const title of ['b', 'c', 'd'])
        assert.is((await app.ask('POST', '/api/boards', { title })).status, 201, 'no limit of one account')
      const trail = await root.ask('GET', `${board}/audit`)
      const creation = trail.body.items.find(({ action }: { action: string }) => action === 'create')
      assert.is(creation.actor_name, 'Backend')
      assert.is(creation.session_id, `key:${app.id}`)
    },
  ],
  [
    'manages the boards of its issuer’s people and of nobody else',
    async ({ key, root, boardroom }) => {
      const app = await key()
      const owner = { externalId: 'u-1', name: 'Una', issuer: 'shop' }
      const hers = await boardroom.boards.create({ title: 'Hers', owner })
      assert.is((await app.ask('PATCH', `/api/boards/${hers}`, { title: 'Ours' })).status, 200)
      const ticket = { user: { external_id: 'u-2', name: 'Ulf' } }
      assert.is((await app.ask('POST', `/api/boards/${hers}/tickets`, ticket)).status, 200)
      const foreign = await boardroom.boards.create({ owner: { ...owner, issuer: 'elsewhere' } })
      const private_ = await root.board()
      for (const board of [foreign, private_]) {
        assert.equal(outcome(await app.ask('PATCH', `/api/boards/${board}`, { title: 'x' })), [
          404,
          'not_found',
        ])
        assert.equal(outcome(await app.ask('POST', `/api/boards/${board}/tickets`, ticket)), [
          404,
          'not_found',
        ])
      }
      // The same id in another directory is another person.
      const own = await app.ask('POST', '/api/boards', {})
      const path = `/api/boards/${own.body.id}/permissions`
      const granted = await app.ask('POST', path, { external_id: 'u-1', level: 'view' })
      assert.is(
        granted.body.user_id,
        (await boardroom.users.idOf(owner)) as number,
        'the one of the key’s own issuer',
      )
      const byId = await app.ask('POST', path, { user_id: root.id, level: 'view' })
      assert.equal([byId.status, byId.body.user_email], [201, null], 'no address is told')
    },
  ],
  [
    'does what its scopes say and no more',
    async ({ key }) => {
      const all = await key()
      const board = `/api/boards/${(await all.ask('POST', '/api/boards', {})).body.id}`
      const grant = { user_id: null, level: 'view' }
      const tries: [
        ServiceScope,
        method: string,
        path: string,
        body: object | undefined,
        expected: number,
      ][] = [
        ['boards:read', 'GET', board, undefined, 200],
        ['boards:read', 'PATCH', board, { title: 'x' }, 403],
        ['boards:read', 'POST', `${board}/permissions`, grant, 403],
        ['boards:create', 'POST', '/api/boards', {}, 201],
        ['boards:create', 'DELETE', board, undefined, 403],
        ['boards:write', 'GET', `${board}/document`, undefined, 200],
        ['permissions', 'POST', `${board}/permissions`, grant, 201],
        ['permissions', 'POST', `${board}/tickets`, {}, 403],
        ['tickets', 'POST', `${board}/tickets`, {}, 200],
        ['tickets', 'GET', board, undefined, 403],
        ['audit', 'GET', `${board}/audit`, undefined, 200],
        ['boards', 'GET', '/api/me', undefined, 200],
        ['boards', 'GET', '/api/service-keys', undefined, 403],
        ['boards', 'POST', '/api/service-keys', { name: 'Mine', issuer: 'shop', scopes: ['boards'] }, 403],
        ['boards', 'GET', '/api/sessions', undefined, 403],
        ['audit', 'GET', '/api/audit', undefined, 403],
      ]
      const byScope = new Map<ServiceScope, Key>()
      for (const [scope, method, path, body, expected] of tries) {
        const app = byScope.get(scope) ?? (await key([scope]))
        byScope.set(scope, app)
        const answer = await app.ask(method, path, body)
        assert.is(answer.status, expected, `${scope}: ${method} ${path} ${JSON.stringify(answer.body)}`)
      }
    },
  ],
  [
    'hands out access with the scope permissions alone, whatever the route',
    async ({ key, root }) => {
      const all = await key(['boards', 'permissions'], { issuer: 'publisher' })
      const made = async (path: string, body: object) => (await all.ask('POST', path, body)).body.id
      const [board, folder] = [await made('/api/boards', {}), await made('/api/folders', { name: 'Shared' })]
      const tries: [method: string, path: string, body: object][] = [
        ['POST', `/api/folders/${folder}/permissions`, { user_id: null, level: 'view' }],
        ['POST', '/api/folders', { name: 'Inside', parent_id: folder }],
        ['PATCH', `/api/folders/${folder}`, { parent_id: null }],
        ['POST', '/api/boards', { is_public: true }],
        ['PATCH', `/api/boards/${board}`, { is_public: true }],
        ['PATCH', `/api/boards/${board}`, { members_level: 'view' }],
        ['PATCH', `/api/boards/${board}`, { folder_id: folder }],
      ]
      const drawing = await key(['boards'], { issuer: 'publisher' })
      for (const [method, path, body] of [
        ...tries,
        ['PATCH', `/api/boards/${board}`, { owner_id: root.id }] as const,
      ]) {
        const answer = await drawing.ask(method, path, body)
        assert.equal(
          [answer.status, answer.body.error?.details?.needed],
          [403, 'permissions'],
          `${method} ${path} ${JSON.stringify(body)}`,
        )
      }
      assert.is((await drawing.ask('GET', `/api/folders/${folder}/permissions`)).status, 403)
      assert.is((await drawing.ask('POST', `/api/boards/${board}/template`, { name: 'Plan' })).status, 403)
      assert.is((await drawing.ask('PATCH', `/api/boards/${board}`, { title: 'Plan' })).status, 200)
      for (const [method, path, body] of tries) {
        const { status } = await all.ask(method, path, body)
        assert.ok(status < 300, `${method} ${path} ${JSON.stringify(body)}: ${status}`)
      }
    },
  ],
  [
    'is rotated with an overlap, and revoked with everything that it opened',
    async ({ key, asKey, root, open, db }) => {
      const app = await key()
      const { id } = (await app.ask('POST', '/api/boards', {})).body
      await app.ask('POST', `/api/boards/${id}/permissions`, { external_id: 'u-1', level: 'edit' })
      const user = { external_id: 'u-1', name: 'Una' }
      const { ticket } = (await app.ask('POST', `/api/boards/${id}/tickets`, { user })).body
      const una = await open(id, { ticket })

      const path = `/api/service-keys/${app.id}`
      const rotated = await root.ask('POST', `${path}/rotate`, { overlap_seconds: 600 })
      assert.is(rotated.status, 200, JSON.stringify(rotated.body))
      assert.ok(Date.parse(rotated.body.former_until) > Date.now())
      const renewed = asKey(rotated.body.key)
      for (const ask of [app.ask, renewed]) assert.is((await ask('GET', '/api/me')).status, 200)
      assert.equal(outcome(await root.ask('POST', `${path}/rotate`)), [409, 'conflict'])
      for (const ask of [app.ask, renewed]) assert.is((await ask('GET', '/api/me')).status, 200)
      await db
        .updateTable('service_keys')
        .set({ former_until: new Date(Date.now() - 1000) })
        .where('id', '=', app.id)
        .execute()
      assert.equal(outcome(await app.ask('GET', '/api/me')), [401, 'not_signed_in'])
      assert.is((await renewed('GET', '/api/me')).status, 200)
      const twice = await Promise.all([1, 2].map(() => root.ask('POST', `${path}/rotate`)))
      assert.equal(twice.map(({ status }) => status).sort(), [200, 409], 'of two at once one counts')
      assert.is(
        (await renewed('GET', '/api/me')).status,
        200,
        'and the key in use is valid through the overlap',
      )
      const atOnce = await root.ask('POST', `${path}/rotate`, { overlap_seconds: 0 })
      assert.is((await renewed('GET', '/api/me')).status, 401)
      assert.equal(una.closes, [], 'tickets go on')

      assert.is((await root.ask('DELETE', path)).status, 204)
      assert.is(await una.closed, 4401)
      assert.is((await asKey(atOnce.body.key)('GET', '/api/me')).status, 401)
      assert.equal(outcome(await root.ask('POST', `${path}/rotate`)), [409, 'conflict'])
      const [listed] = (await root.ask('GET', '/api/service-keys')).body.items
      assert.equal([listed.state, listed.key], ['revoked', null])
      assert.ok(atOnce.body.key.startsWith(listed.hint.slice(0, -1)))
      assert.is(
        await (await open(id, { ticket, waitFor: 'closed' })).closed,
        4401,
        'the ticket ended with the key',
      )

      const trail = await root.ask('GET', '/api/audit?category=account&limit=200')
      const rows = trail.body.items.filter((row: { resource_id: string }) => row.resource_id === app.id)
      assert.equal(
        rows.map((row: { action: string }) => row.action),
        [...Array(5).fill('update'), 'create'],
      )
      assert.is(rows.at(-1).new_values.scopes.length, 3)
      assert.is(rows.at(-2).details.token_changed, true)
      assert.not.match(JSON.stringify(trail.body), /brk_|sha256/)
    },
  ],
  [
    'ends by the clock, and where somebody stops the account of its issuer',
    async ({ key, db, root }) => {
      const app = await key(everything, { expires_at: new Date(Date.now() + 60_000).toISOString() })
      const other = await key()
      assert.is((await app.ask('GET', '/api/me')).status, 200)
      await db
        .updateTable('service_keys')
        .set({ expires_at: new Date(Date.now() - 1) })
        .where('id', '=', app.id)
        .execute()
      assert.equal(outcome(await app.ask('GET', '/api/me')), [401, 'not_signed_in'])
      await db.updateTable('users').set({ is_active: false }).where('external_id', '=', 'shop').execute()
      assert.equal(outcome(await other.ask('GET', '/api/me')), [401, 'not_signed_in'])
      for (const wrong of ['brk_', 'brk_x', `${other.key}x`, other.key.slice(0, -1)]) {
        const answer = await root.ask('GET', '/api/me', undefined, { authorization: `Bearer ${wrong}` })
        assert.equal(outcome(answer), [401, 'not_signed_in'], 'though a good session came along')
      }
    },
  ],
  [
    'is made by administrators alone, of a right form',
    async ({ user, ask, root }) => {
      const good = { name: 'Backend', issuer: 'shop', scopes: ['boards'] }
      const bob = await user('Bob')
      const admin = await user('Amy', 'admin')
      assert.is((await ask('POST', '/api/service-keys', good)).status, 401)
      assert.is((await bob.ask('POST', '/api/service-keys', good)).status, 403)
      assert.is((await bob.ask('GET', '/api/service-keys')).status, 403)
      assert.is((await admin.ask('POST', '/api/service-keys', good)).status, 201)
      const wrong = [
        { scopes: [] },
        { scopes: ['everything'] },
        { issuer: '' },
        { issuer: 'boardroom:service' },
        { name: 'x' },
        { expires_at: '2020-01-01T00:00:00Z' },
        { expire_at: null },
      ]
      for (const change of wrong) {
        const answer = await root.ask('POST', '/api/service-keys', { ...good, ...change })
        assert.equal(outcome(answer), [400, 'invalid_request'], JSON.stringify(change))
      }
      const nowhere = '/api/service-keys/00000000-0000-4000-8000-000000000000'
      assert.is((await root.ask('DELETE', nowhere)).status, 404)
      assert.is((await root.ask('POST', `${nowhere}/rotate`, {})).status, 404)
    },
  ],
]

const keys = suite('a service key')

keys(told.map(([sentence]) => sentence).join('; '), () => withKeys(say(told)))

keys.run()
