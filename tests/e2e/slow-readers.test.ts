// Clients that stop reading, over real sockets: what they miss is not kept for them.
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { CloseCode, MessageType } from '../../shared/protocol.ts'
import { eventually } from '../helpers/eventually.ts'
import { readMetrics, roomEvent } from '../helpers/metrics.ts'
import type { RawClient } from '../helpers/raw-client.ts'
import { type TestServer, withServer } from '../helpers/server.ts'

const slow = suite('slow readers on real sockets')

setFlagsFromString('--expose-gc')
const collectGarbage: () => void = runInNewContext('gc')
const memoryBytes = (): number => {
  collectGarbage()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

const MB = 1_000_000
/** Written over and over under one key, so that the board itself stays small. */
const value = new Uint8Array(MB)

/** A writer sends `megabytes` of edits, a few ahead of what is saved. */
async function write(writer: RawClient, megabytes: number): Promise<void> {
  let count = 0
  for (let sent = 0; sent < megabytes * MB; sent += value.length) {
    count = writer.edit((doc) => doc.getMap('notes').set('large', value))
    await eventually(() => writer.saved >= count - 5, { everyMs: 1, withinMs: 60_000 })
  }
  await eventually(() => writer.saved >= count, { withinMs: 60_000 })
}

const behind = async ({ origin }: TestServer) =>
  (await readMetrics(origin)).get('boardroom_connections_behind')

const limits = { updatesPerSecond: 10_000, updatesBurst: 100_000 }

slow('who does not read while 100 MB of edits pass costs little, and is complete again when it reads', () =>
  withServer(async (server) => {
    const { user, raw, origin } = server
    const ada = await user('Ada')
    const board = await ada.board()
    const ticket = await ada.ticket(board)
    const writer = await raw(board, { ticket })
    const reader = await raw(board, { ticket })
    await Promise.all([writer, reader].map((client) => client.message(MessageType.hello)))
    await write(writer, 5)
    reader.socket.pause()
    const before = memoryBytes()
    await write(writer, 100)
    const grown = memoryBytes() - before
    console.log(`100 MB past a reader that stands still: ${(grown / MB).toFixed(1)} MB more`)
    assert.ok(grown < 40 * MB, `${grown} bytes more`)
    assert.is(await behind(server), 1, 'it is left out, and not sent away yet')
    const frames = reader.bodies(MessageType.sync).length
    writer.edit((doc) => doc.getMap('notes').set('last', 'word'))
    reader.socket.resume()
    await eventually(() => reader.doc.getMap('notes').get('last') === 'word')
    assert.ok(
      reader.bodies(MessageType.sync).length - frames < 30,
      'it was sent what it had missed edit by edit',
    )
    await eventually(async () => (await behind(server)) === 0)
    assert.ok(((await readMetrics(origin)).get(roomEvent('behind')) ?? 0) >= 1)
  }, limits),
)

slow('who never reads again is closed 1013, and nothing of it is kept', () =>
  withServer(async (server) => {
    const { user, raw, origin } = server
    const ada = await user('Ada')
    const board = await ada.board()
    const ticket = await ada.ticket(board)
    const [writer, reader] = [await raw(board, { ticket }), await raw(board, { ticket })]
    await Promise.all([writer, reader].map((client) => client.message(MessageType.hello)))
    reader.socket.pause()
    await write(writer, 20)
    await eventually(async () => ((await readMetrics(origin)).get(roomEvent('too_slow')) ?? 0) === 1, {
      withinMs: 40_000,
      everyMs: 200,
    })
    await eventually(async () => (await readMetrics(origin)).get('boardroom_connections') === 1)
    const leaves = await eventually(async () => {
      const { rows } = await server.pool.query(
        `select details->>'close_code' as code from ${server.schema}.audit_logs where action = 'leave'`,
      )
      return rows.length > 0 && rows
    })
    assert.equal(leaves, [{ code: String(CloseCode.tooSlow) }])
  }, limits),
)

slow.run()
