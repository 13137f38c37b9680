// Boardroom inside a server that has its own routes, its own WebSockets, its own users and its own Postgres pool.
//
//   npm run build
//   DATABASE_URL=postgres://user:password@localhost/app node examples/embed.mjs
//
// Then, as a user of this app (a toy sign-in: a cookie with any name):
//   open http://localhost:3000/sign-in?as=ada
//   open http://localhost:3000/                 a page that draws on a board with the protocol of the stock y-websocket provider
// Boardroom answers its routes under /api and /ws, /healthz, /readyz and /metrics, and leaves every other path alone. Its tables live in the schema `boardroom`.
import { createServer } from 'node:http'
import { createBoardroom } from 'boardroom'
import pg from 'pg'
import { WebSocketServer } from 'ws'

const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL })
const port = Number(process.env.PORT ?? 3000)

/** The user that a request comes from, by this app's own rules. */
const userOf = (request) => {
  const id = /(?:^|;\s*)app_user=([a-z]+)/.exec(request.headers.cookie ?? '')?.[1]
  return id === undefined ? null : { externalId: id, name: `${id[0].toUpperCase()}${id.slice(1)}` }
}

const boardroom = await createBoardroom({
  database: pool,
  secret: process.env.BOARDROOM_SECRET ?? 'only-for-this-example-32-characters!',
  authenticate: userOf,
  publicUrl: `http://localhost:${port}`,
})

const server = createServer(async (request, response) => {
  if (boardroom.handleRequest(request, response)) return
  const url = new URL(request.url, 'http://app')
  const answer = (status, body, headers = {}) =>
    response.writeHead(status, { 'content-type': 'text/html; charset=utf-8', ...headers }).end(body)
  if (url.pathname === '/sign-in') {
    const name = /^[a-z]{2,20}$/.exec(url.searchParams.get('as') ?? '')?.[0]
    if (name === undefined) return answer(400, 'sign in with ?as=name')
    return answer(303, '', {
      'set-cookie': `app_user=${name}; Path=/; HttpOnly; SameSite=Lax`,
      location: '/',
    })
  }
  const user = userOf(request)
  if (url.pathname !== '/') return answer(404, 'this app has no such page')
  if (user === null) return answer(200, 'Hello, nobody. <a href="/sign-in?as=ada">Sign in as Ada</a>')
  try {
    const boardId = await boards.of(user)
    const { ticket } = await boardroom.tickets.create({ boardId, user })
    answer(200, pageOf({ name: user.name, boardId, ticket }))
  } catch (error) {
    console.error(error)
    answer(500, 'the board cannot be opened now')
  }
})

/** One board per user, created at their first visit. A real app would store its id in a table. */
const boards = {
  known: new Map(),
  of(user) {
    const known = this.known.get(user.externalId)
    if (known !== undefined) return known
    const made = boardroom.boards.create({ owner: user, title: `Board of ${user.name}` })
    this.known.set(user.externalId, made)
    made.catch(() => this.known.delete(user.externalId))
    return made
  },
}

const pageOf = ({ name, boardId, ticket }) => `<!doctype html><title>Embedded</title>
<p>Hello ${name}. Open a board with the stock provider:</p>
<pre>new WebsocketProvider('ws://localhost:${port}/ws', '${boardId}', doc, {
  protocols: ['boardroom.yjs', 'boardroom.ticket.${ticket}'],
  disableBc: true, // tabs must not share edits past the server, which checks their levels
})</pre>
<p id="state">connecting…</p>
<script>
  const socket = new WebSocket('ws://' + location.host + '/ws/${boardId}', ['boardroom.yjs', 'boardroom.ticket.${ticket}'])
  socket.binaryType = 'arraybuffer'
  socket.onmessage = () => { state.textContent = 'connected' }
  socket.onclose = ({ code, reason }) => { state.textContent = 'closed: ' + code + ' ' + reason }
</script>`

// This app's own WebSockets, on another path.
const echo = new WebSocketServer({ noServer: true })
echo.on('connection', (socket) => socket.on('message', (data) => socket.send(`echo: ${data}`)))

server.on('connection', (socket) => boardroom.handleConnection(socket))
server.on('upgrade', (request, socket, head) => {
  if (boardroom.handleUpgrade(request, socket, head)) return
  if (request.url === '/echo') echo.handleUpgrade(request, socket, head, (ws) => echo.emit('connection', ws))
  else socket.destroy()
})

server.listen(port, '127.0.0.1', () => console.log(`listening on http://localhost:${server.address().port}`))

let stopping = false
async function stop() {
  if (stopping) return
  stopping = true
  server.close()
  for (const client of echo.clients) client.close(1001)
  await boardroom.close({ drainMs: 0 }) // ends its sockets, saves everything, leaves the pool to us
  server.closeIdleConnections()
  const { rows } = await pool.query('select count(*)::integer as boards from boardroom.boards')
  console.log(`closed; the pool still works: ${rows[0].boards} boards`)
  await pool.end()
  // Nothing keeps the process alive any more.
}
process.once('SIGINT', stop).once('SIGTERM', stop)
