// `boardroom backup` and `boardroom restore` of whole instances, with the embedded and with an external database.
import { readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import type pg from 'pg'
import { pino } from 'pino'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { openDatabase } from '../../server/database/database.ts'
import { startEmbedded } from '../../server/database/embedded.ts'
import { schema } from '../helpers/cluster.ts'
import {
  answer,
  create,
  rows,
  run,
  serve,
  signedIn,
  visitor,
  withFolder,
  withMadeFolder,
} from '../helpers/command-line.ts'
import { databaseSettings, everyRow, withDatabase, withEmptyDatabase } from '../helpers/database.ts'
import { make } from '../helpers/factories.ts'
import { testPool } from '../helpers/test-pool.ts'

const drawing = path.resolve('tests/fixtures/boards/hexagonal-architecture.excalidraw')
const log = pino({ level: 'silent' })

/** The database of a data folder, while its server runs or without one. */
async function withEmbedded<Result>(
  dataDir: string,
  work: (pool: pg.Pool) => Promise<Result>,
): Promise<Result> {
  const embedded = await startEmbedded({ dataDir, log, purpose: 'command' })
  try {
    const { host, port, user, database } = embedded.connection
    const pool = testPool({ host, port, user, database, max: 1 })
    try {
      return await work(pool)
    } finally {
      await pool.end()
    }
  } finally {
    await embedded.stop()
  }
}

/** A row of every entity. */
async function fill(pool: pg.Pool): Promise<void> {
  const database = await openDatabase({ pool, schema, log })
  for (const one of Object.values(make)) await one(database.db)
  await database.close()
}

/** Truncated, because whole rows are megabytes. */
const missing = (rows: readonly string[], among: readonly string[] = []): string[] => {
  const known = new Set(among)
  return rows.filter((row) => !known.has(row)).map((row) => row.slice(0, 200))
}

const backups = suite('backups of whole instances')

backups('made while a server runs and restored into a new folder, give the same instance', () =>
  withMadeFolder((dataDir, folder) =>
    withFolder(async (otherDir) => {
      const first = await serve(dataDir)
      await create(dataDir, 'ada@example.org', ['--role', 'sysadmin'])
      const ada = await signedIn(first, 'ada@example.org')
      const [made] = rows(
        await answer(dataDir, ['board', 'import', drawing, '--owner', 'ada@example.org', '--json']),
      )
      const link = (await ada.ask('POST', `/api/boards/${made.id}/share-links`, { level: 'edit' })).body.url
      const file = path.join(folder, 'everything.backup')
      await withEmbedded(dataDir, fill)
      const wasAsked = await withEmbedded(dataDir, everyRow)
      await answer(dataDir, ['backup', file])
      assert.match((await run(dataDir, ['backup', file])).stderr, /exists; choose another name/)
      const [nowhere, down] = await Promise.all([
        run(dataDir, ['backup', path.join(folder, 'no-such-folder', 'x')]),
        run(dataDir, ['migrate', 'down', 'all', '--yes']),
      ])
      assert.match(nowhere.stderr, /^boardroom: cannot use .*no-such-folder.*ENOENT/m)
      assert.not.match(nowhere.stderr, /unexpected failure/)
      assert.match(down.stderr, /another Boardroom/, 'not under a server that works with the tables')
      assert.match(
        (await run(dataDir, ['restore', file])).stderr,
        new RegExp(`${first.pid}`),
        'not under a server',
      )
      await first.end()
      assert.match((await run(dataDir, ['restore', file])).stderr, /never started.*Nothing was changed/)

      const cut = path.join(folder, 'cut.backup')
      const bytes = await readFile(file)
      await writeFile(cut, bytes.subarray(0, bytes.length / 2))
      assert.match((await run(otherDir, ['restore', cut])).stderr, /truncated/)
      await answer(otherDir, ['restore', file])
      const restored = await withEmbedded(otherDir, everyRow)
      for (const [table, rows] of Object.entries(wasAsked)) {
        if (table === 'audit_unsealed') continue // sealed meanwhile
        assert.equal(missing(rows, restored[table]), [], `rows of ${table} that did not come along`)
        const grew = table.startsWith('audit_') // the trail continued while the backup was made
        if (!grew) assert.is(restored[table]?.length, rows.length, table)
      }
      const second = await serve(otherDir)
      assert.is(second.lines.length, 1, 'the sysadmin came along, and no second sample board')
      const again = await signedIn(second, 'ada@example.org')
      assert.is((await again.ask('GET', `/api/boards/${made.id}/document`)).status, 200)
      const guest = visitor(second.url)
      const token = link.slice(link.indexOf('#k=') + 3)
      assert.is(
        (await guest.ask('POST', '/api/share-links/exchange', { token, name: 'Gus' })).body.level,
        'edit',
      )
      await second.end()
      assert.match(await answer(otherDir, ['audit', 'verify']), /the trail is whole/)
    }),
  ),
)

backups(
  'are copied from one external database to another, row by row, and never into one that is not empty',
  () =>
    withMadeFolder((dataDir, folder) =>
      withDatabase((from) =>
        withEmptyDatabase(async (to) => {
          for (const one of Object.values(make)) await one(from.db)
          await make.unsealedRow(from.db)
          const file = path.join(folder, 'outside.backup')
          await answer(dataDir, ['backup', file], { env: databaseSettings(from) })
          await answer(dataDir, ['restore', file], { env: databaseSettings(to) })
          const [before, after] = [await everyRow(from.pool), await everyRow(to.pool)]
          assert.equal(after, before)
          assert.ok(Object.values(before).every((rows) => rows.length > 0))
          const again = await run(dataDir, ['restore', file], { env: databaseSettings(to) })
          assert.is(again.code, 1)
          assert.match(again.stderr, /Nothing was changed/)
          assert.equal(await everyRow(to.pool), before)
        }),
      ),
    ),
)

backups.run()
