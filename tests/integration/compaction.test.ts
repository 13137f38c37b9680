// Folding on a real Postgres: nothing is lost whatever is appended, folded and crashes meanwhile.
import { rejects } from 'node:assert/strict'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import * as Y from 'yjs'
import { DocumentWorker } from '../../server/documents/document-worker.ts'
import { checksumOf, unpack } from '../../server/documents/folding.ts'
import { Compaction } from '../../server/storage/log/compaction.ts'
import { eventually } from '../helpers/eventually.ts'
import { make } from '../helpers/factories.ts'
import { seeded } from '../helpers/seeded.ts'
import { documentFrom, type TestStorage, updateOf, withStorage } from '../helpers/storage.ts'

const folding = suite('folding a log')

const writeKeys = async ({ updateLog }: TestStorage, board: string, doc: Y.Doc, keys: string[]) => {
  for (const key of keys)
    await updateLog.append(
      board,
      updateOf(doc, () => doc.getMap('m').set(key, key)),
      [],
    )
}
const countRows = async ({ db }: TestStorage, board: string): Promise<number> =>
  (await db.selectFrom('board_updates').select('seq').where('board_id', '=', board).execute()).length

folding('replaces the log by a snapshot with the same content', () =>
  withStorage(async (storage) => {
    const { id: board } = await make.board(storage.db)
    const doc = new Y.Doc()
    await writeKeys(storage, board, doc, ['a', 'b'])
    assert.equal(
      await storage.compaction.fold(board, false).then(({ outcome, rows }) => ({ outcome, rows })),
      { outcome: 'folded', rows: 2 },
    )
    await writeKeys(storage, board, doc, ['c'])
    await storage.compaction.fold(board, false)
    const stored = await storage.updateLog.load(board)
    assert.is(stored.updates.length, 0)
    assert.equal(documentFrom(stored).getMap('m').toJSON(), { a: 'a', b: 'b', c: 'c' })
    assert.is((await storage.compaction.fold(board, false)).outcome, 'nothing')
  }),
)

folding('keeps the texts on the board for searching, without those of deleted elements', () =>
  withStorage(async (storage) => {
    const { id: board } = await make.board(storage.db)
    const doc = new Y.Doc()
    const write = (id: string, fields: Record<string, unknown>) =>
      storage.updateLog.append(
        board,
        updateOf(doc, () => doc.getMap('elements').set(id, new Y.Map(Object.entries(fields)))),
        [],
      )
    await write('a', { type: 'text', text: 'Quarterly GOALS\u0000' })
    await write('b', { type: 'text', text: 'gone', isDeleted: true })
    await write('c', { type: 'frame', name: 'Straße' })
    await storage.compaction.fold(board, false)
    const { text_key } = await storage.db
      .selectFrom('board_search')
      .select('text_key')
      .where('board_id', '=', board)
      .executeTakeFirstOrThrow()
    assert.equal(text_key.split(' ').sort(), ['goals', 'quarterly', 'strasse'])
  }),
)

folding('happens by itself when a log is long, when it is large, and when its board is idle', () =>
  withStorage(
    async (storage) => {
      const { updateLog, compaction } = storage
      const { id: long } = await make.board(storage.db)
      const { id: large } = await make.board(storage.db)
      const { id: idle } = await make.board(storage.db)
      await writeKeys(storage, long, new Y.Doc(), ['1', '2', '3', '4', '5'])
      const doc = new Y.Doc()
      await updateLog.append(
        large,
        updateOf(doc, () => doc.getText('t').insert(0, 'x'.repeat(3000))),
        [],
      )
      await writeKeys(storage, idle, new Y.Doc(), ['1'])
      await eventually(
        async () => (await countRows(storage, long)) === 0 && (await countRows(storage, large)) === 0,
      )
      assert.is(await countRows(storage, idle), 1)
      updateLog.idle(idle)
      await eventually(async () => (await countRows(storage, idle)) === 0)
      await compaction.settled()
    },
    { compaction: { minRows: 5, minBytes: 2000 } },
  ),
)

folding('leaves a row that was not committed yet, though its number is smaller', () =>
  withStorage(async (storage) => {
    const { id: board } = await make.board(storage.db)
    const [one, two] = [new Y.Doc(), new Y.Doc()]
    const slow = await storage.pool.connect()
    await slow.query('begin')
    const early = updateOf(one, () => one.getMap('m').set('early', 1))
    await slow.query(`insert into ${storage.schema}.board_updates (board_id, data) values ($1, $2)`, [
      board,
      Buffer.from(early),
    ])
    await writeKeys(storage, board, two, ['late'])
    await storage.compaction.fold(board, false)
    await slow.query('commit')
    slow.release()
    assert.equal(
      documentFrom(await storage.updateLog.load(board))
        .getMap('m')
        .toJSON(),
      { early: 1, late: 'late' },
    )
  }),
)

folding('keeps rows in the log whose dependencies are not committed yet, and folds them later', () =>
  withStorage(async (storage) => {
    const { id: board } = await make.board(storage.db)
    const doc = new Y.Doc()
    const [first, second, third] = ['1', '2', '3'].map((key) =>
      updateOf(doc, () => doc.getMap('m').set(key, key)),
    )
    const other = new Y.Doc()
    const independent = updateOf(other, () => other.getMap('m').set('x', 'x'))
    for (const update of [first, third, independent])
      await storage.updateLog.append(board, update ?? independent, [])
    const { outcome, rows, kept } = await storage.compaction.fold(board, false)
    assert.equal([outcome, rows, kept], ['folded', 2, 1])
    await storage.updateLog.append(board, second ?? independent, [])
    assert.is((await storage.compaction.fold(board, false)).kept, 0)
    const stored = await storage.updateLog.load(board)
    assert.is(stored.updates.length, 0)
    assert.is(documentFrom(stored).getMap('m').size, 4)
  }),
)

folding('leaves a board as it is that cannot be folded, and folds the others', () =>
  withStorage(
    async (storage) => {
      const { id: broken } = await make.board(storage.db)
      const { id: sound } = await make.board(storage.db)
      await writeKeys(storage, broken, new Y.Doc(), ['a'])
      // Not a Yjs update: the struct count runs past the end.
      await make.update(storage.db, { board_id: broken, data: Buffer.from([1, 5, 1, 0, 200]) })
      await rejects(storage.compaction.fold(broken, true), { code: 'board_unreadable' })
      assert.is(await countRows(storage, broken), 2)
      storage.updateLog.idle(broken)
      await writeKeys(storage, sound, new Y.Doc(), ['a', 'b'])
      await eventually(async () => (await countRows(storage, sound)) === 0)
      assert.is(await countRows(storage, broken), 2)
      assert.is((await storage.db.selectFrom('board_snapshots').select('board_id').execute()).length, 1)
    },
    { compaction: { minRows: 2 } },
  ),
)

folding('does not touch a snapshot that does not match its checksum', () =>
  withStorage(async (storage) => {
    const { id: board } = await make.board(storage.db)
    const doc = new Y.Doc()
    await writeKeys(storage, board, doc, ['a'])
    await storage.compaction.fold(board, false)
    await storage.db
      .updateTable('board_snapshots')
      .set({ state: Buffer.from([0, 0]) })
      .execute()
    await writeKeys(storage, board, doc, ['b'])
    await rejects(storage.compaction.fold(board, false), { code: 'board_unreadable' })
    assert.is(await countRows(storage, board), 1)
  }),
)

folding('is done by one node at a time', () =>
  withStorage(async (storage) => {
    const { id: board } = await make.board(storage.db)
    await writeKeys(storage, board, new Y.Doc(), ['a'])
    const other = await storage.pool.connect()
    await other.query('begin')
    await other.query('select pg_advisory_xact_lock(hashtextextended($1, 0))', [
      `${storage.schema}.fold.${board}`,
    ])
    assert.is((await storage.compaction.fold(board, false)).outcome, 'busy')
    await other.query('commit')
    other.release()
    assert.is((await storage.compaction.fold(board, false)).outcome, 'folded')
  }),
)

folding('changes nothing when its connection dies in the middle', () =>
  withStorage(async (storage) => {
    const { id: board } = await make.board(storage.db)
    await writeKeys(storage, board, new Y.Doc(), ['a', 'b'])
    const dying = new DocumentWorker({ log: storage.log })
    const kill = `select pg_terminate_backend(pid) from pg_stat_activity where state = 'idle in transaction' and datname = current_database()`
    const original = dying.run.bind(dying)
    dying.run = async (...question) => {
      await storage.pool.query(kill)
      return original(...question)
    }
    const compaction = new Compaction({ database: storage.database, worker: dying, log: storage.log })
    await rejects(compaction.fold(board, false))
    await dying.close()
    assert.is(await countRows(storage, board), 2)
    assert.is((await storage.compaction.fold(board, false)).rows, 2)
  }),
)

for (const seed of [11, 12, 13]) {
  folding(`loses nothing while two nodes fold and three people write (seed ${seed})`, () =>
    withStorage(async (storage) => {
      const random = seeded(seed)
      const { id: board } = await make.board(storage.db)
      const other = new Compaction({ database: storage.database, worker: storage.worker, log: storage.log })
      const docs = [new Y.Doc(), new Y.Doc(), new Y.Doc()]
      const wanted = new Set<string>()
      let isWriting = true
      const fold = async (compaction: Compaction) => {
        while (isWriting) await compaction.fold(board, random.below(2) === 0)
      }
      const write = async (doc: Y.Doc, who: number) => {
        for (let at = 0; at < 60; at++) {
          const key = `${who}-${at}`
          wanted.add(key)
          const saved = storage.updateLog.append(
            board,
            updateOf(doc, () => doc.getMap('m').set(key, 'x'.repeat(random.below(400)))),
            [],
          )
          if (random.below(3) > 0) await saved
          if (random.below(10) === 0)
            Y.applyUpdate(doc, Y.encodeStateAsUpdate(documentFrom(await storage.updateLog.load(board))))
        }
      }
      const folders = Promise.all([fold(storage.compaction), fold(other)])
      await Promise.all(docs.map(write))
      await storage.updateLog.flush()
      isWriting = false
      await folders
      const stored = documentFrom(await storage.updateLog.load(board))
      assert.equal(new Set(stored.getMap('m').keys()), wanted)
      await storage.compaction.fold(board, true)
      const folded = await storage.updateLog.load(board)
      assert.is(folded.updates.length, 0)
      assert.equal(new Set(documentFrom(folded).getMap('m').keys()), wanted)
    }),
  )
}

const versions = suite('automatic versions')

const versionsOf = ({ db }: TestStorage) =>
  db.selectFrom('board_versions').selectAll().orderBy('created_at', 'desc').execute()

versions('hold the content as it was, compressed, with a checksum', () =>
  withStorage(async (storage) => {
    const { id: board } = await make.board(storage.db)
    const doc = new Y.Doc()
    await writeKeys(storage, board, doc, ['a', 'b'])
    await storage.compaction.fold(board, true)
    const [version] = await versionsOf(storage)
    assert.is(version?.name, null)
    assert.equal(
      new Uint8Array(version?.checksum ?? []),
      new Uint8Array(checksumOf(version?.state ?? new Uint8Array())),
    )
    const copy = documentFrom({ snapshot: unpack(version?.state ?? new Uint8Array()), updates: [] })
    assert.equal(copy.getMap('m').toJSON(), { a: 'a', b: 'b' })
  }),
)

versions('are made every five minutes while people draw, and whenever the last one leaves', () =>
  withStorage(async (storage) => {
    const { id: board } = await make.board(storage.db)
    const doc = new Y.Doc()
    const foldAfter = async (key: string, isIdle: boolean) => {
      await writeKeys(storage, board, doc, [key])
      await storage.compaction.fold(board, isIdle)
      const newest = (await versionsOf(storage))[0]
      return documentFrom({ snapshot: unpack(newest?.state ?? new Uint8Array()), updates: [] })
        .getMap('m')
        .has(key)
    }
    assert.is(await foldAfter('first', false), true)
    assert.is(await foldAfter('soon', false), false)
    assert.is(await foldAfter('left', true), true)
    await storage.db
      .updateTable('board_versions')
      .set({ created_at: new Date(Date.now() - 301_000) })
      .execute()
    assert.is(await foldAfter('later', false), true)
  }),
)

versions('stay the newest of each of the last 24 hours and 30 days; named ones stay for good', () =>
  withStorage(async (storage) => {
    const { id: board } = await make.board(storage.db)
    const now = new Date()
    const ago = (minutes: number) => new Date(now.getTime() - minutes * 60_000)
    const state = Buffer.from([0])
    const moments = [
      ...Array.from({ length: 60 * 3 }, (_, at) => at * 20),
      ...Array.from({ length: 45 * 4 }, (_, at) => at * 360 + 3600),
    ]
    const made = moments.map((minutes) => ({ created_at: ago(minutes) }))
    for (const values of [...made, { name: 'Kept', created_at: ago(90 * 24 * 60) }])
      await make.version(storage.db, { board_id: board, state, ...values })
    await writeKeys(storage, board, new Y.Doc(), ['a'])
    await storage.compaction.fold(board, true)
    const kept = await versionsOf(storage)
    assert.is(kept.filter(({ name }) => name === 'Kept').length, 1)
    const automatic = kept.filter(({ name }) => name === null).map(({ created_at }) => created_at)
    const day = 24 * 3600_000
    const recent = automatic.filter((at) => now.getTime() - at.getTime() < day)
    assert.ok(recent.length >= 23 && recent.length <= 26, `${recent.length} of the last day`)
    const older = automatic.filter((at) => now.getTime() - at.getTime() >= day)
    assert.is(new Set(older.map((at) => at.toISOString().slice(0, 10))).size, older.length, 'one a day')
    assert.ok(older.length >= 28 && older.length <= 30, `${older.length} older ones`)
    // Of each hour it is the newest that stays.
    const hourOf = (at: Date) => Math.floor(at.getTime() / 3600_000)
    for (const at of recent.slice(1)) {
      const sameHour = moments.map(ago).filter((moment) => hourOf(moment) === hourOf(at))
      assert.is(at.getTime(), Math.max(...sameHour.map((moment) => moment.getTime())))
    }
  }),
)

folding.run()
versions.run()
