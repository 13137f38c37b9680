// The floor of a server that stores edits durably: only what is indispensable to look up who joins, record the join, and
// report an edit as saved once it is committed; in the same language and libraries, on the same Postgres, as short as
// possible.
//
//   join   ws upgrade -> one query (ticket, session, level) -> a committed audit row -> sync step 1 -> sync step 2
//   edit   frame -> Y.Doc -> one frame, built once, one write to each other member -> a commit, shared with other edits -> saved
//
// At any time there is one commit for edits and one for audit rows in progress, each with everything that waits. An edit after a pause of
// 60 ms is committed at once, but no sooner than 150 ms after the last commit began; edits of continuous work every 250 ms.
// It leaves out what a real server must do: it validates no bytes before Yjs gets them, enforces no limits, follows no
// permission changes, checks no signatures, sends no pings, does not handle slow readers, folds no log, writes no leave
// rows, and shows no presence.
//
// With NATS_URL and DATABASE_URL it is one of several nodes: an edit is published as it came, and applied and sent on by
// every other node. It leaves out signatures, sequence numbers, recovery of lost messages, and tracking of uncommitted edits.
import { writeFileSync } from 'node:fs'
import http from 'node:http'
import { connect } from '@nats-io/transport-node'
import * as decoding from 'lib0/decoding'
import * as encoding from 'lib0/encoding'
import pg from 'pg'
import { Sender, WebSocketServer } from 'ws'
import * as Y from 'yjs'
import { startEmbedded } from '../../../../dist/server/database/embedded.js'

const PAUSE_MS = 60
const APART_MS = 150
const CONTINUOUS_MS = 250
const SYNC = 0
const SAVED = 65

const { DATA_DIR, DATABASE_URL, NATS_URL, PORT } = process.env
const silent = () => {}
const log = {
  level: 'silent',
  trace: silent,
  debug: silent,
  info: silent,
  warn: silent,
  error: console.error,
}
const postgres = DATABASE_URL
  ? { url: DATABASE_URL, stop: async () => {} }
  : await startEmbedded({ dataDir: `${DATA_DIR}/postgres`, log: { ...log, child: () => log } })
const pool = new pg.Pool({ connectionString: postgres.url, max: 10 })
await pool.query(`
  create table if not exists sessions (token text primary key, user_id integer not null, expires_at timestamptz not null);
  create table if not exists permissions (board_id text, user_id integer, level text not null, primary key (board_id, user_id));
  create table if not exists trail (at timestamptz not null default now(), user_id integer, board_id text, action text, level text);
  create table if not exists updates (seq bigint generated always as identity primary key, board_id text not null, data bytea not null)`)
writeFileSync(`${DATA_DIR}/floor-database`, postgres.url)

/** Writes what waits in one statement after another, each with all that came meanwhile. */
class SharedCommits {
  #waiting = []
  #timer = null
  #isBusy = false
  #startedAt = Number.NEGATIVE_INFINITY

  constructor(write, apartMs = 0) {
    this.write = write
    this.apartMs = apartMs
  }

  add(entry, inMs = 0) {
    this.#waiting.push(entry)
    if (this.#timer !== null || this.#isBusy) return
    const restMs = Math.max(inMs, this.#startedAt + this.apartMs - performance.now())
    if (restMs > 0) this.#timer = setTimeout(() => this.#commit(), restMs)
    else queueMicrotask(() => this.#commit())
  }

  async #commit() {
    this.#timer = null
    if (this.#isBusy) return
    this.#isBusy = true
    this.#startedAt = performance.now()
    const batch = this.#waiting
    this.#waiting = []
    await this.write(batch.map(({ row }) => row))
    this.#isBusy = false
    for (const { done } of batch) done()
    if (this.#waiting.length > 0) this.add(this.#waiting.pop())
  }
}

const column = (rows, at) => rows.map((row) => row[at])
const trail = new SharedCommits((rows) =>
  pool.query({
    name: 'trail',
    text: `insert into trail (user_id, board_id, action, level) select *, 'access', 'edit' from unnest($1::integer[], $2::text[])`,
    values: [column(rows, 0), column(rows, 1)],
  }),
)
const edits = new SharedCommits(
  (rows) =>
    pool.query({
      name: 'edits',
      text: 'insert into updates (board_id, data) select * from unnest($1::text[], $2::bytea[])',
      values: [column(rows, 0), column(rows, 1)],
    }),
  APART_MS,
)
const sessionAndLevel = async (token, boardId) => {
  const { rows } = await pool.query({
    name: 'access',
    text: `select s.user_id, p.level from sessions s join permissions p on p.user_id = s.user_id
      where s.token = $1 and s.expires_at > now() and p.board_id = $2`,
    values: [token, boardId],
  })
  return rows[0]
}

/** A whole WebSocket frame around [0, step, body] or [number, count]. */
function frameOf(write) {
  const encoder = encoding.createEncoder()
  write(encoder)
  const payload = encoding.toUint8Array(encoder)
  return Buffer.concat([
    Sender.frame(payload, { fin: true, opcode: 2, mask: false, readOnly: true, rsv1: false })[0],
    payload,
  ])
}
const syncFrame = (step, body) =>
  frameOf((encoder) => {
    encoding.writeVarUint(encoder, SYNC)
    encoding.writeVarUint(encoder, step)
    encoding.writeVarUint8Array(encoder, body)
  })
const savedFrame = (count) =>
  frameOf((encoder) => {
    encoding.writeVarUint(encoder, SAVED)
    encoding.writeVarUint(encoder, count)
  })

const bus = NATS_URL ? await connect({ servers: NATS_URL, noEcho: true }) : null
bus?.subscribe('floor.*', {
  callback: (_error, { subject, data }) => {
    const room = rooms.get(subject.slice('floor.'.length))
    if (room !== undefined) show(room, data, null)
  },
})

const rooms = new Map()
function roomOf(boardId) {
  const room = rooms.get(boardId) ?? { doc: new Y.Doc(), members: new Set(), editedAt: 0, state: null }
  rooms.set(boardId, room)
  return room
}

const webSockets = new WebSocketServer({ noServer: true, clientTracking: false, perMessageDeflate: false })
const server = http.createServer()
server.on('upgrade', (request, socket, head) => {
  webSockets.handleUpgrade(request, socket, head, (webSocket) => {
    webSocket.pause()
    join(webSocket, socket, request).catch((error) => {
      console.error(error)
      socket.destroy()
    })
  })
})

async function join(webSocket, socket, request) {
  const { pathname, searchParams } = new URL(request.url, 'ws://floor')
  const boardId = pathname.slice(1)
  const access = await sessionAndLevel(searchParams.get('ticket'), boardId)
  if (access === undefined) return webSocket.close(4401)
  await new Promise((done) => trail.add({ row: [access.user_id, boardId], done }))
  const room = roomOf(boardId)
  const member = { socket, received: 0, saved: 0 }
  room.members.add(member)
  webSocket.on('message', (data) => heard(room, boardId, member, data))
  webSocket.on('close', () => {
    room.members.delete(member)
    if (room.members.size === 0) rooms.delete(boardId)
  })
  socket.write(syncFrame(0, Y.encodeStateVector(room.doc)))
  webSocket.resume()
}

function heard(room, boardId, member, data) {
  const decoder = decoding.createDecoder(data)
  if (decoding.readVarUint(decoder) !== SYNC) return
  const step = decoding.readVarUint(decoder)
  const body = decoding.readVarUint8Array(decoder)
  if (step === 0) {
    member.socket.write(syncFrame(1, Y.encodeStateAsUpdate(room.doc, body)))
    return
  }
  const count = ++member.received
  if (body.length === 2) return
  show(room, body, member)
  bus?.publish(`floor.${boardId}`, body)
  const now = performance.now()
  const isContinuous = now - room.editedAt < PAUSE_MS
  room.editedAt = now
  // ws returns parts of a buffer that the next message overwrites.
  edits.add(
    { row: [boardId, Buffer.from(body)], done: () => saved(member, count) },
    isContinuous ? CONTINUOUS_MS : 0,
  )
}

function show(room, update, writer) {
  Y.applyUpdate(room.doc, update)
  const frame = syncFrame(2, update)
  for (const member of room.members) if (member !== writer) member.socket.write(frame)
}

/** The last of the edits in one commit is acknowledged. */
function saved(member, count) {
  if (member.saved === 0) {
    queueMicrotask(() => {
      member.socket.write(savedFrame(member.saved))
      member.saved = 0
    })
  }
  member.saved = count
}

process.once('SIGTERM', async () => {
  await bus?.close()
  await postgres.stop()
  process.exit(0)
})
server.listen(Number(PORT), '127.0.0.1')
