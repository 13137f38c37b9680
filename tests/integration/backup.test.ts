// A backup is complete, restoring it gives the same data, and a corrupt one changes nothing.
import { rejects } from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import * as Y from 'yjs'
import { transactionAs } from '../../server/audit/actor.ts'
import { AuditTrail } from '../../server/audit/trail.ts'
import { DocumentWorker } from '../../server/documents/document-worker.ts'
import { systemActor } from '../../server/principal.ts'
import { backup, restore } from '../../server/storage/backup/backup.ts'
import { Compaction } from '../../server/storage/log/compaction.ts'
import { PostgresUpdateLog } from '../../server/storage/log/update-log.ts'
import { everyRow, type TestDatabase, withDatabase } from '../helpers/database.ts'
import { make } from '../helpers/factories.ts'
import { updateOf } from '../helpers/storage.ts'

const withFolder = async (work: (folder: string) => Promise<void>): Promise<void> => {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'boardroom-backup-'))
  try {
    await work(folder)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** Something in every table: what the services store for a board that is drawn on, and a row of each entity. */
async function fill(test: TestDatabase): Promise<void> {
  const { database, db, log } = test
  for (const one of Object.values(make)) await one(db)
  const { id: board } = await make.board(test.db)
  const worker = new DocumentWorker({ log })
  const compaction = new Compaction({ database, worker, log })
  const updateLog = new PostgresUpdateLog({ database, log, keeper: compaction })
  const doc = new Y.Doc()
  await updateLog.append(
    board,
    updateOf(doc, () => doc.getMap('m').set('a', 'x'.repeat(100_000))),
    [{ clientId: 9, principal: 'user:1' }],
  )
  await compaction.fold(board, true)
  await updateLog.append(
    board,
    updateOf(doc, () => doc.getMap('m').set('b', 2)),
    [],
  )
  await updateLog.close()
  await compaction.close()
  await worker.close()
  await transactionAs(db, systemActor, async (trx) => {
    await make.permission(trx, { board_id: board, user_id: null })
    await trx.updateTable('boards').set({ is_public: true }).execute()
  })
  const trail = new AuditTrail({ database, log, serverId: randomUUID() })
  await trail.record({
    action: 'export',
    actor: systemActor,
    boardId: board,
    details: { name: 'Zoë "quoted"\n' },
  })
  await trail.close()
  await test.pool.query(`select ${test.schema}.seal_audit()`)
  await make.unsealedRow(db)
}

const triggerStates = async ({ pool, schema }: TestDatabase) =>
  (
    await pool.query(
      `select tgrelid::regclass::text, tgname, tgenabled from pg_trigger where not tgisinternal and tgrelid in (select oid from pg_class where relnamespace = $1::regnamespace) order by 1, 2`,
      [schema],
    )
  ).rows

const backups = suite('backup and restore')

backups('restore every row of every table, the trail with its chain, and sequences that continue', () =>
  withFolder((folder) =>
    withDatabase((from) =>
      withDatabase(async (to) => {
        await fill(from)
        const file = path.join(folder, 'all.backup')
        const told: string[] = []
        const saved = await backup(from.database, file, { onProgress: (line) => told.push(line) })
        const triggers = await triggerStates(to)
        assert.equal(await restore(to.database, file), saved)
        const [before, after] = [await everyRow(from.pool), await everyRow(to.pool)]
        assert.equal(after, before)
        const empty = Object.keys(before).filter((table) => before[table]?.length === 0)
        assert.equal(empty, [], 'every table is put to the test')
        assert.is(told.length, saved.tables)
        assert.equal(await triggerStates(to), triggers)
        const problems = await to.pool.query(`select * from ${to.schema}.verify_audit_chain(1, 1000000)`)
        assert.equal(
          problems.rows,
          (await from.pool.query(`select * from ${from.schema}.verify_audit_chain(1, 1000000)`)).rows,
        )
        await make.board(to.db) // an id that was assigned already would clash
        assert.is((await stat(file)).mode & 0o077, 0, 'for its owner alone')
      }),
    ),
  ),
)

backups('include months of the trail that the new instance lacks', () =>
  withFolder((folder) =>
    withDatabase((from) =>
      withDatabase(async (to) => {
        await from.pool.query(
          `create table ${from.schema}.audit_logs_y2020m01 partition of ${from.schema}.audit_logs for values from ('2020-01-01T00:00:00Z') to ('2020-02-01T00:00:00Z')`,
        )
        await from.pool.query(
          `select ${from.schema}.guard_audit_partition('${from.schema}.audit_logs_y2020m01')`,
        )
        const file = path.join(folder, 'all.backup')
        await backup(from.database, file)
        await restore(to.database, file)
        await rejects(to.pool.query(`truncate ${to.schema}.audit_logs_y2020m01`), /append-only/)
      }),
    ),
  ),
)

backups('are consistent while people continue to work', () =>
  withFolder((folder) =>
    withDatabase((from) =>
      withDatabase(async (to) => {
        await fill(from)
        const before = await everyRow(from.pool)
        const file = path.join(folder, 'all.backup')
        let isFirst = true
        const writing: Promise<unknown>[] = []
        await backup(from.database, file, {
          onProgress: () => {
            if (isFirst) writing.push(make.board(from.db))
            isFirst = false
          },
        })
        await Promise.all(writing)
        await restore(to.database, file)
        assert.equal(await everyRow(to.pool), before)
      }),
    ),
  ),
)

backups('refuse truncated, corrupt, foreign or newer files, and change nothing', () =>
  withFolder((folder) =>
    withDatabase((from) =>
      withDatabase(async (to) => {
        await fill(from)
        const file = path.join(folder, 'all.backup')
        await backup(from.database, file)
        const bytes = await readFile(file)
        const plain = gunzipSync(bytes)
        const flipped = Buffer.from(plain)
        const row = flipped.indexOf('Zoë')
        flipped.writeUInt8((flipped[row] ?? 0) + 1, row)
        const newer = Buffer.from(
          plain.toString('latin1').replace('0001-accounts', '9999-accounts'),
          'latin1',
        )
        const before = await everyRow(to.pool)
        const cases: [string, Buffer, string][] = [
          ['cut', bytes.subarray(0, bytes.length - 200), 'invalid_request'],
          ['half', gzipSync(plain.subarray(0, plain.length / 2)), 'invalid_request'],
          ['no end', gzipSync(plain.subarray(0, plain.lastIndexOf('{"tables"') - 5)), 'invalid_request'],
          ['flipped', gzipSync(flipped), 'invalid_request'],
          ['foreign', Buffer.from('SQLite format 3'), 'invalid_request'],
          ['zipped', gzipSync('something else altogether'), 'invalid_request'],
          ['newer', gzipSync(newer), 'database_too_new'],
        ]
        for (const [name, content, code] of cases) {
          await writeFile(path.join(folder, name), content)
          await rejects(restore(to.database, path.join(folder, name)), { code }, name)
          assert.equal(await everyRow(to.pool), before, name)
        }
        await rejects(restore(to.database, path.join(folder, 'none')), { code: 'invalid_request' })
        await restore(to.database, file)
      }),
    ),
  ),
)

backups('refuse an instance that is not empty, and an existing file', () =>
  withFolder((folder) =>
    withDatabase(async (test) => {
      await fill(test)
      const file = path.join(folder, 'all.backup')
      await backup(test.database, file)
      const before = await everyRow(test.pool)
      await rejects(restore(test.database, file), { code: 'conflict' })
      assert.equal(await everyRow(test.pool), before)
      await rejects(backup(test.database, file), { code: 'conflict' })
    }),
  ),
)

backups.run()
