// Imports as the document's thread does them.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import * as Y from 'yjs'
import { work } from '../../server/documents/fold-worker.ts'

const importing = suite('importing')

for (const name of ['importUpdate', 'importJson', 'importScene'] as const) {
  const asking = (error: Error) => () =>
    work[name]({
      get current(): Uint8Array {
        throw error
      },
    } as never)

  importing(`${name}: content that takes the whole stack is refused, and other errors are ours`, () => {
    // In place of content that is so deep: what the engine says then.
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

importing('a drawing that is too large for a board is refused before a document is made of it', () => {
  const small = { ...limits, maxBoardBytes: 10_000 }
  const made = work.importScene({ current: empty, body: drawing(1000), replace: false, limits: small })
  assert.is(made.outcome, 'too_large')
  assert.ok(made.outcome === 'too_large' && made.bytes > 100_000, 'what it would have is said')
})

importing.run()
