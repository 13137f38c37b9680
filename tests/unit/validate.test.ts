// Each attack that updates have been seen to carry out on plain Yjs, with its bytes; where it is cheap to show, the
// harm comes first. The table that these follow: docs/security.md#updates.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import * as Y from 'yjs'
import { dryRun } from '../../server/documents/validate/crowds.ts'
import { readStateVector } from '../../server/documents/validate/state-vector.ts'
import { Refused, UpdateReader } from '../../server/documents/validate/update-reader.ts'
import { validateUpdate } from '../../server/documents/validate/validate.ts'
import {
  type ClientIdRule,
  defaultValidationLimits,
  type ValidationLimits,
  type Verdict,
} from '../../server/documents/validate/verdict.ts'
import { spentMs } from '../helpers/effort.ts'
import { contentOf, type Struct, writeUpdate } from '../helpers/update-writer.ts'

const ada = 1
const mallory = 9

interface Terms {
  doc?: Y.Doc
  clientIds?: ClientIdRule
  limits?: Partial<ValidationLimits>
}

const inspect = (
  update: Uint8Array,
  { doc = new Y.Doc(), clientIds = () => 'ok', limits }: Terms = {},
): Verdict => {
  const verdict = validateUpdate(update, doc, clientIds, { ...defaultValidationLimits, ...limits })
  if (verdict.outcome !== 'ok' || verdict.suspects === 0) return verdict
  const question = { snapshot: Y.encodeStateAsUpdate(doc), updates: [], update, structs: verdict.suspects }
  return dryRun(question).isTooCrowded
    ? { outcome: 'reject', rule: 'conflicts', message: 'after a trial' }
    : verdict
}

/** `ok`, `resync gap`, `reject length`, … */
const short = (verdict: Verdict): string =>
  verdict.outcome === 'ok' ? 'ok' : `${verdict.outcome} ${verdict.rule}`

const outcome = (update: Uint8Array, terms?: Terms): string => short(inspect(update, terms))

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values)
const char: Struct = { ref: 4, parent: 'text', content: contentOf.string('x') }
const from = (client: number, clock: number, ...structs: Struct[]) => ({ client, clock, structs })

/** A board on which Ada has written `hello` (clocks 0-4). */
function boardOfAda(): Y.Doc {
  const doc = new Y.Doc()
  doc.clientID = 4_000_000_000
  Y.applyUpdate(doc, writeUpdate([from(ada, 0, { ...char, content: contentOf.string('hello') })]))
  return doc
}

/** Whether an edit on this document still reaches others. */
function emits(doc: Y.Doc): boolean {
  let emitted = false
  doc.on('update', () => {
    emitted = true
  })
  try {
    doc.getMap('probe').set('key', 1)
  } catch {
    // It throws where an attack has left a transaction half done, which means no.
  }
  return emitted
}

const counts = suite('counts and lengths')

counts('a struct of length 0 silences a plain document, and is refused', () => {
  // One client (9) from clock 0: deleted content of no length in the root 'r'.
  const update = bytes(1, 1, 9, 0, 0x01, 1, 1, 0x72, 0, 0)
  const plain = boardOfAda()
  assert.throws(() => Y.applyUpdate(plain, update), /Unexpected case/)
  assert.not.ok(emits(plain))
  assert.is(outcome(update), 'reject length')
})

counts('every kind of struct is refused with length 0', () => {
  const empties: Struct[] = [
    { ref: 0, content: 0 },
    { ref: 10, content: 0 },
    { ref: 1, parent: 'r', content: 0 },
    { ref: 2, parent: 'r', content: bytes(0) },
    { ref: 4, parent: 'r', content: bytes(0) },
    { ref: 8, parent: 'r', content: bytes(0) },
  ]
  for (const struct of empties)
    assert.is(outcome(writeUpdate([from(mallory, 0, struct)])), 'reject length', `content ${struct.ref}`)
})

counts('33 million structs announced in 7 bytes are refused before anything of that size is made', () => {
  const update = bytes(1, 0xff, 0xff, 0xff, 0x0f, 9, 0)
  assert.is(outcome(update), 'reject count')
})

counts('clients, delete ranges and array elements that there are no bytes for are refused', () => {
  assert.is(outcome(bytes(0xff, 0xff, 0xff, 0x0f)), 'reject count')
  assert.is(outcome(bytes(0, 0xff, 0xff, 0xff, 0x0f)), 'reject count')
  assert.is(outcome(bytes(0, 1, 9, 0xff, 0xff, 0xff, 0x0f, 0, 1)), 'reject count')
  const array: Struct = { ref: 8, parent: 'r', content: bytes(1, 117, 0xff, 0xff, 0xff, 0x0f) }
  assert.is(outcome(writeUpdate([from(mallory, 0, array)])), 'reject count')
  const any: Struct = { ref: 8, parent: 'r', content: bytes(0xff, 0xff, 0xff, 0x0f) }
  assert.is(outcome(writeUpdate([from(mallory, 0, any)])), 'reject count')
})

counts('a GC of 2^53-1 clocks, and clocks above 2^31-1 in all places, are refused', () => {
  assert.is(outcome(writeUpdate([from(mallory, 0, { ref: 0, content: 2 ** 53 - 1 })])), 'reject clock')
  assert.is(outcome(writeUpdate([from(mallory, 2 ** 31 - 1, char)])), 'reject clock')
  assert.is(outcome(writeUpdate([], [{ client: ada, ranges: [[2 ** 31, 1]] }])), 'reject clock')
  const origin: Struct = { ...char, origin: { client: ada, clock: 2 ** 31 } }
  assert.is(outcome(writeUpdate([from(mallory, 0, origin)])), 'reject clock')
})

counts('more than 16 Mi deleted clocks in one update are refused, whether GC or deleted content', () => {
  const half = 8 * 1024 * 1024
  const gc: Struct = { ref: 0, content: half }
  const deleted: Struct = { ref: 1, parent: 'r', content: half }
  assert.is(outcome(writeUpdate([from(mallory, 0, gc, deleted)])), 'ok')
  assert.is(
    outcome(writeUpdate([from(mallory, 0, gc, deleted, { ref: 0, content: 1 })])),
    'reject deleted_clocks',
  )
})

counts('a client listed twice, or without structs, is refused', () => {
  assert.is(outcome(writeUpdate([from(mallory, 0, char), from(mallory, 1, char)])), 'reject client_twice')
  assert.is(outcome(bytes(1, 0, 9, 0, 0, 0)), 'reject no_structs')
})

counts('a number of more than 53 bits or without end is refused', () => {
  assert.is(outcome(bytes(...new Array(20).fill(0x80), 0)), 'reject varint')
  assert.is(outcome(bytes(1, 1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f, 0, 0, 1, 0)), 'reject varint')
})

counts('each truncation of an update is refused, also where the shared buffer goes on behind it', () => {
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
  const shared = Uint8Array.of(5, 65, 65, 65, 65, 65, 65) // a text of five, the last two of which are a neighbour's
  for (const read of [
    (reader: UpdateReader) => reader.skip(6),
    (reader: UpdateReader) => reader.skip(2 ** 50),
    (reader: UpdateReader) => reader.skipString(),
    (reader: UpdateReader) => reader.skipKey(100),
  ]) {
    const reader = new UpdateReader(shared.subarray(0, 5))
    assert.throws(
      () => read(reader),
      (error: unknown) => error instanceof Refused && error.rule === 'truncated',
    )
    assert.ok(reader.position <= 5)
  }
})

counts('bytes behind the end are refused', () => {
  assert.is(outcome(bytes(0, 0, 0)), 'reject trailing_bytes')
})

counts.run()

const contents = suite('contents')

const content = (struct: Struct, terms?: Terms): string =>
  outcome(writeUpdate([from(mallory, 0, struct)]), terms)
const inRoot = (ref: number, of: Uint8Array, key?: string): string =>
  content({ ref, parent: 'r', content: of, key })

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

contents('values nested 64 deep pass, deeper ones are refused, as arrays, objects and JSON', () => {
  const arrays = (depth: number) => bytes(1, ...new Array(depth).fill([117, 1]).flat(), 126)
  const objects = (depth: number) => bytes(1, ...new Array(depth).fill([118, 1, 1, 0x61]).flat(), 126)
  const json = (depth: number) => contentOf.string('['.repeat(depth) + ']'.repeat(depth))
  assert.is(inRoot(8, arrays(64)), 'ok')
  assert.is(inRoot(8, arrays(65)), 'reject nesting')
  assert.is(inRoot(8, objects(65)), 'reject nesting')
  assert.is(inRoot(5, json(64)), 'ok')
  assert.is(inRoot(5, json(65)), 'reject nesting')
  assert.is(inRoot(5, contentOf.string(`"${'['.repeat(70)}\\""`)), 'ok', 'brackets in strings do not nest')
})

contents('a value nested two million deep overflows the stack of a plain document, and is refused', () => {
  const deep = new Uint8Array(4_000_001)
  for (let i = 0; i < 2_000_000; i++) deep.set([117, 1], i * 2)
  deep[4_000_000] = 126
  const update = writeUpdate([
    from(mallory, 0, { ref: 8, parent: 'r', content: Uint8Array.from([1, ...deep]) }),
  ])
  assert.throws(() => Y.applyUpdate(new Y.Doc(), update), /call stack/)
  assert.is(outcome(update), 'reject nesting')
})

contents('JSON that does not parse is refused in embeds, formats and old arrays', () => {
  assert.is(inRoot(5, contentOf.string('{')), 'reject json')
  assert.is(inRoot(5, contentOf.string('undefined')), 'reject json')
  assert.is(inRoot(6, contentOf.format('bold', '')), 'reject json')
  assert.is(inRoot(2, contentOf.json('1', 'nope')), 'reject json')
  assert.is(inRoot(2, contentOf.json('1', 'undefined')), 'ok')
})

contents('the key __proto__ is refused wherever keys are, also in escapes, and allowed as text', () => {
  assert.is(inRoot(8, contentOf.any(1), '__proto__'), 'reject key')
  assert.is(content({ ref: 4, parent: '__proto__', content: contentOf.string('x') }), 'reject key')
  assert.is(inRoot(8, bytes(1, 118, 1, 9, ...Buffer.from('__proto__'), 126)), 'reject key')
  assert.is(inRoot(5, contentOf.string('{"a":[{"__proto__":1}]}')), 'reject key')
  assert.is(inRoot(5, contentOf.string('{"\\u005f_proto__":1}')), 'reject key')
  assert.is(inRoot(5, contentOf.string('{"_\\u005fproto__":1}')), 'reject key')
  assert.is(inRoot(6, contentOf.format('__proto__', '1')), 'reject key')
  assert.is(inRoot(4, contentOf.string('__proto__')), 'ok')
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

contents('map keys of 1,024 bytes pass, longer ones are refused', () => {
  assert.is(inRoot(8, contentOf.any(1), 'k'.repeat(1024)), 'ok')
  assert.is(inRoot(8, contentOf.any(1), 'k'.repeat(1025)), 'reject key')
})

contents(
  'a map entry of several clocks would outlive its map in halves, and is refused unless it comes deleted',
  () => {
    const many: Struct = { ref: 8, parent: 'm', key: 'k', content: contentOf.any(1, 2) }
    assert.is(content(many), 'reject map_entry')
    // Behind a neighbour the key is the neighbour's, whatever the bits say.
    const entry: Struct = { ref: 8, parent: 'm', key: 'k', content: contentOf.any(1) }
    const behind: Struct = { ref: 4, origin: { client: mallory, clock: 0 }, content: contentOf.string('ab') }
    assert.is(outcome(writeUpdate([from(mallory, 0, entry, behind)])), 'reject map_entry')
    const doc = new Y.Doc()
    Y.applyUpdate(doc, writeUpdate([from(mallory, 0, entry)]))
    assert.is(outcome(writeUpdate([from(mallory, 1, behind)]), { doc }), 'reject map_entry')
    // Undo managers keep deleted values, which merge; they come with their deletion.
    const all = (clock: number, length: number) => [{ client: mallory, ranges: [[clock, length] as const] }]
    assert.is(outcome(writeUpdate([from(mallory, 0, many)], all(0, 2))), 'ok')
    assert.is(outcome(writeUpdate([from(mallory, 0, many)], all(0, 1))), 'reject map_entry')
    assert.is(outcome(writeUpdate([from(mallory, 0, entry, behind)], all(1, 2))), 'ok')
  },
)

contents.run()

const roots = suite('roots and nesting')

const inRoots = (names: string[]): Uint8Array =>
  writeUpdate([from(mallory, 0, ...names.map((name) => ({ ...char, parent: name })))])
const names = (count: number, prefix = 'r'): string[] =>
  Array.from({ length: count }, (_, i) => `${prefix}${i}`)

roots('a plain document keeps the root names of an update that breaks off; here none is made', () => {
  const update = inRoots(names(50)).subarray(0, 300)
  const plain = new Y.Doc()
  try {
    Y.applyUpdate(plain, update)
  } catch {
    // It breaks off in a string; the roots stay.
  }
  assert.ok(plain.share.size > 30)
  const doc = new Y.Doc()
  assert.is(inspect(update, { doc }).outcome, 'reject')
  assert.is(doc.share.size, 0)
})

roots('8 new root names in an update and 256 on a board pass, more are refused', () => {
  assert.is(outcome(inRoots(names(8))), 'ok')
  assert.is(outcome(inRoots(names(9))), 'reject roots')
  const doc = new Y.Doc()
  for (const name of names(255)) doc.get(name)
  assert.is(outcome(inRoots(['r0', 'one']), { doc }), 'ok')
  assert.is(outcome(inRoots(['one', 'two']), { doc }), 'reject roots')
})

roots('a root name of 128 bytes passes, a longer one is refused', () => {
  assert.is(outcome(inRoots(['n'.repeat(128)])), 'ok')
  assert.is(outcome(inRoots(['n'.repeat(129)])), 'reject root_name')
})

const nested = (depth: number): Struct[] =>
  Array.from({ length: depth }, (_, i) => ({
    ref: 7,
    parent: i === 0 ? 'map' : { client: mallory, clock: i - 1 },
    key: 'k',
    content: contentOf.type(1),
  }))

roots('types nested 5,000 deep freeze a plain document when they are deleted, and are refused', () => {
  const plain = new Y.Doc()
  Y.applyUpdate(plain, writeUpdate([from(mallory, 0, ...nested(12_000))]))
  assert.throws(
    () => Y.applyUpdate(plain, writeUpdate([], [{ client: mallory, ranges: [[0, 1]] }])),
    /call stack/,
  )
  assert.is(outcome(writeUpdate([from(mallory, 0, ...nested(5000))])), 'reject type_nesting')
})

roots(
  'types nested 100 deep pass, 101 are refused: in one update, over several, and behind neighbours',
  () => {
    assert.is(outcome(writeUpdate([from(mallory, 0, ...nested(100))])), 'ok')
    assert.is(outcome(writeUpdate([from(mallory, 0, ...nested(101))])), 'reject type_nesting')
    const doc = new Y.Doc()
    Y.applyUpdate(doc, writeUpdate([from(mallory, 0, ...nested(99))]))
    const inside: Struct = { ref: 7, parent: { client: mallory, clock: 98 }, content: contentOf.type(0) }
    assert.is(outcome(writeUpdate([from(mallory, 99, inside)]), { doc }), 'ok')
    Y.applyUpdate(doc, writeUpdate([from(mallory, 99, inside)]))
    const below: Struct = { ref: 7, parent: { client: mallory, clock: 99 }, content: contentOf.type(0) }
    assert.is(outcome(writeUpdate([from(mallory, 100, below)]), { doc }), 'reject type_nesting')
    const letter: Struct = { ...char, parent: { client: mallory, clock: 99 } }
    const beside: Struct = { ref: 7, origin: { client: mallory, clock: 100 }, content: contentOf.type(0) }
    assert.is(outcome(writeUpdate([from(mallory, 100, letter)]), { doc }), 'ok')
    assert.is(outcome(writeUpdate([from(mallory, 100, letter, beside)]), { doc }), 'reject type_nesting')
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

const order = suite('order and dependencies')

order('origins and parents in the own future throw in a plain document, and are refused', () => {
  const self = { client: mallory, clock: 0 }
  const later = { client: mallory, clock: 5 }
  for (const struct of [
    { ...char, origin: self },
    { ...char, origin: later },
    { ...char, rightOrigin: later },
    { ...char, parent: later },
  ]) {
    const update = writeUpdate([from(mallory, 0, struct, char)])
    assert.throws(() => Y.applyUpdate(new Y.Doc(), update))
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

order('a gap, also one that a skip stands for, asks for a sync', () => {
  assert.is(outcome(writeUpdate([from(mallory, 3, char)])), 'resync gap')
  assert.is(outcome(writeUpdate([from(mallory, 0, char, { ref: 10, content: 2 }, char)])), 'resync gap')
  const doc = boardOfAda()
  assert.is(
    outcome(writeUpdate([from(ada, 2, { ref: 10, content: 3 }, char)]), { doc }),
    'ok',
    'known clocks skipped',
  )
})

order('an origin or a parent that the board lacks asks for a sync, also for known structs', () => {
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

order(
  "a delete set for an editor's future clocks makes a plain document swallow the next edit; it asks for a sync",
  () => {
    const update = writeUpdate([], [{ client: ada, ranges: [[5, 100]] }])
    const next = writeUpdate([from(ada, 5, { ...char, origin: { client: ada, clock: 4 } })])
    const plain = boardOfAda()
    Y.applyUpdate(plain, update)
    Y.applyUpdate(plain, next)
    assert.is(plain.getText('text').toString(), 'hello')
    const doc = boardOfAda()
    assert.is(outcome(update, { doc }), 'resync unknown_delete')
    assert.is(outcome(writeUpdate([], [{ client: ada, ranges: [[3, 3]] }]), { doc }), 'resync unknown_delete')
    assert.is(outcome(writeUpdate([], [{ client: ada, ranges: [[3, 2]] }]), { doc }), 'ok')
  },
)

order('a delete range of clocks that the same update brings passes', () => {
  assert.is(outcome(writeUpdate([from(mallory, 0, char)], [{ client: mallory, ranges: [[0, 1]] }])), 'ok')
})

order('a delete range of length 0 is refused', () => {
  assert.is(
    outcome(writeUpdate([], [{ client: ada, ranges: [[1, 0]] }]), { doc: boardOfAda() }),
    'reject length',
  )
})

order('malformed bytes are refused even where the update has a gap', () => {
  assert.is(
    outcome(writeUpdate([from(mallory, 3, char, { ...char, content: bytes(1, 0xff) })])),
    'reject utf8',
  )
})

order('known clocks that go on under another parent are refused, under their own they pass', () => {
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

order('many letters before many siblings take plain Yjs seconds, and are refused', () => {
  const doc = new Y.Doc()
  const backwards = Array.from({ length: 2000 }, (_, i) =>
    i === 0 ? char : { ...char, rightOrigin: { client: mallory, clock: i - 1 } },
  )
  const list = writeUpdate([from(mallory, 0, ...backwards)])
  const limits = { maxConflictStepsPerUpdate: 10_000 }
  assert.is(outcome(list, { limits }), 'ok', 'a list that is built backwards costs nothing')
  Y.applyUpdate(doc, list)
  const crowd = (letters: number) =>
    writeUpdate([
      from(
        5,
        0,
        ...Array.from({ length: letters }, (_, i) => ({
          ...char,
          rightOrigin: { client: mallory, clock: i },
        })),
      ),
    ])
  assert.is(outcome(crowd(4), { doc, limits }), 'ok')
  assert.is(outcome(crowd(6), { doc, limits }), 'reject conflicts')
  const next = writeUpdate([from(mallory, 2000, { ...char, rightOrigin: { client: mallory, clock: 1999 } })])
  assert.is(
    outcome(next, { doc, limits: { maxConflictStepsPerUpdate: 0 } }),
    'ok',
    'the next one in order too',
  )
})

order('a crowd that comes in one update is tried on a copy, and refused where it takes too long', () => {
  // The larger client id is integrated first: the crowd comes when all siblings are there. 20 s in plain Yjs.
  const backwards = Array.from({ length: 20_000 }, (_, i) =>
    i === 0 ? char : { ...char, rightOrigin: { client: 9, clock: i - 1 } },
  )
  const crowd = Array.from({ length: 1500 }, (_, i) => ({ ...char, rightOrigin: { client: 9, clock: i } }))
  const begun = spentMs()
  assert.is(outcome(writeUpdate([from(9, 0, ...backwards), from(5, 0, ...crowd)])), 'reject conflicts')
  assert.ok(spentMs() - begun < 4000, 'it takes long to find out')
  assert.is(outcome(writeUpdate([from(9, 0, ...backwards)])), 'ok', 'a list built backwards is no crowd')
})

order('the copy that a crowd is tried on leaves Yjs as it was', () => {
  const { integrate } = Y.Item.prototype
  outcome(writeUpdate(Array.from({ length: 250 }, (_, i) => from(1000 + i, 0, ...Array(60).fill(char)))))
  assert.is(Y.Item.prototype.integrate, integrate)
})

order('cuts through long lists of values are counted, on the board and in the same update', () => {
  const values = { ref: 8, parent: 'list', content: contentOf.any(...Array(40_000).fill(null)) }
  const list = writeUpdate([from(mallory, 0, values)])
  const ranges = Array.from({ length: 20_000 }, (_, i) => [i * 2, 1] as const)
  const everyOther = [{ client: mallory, ranges }]
  const doc = new Y.Doc()
  Y.applyUpdate(doc, list)
  assert.is(outcome(writeUpdate([], everyOther), { doc }), 'reject splits')
  assert.is(outcome(writeUpdate([from(mallory, 0, values)], everyOther)), 'reject splits')
  const between = Array.from({ length: 2000 }, (_, i) => ({
    ...char,
    origin: { client: mallory, clock: i * 2 },
    rightOrigin: { client: mallory, clock: i * 2 + 1 },
  }))
  assert.is(outcome(writeUpdate([from(5, 0, ...between)]), { doc }), 'reject splits')
  assert.is(outcome(writeUpdate([], [{ client: mallory, ranges: ranges.slice(0, 100) }]), { doc }), 'ok')
  assert.is(outcome(writeUpdate([], [{ client: mallory, ranges: [[0, 40_000]] }]), { doc }), 'ok')
})

order('structs that cuts move are counted: a text taken apart from its end takes plain Yjs long', () => {
  const text = { ...char, content: contentOf.string('x'.repeat(20_000)) }
  const inserts = Array.from({ length: 5000 }, (_, i) => ({
    ...char,
    origin: { client: mallory, clock: i * 2 },
    rightOrigin: { client: mallory, clock: i * 2 + 1 },
  }))
  const base = from(mallory, 0, text)
  const limits = { maxMovedStructsPerUpdate: 1_000_000 }
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
  const doc = new Y.Doc()
  Y.applyUpdate(
    doc,
    writeUpdate([from(mallory, 0, { ...char, content: contentOf.string('x'.repeat(10_000)) })]),
  )
  const backwards = (count: number) => Array.from({ length: count }, (_, i) => [(count - i) * 2, 1] as const)
  assert.is(outcome(writeUpdate([], [{ client: mallory, ranges: backwards(1001) }]), { doc }), 'ok')
  assert.is(
    outcome(writeUpdate([], [{ client: mallory, ranges: backwards(1002) }]), { doc }),
    'reject delete_order',
  )
})

order('an update holds so many structs; more are for imports', () => {
  const limits = { maxStructsPerUpdate: 3 }
  assert.is(outcome(writeUpdate([from(5, 0, char, char), from(6, 0, char)]), { limits }), 'ok')
  assert.is(
    outcome(writeUpdate([from(5, 0, char, char), from(6, 0, char, char)]), { limits }),
    'reject structs',
  )
})

order.run()

const ids = suite('client ids')

ids('the rule is asked once a client that gains clocks, with the clock where it goes on', () => {
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

ids('256 new ids in an update pass, more are refused', () => {
  const crowd = (count: number) =>
    writeUpdate(Array.from({ length: count }, (_, i) => from(100 + i, 0, char)))
  assert.is(outcome(crowd(256)), 'ok')
  assert.is(outcome(crowd(257)), 'reject new_clients')
})

ids.run()

const effects = suite('effects')

effects('what is known and deleted already is empty', () => {
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
  assert.ok(emits(doc))
})

effects.run()

const vectors = suite('state vectors')

vectors('are read whole, and nothing else', () => {
  const doc = boardOfAda()
  const reading = readStateVector(Y.encodeStateVector(doc))
  assert.equal(reading, { outcome: 'ok', clocks: new Map([[ada, 5]]) })
})

vectors('with entries that have no bytes, too many, duplicates, huge clocks or a tail are refused', () => {
  const rule = (vector: Uint8Array): string => {
    const reading = readStateVector(vector)
    return reading.outcome === 'ok' ? 'ok' : reading.rule
  }
  assert.is(rule(bytes(0)), 'ok')
  assert.is(rule(bytes()), 'truncated')
  assert.is(rule(bytes(0xff, 0xff, 0xff, 0x0f)), 'count')
  assert.is(rule(Uint8Array.from([0xc0, 0x84, 0x3d, ...new Uint8Array(2_100_000)])), 'count')
  assert.is(rule(bytes(2, 1, 1, 1, 2)), 'client_twice')
  assert.is(rule(bytes(1, 1, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f)), 'clock')
  assert.is(rule(bytes(1, 1, 1, 0)), 'trailing_bytes')
})

vectors.run()
