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

folding('replaces the log with a snapshot of the same content', () =>
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

folding('happens automatically when a log is long or large, and when its board is idle', () =>
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

folding('leaves a row that was not committed yet, although its number is smaller', () =>
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

folding('leaves a board that cannot be folded unchanged, and folds the others', () =>
  withStorage(
    async (storage) => {
      const { id: broken } = await make.board(storage.db)
      const { id: sound } = await make.board(storage.db)
      await writeKeys(storage, broken, new Y.Doc(), ['a'])
      // Not a Yjs update: the struct count exceeds the data.
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

versions('are made while people draw, however few edits there are, and not only when they leave', () =>
  withStorage(
    async (storage) => {
      const { id: board } = await make.board(storage.db)
      await writeKeys(storage, board, new Y.Doc(), ['a', 'b'])
      await eventually(async () => (await versionsOf(storage)).length > 0)
    },
    { compaction: { versionEverySeconds: 0 } },
  ),
)

const drawAndClear = async (storage: TestStorage, board: string, count: number) => {
  const doc = new Y.Doc()
  const elements = doc.getMap<Y.Map<unknown>>('elements')
  const append = (edit: () => void) => storage.updateLog.append(board, updateOf(doc, edit), [])
  for (let at = 0; at < count; at++)
    await append(() => elements.set(`e${at}`, new Y.Map([['type', 'rectangle']])))
  await append(() => {
    for (const element of elements.values()) element.set('isDeleted', true)
  })
}

versions('hold the state of a board before somebody cleared it, even if nothing was kept until then', () =>
  withStorage(async (storage) => {
    const { id: board } = await make.board(storage.db)
    await drawAndClear(storage, board, 6)
    await storage.compaction.catchUp(board)
    const [former] = (await versionsOf(storage)).filter(({ reason }) => reason === 'before_removal')
    const copy = documentFrom({ snapshot: unpack(former?.state ?? new Uint8Array()), updates: [] })
    const elements = [...copy.getMap<Y.Map<unknown>>('elements').values()]
    assert.is(elements.length, 6)
    assert.not.ok(elements.some((element) => element.get('isDeleted')))
  }),
)

versions('from before removals stay if they hold much, however often little is drawn and cleared', () =>
  withStorage(async (storage) => {
    const { id: board } = await make.board(storage.db)
    const large = Buffer.alloc(5000, 1)
    await make.version(storage.db, { board_id: board, reason: 'before_removal', state: large })
    for (let at = 0; at < 60; at++)
      await make.version(storage.db, { board_id: board, reason: 'before_removal', state: Buffer.of(at) })
    await writeKeys(storage, board, new Y.Doc(), ['a'])
    await storage.compaction.fold(board, true)
    const kept = (await versionsOf(storage)).filter(({ reason }) => reason === 'before_removal')
    assert.is(kept.length, 50)
    assert.is(kept.filter(({ state }) => state.length === large.length).length, 1)
  }),
)

versions('of an unchanged board are not made twice', () =>
  withStorage(async (storage) => {
    const { id: board } = await make.board(storage.db)
    const doc = new Y.Doc()
    const update = updateOf(doc, () => doc.getMap('m').set('a', 1))
    for (let times = 0; times < 2; times++) {
      await storage.updateLog.append(board, update, [])
      await storage.compaction.fold(board, true)
    }
    assert.is((await versionsOf(storage)).length, 1)
  }),
)

versions('are all kept for two hours, one an hour for two days, one a day for 30, one a month for good', () =>
  withStorage(async (storage) => {
    const { id: board } = await make.board(storage.db)
    const now = Date.now()
    const hour = 3600_000
    const day = 24 * hour
    const ages = [
      ...Array.from({ length: 60 * 3 }, (_, at) => at * 20 * 60_000),
      ...Array.from({ length: 80 * 4 }, (_, at) => at * 6 * hour + 60 * hour),
    ]
    const state = Buffer.from([0])
    const kept = { created_at: new Date(now - 400 * day) }
    for (const age of ages)
      await make.version(storage.db, { board_id: board, state, created_at: new Date(now - age) })
    for (const reason of ['before_restore', 'before_import', 'before_rebuild'] as const)
      await make.version(storage.db, { board_id: board, state, reason, ...kept })
    await make.version(storage.db, { board_id: board, state, name: 'Kept', ...kept })
    await writeKeys(storage, board, new Y.Doc(), ['a'])
    await storage.compaction.fold(board, true)
    const rows = await versionsOf(storage)
    assert.equal(
      rows
        .map(({ reason }) => reason)
        .filter((reason) => reason !== 'automatic')
        .sort(),
      ['before_import', 'before_rebuild', 'before_restore', 'named'],
    )
    const automatic = rows.filter(({ reason }) => reason === 'automatic').map(({ created_at }) => created_at)
    const between = (from: number, to: number) =>
      automatic.filter((at) => now - at.getTime() >= from && now - at.getTime() < to)
    assert.ok(between(0, 2 * hour).length >= 6, 'every one of the last two hours')
    const hourly = between(3 * hour, 47 * hour)
    assert.ok(hourly.length >= 43 && hourly.length <= 46, `${hourly.length} of 44 hours`)
    const daily = between(3 * day, 29 * day)
    assert.is(new Set(daily.map((at) => at.toISOString().slice(0, 10))).size, daily.length, 'one a day')
    assert.ok(daily.length >= 25 && daily.length <= 27, `${daily.length} of 26 days`)
    const monthly = between(31 * day, 100 * day)
    assert.is(new Set(monthly.map((at) => at.toISOString().slice(0, 7))).size, monthly.length, 'one a month')
    const months = (moments: Date[]) => [...new Set(moments.map((at) => at.toISOString().slice(0, 7)))].sort()
    assert.equal(months(automatic), months(ages.map((age) => new Date(now - age))))
  }),
)

const changed = suite('when a board was last changed')

changed('also follows from its document, at the first edit and at a fold, not at every edit', () =>
  withStorage(async (storage) => {
    const old = new Date('2026-01-01T00:00:00Z')
    const { id: board } = await make.board(storage.db, { updated_at: old })
    const changedAt = async () =>
      (
        await storage.db
          .selectFrom('boards')
          .select('updated_at')
          .where('id', '=', board)
          .executeTakeFirstOrThrow()
      ).updated_at.getTime()
    const doc = new Y.Doc()
    await writeKeys(storage, board, doc, ['a'])
    await eventually(async () => (await changedAt()) > old.getTime())
    const noted = await changedAt()
    await writeKeys(storage, board, doc, ['b', 'c'])
    assert.is(await changedAt(), noted)
    await storage.compaction.fold(board, true)
    assert.ok((await changedAt()) > noted)
  }),
)

folding.run()
versions.run()
changed.run()
