// Imports as the document's thread does them.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
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

importing.run()
