// `boardroom/client` with a complete server: an application's backend with its key, its pages with self-renewing
// tickets, and every call to an existing route.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { WebSocket } from 'ws'
import { createKey } from '../../server/accounts/service-keys/service-keys.ts'
import { systemActor } from '../../server/principal.ts'
import { ApiError, all, type Client, createClient } from '../../shared/client/index.ts'
import { eventually } from '../helpers/eventually.ts'
import { type Sentences, say } from '../helpers/sentences.ts'
import { type TestServer, withServer } from '../helpers/server.ts'

interface World extends TestServer {
  backend: Client
  url: string
}

const withClient = (work: (world: World) => Promise<void>) =>
  withServer(async (server) => {
    const { key } = await createKey(server.db, systemActor, {
      name: 'Backend',
      issuer: 'shop',
      scopes: ['boards', 'permissions', 'tickets', 'comments'],
    })
    const backend = createClient({ url: server.origin, token: key ?? '', WebSocket })
    await work({ ...server, backend, url: server.origin })
  })

const userOf = (name: string) => ({ external_id: name, name })

const told: Sentences<World> = [
  [
    'makes boards, grants and lists by a key, and opens them in Node',
    async ({ backend }) => {
      const { id } = await backend.boards.create({ title: 'One' })
      await backend.boards.create({ title: 'Two' })
      await backend.permissions.grant(id, { external_id: 'una', level: 'view' })
      const titles: string[] = []
      for await (const { title } of all((page) => backend.boards.list({ ...page, limit: 1, sort: 'title' })))
        titles.push(title)
      assert.equal(titles, ['One', 'Two'])
      const board = backend.open(id)
      await board.whenSynced()
      board.doc.getMap('notes').set('a', 1)
      await board.whenSaved()
      assert.ok((await backend.documents.read(id)).length > 2)
      board.destroy()
    },
  ],
  [
    'says its level and what is saved as events, and that it ended',
    async ({ backend, url }) => {
      const { id } = await backend.boards.create()
      const una = createClient({
        url,
        WebSocket,
        ticket: async () => (await backend.tickets.create(id, { user: userOf('una') })).ticket,
      })
      const granted = await backend.permissions.grant(id, { external_id: 'una', level: 'view' })
      const heard: string[] = []
      const board = una.open(id)
      board.on('level', (level) => heard.push(level))
      board.on('saved', (isSaved) => heard.push(isSaved ? 'saved' : 'saving'))
      board.on('ended', (code) => heard.push(`ended ${code}`))
      await board.whenSynced()
      await backend.permissions.grant(id, { external_id: 'una', level: 'edit' })
      await eventually(() => board.level === 'edit')
      await eventually(() => board.isSaved)
      board.doc.getMap('notes').set('a', 1)
      assert.is(board.isSaved, false)
      await board.whenSaved()
      assert.equal(
        heard.filter((word) => word === 'view' || word === 'edit'),
        ['view', 'edit'],
      )
      assert.equal(heard.slice(-2), ['saving', 'saved'])
      assert.is((await una.boards.get(id)).level, 'edit', 'the ticket serves over HTTP too')
      await backend.permissions.revoke(id, granted.id)
      await eventually(() => heard.at(-1) === 'ended 4403')
      board.destroy()
    },
  ],
  [
    'renews a ticket that has expired, once, on the socket and over HTTP',
    async ({ backend, url }) => {
      const { id } = await backend.boards.create()
      await backend.permissions.grant(id, { external_id: 'una', level: 'edit' })
      let asked = 0
      const ticket = async () =>
        ++asked === 1 ? 'rubbish' : (await backend.tickets.create(id, { user: userOf('una') })).ticket
      const board = createClient({ url, WebSocket, ticket }).open(id)
      await board.whenSynced()
      assert.is(asked, 2)
      board.destroy()
      asked = 0
      assert.is((await createClient({ url, ticket }).boards.get(id)).id, id)
      assert.is(asked, 2)
      const never = createClient({ url, WebSocket, ticket: () => 'rubbish' })
      const refused = never.open(id)
      await new Promise<void>((resolve) => refused.once('ended', () => resolve()))
      refused.destroy()
      const problem = await never.boards.get(id).catch((error: unknown) => error)
      assert.ok(problem instanceof ApiError)
      assert.equal([(problem as ApiError).code, (problem as ApiError).status], ['not_signed_in', 401])
    },
  ],
  [
    'says what went wrong where nobody answers',
    async () => {
      const nobody = createClient({ url: 'http://127.0.0.1:9' })
      const problem = await nobody.me().catch((error: unknown) => error)
      assert.equal([(problem as ApiError).code, (problem as ApiError).status], ['unreachable', 0])
    },
  ],
  [
    'has every call at a route of the OpenAPI document',
    async ({ ask }) => {
      const { paths } = (await ask('GET', '/api/openapi.json')).body as {
        paths: Record<string, Record<string, unknown>>
      }
      const patterns = Object.entries(paths).flatMap(([path, methods]) =>
        Object.keys(methods).map((method) => ({
          method: method.toUpperCase(),
          path: new RegExp(`${path.replaceAll(/\{\w+\}/g, '[^/]+')}$`),
        })),
      )
      const unknown: string[] = []
      let calls = 0
      const recording = createClient({
        url: 'http://boards.example',
        fetch: async (address, options) => {
          calls++
          const { pathname } = new URL(String(address))
          const method = options?.method ?? 'GET'
          if (!patterns.some((known) => known.method === method && known.path.test(pathname)))
            unknown.push(`${method} ${pathname}`)
          return Response.json({})
        },
      })
      const { http: _http, open: _open, me, ...nouns } = recording
      await me()
      for (const noun of Object.values(nouns)) {
        for (const call of Object.values(noun))
          await (call as (...ids: unknown[]) => Promise<unknown>)('one', 'two', {})
      }
      assert.equal(unknown, [])
      assert.ok(calls > 40, String(calls))
    },
  ],
]

const client = suite('the client for engineers')
client(told.map(([sentence]) => sentence).join('; '), () => withClient(say(told)))
client.run()
