// Each rule about the dependencies, owner and cost of an update (docs/security.md#updates), with its limit lowered
// and an input that plain Yjs handles in milliseconds: `outcome` and `read` try that first.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import * as Y from 'yjs'
import { readDeleteSet } from '../../server/documents/validate/delete-set.ts'
import { Splits } from '../../server/documents/validate/splits.ts'
import {
  defaultStateVectorLimits,
  readStateVector,
  type StateVectorLimits,
} from '../../server/documents/validate/state-vector.ts'
import { UpdateReader } from '../../server/documents/validate/update-reader.ts'
import { type ClientIdRule, defaultValidationLimits } from '../../server/documents/validate/verdict.ts'
import { assertHarmless } from '../helpers/harmless.ts'
import { ada, boardOfAda, bytes, char, from, inspect, mallory, outcome, short } from '../helpers/inspect.ts'
import { contentOf, type Struct, writeUpdate } from '../helpers/update-writer.ts'

const order = suite('order and dependencies')

order('origins and parents in the client’s own future are refused', () => {
  const self = { client: mallory, clock: 0 }
  const later = { client: mallory, clock: 5 }
  for (const struct of [
    { ...char, origin: self },
    { ...char, origin: later },
    { ...char, rightOrigin: later },
    { ...char, parent: later },
  ]) {
    const update = writeUpdate([from(mallory, 0, struct, char)])
    assert.is(outcome(update), 'reject dependency_order')
  }
})

order('clients that wait for each other are refused; those that only follow each other pass', () => {
  const on = (client: number, clock: number): Struct => ({ ...char, origin: { client, clock } })
  assert.is(outcome(writeUpdate([from(1, 0, on(2, 0)), from(2, 0, on(1, 0))])), 'reject dependency_cycle')
  assert.is(
    outcome(writeUpdate([from(1, 0, on(2, 1)), from(2, 0, char, on(3, 0)), from(3, 0, on(1, 0))])),
    'reject dependency_cycle',
  )
  const braided = writeUpdate([
    from(1, 0, char, on(2, 1)),
    from(2, 0, on(1, 0), on(3, 0)),
    from(3, 0, on(2, 0)),
  ])
  assert.is(outcome(braided), 'ok')
  const doc = new Y.Doc()
  Y.applyUpdate(doc, braided)
  assert.is(doc.store.pendingStructs, null)
})

order('a gap, even one marked by a skip, requests a sync', () => {
  assert.is(outcome(writeUpdate([from(mallory, 3, char)])), 'resync gap')
  assert.is(outcome(writeUpdate([from(mallory, 0, char, { ref: 10, content: 2 }, char)])), 'resync gap')
  const doc = boardOfAda()
  assert.is(
    outcome(writeUpdate([from(ada, 2, { ref: 10, content: 3 }, char)]), { doc }),
    'ok',
    'known clocks skipped',
  )
})

order('an origin or a parent that the board lacks requests a sync, even for known structs', () => {
  const lacking = { client: 33, clock: 0 }
  assert.is(
    outcome(writeUpdate([from(mallory, 0, { ...char, origin: lacking })])),
    'resync missing_dependency',
  )
  assert.is(
    outcome(writeUpdate([from(mallory, 0, { ...char, parent: lacking })])),
    'resync missing_dependency',
  )
  const doc = boardOfAda()
  const known = writeUpdate([from(ada, 0, { ...char, origin: lacking })])
  assert.is(outcome(known, { doc }), 'resync missing_dependency')
})

order('a deletion of clocks that the board lacks requests a sync', () => {
  const update = writeUpdate([], [{ client: 33, ranges: [[0, 1]] }])
  assert.is(outcome(update, { doc: boardOfAda() }), 'resync unknown_delete')
  const within = writeUpdate([], [{ client: ada, ranges: [[3, 2]] }])
  assert.is(outcome(within, { doc: boardOfAda() }), 'ok')
})

order('a delete set is ahead from the first clock on that its client will not have reached', () => {
  const doc = boardOfAda()
  const isAhead = (reached: number, clock: number, length: number): boolean => {
    const reader = new UpdateReader(writeUpdate([], [{ client: ada, ranges: [[clock, length]] }]).subarray(1))
    const splits = new Splits(doc, defaultValidationLimits)
    return readDeleteSet(reader, doc, () => reached, false, splits, defaultValidationLimits).isAhead
  }
  assert.not.ok(isAhead(5, 3, 2))
  assert.ok(isAhead(5, 3, 3))
  assert.ok(isAhead(5, 5, 1))
  assert.ok(isAhead(4, 3, 2))
})

order('a delete range of clocks in the same update passes', () => {
  assert.is(outcome(writeUpdate([from(mallory, 0, char)], [{ client: mallory, ranges: [[0, 1]] }])), 'ok')
})

order('malformed bytes are refused even where the update has a gap', () => {
  assert.is(
    outcome(writeUpdate([from(mallory, 3, char, { ...char, content: bytes(1, 0xff) })])),
    'reject utf8',
  )
})

order('known clocks continued under another parent are refused, under their own they pass', () => {
  const doc = boardOfAda()
  const longer = (place: Partial<Struct>) =>
    writeUpdate([from(ada, 0, { ref: 4, content: contentOf.string('hello!'), ...place })])
  assert.is(outcome(longer({ parent: 'text' }), { doc }), 'ok')
  assert.is(outcome(longer({ parent: 'elsewhere' }), { doc }), 'reject parent_changed')
  Y.applyUpdate(doc, writeUpdate([from(mallory, 0, { ...char, parent: 'elsewhere' })]))
  assert.is(outcome(longer({ origin: { client: mallory, clock: 0 } }), { doc }), 'reject parent_changed')
  const inMap = longer({ parent: 'text', key: 'k' })
  assert.is(outcome(inMap, { doc }), 'reject parent_changed')
})

order('search steps among the structs of the board are counted', () => {
  const doc = new Y.Doc()
  const backwards = Array.from({ length: 20 }, (_, i) =>
    i === 0 ? char : { ...char, rightOrigin: { client: mallory, clock: i - 1 } },
  )
  const list = writeUpdate([from(mallory, 0, ...backwards)])
  const limits = { maxConflictStepsPerUpdate: 90 }
  assert.is(outcome(list, { limits }), 'ok', 'a list that is built backwards costs nothing')
  Y.applyUpdate(doc, list)
  const letters = (count: number) =>
    Array.from({ length: count }, (_, i) => ({ ...char, rightOrigin: { client: mallory, clock: i } }))
  assert.is(outcome(writeUpdate([from(5, 0, ...letters(4))]), { doc, limits }), 'ok')
  assert.is(outcome(writeUpdate([from(5, 0, ...letters(6))]), { doc, limits }), 'reject conflicts')
  const next = writeUpdate([from(mallory, 20, { ...char, rightOrigin: { client: mallory, clock: 19 } })])
  const none = { maxConflictStepsPerUpdate: 0 }
  assert.is(outcome(next, { doc, limits: none }), 'ok', 'the next one in order too')
})

order('an update with many conflicts is tried on a copy, and refused if that takes too long', () => {
  const crowd = writeUpdate([from(5, 0, char, char, char, char)])
  const limits = { minCrowdBytes: 0, maxConflictStepsPerUpdate: 4 }
  const noTime = { ms: -1, msPerStruct: 0 }
  assert.is(outcome(crowd, { limits, trial: noTime }), 'reject conflicts')
  assert.is(outcome(crowd, { limits, trial: { ms: -1, msPerStruct: 1000 } }), 'ok', 'time for each struct')
  assert.is(outcome(crowd, { limits }), 'ok')
  const { minCrowdBytes } = defaultValidationLimits
  assert.is(outcome(crowd, { limits: { ...limits, minCrowdBytes }, trial: noTime }), 'ok', 'too small to try')
  const backwards = [1, 2, 3].map((i) => ({ ...char, rightOrigin: { client: 5, clock: i - 1 } }))
  const many = writeUpdate([from(5, 0, char, ...backwards)])
  const roomy = { ...limits, maxConflictStepsPerUpdate: 16 }
  assert.is(outcome(many, { limits: roomy, trial: noTime }), 'ok', 'below the bound nothing is tried')
})

order('trying an update on a copy leaves Yjs unchanged', () => {
  const { integrate } = Y.Item.prototype
  const limits = { minCrowdBytes: 0, maxConflictStepsPerUpdate: 4 }
  const crowd = writeUpdate([from(5, 0, char, char, char, char)])
  for (const ms of [-1, 400]) {
    outcome(crowd, { limits, trial: { ms, msPerStruct: 0 } })
    assert.is(Y.Item.prototype.integrate, integrate)
  }
})

order('splits of lists of values are counted, on the board and in the same update', () => {
  const limits = { minCopiedValues: 0, maxCopiedValuesPerUpdate: 20 }
  const values = { ref: 8, parent: 'list', content: contentOf.any(...Array(10).fill(null)) }
  const list = writeUpdate([from(mallory, 0, values)])
  const everyOther = [{ client: mallory, ranges: [0, 2, 4, 6].map((clock) => [clock, 1] as const) }]
  const doc = new Y.Doc()
  Y.applyUpdate(doc, list)
  assert.is(outcome(writeUpdate([], everyOther), { doc, limits }), 'reject splits')
  assert.is(outcome(writeUpdate([from(mallory, 0, values)], everyOther), { limits }), 'reject splits')
  const between = [0, 2, 4, 6].map((clock) => ({
    ...char,
    origin: { client: mallory, clock },
    rightOrigin: { client: mallory, clock: clock + 1 },
  }))
  assert.is(outcome(writeUpdate([from(5, 0, ...between)]), { doc, limits }), 'reject splits')
  const few = { ...limits, minCopiedValues: 9 }
  assert.is(outcome(writeUpdate([], everyOther), { doc, limits: few }), 'ok', 'not worth counting')
  assert.is(outcome(writeUpdate([], [{ client: mallory, ranges: [[0, 1]] }]), { doc, limits }), 'ok')
  assert.is(outcome(writeUpdate([], [{ client: mallory, ranges: [[0, 10]] }]), { doc, limits }), 'ok')
})

order('structs moved by splits are counted, more if the splits come from the end', () => {
  const text = { ...char, content: contentOf.string('x'.repeat(40)) }
  const inserts = Array.from({ length: 10 }, (_, i) => ({
    ...char,
    origin: { client: mallory, clock: i * 2 },
    rightOrigin: { client: mallory, clock: i * 2 + 1 },
  }))
  const base = from(mallory, 0, text)
  const limits = { maxMovedStructsPerUpdate: 20 }
  const doc = new Y.Doc()
  Y.applyUpdate(doc, writeUpdate([base]))
  for (const backwards of [false, true]) {
    const part = from(5, 0, ...(backwards ? inserts.toReversed() : inserts))
    const expected = backwards ? 'reject splits' : 'ok'
    assert.is(outcome(writeUpdate([part]), { doc, limits }), expected)
    assert.is(outcome(writeUpdate([base, part]), { limits }), expected)
    assert.is(outcome(writeUpdate([part, base]), { limits }), expected)
  }
})

order('deleted ranges come in order, as Yjs writes them; a few may not', () => {
  const limits = { maxRangesOutOfOrder: 2 }
  const doc = new Y.Doc()
  Y.applyUpdate(doc, writeUpdate([from(mallory, 0, { ...char, content: contentOf.string('x'.repeat(20)) })]))
  const backwards = (count: number) => Array.from({ length: count }, (_, i) => [(count - i) * 2, 1] as const)
  const deleting = (count: number) => writeUpdate([], [{ client: mallory, ranges: backwards(count) }])
  assert.is(outcome(deleting(3), { doc, limits }), 'ok')
  assert.is(outcome(deleting(4), { doc, limits }), 'reject delete_order')
})

order('the structs of an update are limited; imports may have more', () => {
  const limits = { maxStructsPerUpdate: 3 }
  assert.is(outcome(writeUpdate([from(5, 0, char, char), from(6, 0, char)]), { limits }), 'ok')
  assert.is(
    outcome(writeUpdate([from(5, 0, char, char), from(6, 0, char, char)]), { limits }),
    'reject structs',
  )
})

order.run()

const ids = suite('client ids')

ids('the rule is called once per client that gains clocks, with the next clock', () => {
  const asked: unknown[] = []
  const clientIds: ClientIdRule = (...question) => {
    asked.push(question)
    return 'ok'
  }
  const known = { ...char, content: contentOf.string('hel') }
  const update = writeUpdate([from(ada, 0, known), from(mallory, 0, char, char)])
  const verdict = inspect(update, { doc: boardOfAda(), clientIds })
  assert.equal(asked, [[mallory, false, 0]])
  assert.equal(verdict, {
    outcome: 'ok',
    newClients: [mallory],
    writes: [{ clientId: mallory, fromClock: 0, toClock: 2 }],
    empty: false,
    newRoots: [],
    shown: [],
    suspects: 0,
  })
})

ids("writing under a colleague's id does what the rule says", () => {
  const update = writeUpdate([from(ada, 5, { ...char, origin: { client: ada, clock: 4 } })])
  const doc = boardOfAda()
  assert.is(
    outcome(update, { doc, clientIds: (_id, known) => (known ? 'resync' : 'ok') }),
    'resync client_id',
  )
  assert.is(outcome(update, { doc, clientIds: () => 'reject' }), 'reject client_id')
})

ids('new ids are counted in an update', () => {
  const limits = { maxNewClientsPerUpdate: 2 }
  const crowd = (count: number) =>
    writeUpdate(Array.from({ length: count }, (_, i) => from(100 + i, 0, char)))
  assert.is(outcome(crowd(2), { limits }), 'ok')
  assert.is(outcome(crowd(3), { limits }), 'reject new_clients')
})

ids.run()

const effects = suite('effects')

effects('an update that is known and deleted already is empty', () => {
  const doc = boardOfAda()
  const empty = (update: Uint8Array): boolean | string => {
    const verdict = inspect(update, { doc })
    return verdict.outcome === 'ok' ? verdict.empty : short(verdict)
  }
  assert.is(empty(bytes(0, 0)), true)
  assert.is(empty(Y.encodeStateAsUpdate(doc)), true)
  const deletion = writeUpdate([], [{ client: ada, ranges: [[1, 2]] }])
  assert.is(empty(deletion), false)
  Y.applyUpdate(doc, deletion)
  assert.is(empty(deletion), true)
  assert.is(empty(writeUpdate([], [{ client: ada, ranges: [[2, 2]] }])), false)
})

effects.run()

const vectors = suite('state vectors')

const read = (vector: Uint8Array, limits?: StateVectorLimits) => {
  assertHarmless({ kind: 'state vector', before: [Y.encodeStateAsUpdate(boardOfAda())], input: vector })
  return readStateVector(vector, limits)
}

vectors('are read whole, and nothing else', () => {
  const reading = read(Y.encodeStateVector(boardOfAda()))
  assert.equal(reading, { outcome: 'ok', clocks: new Map([[ada, 5]]) })
})

vectors('with entries that have no bytes, too many, duplicates, large clocks or a tail are refused', () => {
  const limits = { maxEntries: 2, maxClock: 10 }
  const rule = (...vector: number[]): string => {
    const reading = read(bytes(...vector), limits)
    return reading.outcome === 'ok' ? 'ok' : reading.rule
  }
  assert.is(rule(0), 'ok')
  assert.is(rule(2, 1, 10, 2, 1), 'ok')
  assert.is(rule(), 'truncated')
  assert.is(rule(2, 1, 1), 'count')
  assert.is(rule(3, 1, 1, 2, 1, 3, 1), 'count')
  assert.is(rule(2, 1, 1, 1, 2), 'client_twice')
  assert.is(rule(1, 1, 11), 'clock')
  assert.is(rule(1, 1, 1, 0), 'trailing_bytes')
  assert.equal(defaultStateVectorLimits, { maxEntries: 100_000, maxClock: 2 ** 31 - 1 })
})

vectors.run()
