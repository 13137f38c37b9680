// Requests that no real browser sends, over real sockets.
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { endSlowRequest, serverTimeouts } from '../../server/http/timeouts.ts'
import { eventually } from '../helpers/eventually.ts'
import { withServer } from '../helpers/server.ts'

const hostile = suite('hostile HTTP')

/** Sends bytes unchanged, and returns everything that comes back until the server disconnects. */
async function talk(port: number, ...pieces: string[]): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  let answer = ''
  socket.on('data', (data) => {
    answer += data.toString('latin1')
  })
  socket.on('error', () => undefined)
  for (const piece of pieces) socket.write(piece)
  await Promise.race([
    once(socket, 'close'),
    eventually(() => /\r\n\r\n/.test(answer)).catch(() => undefined),
  ])
  socket.destroy()
  return answer
}

const request = (path: string, ...headers: string[]) =>
  [`GET ${path} HTTP/1.1`, 'Host: 127.0.0.1', 'Connection: close', ...headers, '', ''].join('\r\n')

hostile('path traversal, in every spelling, finds nothing', () =>
  withServer(async ({ port }) => {
    for (const path of [
      '/api/../../../package.json',
      '/api/%2e%2e/%2e%2e/package.json',
      '/api/boards/..%2f..%2f..%2fpackage.json',
      '/api/boards/..\\..\\package.json',
      '/api/boards/%00',
      '/api//package.json',
    ]) {
      const answer = await talk(port, request(path))
      assert.match(answer, /^HTTP\/1\.1 4\d\d /, path)
      assert.not.match(answer, /"boardroom"/, path)
      assert.not.match(answer, /<html/i, path)
    }
  }),
)

hostile('invalid headers and hosts are refused, and the server survives', () =>
  withServer(async ({ port, ask }) => {
    const requests = [
      request('/api/me', 'X-Bad\u0000: 1'),
      'GET /api/me HTTP/1.1\r\nHost: a b c\r\nConnection: close\r\n\r\n',
      'GET /api/me HTTP/1.1\r\nConnection: close\r\n\r\n',
      request('/api/me', `X-Large: ${'x'.repeat(20_000)}`),
    ]
    for (const bytes of requests) {
      const answer = await talk(port, bytes)
      assert.not.match(answer, /^HTTP\/1\.1 5/, bytes.slice(0, 60))
    }
    assert.is((await ask('GET', '/healthz')).status, 200)
  }),
)

hostile('user input never becomes a header, a page or a formula', () =>
  withServer(async ({ user }) => {
    const ada = await user('Ada')
    const title = '<b>bold</b>\r\nSet-Cookie: theirs=1'
    const refused = await ada.ask('POST', '/api/boards', { title })
    const board = await ada.board('<b>bold</b>')
    await ada.ask('PATCH', `/api/boards/${board}`, { title: '=1+1' })
    const read = await ada.ask('GET', `/api/boards/${board}`)
    for (const answer of [refused, read]) {
      assert.is(answer.headers.get('set-cookie'), null)
      assert.match(answer.headers.get('content-type') ?? '', /^application\/json/)
      assert.is(answer.headers.get('x-content-type-options'), 'nosniff')
      assert.match(answer.headers.get('content-security-policy') ?? '', /default-src 'none'/)
    }
    const exported = await ada.ask('GET', `/api/boards/${board}/audit/export?format=csv`)
    assert.is(exported.status, 200)
    assert.not.match(String(exported.body), /(^|,)"?[=+@]/m)
  }),
)

hostile('an SVG with a script is never served as a page, and HTML is not accepted as an image', () =>
  withServer(async ({ user, origin }) => {
    const ada = await user('Ada')
    const board = await ada.board()
    const put = (content: string, type: string) =>
      fetch(`${origin}/api/boards/${board}/files/${createHash('sha256').update(content).digest('hex')}`, {
        method: 'PUT',
        headers: { cookie: ada.cookie, origin, 'content-type': type },
        body: content,
      })
    const svg = '<svg xmlns="http://www.w3.org/2000/svg"><script>1</script></svg>'
    const kept = await put(svg, 'image/svg+xml')
    assert.is(kept.status, 200)
    const id = createHash('sha256').update(svg).digest('hex')
    const { headers } = await ada.ask('GET', `/api/boards/${board}/files/${id}`)
    assert.match(headers.get('content-security-policy') ?? '', /default-src 'none'.*sandbox/)
    assert.match(headers.get('content-disposition') ?? '', /^attachment/)
    assert.is(headers.get('x-content-type-options'), 'nosniff')
    assert.is((await put('<html><script>1</script></html>', 'text/html')).status, 415)
    assert.is((await put('<html><script>1</script></html>', 'image/png')).status, 415)
  }),
)

hostile('a foreign page changes nothing with the cookies that it sends', () =>
  withServer(async ({ user, db }) => {
    const ada = await user('Ada')
    const board = await ada.board('Untouched')
    for (const origin of ['https://evil.example', 'null']) {
      for (const [method, path, body] of [
        ['POST', '/api/boards', { title: 'Theirs' }],
        ['PATCH', `/api/boards/${board}`, { is_public: true }],
        ['DELETE', `/api/boards/${board}`, undefined],
        ['POST', `/api/boards/${board}/share-links`, { level: 'edit' }],
        ['POST', `/api/boards/${board}/tickets`, {}],
      ] as const) {
        const { status, body: answer } = await ada.ask(method, path, body, { origin })
        assert.is(status, 403, `${method} ${path} from ${origin}`)
        assert.is(answer.error.code, 'origin_not_allowed')
      }
    }
    const rows = await db
      .selectFrom('boards')
      .select(['id', 'title', 'is_public', 'deleted_at'])
      .where('owner_id', '=', ada.id)
      .execute()
    assert.equal(rows, [{ id: board, title: 'Untouched', is_public: false, deleted_at: null }])
    assert.equal(await db.selectFrom('share_links').selectAll().execute(), [])
  }),
)

hostile('guessing links and passwords is counted, slowed down and audited, and reveals nothing', () =>
  withServer(
    async ({ user, ask, db, origin }) => {
      await user('Ada')
      const guesses = [
        () => ask('POST', '/api/share-links/exchange', { token: 'x'.repeat(43) }, { origin }),
        () =>
          ask(
            'POST',
            '/api/auth/sign-in/email',
            { email: 'ada@example.org', password: 'wrong password' },
            { origin },
          ),
        () =>
          ask(
            'POST',
            '/api/auth/sign-in/email',
            { email: 'nobody@example.org', password: 'wrong password' },
            { origin },
          ),
      ]
      const answers = []
      for (let i = 0; i < 12; i++) answers.push(await (guesses[i % 3] as () => ReturnType<typeof ask>)())
      assert.is(answers[0]?.body.error.code, 'link_not_valid')
      assert.equal(answers[1]?.body, answers[2]?.body, 'known and unknown addresses are alike')
      assert.is(answers.at(-1)?.status, 429)
      assert.ok(Number(answers.at(-1)?.headers.get('retry-after')) >= 1)
      const rows = await eventually(async () => {
        const found = await db
          .selectFrom('audit_logs')
          .select('action')
          .where('action', 'in', ['login_failed', 'access_denied'])
          .execute()
        return found.length > 0 ? found : null
      })
      assert.ok(rows.length <= 12)
    },
    { failedGuessesPerMinutePerIp: 6 },
  ),
)

hostile('bodies beyond their limit are refused, with or without a declared length, and nothing is kept', () =>
  withServer(async ({ user, origin, port }) => {
    const ada = await user('Ada')
    const board = await ada.board()
    const large = await ada.ask('POST', '/api/boards', JSON.stringify({ title: 'x'.repeat(1_100_000) }))
    assert.is(large.status, 413)
    const lie = await talk(
      port,
      `PUT /api/boards/${board}/files/${'a'.repeat(64)} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nOrigin: ${origin}\r\nCookie: ${ada.cookie}\r\nContent-Length: 30000000\r\n\r\n`,
    )
    assert.match(lie, /^HTTP\/1\.1 413 /)
  }),
)

/** A server that accepts what arrives within our time limits. */
async function listening(withinMs: number) {
  const server = createServer(serverTimeouts, (incoming, response) => {
    endSlowRequest(incoming, response, withinMs)
    incoming.on('error', () => undefined)
    incoming.resume().on('end', () => response.end('ok'))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { server, port: (server.address() as AddressInfo).port } // a TCP listener
}

/** Sends `head` at once and `bytes` one by one. */
function dribble(port: number, head: string, bytes: string, everyMs: number) {
  const socket = connect(port, '127.0.0.1')
  const said = { answer: '' }
  let at = 0
  const timer = setInterval(() => {
    if (at < bytes.length) socket.write(bytes[at++] ?? '')
  }, everyMs)
  socket.on('data', (data) => {
    said.answer += data
  })
  socket.on('error', () => undefined).on('close', () => clearInterval(timer))
  if (head !== '') socket.write(head)
  return { socket, said }
}

hostile('a streaming answer is not ended by the time limit of its request', async () => {
  const server = createServer(serverTimeouts, (incoming, response) => {
    endSlowRequest(incoming, response, 50) // nobody reads the request: it has no body
    response.writeHead(200, { 'content-type': 'text/event-stream' }).write('begins')
    setTimeout(() => response.end(' and ends'), 300)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo // a TCP listener
  try {
    assert.is(await (await fetch(`http://127.0.0.1:${port}/`)).text(), 'begins and ends')
  } finally {
    server.close()
  }
})

hostile('slow headers are ended after 10 s', async () => {
  const { server, port } = await listening(1000)
  const begun = performance.now()
  const { socket } = dribble(port, '', `GET / HTTP/1.1\r\nX: ${'x'.repeat(1000)}`, 500)
  await once(socket, 'close')
  const seconds = (performance.now() - begun) / 1000
  assert.ok(seconds > 8 && seconds < 60, `ended after ${seconds} s`)
  server.close()
})

hostile('a slow body is ended with 408; an upload has more time', async () => {
  const { server, port } = await listening(500)
  const head = (path: string) => `POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Length: 12\r\n\r\n`
  const slow = dribble(port, head('/api/boards'), 'x'.repeat(12), 100)
  const upload = dribble(port, head('/api/boards/id/files/hash'), 'x'.repeat(12), 100)
  await once(slow.socket, 'close')
  assert.match(slow.said.answer, /^HTTP\/1\.1 408 /)
  await eventually(() => upload.said.answer.startsWith('HTTP/1.1 200'))
  upload.socket.destroy()
  server.close()
})

hostile.run()
