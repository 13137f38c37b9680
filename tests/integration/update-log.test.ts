// The durable log on a real Postgres: whatever was resolved is there, a problem with one board affects no other, an
// outage loses nothing.
import { rejects } from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { sql } from 'kysely'
import pg from 'pg'
import { pino } from 'pino'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import * as Y from 'yjs'
import { rowOf } from '../../server/audit/event.ts'
import { openDatabase } from '../../server/database/database.ts'
import { systemActor } from '../../server/principal.ts'
import { PostgresUpdateLog } from '../../server/storage/log/update-log.ts'
import { eventually } from '../helpers/eventually.ts'
import { make } from '../helpers/factories.ts'
import { documentFrom, updateOf, withStorage } from '../helpers/storage.ts'
import { testPool } from '../helpers/test-pool.ts'

const noKeeper = { opened: () => {}, grew: () => {}, idle: () => {} }
const updates = (count: number): Uint8Array[] => {
  const doc = new Y.Doc()
  return Array.from({ length: count }, (_, at) => updateOf(doc, () => doc.getMap('m').set(`k${at}`, at)))
}

const log = suite('the update log')

log('returns what was appended, in order, with its author', () =>
  withStorage(async ({ updateLog, db }) => {
    const { id: board } = await make.board(db)
    const [first, second, third] = updates(3) as [Uint8Array, Uint8Array, Uint8Array]
    await Promise.all([
      updateLog.append(board, first, [{ clientId: 4_294_967_295, principal: 'user:7' }]),
      updateLog.append(board, second, []),
      updateLog.append(board, third, [{ clientId: 12, principal: 'guest:ä' }]),
    ])
    const stored = await updateLog.load(board)
    assert.is(stored.snapshot, null)
    assert.equal(stored.updates.map(hex), [first, second, third].map(hex))
    assert.equal(stored.authors, [
      { clientId: 12, principal: 'guest:ä' },
      { clientId: 4_294_967_295, principal: 'user:7' },
    ])
  }),
)

log('continues if folding fails: commits are reported, and the next edit is accepted', () =>
  withStorage(async ({ database, db }) => {
    const { id: board } = await make.board(db)
    let failures = 0
    const grew = () => {
      if (failures++ === 0) throw new Error('no room for this')
    }
    const logger = pino({ level: 'silent' })
    const outer = new PostgresUpdateLog({ database, log: logger, keeper: { ...noKeeper, grew } })
    const [first, second] = updates(2) as [Uint8Array, Uint8Array]
    await outer.append(board, first, [])
    await eventually(() => failures === 1)
    await outer.append(board, second, [])
    assert.is((await outer.load(board)).updates.length, 2)
    assert.is(outer.totalUnsavedBytes, 0)
    await outer.close()
  }),
)

log('commits waiting appends together: two commits for a thousand appends of ten boards', () =>
  withStorage(async ({ updateLog, db }) => {
    const boards = await Promise.all(Array.from({ length: 10 }, async () => (await make.board(db)).id))
    const first = updateLog.append(boards[0] ?? '', Uint8Array.of(0, 0), [])
    await new Promise((resolve) => setImmediate(resolve))
    await Promise.all([
      first,
      ...updates(1000).map((update, at) => updateLog.append(boards[at % 10] ?? '', update, [])),
    ])
    const commits = await db
      .selectFrom('board_updates')
      .select(sql<string>`xmin::text`.as('commit'))
      .distinct()
      .execute()
    assert.is(commits.length, 2)
  }),
)

log('commits at once after a pause, and together what comes in the moments after it', () =>
  withStorage(async ({ database, log: logger, db }) => {
    // Far longer than the test: the first append does not wait, and only a flush ends it for the others.
    const spaced = new PostgresUpdateLog({
      database,
      log: logger,
      keeper: noKeeper,
      commitSpacing: { leastMs: 3_600_000, mostMs: 3_600_000 },
    })
    const { id: board } = await make.board(db)
    const [first, ...rest] = updates(6) as [Uint8Array, ...Uint8Array[]]
    await spaced.append(board, first, [])
    const saved: Promise<void>[] = []
    for (const update of rest) {
      saved.push(spaced.append(board, update, []))
      await new Promise((resolve) => setImmediate(resolve))
    }
    const commits = () =>
      db.selectFrom('board_updates').select(sql<string>`xmin::text`.as('commit')).distinct().execute()
    assert.is((await commits()).length, 1, 'the others wait')
    await spaced.close()
    await Promise.all(saved)
    assert.is((await commits()).length, 2)
  }),
)

log('commits what came in the moments after a commit when they are over', () =>
  withStorage(async ({ database, log: logger, db }) => {
    const commitSpacing = { leastMs: 30, mostMs: 30 }
    const spaced = new PostgresUpdateLog({ database, log: logger, keeper: noKeeper, commitSpacing })
    const { id: board } = await make.board(db)
    for (const update of updates(3)) await spaced.append(board, update, [])
    assert.is((await spaced.load(board)).updates.length, 3)
    await spaced.close()
  }),
)

log('lets commits wait longer for one another the more boards are drawn on', () =>
  withStorage(async ({ database, log: logger, db }) => {
    const commitSpacing = { leastMs: 1, mostApartMs: 200 }
    const spaced = new PostgresUpdateLog({ database, log: logger, keeper: noKeeper, commitSpacing })
    const boards = await Promise.all(Array.from({ length: 100 }, () => make.board(db)))
    const startedAt = performance.now()
    await Promise.all(boards.map(({ id }) => spaced.append(id, Uint8Array.of(0, 0), [])))
    await spaced.append(boards[0]?.id ?? '', Uint8Array.of(0, 0), [])
    assert.ok(performance.now() - startedAt >= 190)
    await spaced.close()
  }),
)

log('never sends more than a commit holds, but one append however large', () =>
  withStorage(
    async ({ updateLog, db }) => {
      const { id: board } = await make.board(db)
      await Promise.all(
        [2000, 600, 300, 200].map((size) => updateLog.append(board, new Uint8Array(size), [])),
      )
      const rows = await db
        .selectFrom('board_updates')
        .select([sql<string>`xmin::text`.as('commit'), 'data'])
        .orderBy('seq')
        .execute()
      const sizes = new Map<string, number>()
      for (const { commit, data } of rows) sizes.set(commit, (sizes.get(commit) ?? 0) + data.length)
      assert.equal(
        rows.map(({ data }) => data.length),
        [2000, 600, 300, 200],
      )
      assert.equal([...sizes.values()], [2000, 900, 200])
    },
    { log: { maxCommitBytes: 1000 } },
  ),
)

log('refuses only the append that the database refuses, and saves its neighbours', () =>
  withStorage(async ({ updateLog, db }) => {
    const { id: board } = await make.board(db)
    const { id: other } = await make.board(db)
    const [first, second] = updates(2) as [Uint8Array, Uint8Array]
    const outcomes = await Promise.allSettled([
      updateLog.append(board, first, []),
      updateLog.append(randomUUID(), first, []),
      updateLog.append(other, first, [{ clientId: 1, principal: 'nobody at all' }]),
      updateLog.append(other, second, []),
    ])
    assert.equal(
      outcomes.map(({ status }) => status),
      ['fulfilled', 'rejected', 'rejected', 'fulfilled'],
    )
    assert.is(outcomes[1]?.status === 'rejected' && outcomes[1].reason.code, 'not_found')
    assert.equal((await updateLog.load(board)).updates.map(hex), [hex(first)])
    assert.equal((await updateLog.load(other)).updates.map(hex), [hex(second)])
    assert.is(updateLog.totalUnsavedBytes, 0)
    assert.is(updateLog.failingSince, null, 'no outage')
  }),
)

log('keeps the last value for the owner of a client id', () =>
  withStorage(async ({ updateLog, db }) => {
    const { id: board } = await make.board(db)
    const [first, second, third] = updates(3) as [Uint8Array, Uint8Array, Uint8Array]
    await Promise.all([
      updateLog.append(board, first, [{ clientId: 1, principal: 'anonymous:a' }]),
      updateLog.append(board, second, [{ clientId: 1, principal: 'guest:b' }]),
    ])
    await updateLog.append(board, third, [{ clientId: 1, principal: 'user:3' }])
    assert.equal((await updateLog.load(board)).authors, [{ clientId: 1, principal: 'user:3' }])
  }),
)

log('remembers what was relayed under a client id until it is cleared', () =>
  withStorage(async ({ updateLog, db }) => {
    const { id: board } = await make.board(db)
    const [first, second] = updates(2) as [Uint8Array, Uint8Array]
    const relays = [
      { by: 'user:2', fromClock: 3, toClock: 2 ** 31 - 1 },
      { by: 'guest:b', fromClock: 2 ** 31 - 1, toClock: 2 ** 31 },
    ]
    const others = { clientId: 2 ** 32 - 1, principal: 'user:9' }
    await updateLog.append(board, first, [{ clientId: 1, principal: 'user:1', relays }, others])
    assert.equal((await updateLog.load(board)).authors, [
      { clientId: 1, principal: 'user:1', relays },
      others,
    ])
    await updateLog.append(board, second, [{ clientId: 1, principal: 'user:1' }])
    assert.equal((await updateLog.load(board)).authors, [{ clientId: 1, principal: 'user:1' }, others])
  }),
)

log('keeps waiting appends through an outage, reports since when, and saves them afterwards', () =>
  withStorage(async ({ url, log: silent, schema, db }) => {
    const { id: board } = await make.board(db)
    const database = await openDatabase({ connectionString: url, schema, log: silent, poolSize: 2 })
    const outer = new PostgresUpdateLog({ database, log: silent, keeper: noKeeper, firstRetryMs: 10 })
    const name = /test_[0-9a-f]+/.exec(url)?.[0] ?? ''
    const maintenance = new pg.Client({ connectionString: url.replace(name, 'postgres') })
    await maintenance.connect()
    try {
      await maintenance.query(`alter database ${name} allow_connections false`)
      await cutConnections(maintenance, name)
      const before = Date.now()
      const saved = Promise.all(updates(20).map((update) => outer.append(board, update, [])))
      await eventually(() => outer.failingSince !== null)
      assert.ok((outer.failingSince ?? 0) >= before)
      const late = outer.append(board, Uint8Array.of(0, 0), [])
      assert.is(outer.unsavedBytes(board), outer.totalUnsavedBytes)
      assert.ok(outer.totalUnsavedBytes > 20)
      await maintenance.query(`alter database ${name} allow_connections true`)
      await Promise.all([saved, late])
      assert.is(outer.failingSince, null)
      assert.is(outer.totalUnsavedBytes, 0)
      assert.is(documentFrom(await outer.load(board)).getMap('m').size, 20)
    } finally {
      await outer.close()
      await database.close()
      await maintenance.end()
    }
  }),
)

log('retries when a hanging database gives no answer', () =>
  withStorage(
    async ({ updateLog, pool, schema, db }) => {
      const { id: board } = await make.board(db)
      const blocker = await pool.connect()
      await blocker.query(`begin; lock table ${schema}.board_updates in access exclusive mode`)
      const saved = updateLog.append(board, Uint8Array.of(0, 0), [])
      await eventually(() => updateLog.failingSince !== null)
      await blocker.query('rollback')
      blocker.release()
      await saved
      assert.ok((await updateLog.load(board)).updates.length >= 1)
    },
    { log: { commitTimeoutMs: 100, firstRetryMs: 10 } },
  ),
)

log('writes the side rows of an update once, even if a commit without an answer is repeated', () =>
  withStorage(
    async ({ updateLog, pool, schema, db }) => {
      const { id: board } = await make.board(db)
      const { id: agentId } = await make.agent(db)
      const { id: undone } = await make.agentEdit(db, { board_id: board, agent_id: agentId })
      const row = rowOf({ action: 'restore', actor: systemActor, boardId: board, resourceType: 'version' })
      const edit = (elementId: string) =>
        ({ elementId, change: 'updated', oldValues: { x: 1 }, newValues: { x: 2 } }) as const
      const sideRows = {
        id: randomUUID(),
        byAgents: [{ agentId, edits: [edit('one'), edit('two')] }],
        trail: [row],
        undone: [undone],
      }
      const blocker = await pool.connect()
      await blocker.query(`begin; lock table ${schema}.board_updates in access exclusive mode`)
      const saved = updateLog.append(board, Uint8Array.of(0, 0), [], sideRows)
      await eventually(() => updateLog.failingSince !== null)
      await eventually(
        async () =>
          (
            await blocker.query(
              `select from pg_locks where not granted and relation = '${schema}.board_updates'::regclass`,
            )
          ).rows.length >= 2,
      )
      await blocker.query('rollback')
      blocker.release()
      await saved
      // Another node that had not been told commits it in our place.
      await updateLog.append(board, Uint8Array.of(0, 0), [], sideRows)
      await eventually(async () => {
        const { rows } = await pool.query(
          `select from pg_stat_activity where query like '%side_rows_written%' and state = 'active' and pid <> pg_backend_pid()`,
        )
        return rows.length === 0
      })
      const edits = await db
        .selectFrom('agent_edits')
        .select(['element_id', 'undone_at'])
        .orderBy('id')
        .execute()
      assert.equal(edits.map(({ element_id, undone_at }) => [element_id, undone_at !== null]).slice(1), [
        ['one', false],
        ['two', false],
      ])
      assert.is.not(edits[0]?.undone_at, null)
      const told = await db.selectFrom('audit_logs').select('id').where('action', '=', 'restore').execute()
      assert.is(told.length, 1)
    },
    { log: { commitTimeoutMs: 100, firstRetryMs: 10 } },
  ),
)

log('continues without prepared statements if a pooler loses them, which is no outage', () =>
  withStorage(async ({ url, schema, log: silent, db }) => {
    const database = await openDatabase({ connectionString: url, schema, log: silent, poolSize: 1 })
    const said: string[] = []
    const logger = pino({ level: 'info' }, { write: (line) => said.push(line) })
    const outer = new PostgresUpdateLog({ database, log: logger, keeper: noKeeper })
    const { id: board } = await make.board(db)
    await outer.append(board, Uint8Array.of(0, 0), [])
    for (let times = 0; times < 2; times++) {
      await database.pool.query('deallocate all')
      await outer.append(board, Uint8Array.of(0, 0), [])
    }
    assert.is((await outer.load(board)).updates.length, 3)
    assert.equal(
      said.map((line) => JSON.parse(line).level),
      [30],
      said.join(''),
    )
    assert.match(said[0] ?? '', /pooler/)
    await outer.close()
    await database.close()
  }),
)

log('refuses what is still queued when it is closed during an outage', () =>
  withStorage(async ({ database: open, log: silent }) => {
    const pool = testPool({ host: '127.0.0.1', port: 9 })
    const database = { ...open, pool }
    const outer = new PostgresUpdateLog({ database, log: silent, keeper: noKeeper })
    const saved = outer.append(randomUUID(), Uint8Array.of(0, 0), [])
    const refusal = rejects(saved, { code: 'closing' })
    await eventually(() => outer.failingSince !== null)
    await outer.close()
    await refusal
    await rejects(outer.append(randomUUID(), Uint8Array.of(0, 0), []), { code: 'closing' })
    await rejects(outer.load(randomUUID()), { code: 'database_unreachable' })
    await pool.end()
  }),
)

log('refuses a board whose snapshot does not match its checksum, and never shows it empty', () =>
  withStorage(async ({ updateLog, compaction, db }) => {
    const { id: board } = await make.board(db)
    for (const update of updates(3)) await updateLog.append(board, update, [])
    assert.is((await compaction.fold(board, false)).outcome, 'folded')
    assert.is(documentFrom(await updateLog.load(board)).getMap('m').size, 3)
    await db
      .updateTable('board_snapshots')
      .set({ state: Buffer.from([0, 0]) })
      .where('board_id', '=', board)
      .execute()
    await rejects(updateLog.load(board), { code: 'board_unreadable' })
  }),
)

log('distinguishes empty boards from boards that do not exist', () =>
  withStorage(async ({ updateLog, db }) => {
    const { id: board } = await make.board(db)
    assert.equal(await updateLog.load(board), { snapshot: null, updates: [], authors: [] })
    await rejects(updateLog.load(randomUUID()), { code: 'not_found' })
    await rejects(updateLog.load("' or true --"), { code: 'not_found' })
  }),
)

log('reads a log of more than one chunk, with rows larger than a chunk', () =>
  withStorage(async ({ database, log: silent, db }) => {
    const updateLog = new PostgresUpdateLog({ database, log: silent, keeper: noKeeper })
    const { id: board } = await make.board(db)
    const sizes = [3_000_000, 3_000_000, 9_000_000, 10, 1]
    for (const [at, size] of sizes.entries())
      await updateLog.append(board, new Uint8Array(size).fill(at + 1), [])
    const { updates: stored } = await updateLog.load(board)
    assert.equal(
      stored.map((update) => [update.length, update[0], update.at(-1)]),
      sizes.map((size, at) => [size, at + 1, at + 1]),
    )
  }),
)

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

const cutConnections = (maintenance: pg.Client, name: string) =>
  maintenance.query('select pg_terminate_backend(pid) from pg_stat_activity where datname = $1', [name])

log.run()
