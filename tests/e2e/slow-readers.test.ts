// Clients that stop reading, over real sockets: what they miss is not buffered for them, and what they send meanwhile
// is accepted at the pace at which it can be saved. SLOW_READERS_MB: how much data passes, in each direction;
// docs/security.md was written with 200.
import { setImmediate as nextTurn } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { CloseCode, MessageType } from '../../shared/protocol.ts'
import { eventually } from '../helpers/eventually.ts'
import { readMetrics, roomEvent } from '../helpers/metrics.ts'
import { countFromEnvironment } from '../helpers/random.ts'
import type { RawClient } from '../helpers/raw-client.ts'
import { withServer } from '../helpers/server.ts'

const slow = suite('slow readers on real sockets')

setFlagsFromString('--expose-gc')
const collectGarbage: () => void = runInNewContext('gc')
/** The garbage of the first collection is released in parallel to the main thread, and counted until the next. */
const memoryBytes = async (): Promise<number> => {
  for (let time = 0; time < 3; time++) {
    collectGarbage()
    await nextTurn()
  }
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

const MB = 1_000_000
const megabytes = countFromEnvironment('SLOW_READERS_MB', 48)
const most = 40 * MB
/** Written over and over under one key, so that the board itself stays small. */
const value = new Uint8Array(MB)

/**
 * Edits of a megabyte each. Between them `next` waits for what the writer waits for; ten times, `rest` is awaited and
 * this process is measured.
 * @returns the additional memory at each of the later measurements: data in transit is seen by one of them and gone
 * at the next, and can amount to tens of megabytes.
 */
async function write(
  writer: RawClient,
  count: number,
  next: (sent: number) => Promise<unknown>,
  rest: (sent: number) => Promise<unknown> | unknown = () => undefined,
): Promise<number> {
  const before = await memoryBytes()
  let kept = Number.POSITIVE_INFINITY
  for (let edit = 1; edit <= count; edit++) {
    const sent = writer.edit((doc) => doc.getMap('notes').set('large', value))
    await next(sent)
    if (edit % Math.ceil(count / 10) !== 0) continue
    await rest(sent)
    if (edit > count / 2) kept = Math.min(kept, (await memoryBytes()) - before)
  }
  return kept
}

/** A few edits ahead of what is saved. */
const inStep = (writer: RawClient) => (sent: number) =>
  eventually(() => writer.saved >= sent - 5, { everyMs: 1, withinMs: 60_000 })
/** As fast as the network accepts it, whatever the server says. */
const unheeding = (writer: RawClient) => () =>
  eventually(() => writer.socket.bufferedAmount === 0, { everyMs: 1, withinMs: 60_000 })

const limits = { updatesPerSecond: 10_000, updatesBurst: 100_000 }

/** Everything sent is saved and folded: memory still held is held for somebody. */
const settled = (origin: string, writer: RawClient) => async (sent: number) => {
  await eventually(() => writer.saved >= sent, { withinMs: 60_000 })
  const isFolded = async () => (await readMetrics(origin)).get('boardroom_folds_due') === 0
  await eventually(isFolded, { withinMs: 60_000 })
}

slow('a client that does not read costs little, and catches up with one difference when it reads', () =>
  withServer(async ({ user, raw, origin }) => {
    const ada = await user('Ada')
    const board = await ada.board()
    const ticket = await ada.ticket(board)
    const writer = await raw(board, { ticket })
    const readers = await Promise.all([1, 2, 3].map(() => raw(board, { ticket })))
    await Promise.all([writer, ...readers].map((client) => client.message(MessageType.hello)))
    await write(writer, 5, inStep(writer))
    for (const reader of readers) reader.socket.pause()
    const kept = await write(writer, megabytes, inStep(writer), settled(origin, writer))
    console.log(`${megabytes} MB past three readers that stand still: ${(kept / MB).toFixed(1)} MB more`)
    assert.ok(kept < most, `${kept} bytes more`)
    assert.ok(((await readMetrics(origin)).get(roomEvent('behind')) ?? 0) >= 3, 'they are left out')
    const last = writer.edit((doc) => doc.getMap('notes').set('last', 'word'))
    await eventually(() => writer.saved >= last, { withinMs: 20_000 })
    for (const reader of readers) {
      const frames = reader.bodies(MessageType.sync).length
      const code = reader.closed.then((closed) => closed.code)
      const isComplete = () => reader.doc.getMap('notes').get('last') === 'word'
      reader.socket.resume()
      const end = await Promise.race([code, eventually(isComplete, { withinMs: 30_000 })])
      const got = reader.bodies(MessageType.sync).length - frames
      assert.ok(got < 30, `${got}: it was sent what it had missed edit by edit`)
      if (end === true) continue
      // If the machine is so slow that all this took longer than the half minute that a reader has. Behind the unread
      // data, the close code may be lost: then the connection breaks.
      assert.ok([CloseCode.tooSlow, 1006].includes(end), `${end}`)
      const again = await raw(board, { ticket })
      await eventually(() => again.doc.getMap('notes').get('last') === 'word', { withinMs: 30_000 })
    }
    await eventually(async () => (await readMetrics(origin)).get('boardroom_connections_behind') === 0)
  }, limits),
)

slow('a client that sends without waiting, with a slow database, is slowed down, and nothing is lost', () =>
  withServer(async ({ user, raw, origin, pool, schema }) => {
    const ada = await user('Ada')
    const board = await ada.board()
    const ticket = await ada.ticket(board)
    const [writer, reader] = [await raw(board, { ticket }), await raw(board, { ticket })]
    await Promise.all([writer, reader].map((client) => client.message(MessageType.hello)))
    await pool.query(`create function ${schema}.slow() returns trigger language plpgsql as
      $$ begin perform pg_sleep(0.05); return null; end $$`)
    await pool.query(`create trigger slow_disk after insert on ${schema}.board_updates
      execute function ${schema}.slow()`)
    let unsaved = 0
    const kept = await write(writer, megabytes, unheeding(writer), async () => {
      const metrics = await readMetrics(origin)
      unsaved = Math.max(unsaved, metrics.get('boardroom_unsaved_bytes') ?? 0)
      reader.received.splice(0) // a reader outside the server, which keeps what it receives
      await eventually(async () => (await readMetrics(origin)).get('boardroom_folds_due') === 0, {
        withinMs: 60_000,
      })
    })
    console.log(
      `${megabytes} MB from a writer that heeds nothing: ${(kept / MB).toFixed(1)} MB more, ${(unsaved / MB).toFixed(1)} MB unsaved`,
    )
    assert.ok(kept < most, `${kept} bytes more`)
    assert.ok(unsaved < 16 * MB, `${unsaved} bytes unsaved`)
    const last = writer.edit((doc) => doc.getMap('notes').set('last', 'word'))
    await eventually(() => writer.saved >= last, { withinMs: 60_000 })
    await eventually(() => reader.doc.getMap('notes').get('last') === 'word', { withinMs: 30_000 })
    await eventually(async () => (await readMetrics(origin)).get('boardroom_unsaved_bytes') === 0)
    for (const client of [writer, reader]) assert.is(client.socket.readyState, client.socket.OPEN)
  }, limits),
)

slow('a client that never reads again is closed with 1013, and nothing is kept for it', () =>
  withServer(async (server) => {
    const { user, raw, origin } = server
    const ada = await user('Ada')
    const board = await ada.board()
    const ticket = await ada.ticket(board)
    const [writer, reader] = [await raw(board, { ticket }), await raw(board, { ticket })]
    await Promise.all([writer, reader].map((client) => client.message(MessageType.hello)))
    reader.socket.pause()
    await write(writer, 20, inStep(writer))
    await eventually(async () => ((await readMetrics(origin)).get(roomEvent('too_slow')) ?? 0) === 1, {
      withinMs: 40_000,
      everyMs: 200,
    })
    await eventually(async () => (await readMetrics(origin)).get('boardroom_connections') === 1)
    const { rows } = await server.pool.query(
      `select details->>'close_code' as code from ${server.schema}.audit_logs where action = 'leave'`,
    )
    assert.equal(rows, [{ code: String(CloseCode.tooSlow) }])
  }, limits),
)

slow.run()
