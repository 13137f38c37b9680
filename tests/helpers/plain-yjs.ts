// A thread that applies updates to plain documents and says whether the documents still work. It is called by
// harmless.ts, and contains no server code.
import { workerData } from 'node:worker_threads'
import * as Y from 'yjs'
import { harmTo } from './harm.ts'
import type { PlainYjsData, Trial } from './harmless.ts'

/** An error thrown by Yjs is a valid answer; what counts is the state of the document afterwards. */
function isRefusedOrdinarily(act: () => unknown): boolean {
  try {
    act()
    return true
  } catch (error) {
    return !(error instanceof RangeError && /call stack/i.test(error.message))
  }
}

function harmOf({ kind, input, before }: Trial): string | null {
  const doc = new Y.Doc()
  doc.clientID = 4_000_000_001
  for (const update of before) Y.applyUpdate(doc, update)
  const writers = [...doc.store.clients.keys()]
  const isFine = isRefusedOrdinarily(() =>
    kind === 'update' ? Y.applyUpdate(doc, input) : Y.encodeStateAsUpdate(doc, input),
  )
  return isFine ? harmTo(doc, writers) : 'takes the whole stack'
}

const { port, answers } = workerData as PlainYjsData
const answer = (harm: string | null): void => {
  port.postMessage({ harm })
  Atomics.store(answers, 0, 1)
  Atomics.notify(answers, 0)
}
port.on('message', (trial: Trial) => answer(harmOf(trial)))
answer(null)
