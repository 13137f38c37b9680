// Every kind of input that docs/security.md refuses, against a complete server with lowered limits: two people on the
// same board and two on another can continue within two seconds, the sender gets the answer that is documented there,
// a counter in /metrics goes up, and in the end the board is read again from the database. The input is small, and
// harmless to plain Yjs.
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import * as Y from 'yjs'
import { createBoardroom } from '../../server/boardroom.ts'
import type { InspectionLimits } from '../../server/rooms/ports.ts'
import { CloseCode, encodeSync, MessageType, SyncStep } from '../../shared/protocol.ts'
import { spentMs } from '../helpers/effort.ts'
import { eventually } from '../helpers/eventually.ts'
import { assertHarmless } from '../helpers/harmless.ts'
import { joinRefused, readMetrics, refusedBy, roomEvent } from '../helpers/metrics.ts'
import { awareness, type RawClient } from '../helpers/raw-client.ts'
import { type StockClient, withServer } from '../helpers/server.ts'
import { contentOf, type Struct, writeUpdate } from '../helpers/update-writer.ts'

const attacks = suite('input refused by a running server')

const evilId = 666
const strangerId = 4711
const char: Struct = { ref: 4, parent: 'evil', content: contentOf.string('x') }
const times = <T>(count: number, one: (i: number) => T): T[] =>
  Array.from({ length: count }, (_, i) => one(i))
const of = (structs: readonly Struct[], client = evilId) => ({ client, clock: 0, structs })
const nestedValue = (depth: number) =>
  Uint8Array.from([1, ...times(depth * 2, (i) => (i % 2 ? 1 : 117)), 126])
const maxFrameBytes = 64 * 1024
const unreadableBytes = 32 * 1024 * 1024 + 1

/** High enough for four people who write numbers. */
const inspection: InspectionLimits = {
  update: {
    maxClock: 5_000,
    maxDeletedClocksPerUpdate: 100,
    maxValueNesting: 3,
    maxTypeNesting: 3,
    maxNewRootsPerUpdate: 2,
    maxStructsPerUpdate: 40,
    maxConflictStepsPerUpdate: 100,
    minCrowdBytes: 0,
    minCopiedValues: 0,
    maxCopiedValuesPerUpdate: 20,
    maxMovedStructsPerUpdate: 50,
    maxRangesOutOfOrder: 3,
  },
  stateVector: { maxEntries: 100, maxClock: 5_000 },
  trial: { ms: -1, msPerStruct: 0 },
}

/** The promised time; it includes sending the input, which is done here too. */
const withinMs = 2000 + 2000

interface Attack {
  name: string
  send(evil: RawClient, victim: StockClient): unknown
  /** The code of a notice, a close code, a request for the full state, or silence. */
  answer: string | number | 'step1' | 'none'
  counts: string
}

/** Sends updates that depend on each other. */
function sendAll(evil: RawClient, ...updates: Uint8Array[]): void {
  for (const [i, input] of updates.entries())
    assertHarmless({ kind: 'update', before: updates.slice(0, i), input })
  for (const bytes of updates) evil.sendUpdate(bytes)
}

const update = (
  name: string,
  rule: string,
  updates: () => Uint8Array | Uint8Array[],
  answer: Attack['answer'] = `update_${rule}`,
): Attack => ({
  name,
  send: (evil) => sendAll(evil, ...[updates()].flat()),
  answer,
  counts: refusedBy(rule),
})

const structsRefused: Attack[] = [
  update('a deleted range without length', 'length', () =>
    writeUpdate([], [{ client: strangerId, ranges: [[0, 0]] }]),
  ),
  update('a clock beyond the largest', 'clock', () => writeUpdate([of([{ ref: 0, content: 5_001 }])])),
  update('more deleted clocks than one update may bring', 'deleted_clocks', () =>
    writeUpdate([of(times(2, () => ({ ref: 0, content: 60 })))]),
  ),
  update('more structs announced than there are bytes for', 'count', () => Uint8Array.of(1, 5, 9, 0, 0, 0)),
  update(
    'structs that rest on what nobody has',
    'missing_dependency',
    () => {
      const dangling = { ...char, origin: { client: strangerId, clock: 10 } }
      const large = { ...dangling, content: contentOf.string('x'.repeat(4_000)) }
      return [
        ...times(6, (i) => writeUpdate([of([large], evilId + i)])),
        ...times(50, (i) => writeUpdate([of([dangling], 10_000 + i)])),
      ]
    },
    'step1',
  ),
  update(
    'deletions for clients that nobody knows',
    'unknown_delete',
    () => writeUpdate([], [{ client: strangerId, ranges: times(20, (i) => [i * 2, 1] as const) }]),
    'step1',
  ),
  update('a value nested too deep', 'nesting', () =>
    writeUpdate([of([{ ref: 8, parent: 'evil', content: nestedValue(4) }])]),
  ),
  update('types nested too deep', 'type_nesting', () =>
    writeUpdate([
      of(
        times(
          4,
          (i): Struct => ({
            ref: 7,
            parent: i === 0 ? 'evil' : { client: evilId, clock: i - 1 },
            key: 'k',
            content: contentOf.type(1),
          }),
        ),
      ),
    ]),
  ),
  update('too many root names in an update that breaks off', 'roots', () =>
    writeUpdate([of(times(4, (i) => ({ ...char, parent: `root ${i}` })))]).subarray(0, -3),
  ),
  update('an origin in the own future', 'dependency_order', () =>
    writeUpdate([of([{ ...char, origin: { client: evilId, clock: 5 } }])]),
  ),
  update('two clients that wait for each other', 'dependency_cycle', () =>
    writeUpdate([
      of([{ ...char, origin: { client: evilId + 1, clock: 0 } }]),
      of([{ ...char, origin: { client: evilId, clock: 0 } }], evilId + 1),
    ]),
  ),
  update('known clocks declared again under another parent', 'parent_changed', () => {
    const abcd = (parent: string, text: string): Struct => ({
      ref: 4,
      parent,
      content: contentOf.string(text),
    })
    return [writeUpdate([of([abcd('evil', 'abcd')], 777)]), writeUpdate([of([abcd('notes', 'abcdef')], 777)])]
  }),
  {
    name: 'the client id of a colleague who is here',
    send(evil, victim) {
      const { clientID, store } = victim.doc
      const bytes = writeUpdate([{ client: clientID, clock: Y.getState(store, clientID), structs: [char] }])
      assertHarmless({ kind: 'update', before: [Y.encodeStateAsUpdate(victim.doc)], input: bytes })
      evil.sendUpdate(bytes)
    },
    answer: 'step1',
    counts: refusedBy('client_id'),
  },
  update('structs that come together and claim the same place', 'conflicts', () =>
    writeUpdate([of(times(12, () => char))]),
  ),
  update('cuts through a list of values', 'splits', () =>
    writeUpdate(
      [of([{ ref: 8, parent: 'evil', content: contentOf.any(...Array(10).fill(null)) }])],
      [{ client: evilId, ranges: times(5, (i) => [i * 2, 1] as const) }],
    ),
  ),
  update('deleted ranges in an order that no editor writes', 'delete_order', () => [
    writeUpdate([of([{ ...char, content: contentOf.string('x'.repeat(20)) }], 999)]),
    writeUpdate([], [{ client: 999, ranges: times(6, (i) => [(8 - i) * 2, 1] as const) }]),
  ]),
  update('cuts through a text from its end', 'splits', () => {
    const text = { ...char, content: contentOf.string('x'.repeat(60)) }
    const inserts = times(15, (i) => ({
      ...char,
      origin: { client: 1001, clock: 58 - i * 2 },
      rightOrigin: { client: 1001, clock: 59 - i * 2 },
    }))
    return writeUpdate([of([text], 1001), of(inserts, 1000)])
  }),
  update('more structs than one update may hold', 'structs', () => writeUpdate([of(times(41, () => char))])),
  {
    name: 'lists of values that follow each other',
    send(evil) {
      const content = contentOf.any(...Array(5).fill(null))
      const structs = times(
        20,
        (i): Struct =>
          i === 0
            ? { ref: 8, parent: 'joined', content }
            : { ref: 8, origin: { client: 888, clock: i * 5 - 1 }, content },
      )
      sendAll(evil, writeUpdate([of(structs, 888)]))
    },
    answer: 'none',
    counts: roomEvent('updates'),
  },
]

const messagesRefused: Attack[] = [
  {
    name: 'a state vector of too many entries',
    send(evil) {
      const entries = Uint8Array.from([101, ...times(101, (i) => [i, 1]).flat()])
      assertHarmless({ kind: 'state vector', before: [], input: entries })
      evil.send(encodeSync(SyncStep.step1, entries))
    },
    answer: CloseCode.protocolViolation,
    counts: roomEvent('malformed'),
  },
  {
    name: 'one question for the whole state after the other',
    send: (evil) => times(50, () => evil.send(encodeSync(SyncStep.step1, Uint8Array.of(0)))),
    answer: 'none',
    counts: roomEvent('answers_delayed'),
  },
  {
    name: 'presence for others, with clocks and states that are too large, and for many ids',
    send(evil, victim) {
      evil.send(awareness([{ clientId: victim.doc.clientID, clock: 1000, state: null }]))
      evil.send(awareness([{ clientId: 1, clock: 2 ** 31 + 1, state: {} }]))
      evil.send(awareness([{ clientId: 1, clock: 1, state: { large: 'x'.repeat(20_000) } }]))
      evil.send(awareness(times(50, (i) => ({ clientId: 100_000 + i, clock: 1, state: '{}' }))))
    },
    answer: 'none',
    counts: roomEvent('presence_ignored'),
  },
  {
    name: 'the head of a frame that is too large to be read',
    send: (evil) => evil.announce(unreadableBytes),
    answer: 1009,
    counts: roomEvent('frames_unreadable'),
  },
  {
    name: 'one frame over the limit',
    send: (evil) => evil.send(new Uint8Array(maxFrameBytes + 1)),
    answer: CloseCode.frameTooLarge,
    counts: roomEvent('frames_too_large'),
  },
  {
    name: 'a text frame',
    send: (evil) => evil.socket.send('hello'),
    answer: CloseCode.unsupportedData,
    counts: roomEvent('text_frames'),
  },
  {
    name: 'an empty frame',
    send: (evil) => evil.send(new Uint8Array()),
    answer: CloseCode.protocolViolation,
    counts: roomEvent('malformed'),
  },
  {
    name: 'frames of types that nobody knows',
    send: (evil) => times(20, (i) => evil.send(new Uint8Array([4 + i, 1, 2, 3]))),
    answer: 'none',
    counts: roomEvent('frames_ignored'),
  },
]

const refused = [...structsRefused, ...messagesRefused]

setFlagsFromString('--expose-gc')
const collectGarbage: () => void = runInNewContext('gc')
const memoryBytes = (): number => {
  collectGarbage()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

attacks('does not disturb anybody else, is answered and counted, and leaves nothing behind', () =>
  withServer(
    async ({ user, open, raw, origin, database }) => {
      const [ada, eve] = [await user('Ada'), await user('Eve')]
      const [board, elsewhere] = [await ada.board(), await ada.board('Elsewhere')]
      await ada.grant(board, eve, 'edit')
      const pairs: [StockClient, StockClient][] = []
      for (const id of [board, elsewhere]) {
        const ticket = await ada.ticket(id)
        pairs.push([await open(id, { ticket }), await open(id, { ticket })])
      }
      let round = 0
      /** All four people write, and the others see it. */
      const everybodyWorks = async () => {
        round++
        for (const pair of pairs)
          for (const [i, writer] of pair.entries()) writer.doc.getMap('notes').set(`by ${i}`, round)
        await eventually(() =>
          pairs.every(
            ([a, b]) =>
              a.doc.getMap('notes').get('by 1') === round && b.doc.getMap('notes').get('by 0') === round,
          ),
        )
      }
      await everybodyWorks()
      const ticket = await eve.ticket(board)
      const victim = pairs[0]?.[0] as StockClient // made above
      const memoryBefore = memoryBytes()
      let slowest = { name: '', ms: 0 }
      for (const { name, send, answer, counts } of refused) {
        const evil = await raw(board, { ticket })
        await evil.message(MessageType.hello)
        const countBefore = (await readMetrics(origin)).get(counts) ?? 0
        const asked = evil.bodies(MessageType.sync).length
        const begun = spentMs()
        try {
          send(evil, victim)
          await everybodyWorks()
          // CPU time, not elapsed time: on a busy machine everything waits, attacked or not.
          const ms = spentMs() - begun
          assert.ok(ms < withinMs, `everybody had to wait for ${ms.toFixed(0)} ms of work`)
          if (ms > slowest.ms) slowest = { name, ms }
          if (typeof answer === 'number') assert.is((await evil.closed).code, answer)
          else if (answer === 'step1')
            await eventually(() =>
              evil.received
                .filter((message) => message.type === MessageType.sync)
                .slice(asked)
                .some((message) => message.step === SyncStep.step1),
            )
          else if (answer !== 'none') assert.is((await evil.message(MessageType.notice)).code, answer)
          await eventually(async () => ((await readMetrics(origin)).get(counts) ?? 0) > countBefore)
          await everybodyWorks()
        } catch (error) {
          throw new Error(`${name}: ${error instanceof Error ? error.message : error}`, { cause: error })
        }
        evil.terminate()
      }
      assert.ok(
        pairs.flat().every((client) => client.closes.length === 0),
        'an honest client was sent away',
      )
      const grownBytes = memoryBytes() - memoryBefore
      console.log(
        `${refused.length} kinds; slowest: ${slowest.name}, ${slowest.ms.toFixed(0)} ms; memory ${(grownBytes / 2 ** 20).toFixed(1)} MiB`,
      )
      assert.ok(grownBytes < 64 * 2 ** 20, `${grownBytes} bytes more`)

      const expected = victim.doc.getMap('notes').toJSON()
      for (const client of pairs.flat()) client.stop()
      const second = await createBoardroom({ database, secret: 'x'.repeat(32) })
      try {
        const stored = new Y.Doc()
        await eventually(async () => {
          Y.applyUpdate(stored, await second.documents.read(board))
          assert.equal(stored.getMap('notes').toJSON(), expected)
          return true
        })
        assert.is(stored.store.pendingStructs, null)
      } finally {
        await second.close({ drainMs: 0 })
      }
    },
    { maxFrameBytes, inspection },
  ),
)

attacks(
  'three malformed updates end the connection for good, and a client that never gets in sync must reconnect',
  () =>
    withServer(async ({ user, raw }) => {
      const ada = await user('Ada')
      const board = await ada.board()
      const ticket = await ada.ticket(board)
      const evil = await raw(board, { ticket })
      for (let i = 0; i < 3; i++) evil.sendUpdate(Uint8Array.of(0, 0, 0))
      assert.is((await evil.closed).code, CloseCode.protocolViolation)
    }),
)

attacks(
  'a client that reconnects in a loop after a final close is told to come back later, and does not fill the trail',
  () =>
    withServer(
      async ({ user, raw, origin, db }) => {
        const [ada, eve] = [await user('Ada'), await user('Eve')]
        const board = await ada.board()
        const { body: permission } = await ada.grant(board, eve, 'edit')
        const ticket = await eve.ticket(board)
        const evil = await raw(board, { ticket })
        await evil.message(MessageType.hello)
        await ada.ask('DELETE', `/api/boards/${board}/permissions/${permission.id}`)
        assert.is((await evil.closed).code, CloseCode.noAccess)
        const ends: number[] = []
        for (let i = 0; i < 60; i++) ends.push((await (await raw(board, { ticket })).closed).code)
        assert.is(ends[0], CloseCode.noAccess)
        assert.is(ends.at(-1), CloseCode.busy, 'nobody else at the address is stopped with them')
        const metrics = await readMetrics(origin)
        assert.ok((metrics.get(joinRefused(CloseCode.noAccess)) ?? 0) >= 20)
        assert.ok((metrics.get(joinRefused(CloseCode.busy)) ?? 0) >= 30)
        const rows = await db
          .selectFrom('audit_logs')
          .select('id')
          .where('action', '=', 'access_denied')
          .execute()
        assert.ok(rows.length >= 1 && rows.length <= 4, `${rows.length} rows about it`)
      },
      { failedJoinsPerMinutePerIp: 20 },
    ),
)

attacks.run()
