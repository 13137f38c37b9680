// Each rule about the contents of an update (docs/security.md#updates), with its limit lowered and an input that
// plain Yjs handles in milliseconds: `inspect` tries that first.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import * as Y from 'yjs'
import { readContent } from '../../server/documents/validate/content.ts'
import { refuseLiveEntries } from '../../server/documents/validate/map-entries.ts'
import { endOf, Refused, UpdateReader } from '../../server/documents/validate/update-reader.ts'
import { defaultDryRunLimits, defaultValidationLimits } from '../../server/documents/validate/verdict.ts'
import {
  ada,
  boardOfAda,
  bytes,
  char,
  from,
  inspect,
  mallory,
  outcome,
  type Terms,
} from '../helpers/inspect.ts'
import { contentOf, type Struct, writeUpdate } from '../helpers/update-writer.ts'

const isRefused =
  (rule: string) =>
  (error: unknown): boolean =>
    error instanceof Refused && error.rule === rule

const counts = suite('counts and lengths')

counts('the limits are those in docs/security.md', () => {
  assert.equal(defaultValidationLimits, {
    maxNewClientsPerUpdate: 256,
    maxNewRootsPerUpdate: 8,
    maxRootsPerBoard: 256,
    maxRootNameBytes: 128,
    maxKeyBytes: 1024,
    maxValueNesting: 64,
    maxTypeNesting: 100,
    maxDeletedClocksPerUpdate: 16 * 1024 * 1024,
    maxConflictStepsPerUpdate: 2_000_000,
    maxStructsPerUpdate: 200_000,
    maxCopiedValuesPerUpdate: 30_000_000,
    maxMovedStructsPerUpdate: 400_000_000,
    minClocks: 1,
    maxClock: 2 ** 31 - 1,
    maxClocksOfMapEntry: 1,
    forbiddenKey: ['__', 'proto', '__'].join(''),
    maxRangesOutOfOrder: 1000,
    minCopiedValues: 1024,
    minCrowdBytes: 6144,
  })
  assert.equal(defaultDryRunLimits, { ms: 400, msPerStruct: 0.005 })
})

counts('structs of every kind, and deleted ranges, have a minimum length', () => {
  const limits = { minClocks: 2 }
  const short: Struct[] = [
    { ref: 0, content: 1 },
    { ref: 10, content: 1 },
    { ref: 1, parent: 'r', content: 1 },
    { ref: 2, parent: 'r', content: contentOf.json('1') },
    { ref: 3, parent: 'r', content: contentOf.bytes(bytes(1)) },
    { ref: 4, parent: 'r', content: contentOf.string('x') },
    { ref: 5, parent: 'r', content: contentOf.string('{}') },
    { ref: 6, parent: 'r', content: contentOf.format('bold', 'true') },
    { ref: 7, parent: 'r', content: contentOf.type(1) },
    { ref: 8, parent: 'r', content: contentOf.any(1) },
  ]
  for (const struct of short)
    assert.is(
      outcome(writeUpdate([from(mallory, 0, struct)]), { limits }),
      'reject length',
      `content ${struct.ref}`,
    )
  const long: Struct = { ...char, content: contentOf.string('xy') }
  assert.is(outcome(writeUpdate([from(mallory, 0, long)]), { limits }), 'ok')
  const deleting = (length: number) => writeUpdate([], [{ client: ada, ranges: [[1, length]] }])
  assert.is(outcome(deleting(1), { doc: boardOfAda(), limits }), 'reject length')
  assert.is(outcome(deleting(2), { doc: boardOfAda(), limits }), 'ok')
})

counts('nothing is no length, and is what empty contents are measured as', () => {
  assert.throws(() => endOf(5, 0, defaultValidationLimits), isRefused('length'))
  assert.is(endOf(5, 1, defaultValidationLimits), 6)
  for (const ref of [1, 2, 4, 8])
    assert.is(readContent(new UpdateReader(bytes(0)), ref, defaultValidationLimits), 0, `content ${ref}`)
})

counts('structs, clients, ranges and elements without enough bytes are refused', () => {
  assert.is(outcome(bytes(1)), 'reject count')
  assert.is(outcome(bytes(1, 5, 9, 0, 0, 0)), 'reject count')
  assert.is(outcome(bytes(0, 1)), 'reject count')
  assert.is(outcome(bytes(0, 1, 9, 3, 0, 1)), 'reject count')
  for (const content of [bytes(1, 117, 9), bytes(1, 118, 9), bytes(9)])
    assert.is(outcome(writeUpdate([from(mallory, 0, { ref: 8, parent: 'r', content })])), 'reject count')
  assert.is(
    outcome(writeUpdate([from(mallory, 0, { ref: 2, parent: 'r', content: bytes(9) })])),
    'reject count',
  )
})

counts('clocks beyond the largest one are refused everywhere', () => {
  const limits = { maxClock: 10 }
  assert.is(outcome(writeUpdate([from(mallory, 0, { ref: 0, content: 10 })]), { limits }), 'ok')
  assert.is(outcome(writeUpdate([from(mallory, 0, { ref: 0, content: 11 })]), { limits }), 'reject clock')
  assert.is(outcome(writeUpdate([from(mallory, 10, char)]), { limits }), 'reject clock')
  assert.is(outcome(writeUpdate([], [{ client: 33, ranges: [[10, 1]] }]), { limits }), 'reject clock')
  const on = (place: Partial<Struct>) => writeUpdate([from(mallory, 0, { ...char, ...place })])
  assert.is(outcome(on({ origin: { client: 33, clock: 11 } }), { limits }), 'reject clock')
  assert.is(outcome(on({ rightOrigin: { client: 33, clock: 11 } }), { limits }), 'reject clock')
  assert.is(outcome(on({ parent: { client: 33, clock: 11 } }), { limits }), 'reject clock')
  const largest = 2 ** 31 - 1
  assert.is(endOf(largest - 1, 1, defaultValidationLimits), largest)
  assert.throws(() => endOf(largest, 1, defaultValidationLimits), isRefused('clock'))
})

counts('deleted clocks of one update are counted, whether GC or deleted content', () => {
  const limits = { maxDeletedClocksPerUpdate: 8 }
  const half: Struct[] = [
    { ref: 0, content: 4 },
    { ref: 1, parent: 'r', content: 4 },
  ]
  assert.is(outcome(writeUpdate([from(mallory, 0, ...half)]), { limits }), 'ok')
  assert.is(
    outcome(writeUpdate([from(mallory, 0, ...half, { ref: 0, content: 1 })]), { limits }),
    'reject deleted_clocks',
  )
})

counts('a client listed twice, or without structs, is refused', () => {
  assert.is(outcome(writeUpdate([from(mallory, 0, char), from(mallory, 1, char)])), 'reject client_twice')
  assert.is(outcome(bytes(1, 0, 9, 0, 0, 0)), 'reject no_structs')
})

counts('a number of more than 53 bits or without end is refused by the reader', () => {
  const reading = (...values: number[]) => new UpdateReader(bytes(...values))
  const full = [255, 255, 255, 255, 255, 255, 255]
  assert.is(reading(...full, 15).readVarUint(), 2 ** 53 - 1)
  assert.throws(() => reading(...full, 31).readVarUint(), isRefused('varint'))
  assert.throws(() => reading(...full, 255, 0).readVarUint(), isRefused('varint'))
  assert.throws(() => reading(...full, 255, 0).skipVarInt(), isRefused('varint'))
  assert.throws(() => reading(255).readVarUint(), isRefused('truncated'))
})

counts('each truncation of an update is refused, even if the shared buffer continues after it', () => {
  const whole = writeUpdate([
    from(mallory, 0, char, { ref: 8, parent: 'm', key: 'k', content: contentOf.any({ a: 1 }) }),
  ])
  assert.is(outcome(whole), 'ok')
  const shared = new Uint8Array(whole.length + 64)
  shared.set(whole, 8)
  for (let length = 0; length < whole.length; length++) {
    const verdict = inspect(shared.subarray(8, 8 + length))
    assert.is(verdict.outcome, 'reject', `${length} bytes`)
  }
  assert.is(outcome(shared.subarray(8, 8 + whole.length)), 'ok')
})

counts('no read goes past the end of the update, whatever length is announced', () => {
  const shared = Uint8Array.of(5, 65, 65, 65, 65, 65, 65) // a text of five, the last two of which belong to a neighbour
  for (const read of [
    (reader: UpdateReader) => reader.skip(6),
    (reader: UpdateReader) => reader.skip(2 ** 50),
    (reader: UpdateReader) => reader.skipString(),
    (reader: UpdateReader) => reader.skipKey(100, 'no'),
  ]) {
    const reader = new UpdateReader(shared.subarray(0, 5))
    assert.throws(() => read(reader), isRefused('truncated'))
    assert.ok(reader.position <= 5)
  }
})

counts('trailing bytes are refused', () => {
  assert.is(outcome(bytes(0, 0, 0)), 'reject trailing_bytes')
})

counts.run()

const contents = suite('contents')

const content = (struct: Struct, terms?: Terms): string =>
  outcome(writeUpdate([from(mallory, 0, struct)]), terms)
const inRoot = (ref: number, of: Uint8Array, { key, ...terms }: Terms & { key?: string } = {}): string =>
  content({ ref, parent: 'r', content: of, key }, terms)

contents('subdocuments and unknown kinds of content and types are refused', () => {
  assert.is(inRoot(9, bytes(1, 0x61, 118, 0)), 'reject subdocument')
  assert.is(inRoot(11, bytes(1)), 'reject info')
  assert.is(inRoot(31, bytes(1)), 'reject info')
  assert.is(inRoot(7, contentOf.type(6)), 'ok')
  assert.is(inRoot(7, contentOf.type(7)), 'reject type')
  assert.is(inRoot(8, bytes(1, 115)), 'reject value')
})

contents('info bits on a GC or a skip are refused', () => {
  assert.is(content({ ref: 0, info: 0x80, content: 1 }), 'reject info')
  assert.is(content({ ref: 10, info: 0x2a, content: 1 }), 'reject info')
})

contents('values nested deeper than allowed are refused, as arrays, objects and JSON', () => {
  const limits = { maxValueNesting: 3 }
  const arrays = (depth: number) => bytes(1, ...new Array(depth).fill([117, 1]).flat(), 126)
  const objects = (depth: number) => bytes(1, ...new Array(depth).fill([118, 1, 1, 0x61]).flat(), 126)
  const json = (depth: number) => contentOf.string('['.repeat(depth) + ']'.repeat(depth))
  assert.is(inRoot(8, arrays(3), { limits }), 'ok')
  assert.is(inRoot(8, arrays(4), { limits }), 'reject nesting')
  assert.is(inRoot(8, objects(3), { limits }), 'ok')
  assert.is(inRoot(8, objects(4), { limits }), 'reject nesting')
  assert.is(inRoot(5, json(3), { limits }), 'ok')
  assert.is(inRoot(5, json(4), { limits }), 'reject nesting')
  assert.is(inRoot(5, contentOf.string('"[[[[[\\""'), { limits }), 'ok', 'brackets in strings do not nest')
})

contents('JSON that does not parse is refused in embeds, formats and old arrays', () => {
  assert.is(inRoot(5, contentOf.string('{')), 'reject json')
  assert.is(inRoot(5, contentOf.string('undefined')), 'reject json')
  assert.is(inRoot(6, contentOf.format('bold', '')), 'reject json')
  assert.is(inRoot(2, contentOf.json('1', 'nope')), 'reject json')
  assert.is(inRoot(2, contentOf.json('1', 'undefined')), 'ok')
})

contents('the forbidden key is refused wherever keys are, even escaped, and allowed as text', () => {
  const limits = { forbiddenKey: 'forbidden' }
  assert.is(inRoot(8, contentOf.any(1), { key: 'forbidden', limits }), 'reject key')
  assert.is(inRoot(8, contentOf.any(1), { key: 'forbiddem', limits }), 'ok')
  assert.is(
    content({ ref: 4, parent: 'forbidden', content: contentOf.string('x') }, { limits }),
    'reject key',
  )
  assert.is(inRoot(8, contentOf.any({ forbidden: 1 }), { limits }), 'reject key')
  assert.is(inRoot(5, contentOf.string('{"a":[{"forbidden":1}]}'), { limits }), 'reject key')
  assert.is(inRoot(5, contentOf.string('{"\\u0066orbidden":1}'), { limits }), 'reject key')
  assert.is(inRoot(5, contentOf.string('{"f\\u006frbidden":1}'), { limits }), 'reject key')
  assert.is(inRoot(2, contentOf.json('{"forbidden":1}'), { limits }), 'reject key')
  assert.is(inRoot(6, contentOf.format('forbidden', '1'), { limits }), 'reject key')
  assert.is(inRoot(6, contentOf.format('bold', '{"forbidden":1}'), { limits }), 'reject key')
  assert.is(inRoot(7, contentOf.type(3, 'forbidden'), { limits }), 'reject key')
  assert.is(inRoot(4, contentOf.string('forbidden'), { limits }), 'ok')
  assert.is(inRoot(8, contentOf.any('forbidden', { a: 'forbidden' }), { limits }), 'ok')
  assert.is(inRoot(5, contentOf.string('{"a":"forbidden"}'), { limits }), 'ok')
})

contents('strings that are not UTF-8 are refused, short and long', () => {
  const bad = [[0xff], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80], [0xe6, 0xbc]]
  for (const wrong of bad) {
    assert.is(inRoot(4, bytes(wrong.length, ...wrong)), 'reject utf8')
    assert.is(inRoot(4, contentOf.bytes(bytes(...new Array(200).fill(0x61), ...wrong))), 'reject utf8')
  }
})

contents('clocks are counted as Yjs counts them, in UTF-16 units', () => {
  for (const text of ['x', 'ü', '漢', '😀', `${'a'.repeat(300)}`, `${'漢😀ü'.repeat(90)}`]) {
    const verdict = inspect(writeUpdate([from(mallory, 0, { ...char, content: contentOf.string(text) })]))
    assert.is(verdict.outcome === 'ok' && verdict.writes[0]?.toClock, text.length)
  }
})

contents('map keys, formats and names of XML longer than allowed are refused', () => {
  const limits = { maxKeyBytes: 4 }
  assert.is(inRoot(8, contentOf.any(1), { key: 'kkkk', limits }), 'ok')
  assert.is(inRoot(8, contentOf.any(1), { key: 'kkkkk', limits }), 'reject key')
  assert.is(inRoot(6, contentOf.format('weight', '1'), { limits }), 'reject key')
  assert.is(inRoot(7, contentOf.type(3, 'table'), { limits }), 'reject key')
})

contents('a map entry that spans too many clocks is refused unless it arrives deleted', () => {
  const limits = { maxClocksOfMapEntry: 0 }
  const entry: Struct = { ref: 8, parent: 'm', key: 'k', content: contentOf.any(1) }
  const deleting = (clock: number, length: number) => [
    { client: mallory, ranges: [[clock, length] as const] },
  ]
  assert.is(content(entry), 'ok')
  assert.is(content(entry, { limits }), 'reject map_entry')
  assert.is(content(char, { limits }), 'ok', 'in a list')
  assert.is(outcome(writeUpdate([from(mallory, 0, entry)], deleting(0, 1)), { limits }), 'ok')
  // With a left neighbour the key is the neighbour's, whatever the bits say.
  const behind: Struct = { ref: 4, origin: { client: mallory, clock: 0 }, content: contentOf.string('a') }
  const both = [from(mallory, 0, entry, behind)]
  assert.is(outcome(writeUpdate(both, deleting(0, 1)), { limits }), 'reject map_entry')
  assert.is(outcome(writeUpdate(both, deleting(1, 1)), { limits }), 'reject map_entry')
  assert.is(outcome(writeUpdate(both, deleting(0, 2)), { limits }), 'ok')
  const doc = new Y.Doc()
  Y.applyUpdate(doc, writeUpdate([from(mallory, 0, entry)]))
  assert.is(outcome(writeUpdate([from(mallory, 1, behind)]), { doc, limits }), 'reject map_entry')
  // Undo managers keep deleted values, which merge; they come with their deletion.
  const many: Struct = { ...entry, content: contentOf.any(1, 2) }
  assert.is(outcome(writeUpdate([from(mallory, 0, many)], deleting(0, 2))), 'ok')
})

contents('an entry is deleted if the ranges of its client cover all of it, in any order', () => {
  const entry = { clientId: mallory, fromClock: 2, toClock: 5 }
  const covered = (client: number, ...ranges: [number, number][]): boolean => {
    const update = writeUpdate([], [{ client, ranges }])
    try {
      refuseLiveEntries([entry], new UpdateReader(update.subarray(1)))
      return true
    } catch (error) {
      assert.ok(isRefused('map_entry')(error))
      return false
    }
  }
  assert.ok(covered(mallory, [2, 3]))
  assert.ok(covered(mallory, [4, 3], [0, 4]))
  assert.not.ok(covered(mallory, [2, 2]))
  assert.not.ok(covered(mallory, [3, 2]))
  assert.not.ok(covered(mallory, [2, 1], [4, 1]))
  assert.not.ok(covered(ada, [2, 3]))
})

contents.run()

const roots = suite('roots and nesting')

const inRoots = (...names: string[]): Uint8Array =>
  writeUpdate([from(mallory, 0, ...names.map((name) => ({ ...char, parent: name })))])

roots('validation creates no root, even if the update is truncated', () => {
  const doc = new Y.Doc()
  assert.is(inspect(inRoots('a', 'b', 'c').subarray(0, -3), { doc }).outcome, 'reject')
  assert.is(inspect(inRoots('a', 'b', 'c'), { doc }).outcome, 'ok')
  assert.is(doc.share.size, 0)
})

roots('new root names are counted in an update and on a board', () => {
  const limits = { maxNewRootsPerUpdate: 2, maxRootsPerBoard: 4 }
  assert.is(outcome(inRoots('a', 'b', 'b'), { limits }), 'ok')
  assert.is(outcome(inRoots('a', 'b', 'c'), { limits }), 'reject roots')
  const doc = new Y.Doc()
  for (const name of ['r0', 'r1', 'r2']) doc.get(name)
  assert.is(outcome(inRoots('r0', 'one'), { doc, limits }), 'ok')
  assert.is(outcome(inRoots('one', 'two'), { doc, limits }), 'reject roots')
})

roots('a root name longer than allowed is refused', () => {
  const limits = { maxRootNameBytes: 4 }
  assert.is(outcome(inRoots('name'), { limits }), 'ok')
  assert.is(outcome(inRoots('names'), { limits }), 'reject root_name')
})

const nested = (depth: number): Struct[] =>
  Array.from({ length: depth }, (_, i) => ({
    ref: 7,
    parent: i === 0 ? 'map' : { client: mallory, clock: i - 1 },
    key: 'k',
    content: contentOf.type(1),
  }))

roots(
  'types nested deeper than allowed are refused: in one update, over several, and after neighbours',
  () => {
    const limits = { maxTypeNesting: 4 }
    assert.is(outcome(writeUpdate([from(mallory, 0, ...nested(4))]), { limits }), 'ok')
    assert.is(outcome(writeUpdate([from(mallory, 0, ...nested(5))]), { limits }), 'reject type_nesting')
    const doc = new Y.Doc()
    Y.applyUpdate(doc, writeUpdate([from(mallory, 0, ...nested(3))]))
    const inside: Struct = { ref: 7, parent: { client: mallory, clock: 2 }, content: contentOf.type(0) }
    assert.is(outcome(writeUpdate([from(mallory, 3, inside)]), { doc, limits }), 'ok')
    Y.applyUpdate(doc, writeUpdate([from(mallory, 3, inside)]))
    const below: Struct = { ref: 7, parent: { client: mallory, clock: 3 }, content: contentOf.type(0) }
    assert.is(outcome(writeUpdate([from(mallory, 4, below)]), { doc, limits }), 'reject type_nesting')
    const letter: Struct = { ...char, parent: { client: mallory, clock: 3 } }
    const beside: Struct = { ref: 7, origin: { client: mallory, clock: 4 }, content: contentOf.type(0) }
    assert.is(outcome(writeUpdate([from(mallory, 4, letter)]), { doc, limits }), 'ok')
    assert.is(
      outcome(writeUpdate([from(mallory, 4, letter, beside)]), { doc, limits }),
      'reject type_nesting',
    )
  },
)

roots('a parent that holds no children is refused; a deleted one is not', () => {
  const doc = boardOfAda()
  const child: Struct = { ...char, parent: { client: ada, clock: 0 } }
  assert.is(outcome(writeUpdate([from(mallory, 0, child)]), { doc }), 'reject parent')
  assert.is(
    outcome(writeUpdate([from(mallory, 0, char, { ...char, parent: { client: mallory, clock: 0 } })])),
    'reject parent',
  )
  Y.applyUpdate(doc, writeUpdate([], [{ client: ada, ranges: [[0, 5]] }]))
  assert.is(outcome(writeUpdate([from(mallory, 0, child)]), { doc }), 'ok')
})

roots.run()
