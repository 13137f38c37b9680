// The thread for slow work on documents: a problem with one request affects only its requester.
import { rejects } from 'node:assert/strict'
import { pino } from 'pino'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import * as Y from 'yjs'
import { DocumentWorker, type DocumentWorkerOptions } from '../../server/documents/document-worker.ts'
import { spentMs } from '../helpers/effort.ts'
import { updateOf } from '../helpers/storage.ts'

const withWorker = async (
  work: (worker: DocumentWorker) => Promise<void>,
  options: Partial<DocumentWorkerOptions> = {},
): Promise<void> => {
  const worker = new DocumentWorker({ log: pino({ level: 'silent' }), ...options })
  try {
    await work(worker)
  } finally {
    await worker.close()
  }
}

const stateWith = (key: string): Uint8Array => {
  const doc = new Y.Doc()
  doc.getMap('m').set(key, 1)
  return Y.encodeStateAsUpdate(doc)
}

const threading = suite('the document worker')

threading('leaves the bytes of a request with the caller', () =>
  withWorker(async (worker) => {
    const state = stateWith('a')
    const copy = Uint8Array.from(state)
    const packed = await worker.run('pack', { state })
    assert.equal(state, copy)
    assert.equal(Uint8Array.from(await worker.run('unpack', { packed })), copy)
  }),
)

threading('answers the next request after one that failed', () =>
  withWorker(async (worker) => {
    const broken = worker.run('json', { state: Uint8Array.of(1, 5, 1, 0, 200) })
    const sound = worker.run('json', { state: stateWith('b') })
    await rejects(broken)
    assert.is(Buffer.from(await sound).toString(), '{"m":{"b":1}}')
  }),
)

threading('is replaced when it hangs, and only the caller gets an error', () =>
  withWorker(
    async (worker) => {
      // Texts with nothing in common, one after the other: many times longer than the time limit.
      const textsOf = (characters: string) => {
        const doc = new Y.Doc()
        const texts = Array.from({ length: 4000 }, () => new Y.Text(characters.repeat(280)))
        doc.getArray('a').push(texts)
        return Y.encodeStateAsUpdate(doc)
      }
      const slow = worker.run('difference', { current: textsOf('abcdefghi'), target: textsOf('ABCDEFGHI') })
      const next = worker.run('json', { state: stateWith('c') })
      await rejects(slow, /no result within/)
      assert.is(Buffer.from(await next).toString(), '{"m":{"c":1}}')
    },
    // Long enough for a new thread to start and answer, even on a busy machine.
    { timeoutMs: 2500 },
  ),
)

threading('refuses more requests than may wait, and all when it is closed', () =>
  withWorker(
    async (worker) => {
      const asked = Array.from({ length: 5 }, () => worker.run('json', { state: stateWith('d') }))
      const outcomes = await Promise.allSettled(asked)
      assert.equal(
        outcomes.map(({ status }) => status),
        ['fulfilled', 'fulfilled', 'fulfilled', 'rejected', 'rejected'],
      )
      assert.is(outcomes[4]?.status === 'rejected' && outcomes[4].reason.code, 'too_many_requests')
      const late = rejects(worker.run('json', { state: stateWith('e') }), { code: 'closing' })
      await worker.close()
      await late
      await rejects(worker.run('json', { state: stateWith('f') }), { code: 'closing' })
    },
    { maxWaiting: 2 },
  ),
)

threading('folds twenty thousand small edits of one client in a moment', () =>
  withWorker(async (worker) => {
    const doc = new Y.Doc()
    const updates: Uint8Array[] = []
    doc.on('update', (update) => updates.push(update))
    for (let at = 0; at < 20_000; at++) doc.getArray('a').push([at])
    const started = spentMs()
    const { state, keptBack } = await worker.run('fold', {
      snapshot: null,
      updates,
      times: [],
      withVersion: false,
    })
    const ms = spentMs() - started
    assert.ok(ms < 5000, `${ms} ms`)
    assert.equal(keptBack, [])
    const copy = new Y.Doc()
    Y.applyUpdate(copy, state)
    assert.is(copy.getArray('a').length, 20_000)
    assert.ok(updateOf(copy, () => copy.getArray('a').push([1])).length > 0)
  }),
)

threading.run()
