// The HTTP edge alone: no database, no socket; with the test's own router.
import { once } from 'node:events'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { brotliCompressSync, brotliDecompressSync, gunzipSync } from 'node:zlib'
import { getRequestListener } from '@hono/node-server'
import { pino } from 'pino'
import { Registry } from 'prom-client'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { BoardroomError } from '../../server/errors.ts'
import { type AppDeps, createApp, type DeniedRequest } from '../../server/http/app.ts'
import { boardroomErrorOf, unreadableRequest } from '../../server/routing/errors.ts'
import { newRouter } from '../../server/routing/router.ts'
import { ErrorResponse } from '../../shared/api.ts'
import { anonymousIdentity, userIdentity } from '../helpers/identities.ts'

const edge = suite('the HTTP edge')

const ours = 'http://localhost:4400'
const failures: Record<string, () => never> = {
  known: () => {
    throw new BoardroomError('board_deleted', 'this board is deleted')
  },
  limited: () => {
    throw new BoardroomError('conflict', 'one account may own 2 boards', {
      details: { limit: 'boards_per_user', max_boards: 2 },
    })
  },
  unknown: () => {
    throw new Error('a secret: hunter2')
  },
  gone: () => {
    throw Object.assign(new Error('connect ECONNREFUSED /tmp/x'), { code: 'ECONNREFUSED' })
  },
  slow: () => {
    throw new Error('Query read timeout')
  },
}

function appWith(changes: Partial<AppDeps> = {}) {
  const router = newRouter()
  for (const [name, fail] of Object.entries(failures)) router.get(`/${name}`, fail)
  router.post('/echo', async (c) => c.json(await c.req.json()))
  router.get('/whole', (c) => c.text('x', 200, { 'cache-control': 'private, max-age=60' }))
  const lines: Record<string, unknown>[] = []
  const log = pino({ level: 'debug' }, { write: (line: string) => lines.push(JSON.parse(line)) })
  const app = createApp({
    log,
    identify: async () => ({ identity: anonymousIdentity, ip: null }),
    isOurOrigin: (origin) => origin === ours,
    publicUrl: () => ours,
    headers: { publicUrl: ours, frameAncestors: [] },
    registry: new Registry(),
    checks: {},
    clientFolder: null,
    limits: { maxFileBytes: 2000, maxBoardBytes: 2000 },
    version: '1.2.3',
    routers: [router],
    ...changes,
  })
  return { app, lines }
}

const codeOf = async (response: Response) => {
  const { error } = ErrorResponse.parse(await response.json())
  return [response.status, error.code]
}

edge(
  'turns every failure into JSON, reveals nothing about unexpected errors, and logs them with their request',
  async () => {
    const { app, lines } = appWith()
    assert.equal(await codeOf(await app.request('/api/known')), [410, 'board_deleted'])
    const unknown = await app.request('/api/unknown')
    const text = await unknown.text()
    assert.equal([unknown.status, text.includes('hunter2')], [500, false])
    const line = lines.find((one) => one.code === 'internal')
    assert.equal([line?.level, line?.requestId], [50, unknown.headers.get('x-request-id')])
    for (const path of ['/api/gone', '/api/slow']) {
      const away = await app.request(path)
      assert.is(away.headers.get('retry-after'), '5')
      assert.equal(await codeOf(away), [503, 'database_unreachable'], path)
    }
    assert.equal(await codeOf(await app.request('/api/nothing')), [404, 'not_found'])
    assert.equal(await codeOf(await app.request('/nothing')), [404, 'not_found'])
  },
)

edge('records refusals of unidentified clients, because of a credential or a foreign page', async () => {
  const denied: DeniedRequest[] = []
  const { app } = appWith({
    identify: async (request) => {
      if (request.headers.has('authorization')) throw new BoardroomError('not_signed_in', 'no such session')
      return { identity: anonymousIdentity, ip: '192.0.2.7' }
    },
    addressOf: () => '192.0.2.7',
    recordDenied: async (one) => void denied.push(one),
  })
  const browser = { 'user-agent': 'a browser' }
  await app.request('/api/users/12', { headers: { ...browser, authorization: 'Bearer none' } })
  const foreign = { ...browser, cookie: 'a=b', origin: 'https://elsewhere.example' }
  await app.request('/api/echo', { method: 'POST', headers: foreign })
  await app.request('/api/nothing', { headers: browser })
  assert.equal(
    denied.map(({ actor, reason, route }) => [actor.kind, actor.ip, actor.userAgent, reason, route]),
    [
      ['anonymous', '192.0.2.7', 'a browser', 'not_signed_in', 'GET /api/users/{id}'],
      ['anonymous', '192.0.2.7', 'a browser', 'origin_not_allowed', 'POST /api/echo'],
    ],
  )
})

edge('handles a failed identification like any other failure', async () => {
  const { app } = appWith({
    identify: async () => {
      throw new BoardroomError('not_signed_in', 'this ticket has expired')
    },
  })
  assert.equal(await codeOf(await app.request('/api/whole')), [401, 'not_signed_in'])
  assert.is((await app.request('/healthz')).status, 200)
})

edge('translates errors of Postgres', () => {
  const code = (sqlState: string) =>
    boardroomErrorOf(Object.assign(new Error('from Postgres'), { code: sqlState })).code
  assert.equal(
    ['57P01', '08006', '57014', '53300', '23503', '23505', '40001', '22021', '42P01', '23514'].map(code),
    [
      ...['database_unreachable', 'database_unreachable', 'database_unreachable', 'database_unreachable'],
      ...['conflict', 'conflict', 'conflict', 'invalid_request', 'internal', 'internal'],
    ],
  )
})

edge(
  'lets allowed pages read with credentials, answers their preflight, and reveals nothing to others',
  async () => {
    const { app } = appWith()
    const preflight = (origin: string) =>
      app.request('/api/echo', {
        method: 'OPTIONS',
        headers: {
          origin,
          'access-control-request-method': 'POST',
          'access-control-request-headers': 'authorization',
        },
      })
    const allowed = await preflight(ours)
    assert.equal(
      [
        allowed.status,
        allowed.headers.get('access-control-allow-origin'),
        allowed.headers.get('access-control-allow-credentials'),
      ],
      [204, ours, 'true'],
    )
    assert.match(allowed.headers.get('access-control-allow-headers') ?? '', /authorization/)
    assert.is((await preflight('https://evil.example')).headers.get('access-control-allow-origin'), null)
    const read = await app.request('/api/known', { headers: { origin: ours } })
    assert.is(read.headers.get('access-control-allow-origin'), ours, 'also where it fails')
  },
)

edge('refuses a change requested by a foreign page with cookies', async () => {
  const { app } = appWith()
  const post = (headers: Record<string, string>) =>
    app.request('/api/echo', {
      method: 'POST',
      body: '{}',
      headers: { 'content-type': 'application/json', ...headers },
    })
  assert.equal(await codeOf(await post({ cookie: 'a=b', origin: 'https://evil.example' })), [
    403,
    'origin_not_allowed',
  ])
  assert.equal(await codeOf(await post({ cookie: 'a=b', origin: 'null' })), [403, 'origin_not_allowed'])
  assert.equal(await codeOf(await post({ cookie: 'a=b', 'sec-fetch-site': 'cross-site' })), [
    403,
    'origin_not_allowed',
  ])
  assert.is((await post({ cookie: 'a=b', origin: ours })).status, 200)
  assert.is((await post({ cookie: 'a=b' })).status, 200, 'a program')
  assert.is(
    (await post({ origin: 'https://evil.example' })).status,
    200,
    'without cookies there is nothing to abuse',
  )
})

edge('refuses bodies that are too large, even without a declared length', async () => {
  const { app } = appWith()
  const chunk = new Uint8Array(256 * 1024).fill(120)
  const stream = () => {
    let left = 8
    return new ReadableStream<Uint8Array>({
      pull: (controller) => (left-- > 0 ? controller.enqueue(chunk) : controller.close()),
    })
  }
  const headers = { 'content-type': 'application/json' }
  const streamed = new Request(`${ours}/api/echo`, {
    method: 'POST',
    body: stream(),
    headers,
    duplex: 'half',
  })
  assert.equal(await codeOf(await app.request(streamed)), [413, 'too_large'])
  const board = '00000000-0000-4000-8000-000000000000'
  const upload = (path: string, size: number) =>
    app.request(path, {
      method: 'PUT',
      body: new Uint8Array(size),
      headers: { 'content-length': String(size) },
    })
  assert.is((await upload(`/api/boards/${board}/files/abc`, 2001)).status, 413)
  assert.is((await upload(`/api/boards/${board}/files/abc`, 2000)).status, 404, 'there is no such route here')
  assert.is((await upload(`/api/boards/${board}/import`, 8001)).status, 413)
})

edge('reads bodies without a declared length from a real socket, up to the limit', async () => {
  const { app } = appWith()
  const listener = getRequestListener(app.fetch, {
    overrideGlobalObjects: false,
    errorHandler: unreadableRequest,
  })
  const server = createServer(listener).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  try {
    const post = async (chunks: string[]) => {
      const body = new ReadableStream({
        start: (controller) => {
          for (const chunk of chunks) controller.enqueue(new TextEncoder().encode(chunk))
          controller.close()
        },
      })
      const headers = { 'content-type': 'application/json' }
      const response = await fetch(`http://127.0.0.1:${port}/api/echo`, {
        method: 'POST',
        body,
        headers,
        duplex: 'half',
      })
      return [response.status, await response.text()]
    }
    assert.equal(await post(['{"a"', ':1}']), [200, '{"a":1}'])
    const [status, text] = await post(['"', ...Array.from({ length: 20 }, () => 'x'.repeat(64 * 1024)), '"'])
    assert.equal([status, JSON.parse(String(text)).error.code], [413, 'too_large'])
    const socket = connect(port, '127.0.0.1')
    socket.end('GET /api/known HTTP/1.1\r\nHost: not a host\r\nConnection: close\r\n\r\n')
    const answer = Buffer.concat(await socket.toArray()).toString()
    assert.match(answer, /^HTTP\/1\.1 400 .*"code":"invalid_request"/s)
  } finally {
    server.close()
    server.closeAllConnections()
  }
})

edge('sets security headers, and keeps those of a route', async () => {
  const { app } = appWith({ headers: { publicUrl: 'https://boards.example', frameAncestors: [] } })
  const { headers } = await app.request('/api/known')
  assert.is(headers.get('x-content-type-options'), 'nosniff')
  assert.is(headers.get('referrer-policy'), 'no-referrer')
  assert.is(headers.get('cache-control'), 'no-store')
  assert.match(headers.get('content-security-policy') ?? '', /^default-src 'none'/)
  assert.match(headers.get('strict-transport-security') ?? '', /max-age=31536000/)
  assert.is(headers.get('cross-origin-opener-policy'), 'same-origin')
  assert.match(headers.get('permissions-policy') ?? '', 'camera=(), microphone=()')
  assert.is((await app.request('/api/whole')).headers.get('cache-control'), 'private, max-age=60')
  const plain = await appWith().app.request('/api/known')
  assert.is(plain.headers.get('strict-transport-security'), null)
})

edge('reports whether it is alive and ready, check by check and without reasons', async () => {
  const working = appWith({ checks: { database: async () => undefined } }).app
  assert.equal(await (await working.request('/healthz')).json(), { status: 'ok' })
  const ready = await working.request('/readyz')
  assert.equal([ready.status, await ready.json()], [200, { status: 'ready', checks: { database: 'ok' } }])
  const broken = appWith({
    checks: {
      database: () => Promise.reject(new Error('password=hunter2')),
      listener: () => undefined,
    },
  }).app
  const answer = await broken.request('/readyz')
  assert.equal(
    [answer.status, await answer.json()],
    [503, { status: 'not_ready', checks: { database: 'failed', listener: 'ok' } }],
  )
})

edge('counts requests that reached a limit of an account, a link or an address, by its name', async () => {
  const { app } = appWith({ identify: async () => ({ identity: userIdentity(1, 'admin', 'Ada'), ip: null }) })
  for (let time = 0; time < 2; time++) assert.is((await app.request('/api/limited')).status, 409)
  const text = await (await app.request('/metrics')).text()
  assert.match(text, /^boardroom_limits_reached_total\{limit="boards_per_user"\} 2$/m)
})

edge('gives metrics to programs on the same machine and to administrators, not through a proxy', async () => {
  const from = (remoteAddress: string, httpVersion = '1.1') => ({
    incoming: { socket: { remoteAddress }, httpVersion },
  })
  const { app } = appWith()
  const status = async (address: string, headers: Record<string, string> = {}) =>
    (await app.request('/metrics', { headers: { host: 'localhost:4400', ...headers } }, from(address))).status
  assert.is(await status('127.0.0.1'), 200)
  assert.is(await status('::1'), 200)
  assert.is(await status('::ffff:127.0.0.1'), 200)
  assert.is(await status('192.0.2.1'), 403)
  for (const header of ['x-forwarded-for', 'x-forwarded-host', 'x-real-ip', 'forwarded', 'via'])
    assert.is(await status('127.0.0.1', { [header]: '192.0.2.1' }), 403, header)
  assert.is(await status('127.0.0.1', { host: 'boards.example.org' }), 403, 'the name that people asked for')
  const asked = { headers: { host: '127.0.0.1:4400' } }
  assert.is((await app.request('/metrics', asked, from('127.0.0.1', '1.0'))).status, 403, 'as nginx does')
  const admin = appWith({ identify: async () => ({ identity: userIdentity(7, 'admin'), ip: null }) }).app
  const text = await (await admin.request('/metrics')).text()
  assert.match(text, /boardroom_http_request_seconds/)
  await admin.request('/api/some/path/of/ones/own')
  assert.not.match(await (await admin.request('/metrics')).text(), /ones\/own/)
})

edge(
  'gives no metrics to administrators without their second factor, with a ticket or with a key',
  async () => {
    const administrator = userIdentity(7, 'admin')
    for (const more of [{ needsTwoFactor: true }, { via: 'ticket' }, { via: 'key' }] as const) {
      const { app } = appWith({
        identify: async () => ({ identity: { ...administrator, ...more }, ip: null }),
      })
      assert.is((await app.request('/metrics')).status, 403, JSON.stringify(more))
    }
  },
)

edge('refuses sign-in from pages of other origins, even without a cookie', async () => {
  const { app } = appWith()
  const waysIn = ['auth/sign-in/email', 'auth/sign-up/email', 'setup', 'share-links/exchange']
  for (const path of [...waysIn, 'invitations/accept', 'password-resets', 'password-resets/use']) {
    const headers = { origin: 'https://apps.example', 'content-type': 'application/json' }
    const answer = await app.request(`/api/${path}`, { method: 'POST', body: '{}', headers })
    const { error } = ErrorResponse.parse(await answer.json())
    assert.equal([answer.status, error.code], [403, 'origin_not_allowed'], path)
  }
})

edge('gives metrics only to clients with the token, if one is set, and not to local ones', async () => {
  const { app } = appWith({ metricsToken: 'a token of some length' })
  const status = async (authorization?: string) =>
    (
      await app.request(
        '/metrics',
        { headers: { host: 'localhost:4400', ...(authorization === undefined ? {} : { authorization }) } },
        { incoming: { socket: { remoteAddress: '127.0.0.1' }, httpVersion: '1.1' } },
      )
    ).status
  assert.equal(
    [await status(), await status('Bearer another'), await status('Bearer a token of some length')],
    [403, 403, 403],
  )
  const { app: other } = appWith({ metricsToken: 'a-token-of-some-length' })
  const sent = { headers: { authorization: 'Bearer a-token-of-some-length' } }
  assert.is((await other.request('/metrics', sent)).status, 200)
})

const withClient = async (work: (folder: string) => Promise<void>): Promise<void> => {
  const folder = await mkdtemp(join(tmpdir(), 'boardroom-client-'))
  try {
    await mkdir(join(folder, 'client', 'assets'), { recursive: true })
    await writeFile(join(folder, 'secret.txt'), 'a secret')
    await writeFile(join(folder, 'client', '.hidden'), 'a secret')
    for (const page of ['index', 'board'])
      await writeFile(join(folder, 'client', `${page}.html`), `<!doctype html><title>${page}</title>`)
    await writeFile(join(folder, 'client', 'assets', 'app-AbCd1234.js'), 'let a = 1\n'.repeat(1000))
    await work(join(folder, 'client'))
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

edge(
  'serves the client’s pages and files, compressed and cached according to their name, and nothing else',
  () =>
    withClient(async (folder) => {
      const { app } = appWith({ clientFolder: folder })
      for (const path of ['/', '/b/00000000-0000-4000-8000-000000000000', '/setup', '/sign-in']) {
        const page = await app.request(path)
        assert.equal([page.status, page.headers.get('content-type')], [200, 'text/html; charset=utf-8'], path)
        assert.is(page.headers.get('cache-control'), 'no-cache')
        assert.match(
          page.headers.get('content-security-policy') ?? '',
          /script-src 'self'.*frame-ancestors 'none'/,
        )
        assert.is(page.headers.get('x-frame-options'), 'DENY')
        assert.match(await page.text(), path.startsWith('/b/') ? 'board' : 'index')
      }
      const mistyped = await app.request('/bords', { headers: { accept: 'text/html,*/*;q=0.8' } })
      assert.is(mistyped.status, 404)
      assert.match(await mistyped.text(), 'index')
      for (const [path, accept] of [
        ['/bords', '*/*'],
        ['/api/bords', 'text/html'],
      ] as const) {
        const unknown = await app.request(path, { headers: { accept } })
        assert.match(unknown.headers.get('content-type') ?? '', 'application/json', path)
      }
      const asset = await app.request('/assets/app-AbCd1234.js', { headers: { 'accept-encoding': 'gzip' } })
      assert.is(asset.headers.get('cache-control'), 'public, max-age=31536000, immutable')
      assert.is(asset.headers.get('content-encoding'), 'gzip')
      assert.is(gunzipSync(Buffer.from(await asset.arrayBuffer())).length, 10_000)
      const etag = asset.headers.get('etag') ?? ''
      assert.is(
        (
          await app.request('/assets/app-AbCd1234.js', {
            headers: { 'if-none-match': etag, 'accept-encoding': 'gzip' },
          })
        ).status,
        304,
      )
      await writeFile(join(folder, 'assets', 'app-AbCd1234.js.br'), brotliCompressSync('let b = 2'))
      const { app: restarted } = appWith({ clientFolder: folder })
      const best = await restarted.request('/assets/app-AbCd1234.js', {
        headers: { 'accept-encoding': 'gzip, deflate, br' },
      })
      assert.is(best.headers.get('content-encoding'), 'br')
      assert.is(brotliDecompressSync(Buffer.from(await best.arrayBuffer())).toString(), 'let b = 2')
      for (const accepted of ['gzip', 'gzip, br;q=0', '']) {
        const other = await restarted.request('/assets/app-AbCd1234.js', {
          headers: { 'accept-encoding': accepted },
        })
        assert.is(other.headers.get('content-encoding'), accepted === '' ? null : 'gzip', accepted)
      }
      for (const path of [
        '/../secret.txt',
        '/%2e%2e/secret.txt',
        '/..%2fsecret.txt',
        '/assets/../../secret.txt',
        '/.hidden',
        '/assets',
        '/%00',
        '/b/x/y',
      ]) {
        const answer = await app.request(path)
        assert.is(answer.status, 404, path)
        assert.not.match(await answer.text(), /a secret/)
      }
      assert.equal(await codeOf(await app.request('/api/nothing')), [404, 'not_found'])
      const framed = appWith({
        clientFolder: folder,
        headers: { publicUrl: ours, frameAncestors: ['https://app.example'] },
      }).app
      const page = await framed.request('/')
      assert.match(
        page.headers.get('content-security-policy') ?? '',
        /frame-ancestors 'self' https:\/\/app\.example/,
      )
      assert.is(page.headers.get('x-frame-options'), null)
    }),
)

edge('says what to do if the client is not built', async () => {
  const answer = await appWith({ clientFolder: join(tmpdir(), 'boardroom-no-such-folder') }).app.request('/')
  assert.equal([answer.status, (await answer.text()).includes('npm run build:client')], [503, true])
})

edge(
  'says under which host name a page was opened, which one is configured and which setting to change',
  async () => {
    const { app, lines } = appWith({ publicUrl: () => 'https://boards.example.org' })
    const exchange = async (headers: Record<string, string>) => {
      const answer = await app.request('/api/share-links/exchange', { method: 'POST', body: '{}', headers })
      return [answer.status, ErrorResponse.parse(await answer.json()).error] as const
    }
    const renamed = {
      origin: 'http://boards.lan:4400',
      host: 'boards.lan:4400',
      'content-type': 'application/json',
    }
    const [status, error] = await exchange(renamed)
    assert.equal([status, error.code], [403, 'origin_not_allowed'])
    const details = {
      origin: 'http://boards.lan:4400',
      public_url: 'https://boards.example.org',
      setting: 'BOARDROOM_PUBLIC_URL',
    }
    assert.equal(error.details, details)
    for (const part of Object.values(details)) assert.ok(error.message.includes(part), part)
    const line = lines.find(({ code }) => code === 'origin_not_allowed')
    assert.equal([line?.origin, line?.public_url, line?.setting], Object.values(details))
    const [, elsewhere] = await exchange({ ...renamed, origin: 'https://apps.example' })
    assert.is(elsewhere.details?.setting, 'BOARDROOM_ALLOWED_ORIGINS')
  },
)

edge.run()
