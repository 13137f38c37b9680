// The contract of every UpdateLog: rooms are tested with one in memory and run with Postgres.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import * as Y from 'yjs'
import type { UpdateLog } from '../../server/rooms/ports.ts'
import { documentFrom, updateOf } from './storage.ts'

export interface LogUnderTest {
  log: UpdateLog
  /** An empty board that the log knows. */
  newBoard(): Promise<string>
}

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')

export function updateLogContract(
  name: string,
  withLog: (work: (test: LogUnderTest) => Promise<void>) => Promise<void>,
): void {
  const contract = suite(`an update log: ${name}`)

  contract('has nothing of a new board', () =>
    withLog(async ({ log, newBoard }) => {
      const board = await newBoard()
      assert.equal(await log.load(board), { snapshot: null, updates: [], authors: [] })
      assert.is(log.failingSince, null)
    }),
  )

  contract('gives back what was appended in its order, each board its own', () =>
    withLog(async ({ log, newBoard }) => {
      const [one, other] = [await newBoard(), await newBoard()]
      const doc = new Y.Doc()
      const updates = [1, 2, 3].map((value) => updateOf(doc, () => doc.getMap('m').set(`k${value}`, value)))
      await Promise.all(updates.map((update) => log.append(one, update, [])))
      const stored = await log.load(one)
      assert.equal(stored.updates.map(hex), updates.map(hex))
      assert.equal(documentFrom(stored).getMap('m').toJSON(), { k1: 1, k2: 2, k3: 3 })
      assert.equal((await log.load(other)).updates, [])
    }),
  )

  contract('has what was appended once the append resolves, and not a part of it', () =>
    withLog(async ({ log, newBoard }) => {
      const board = await newBoard()
      const doc = new Y.Doc()
      for (let at = 1; at <= 5; at++) {
        const update = updateOf(doc, () => doc.getArray('a').push([at]))
        await log.append(board, update, [{ clientId: doc.clientID, principal: 'user:7' }])
        const stored = await log.load(board)
        assert.is(stored.updates.length, at)
        assert.is(documentFrom(stored).getArray('a').length, at)
      }
    }),
  )

  contract('knows each author once, with the last word on whose a client id is and what was relayed', () =>
    withLog(async ({ log, newBoard }) => {
      const board = await newBoard()
      const doc = new Y.Doc()
      const update = updateOf(doc, () => doc.getMap('m').set('a', 1))
      const relays = [{ by: 'user:8', fromClock: 0, toClock: 3 }]
      await log.append(board, update, [
        { clientId: 4_294_967_295, principal: 'user:7' },
        { clientId: 12, principal: 'guest:ä' },
      ])
      await log.append(board, update, [{ clientId: 12, principal: 'user:9', relays }])
      assert.equal((await log.load(board)).authors, [
        { clientId: 12, principal: 'user:9', relays },
        { clientId: 4_294_967_295, principal: 'user:7' },
      ])
    }),
  )

  contract('lets the caller change what it loaded', () =>
    withLog(async ({ log, newBoard }) => {
      const board = await newBoard()
      const doc = new Y.Doc()
      await log.append(
        board,
        updateOf(doc, () => doc.getMap('m').set('a', 1)),
        [],
      )
      const stored = await log.load(board)
      stored.updates.length = 0
      stored.authors.push({ clientId: 1, principal: 'user:1' })
      const again = await log.load(board)
      assert.is(again.updates.length, 1)
      assert.equal(again.authors, [])
    }),
  )

  contract('has nothing unsaved once everything resolved', () =>
    withLog(async ({ log, newBoard }) => {
      const board = await newBoard()
      const doc = new Y.Doc()
      const update = updateOf(doc, () => doc.getMap('m').set('a', 1))
      const appended = log.append(board, update, [])
      await appended
      assert.is(log.unsavedBytes(board), 0)
      assert.is(log.totalUnsavedBytes, 0)
      log.idle(board)
      assert.is((await log.load(board)).updates.length, 1)
    }),
  )

  contract.run()
}
