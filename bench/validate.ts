// The cost of validating an update compared with applying it, and the most expensive updates that pass:
//   npm run build:server && node dist/bench/validate.js
import * as Y from 'yjs'
import { validateUpdate } from '../server/documents/validate/validate.ts'
import { defaultValidationLimits } from '../server/documents/validate/verdict.ts'
import { contentOf, type Struct, writeUpdate } from '../tests/helpers/update-writer.ts'

const inspect = (update: Uint8Array, doc: Y.Doc) =>
  validateUpdate(update, doc, () => 'ok', defaultValidationLimits)

const median = (times: number[]): number => times.sort((a, b) => a - b)[times.length >> 1] ?? 0

/** Consecutive small updates: validated and applied in batches, because a clock cannot resolve a single one. */
function smallEdits(): void {
  const source = new Y.Doc()
  const elements = source.getMap<Y.Map<unknown>>('elements')
  for (let i = 0; i < 2000; i++) elements.set(`element-${i}`, new Y.Map([['geo', [i, 2, 3, 4]]]))
  const target = new Y.Doc()
  Y.applyUpdate(target, Y.encodeStateAsUpdate(source))
  const updates: Uint8Array[] = []
  source.on('update', (update: Uint8Array) => updates.push(update))
  for (let i = 0; i < 40_000; i++)
    if (i % 2 === 0) elements.get(`element-${i % 2000}`)?.set('geo', [i, 1.5, 20, 30])
    else source.getText('text').insert(i >> 1, 'x')
  const inspecting: number[] = []
  const applying: number[] = []
  const batch = 500
  for (let from = 0; from < updates.length; from += batch) {
    let begun = performance.now()
    // Against the state before the batch, all but the first have a gap; measured is the one that fits.
    const first = updates[from]!
    for (let i = 0; i < batch; i++) if (inspect(first, target).outcome !== 'ok') throw new Error('not ok')
    inspecting.push(((performance.now() - begun) / batch) * 1000)
    begun = performance.now()
    for (let i = from; i < from + batch; i++) Y.applyUpdate(target, updates[i]!)
    applying.push(((performance.now() - begun) / batch) * 1000)
  }
  console.log(
    `small edit: inspect ${median(inspecting).toFixed(2)} us, apply ${median(applying).toFixed(2)} us`,
  )
}

/** One update into a document created by `prepare`; the median of a few, with a single application. */
function one(name: string, update: Uint8Array, prepare: () => Y.Doc, rounds = 9): void {
  const doc = prepare()
  const times: number[] = []
  let outcome = ''
  for (let i = 0; i < rounds; i++) {
    const begun = performance.now()
    const verdict = inspect(update, doc)
    times.push(performance.now() - begun)
    outcome = verdict.outcome === 'ok' ? 'ok' : `${verdict.outcome} ${verdict.rule}`
  }
  let applied = 'not applied'
  if (outcome === 'ok') {
    const begun = performance.now()
    Y.applyUpdate(doc, update)
    applied = `apply ${(performance.now() - begun).toFixed(1)} ms`
  }
  const size = `${(update.length / 1024).toFixed(0)} KiB`
  console.log(`${name} (${size}): ${outcome}, inspect ${median(times).toFixed(2)} ms, ${applied}`)
}

const empty = () => new Y.Doc()

function text(letter: string): Uint8Array {
  const doc = new Y.Doc()
  doc.getText('text').insert(0, letter.repeat(2 ** 20 / Buffer.byteLength(letter)))
  return Y.encodeStateAsUpdate(doc)
}

function elements(count: number): Uint8Array {
  const doc = new Y.Doc()
  const map = doc.getMap<Y.Map<unknown>>('elements')
  doc.transact(() => {
    for (let i = 0; i < count; i++)
      map.set(
        `element-${i}`,
        new Y.Map<unknown>([
          ['geo', [i, 2.5, 300, 40, 0]],
          ['type', 'rectangle'],
          ['strokeColor', '#1e1e1e'],
          ['backgroundColor', 'transparent'],
          ['seed', 123456789],
        ]),
      )
  })
  return Y.encodeStateAsUpdate(doc)
}

const client = 9
const char = (place: Partial<Struct>): Struct => ({ ref: 4, content: contentOf.string('x'), ...place })

/** A text of one struct, and a delete set for every other letter of it. */
function alternateDeletes(letters: number): [Uint8Array, () => Y.Doc] {
  const whole = char({ parent: 'text', content: contentOf.string('x'.repeat(letters)) })
  const base = writeUpdate([{ client, clock: 0, structs: [whole] }])
  const ranges = Array.from({ length: letters >> 1 }, (_, i) => [i * 2, 1] as const)
  return [writeUpdate([], [{ client, ranges }]), () => loaded(base)]
}

/** A list built backwards, and letters at its front, each of which claims another right neighbour near its end. */
function crowdedFront(siblings: number, letters: number): [Uint8Array, () => Y.Doc] {
  const list = Array.from({ length: siblings }, (_, i) =>
    i === 0 ? char({ parent: 'text' }) : char({ rightOrigin: { client, clock: i - 1 } }),
  )
  const base = writeUpdate([{ client, clock: 0, structs: list }])
  const crowd = Array.from({ length: letters }, (_, i) => char({ rightOrigin: { client, clock: i } }))
  return [writeUpdate([{ client: 5, clock: 0, structs: crowd }]), () => loaded(base)]
}

function loaded(base: Uint8Array): Y.Doc {
  const doc = new Y.Doc()
  Y.applyUpdate(doc, base)
  return doc
}

const tiny = (count: number): Uint8Array =>
  writeUpdate([
    {
      client,
      clock: 0,
      structs: Array.from({ length: count }, (_, i) => char({ parent: 'text', key: String(i) })),
    },
  ])

smallEdits()
one('1 MiB of ASCII text', text('x'), empty)
one('1 MiB of Chinese text', text('漢'), empty)
one('5,000 elements', elements(5000), empty)
one('100,000 map entries', tiny(100_000), empty)
for (const letters of [500, 1000, 2000, 4000])
  one(`delete every other of ${letters} letters`, ...alternateDeletes(letters))
for (const letters of [25, 50, 100])
  one(`${letters} letters before 2,000 siblings`, ...crowdedFront(2000, letters))
