// Imports as the document thread does them.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import * as Y from 'yjs'
import { work } from '../../server/documents/fold-worker.ts'
import { leastBytesOf } from '../../server/documents/least-size.ts'

const importing = suite('importing')

for (const name of ['importUpdate', 'importJson', 'importScene'] as const) {
  const asking = (error: Error) => () =>
    work[name]({
      get current(): Uint8Array {
        throw error
      },
    } as never)

  importing(`${name}: content that takes the whole stack is refused, and other errors are ours`, () => {
    // Instead of content that is really so deep: the engine's error.
    assert.equal(asking(new RangeError('Maximum call stack size exceeded'))(), {
      outcome: 'refused',
      message: 'the content is nested too deeply',
    })
    assert.throws(asking(new Error('ours')), /ours/)
  })
}

const limits = { maxNewClientsPerUpdate: 10, maxBoardBytes: 64 * 1024 * 1024 }
const empty = Y.encodeStateAsUpdate(new Y.Doc())
const drawing = (count: number) =>
  Buffer.from(
    JSON.stringify({
      type: 'excalidraw',
      elements: Array.from({ length: count }, (_, at) => ({
        ...{ id: `e${at}`, type: 'rectangle', x: at * 10, y: 0, width: 5, height: 5 },
      })),
    }),
  )

importing('a drawing of many elements is one edit, however many structs that makes', () => {
  const made = work.importScene({ current: empty, body: drawing(12_000), replace: false, limits })
  assert.is(made.outcome, 'ok')
  assert.is(made.outcome === 'ok' && made.elements, 12_000)
})

importing('a drawing that is too large for a board is refused before a document is built from it', () => {
  const small = { ...limits, maxBoardBytes: 10_000 }
  const made = work.importScene({ current: empty, body: drawing(1000), replace: false, limits: small })
  assert.is(made.outcome, 'too_large')
  assert.ok(made.outcome === 'too_large' && made.bytes >= 64_000, 'what it would have at the least is said')
})

importing('the document size of many small elements is estimated in advance, and never overestimated', () => {
  const made = work.importScene({ current: empty, body: drawing(2000), replace: false, limits })
  assert.is(made.outcome, 'ok')
  const update = made.outcome === 'ok' ? made.update : null
  assert.ok(update)
  const doc = new Y.Doc()
  Y.applyUpdate(doc, update)
  const maps = [...doc.getMap<Y.Map<unknown>>('elements')].map(([id, map]) => [id, map.toJSON()] as const)
  const told = leastBytesOf('elements', maps, update.length)
  assert.ok(told <= update.length && told > 0.95 * update.length, `${told} for ${update.length}`)
  assert.ok(leastBytesOf('elements', maps, 1000) > 0.8 * update.length, 'the rest is projected')
})

importing('a drawing of more elements than bytes for them is refused without reading them', () => {
  const body = Buffer.from(JSON.stringify({ type: 'excalidraw', elements: Array(1000).fill({}) }))
  const small = { ...limits, maxBoardBytes: 20_000 }
  assert.equal(work.importScene({ current: empty, body, replace: false, limits: small }), {
    outcome: 'too_large',
    bytes: 64_000,
  })
  const deleted = Buffer.from(
    JSON.stringify({ type: 'excalidraw', elements: Array(1000).fill({ isDeleted: true }) }),
  )
  const made = work.importScene({ current: empty, body: deleted, replace: false, limits: small })
  assert.is(made.outcome, 'ok', 'deleted ones take nothing')
})

importing(
  'roots as JSON that are too large for a board are refused before a document is built from them',
  () => {
    const roots = {
      notes: Object.fromEntries(Array.from({ length: 1000 }, (_, at) => [`n${at}`, { x: at }])),
    }
    const body = Buffer.from(JSON.stringify(roots))
    const small = { ...limits, maxBoardBytes: 20_000 }
    const made = work.importJson({ current: empty, body, replace: false, limits: small })
    assert.is(made.outcome, 'too_large')
  },
)

importing.run()
