// The embedding example, run as it is: an app with its own routes, sockets, users and pool, and Boardroom in it.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { WebSocket } from 'ws'
import { createBoardroom } from '../../server/boardroom.ts'
import { CloseCode, MessageType } from '../../shared/protocol.ts'
import { withDatabase, withEmptyDatabase } from '../helpers/database.ts'
import { eventually } from '../helpers/eventually.ts'
import { RawClient } from '../helpers/raw-client.ts'
import { testPool } from '../helpers/test-pool.ts'

const embed = suite('an app that embeds Boardroom')

interface App {
  origin: string
  ws: string
  process: ChildProcess
  output(): string
  /** Exit code, once it has ended by itself. */
  ended: Promise<number | null>
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  return port
}

/** @returns null if somebody else took the port first. */
async function start(url: string, port: number): Promise<App | null> {
  const child = spawn(process.execPath, ['examples/embed.mjs'], {
    env: { PATH: process.env.PATH, DATABASE_URL: url, PORT: String(port) },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (output += text))
  const ended = once(child, 'exit').then(([code]) => code as number | null)
  try {
    await eventually(() => child.exitCode !== null || output.includes('listening on'), { withinMs: 90_000 })
    if (child.exitCode !== null && !output.includes('EADDRINUSE')) throw new Error(output)
  } catch (error) {
    child.kill('SIGKILL')
    throw error
  }
  if (child.exitCode !== null) return null
  return {
    origin: `http://localhost:${port}`,
    ws: `ws://127.0.0.1:${port}`,
    process: child,
    output: () => output,
    ended,
  }
}

const withApp = (work: (app: App) => Promise<void>): Promise<void> =>
  withEmptyDatabase(async ({ url }) => {
    let app: App | null = null
    while (app === null) app = await start(url, await freePort())
    try {
      await work(app)
    } finally {
      app.process.kill('SIGKILL')
      await app.ended
    }
  })

const signIn = async ({ origin }: App, name: string): Promise<string> => {
  const answer = await fetch(`${origin}/sign-in?as=${name}`, { redirect: 'manual' })
  return answer.headers.getSetCookie()[0]?.split(';')[0] ?? ''
}

/** What the app's page receives: the board and a ticket for it. */
const pageOf = async ({ origin }: App, cookie: string) => {
  const page = await (await fetch(`${origin}/`, { headers: { cookie } })).text()
  const [, boardId = '', ticket = ''] = /\/ws', '([^']+)'.*boardroom\.ticket\.([^']+)'/s.exec(page) ?? []
  return { page, boardId, ticket }
}

embed('keeps its own routes and its own sockets, untouched', () =>
  withApp(async (app) => {
    const home = await fetch(`${app.origin}/`)
    assert.is(home.status, 200)
    assert.match(await home.text(), 'Hello, nobody')
    assert.is((await fetch(`${app.origin}/b/whatever`)).status, 404)
    const socket = new WebSocket(`${app.ws}/echo`)
    await once(socket, 'open')
    socket.send('hi')
    const [data] = await once(socket, 'message')
    assert.is(String(data), 'echo: hi')
    socket.close()
    const foreign = new WebSocket(`${app.ws}/elsewhere`)
    const [error] = await once(foreign, 'error')
    assert.match(error.message, 'hang up')
  }),
)

embed('has its own users on its boards, over HTTP and on sockets', () =>
  withApp(async (app) => {
    const [ada, bob] = [await signIn(app, 'ada'), await signIn(app, 'bob')]
    const { boardId, ticket } = await pageOf(app, ada)
    const answer = await fetch(`${app.origin}/api/me`, { headers: { cookie: ada } })
    const me = (await answer.json()) as { kind: string; name: string } // MeResponse
    assert.equal([me.kind, me.name], ['user', 'Ada'])
    const ask = (cookie: string) => fetch(`${app.origin}/api/boards/${boardId}`, { headers: { cookie } })
    assert.equal([(await ask(ada)).status, (await ask(bob)).status], [200, 404])

    const byTicket = new RawClient(`${app.ws}/ws/${boardId}`, { ticket })
    const hello = await byTicket.message(MessageType.hello)
    // It is Ada's board, and a ticket cannot manage it.
    assert.equal([hello.principal.name, hello.level, hello.may_manage], ['Ada', 'edit', false])
    const byCookie = new RawClient(`${app.ws}/ws/${boardId}`, {
      headers: { cookie: ada, origin: app.origin },
    })
    assert.is((await byCookie.message(MessageType.hello)).principal.id, hello.principal.id)
    const asBob = new RawClient(`${app.ws}/ws/${boardId}`, { headers: { cookie: bob, origin: app.origin } })
    assert.is((await asBob.closed).code, CloseCode.noAccess)
    const fromElsewhere = new RawClient(`${app.ws}/ws/${boardId}`, {
      headers: { cookie: ada, origin: 'https://evil.example' },
    })
    assert.is((await fromElsewhere.closed).code, CloseCode.notSignedIn)
    const grant = await fetch(`${app.origin}/api/boards/${boardId}/permissions`, {
      method: 'POST',
      headers: { cookie: ada, origin: app.origin, 'content-type': 'application/json' },
      body: JSON.stringify({ external_id: 'bob', level: 'view' }),
    })
    assert.is(grant.status, 201)
    assert.is((await ask(bob)).status, 200)
    for (const client of [byTicket, byCookie]) client.terminate()
  }),
)

embed(
  'exits after close: no socket, timer, thread or connection keeps it alive, and its pool still works',
  () =>
    withApp(async (app) => {
      const { boardId, ticket } = await pageOf(app, await signIn(app, 'ada'))
      const client = new RawClient(`${app.ws}/ws/${boardId}`, { ticket })
      await client.message(MessageType.hello)
      const count = client.edit((doc) => doc.getMap('notes').set('x', 1))
      await eventually(() => client.saved >= count)
      app.process.kill('SIGTERM')
      assert.is((await client.closed).code, CloseCode.restart)
      const startedAt = Date.now()
      assert.is(await app.ended, 0, app.output())
      assert.ok(Date.now() - startedAt < 10_000, 'not by a time-out of something left over')
      assert.match(app.output(), 'closed; the pool still works: 1 boards')
    }),
)

embed('lists in code what it granted and what happened, and revokes it by its own ids', () =>
  withDatabase(async ({ url }) => {
    const pool = testPool({ connectionString: url })
    const boardroom = await createBoardroom({
      database: pool,
      secret: 'x'.repeat(40),
      authenticate: () => null,
    })
    try {
      const [ada, bob] = [
        { externalId: 'ada', name: 'Ada' },
        { externalId: 'bob', name: 'Bob' },
      ]
      const boardId = await boardroom.boards.create({ owner: ada, title: 'Plans' })
      await boardroom.permissions.grant({ boardId, user: bob, level: 'edit', by: ada })
      const link = await boardroom.shareLinks.create({ boardId, level: 'view', by: ada })
      assert.equal(
        (await boardroom.permissions.list(boardId)).items.map(({ user_name, level }) => [user_name, level]),
        [['Bob', 'edit']],
      )
      assert.equal(
        (await boardroom.shareLinks.list(boardId)).items.map(({ id, url }) => [id, url]),
        [[link.id, null]],
      )
      assert.is((await boardroom.access.of(boardId, bob)).level, 'edit')
      await boardroom.permissions.revoke({ boardId, user: bob, by: ada })
      assert.is((await boardroom.access.of(boardId, bob)).level, null)
      await boardroom.boards.update(boardId, { title: 'Other plans' }, ada)
      const { items, next_cursor } = await boardroom.audit.list({ board_id: boardId }, { limit: 4 })
      assert.equal(
        items.map(({ action, actor_name }) => [action, actor_name]),
        [
          ['update', 'Ada'],
          ['permission_change', 'Ada'],
          ['link_create', 'Ada'],
          ['permission_change', 'Ada'],
        ],
      )
      const rest = await boardroom.audit.list({ board_id: boardId }, { limit: 4, cursor: next_cursor ?? '' })
      assert.equal(
        rest.items.map(({ action }) => action),
        ['create'],
      )
      await boardroom.permissions.revoke({ boardId, user: bob }).then(
        () => assert.unreachable(),
        ({ code }) => assert.is(code, 'not_found'),
      )
    } finally {
      await boardroom.close({ drainMs: 0 })
      assert.is((await pool.query('select 1 as one')).rows[0].one, 1)
      await pool.end()
    }
  }),
)

embed('refuses to be a second one on the same database and schema until the first has closed', () =>
  withDatabase(async ({ url }) => {
    const options = { database: url, secret: 'x'.repeat(40), authenticate: () => null, waitForServerMs: 0 }
    const first = await createBoardroom(options)
    await createBoardroom(options).then(
      () => assert.unreachable('two of them would not hear each other'),
      ({ code, message }) => {
        assert.is(code, 'database_in_use')
        assert.match(message, `process ${process.pid}`)
      },
    )
    await first.close({ drainMs: 0 })
    const next = await createBoardroom(options)
    await next.close({ drainMs: 0 })
  }),
)

embed.run()
