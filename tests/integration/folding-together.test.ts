// Boards that many people leave at once are folded together: the result for each is the same as folding it alone.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import * as Y from 'yjs'
import { unpack } from '../../server/documents/folding.ts'
import { foldTogether } from '../../server/storage/log/folding-together.ts'
import { eventually } from '../helpers/eventually.ts'
import { make } from '../helpers/factories.ts'
import { documentFrom, type TestStorage, updateOf, withStorage } from '../helpers/storage.ts'

const together = suite('folding many short logs together')

const old = new Date('2026-01-01T00:00:00Z')

/** Boards with a text each. */
async function drawnBoards(storage: TestStorage, count: number): Promise<string[]> {
  const boards: string[] = []
  for (let at = 0; at < count; at++) {
    const { id } = await make.board(storage.db, { updated_at: old })
    const doc = new Y.Doc()
    for (const part of ['type', 'text'])
      await storage.updateLog.append(
        id,
        updateOf(doc, () => doc.getMap('elements').set(part, new Y.Map([['text', `note ${at}`]]))),
        [],
      )
    boards.push(id)
  }
  return boards
}

const rowsOf = async ({ db }: TestStorage, board: string) =>
  (await db.selectFrom('board_updates').select('seq').where('board_id', '=', board).execute()).length

together('leaves for each a snapshot, a version, its texts, and the time of the change', () =>
  withStorage(async (storage) => {
    const boards = await drawnBoards(storage, 3)
    const done = await foldTogether(storage, boards)
    assert.equal([...done.keys()].sort(), [...boards].sort())
    for (const [at, board] of boards.entries()) {
      const stored = await storage.updateLog.load(board)
      assert.is(stored.updates.length, 0)
      assert.is(documentFrom(stored).getMap('elements').size, 2)
      const version = await storage.db
        .selectFrom('board_versions')
        .selectAll()
        .where('board_id', '=', board)
        .executeTakeFirstOrThrow()
      assert.is(version.reason, 'automatic')
      const copy = documentFrom({ snapshot: unpack(version.state), updates: [] })
      assert.is(copy.getMap('elements').size, 2)
      const { text_key } = await storage.db
        .selectFrom('board_search')
        .select('text_key')
        .where('board_id', '=', board)
        .executeTakeFirstOrThrow()
      assert.is(text_key, `note ${at} note ${at}`)
      const { updated_at } = await storage.db
        .selectFrom('boards')
        .select('updated_at')
        .where('id', '=', board)
        .executeTakeFirstOrThrow()
      assert.ok(updated_at > old)
    }
    await foldTogether(storage, boards)
    assert.is((await storage.db.selectFrom('board_versions').select('id').execute()).length, 3)
  }),
)

together('changes nothing if one of them cannot be folded, and then folds each alone', () =>
  withStorage(async (storage) => {
    const boards = await drawnBoards(storage, 3)
    const [broken, ...sound] = boards
    // Not a Yjs update: the struct count exceeds the data.
    await make.update(storage.db, { board_id: broken ?? '', data: Buffer.from([1, 5, 1, 0, 200]) })
    assert.is((await foldTogether(storage, boards)).size, 0)
    for (const board of sound) assert.is(await rowsOf(storage, board), 2)
    for (const board of boards) storage.updateLog.idle(board)
    await eventually(async () => (await rowsOf(storage, sound[0] ?? '')) === 0)
    await eventually(async () => (await rowsOf(storage, sound[1] ?? '')) === 0)
    await storage.compaction.settled()
    assert.is(await rowsOf(storage, broken ?? ''), 3)
  }),
)

together('leaves out a board that another node folds', () =>
  withStorage(async (storage) => {
    const [one = '', two = ''] = await drawnBoards(storage, 2)
    const other = await storage.pool.connect()
    await other.query('begin')
    await other.query('select pg_advisory_xact_lock(hashtextextended($1, 0))', [
      `${storage.schema}.fold.${one}`,
    ])
    assert.equal([...(await foldTogether(storage, [one, two])).keys()], [two])
    await other.query('rollback')
    other.release()
    assert.is(await rowsOf(storage, one), 2)
  }),
)

together('waits a while after the last person left, and skips a board where somebody is back', () =>
  withStorage(
    async (storage) => {
      const [left = '', back = ''] = await drawnBoards(storage, 2)
      storage.updateLog.idle(back)
      storage.updateLog.idle(left)
      assert.is(storage.compaction.due, 2)
      await storage.updateLog.load(back)
      await eventually(async () => (await rowsOf(storage, left)) === 0)
      await storage.compaction.settled()
      assert.is(await rowsOf(storage, back), 2)
    },
    { compaction: { restMs: 300 } },
  ),
)

together('does not wait when the server stops', () =>
  withStorage(
    async (storage) => {
      const boards = await drawnBoards(storage, 3)
      for (const board of boards) storage.updateLog.idle(board)
      await storage.compaction.close()
      for (const board of boards) assert.is(await rowsOf(storage, board), 0)
    },
    { compaction: { restMs: 3600_000 } },
  ),
)

together.run()
