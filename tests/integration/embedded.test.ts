import * as nodeAssert from 'node:assert/strict'
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import {
  chmod,
  chown,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  stat,
  truncate,
  utimes,
  writeFile,
} from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import pg from 'pg'
import { pino } from 'pino'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { copyFor, installedPackage } from '../../server/database/embedded/binaries.ts'
import { readPid } from '../../server/database/embedded/postmaster.ts'
import { type EmbeddedOptions, type EmbeddedPostgres, startEmbedded } from '../../server/database/embedded.ts'
import { fastFolder } from '../helpers/cluster.ts'
import { startEmbeddedProcess } from '../helpers/embedded-process.ts'
import { eventually } from '../helpers/eventually.ts'
import { withFolder } from '../helpers/folder.ts'

const embedded = suite('the embedded Postgres')
const log = pino({ level: 'silent' })
const isRoot = process.getuid?.() === 0

/** Runs `work` with a started database, and stops it. */
async function withEmbedded<Result>(
  dataDir: string,
  work: (postgres: EmbeddedPostgres) => Promise<Result>,
  options: Partial<EmbeddedOptions> = {},
): Promise<Result> {
  const postgres = await startEmbedded({ dataDir, log, ...options })
  try {
    return await work(postgres)
  } finally {
    await postgres.stop()
  }
}

async function ask<Row extends pg.QueryResultRow>(url: string, statement: string): Promise<Row[]> {
  const client = new pg.Client({ connectionString: url })
  client.on('error', () => undefined)
  await client.connect()
  try {
    return (await client.query<Row>(statement)).rows
  } finally {
    await client.end()
  }
}

const refusal = (code: string, words: RegExp) => (error: Error & { code?: string }) => {
  assert.is(error.code, code, error.message)
  assert.match(error.message, words)
  assert.not.match(error.message, '\n')
  return true
}

let madeFolder: Promise<string> | null = null

/**
 * A data folder with a cluster that was created, started and stopped before: a copy, because creating takes longest.
 */
async function withMadeFolder(work: (dataDir: string) => Promise<void>): Promise<void> {
  madeFolder ??= (async () => {
    const folder = await mkdtemp(path.join(await fastFolder(), 'boardroom-test-'))
    process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
    await withEmbedded(folder, async () => undefined)
    return folder
  })()
  const source = path.join(await madeFolder, 'postgres')
  await withFolder(async (dataDir) => {
    execFileSync('cp', ['-a', source, dataDir]) // with its owner
    await work(dataDir)
  })
}

/** Leaves behind a cluster whose Postgres was killed, with its pid file. */
async function withKilledCluster(
  work: (dataDir: string, clusterDir: string) => Promise<void>,
): Promise<void> {
  await withMadeFolder(async (dataDir) => {
    const clusterDir = path.join(dataDir, 'postgres')
    const owner = await startEmbeddedProcess(dataDir)
    await owner.end('SIGKILL')
    const pid = (await readPid(clusterDir)) ?? 0
    process.kill(pid, 'SIGKILL')
    await eventually(() => spawnSync('pgrep', ['-P', String(pid)]).status !== 0 && !isAlive(pid))
    await work(dataDir, clusterDir)
  })
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

/** Writes the pid of another process where a killed Postgres left its own. */
async function forgePid(clusterDir: string, pid: number): Promise<void> {
  for (const name of ['postmaster.pid', '.s.PGSQL.5432.lock']) {
    const file = path.join(clusterDir, name)
    const [, ...rest] = (await readFile(file, 'utf8')).split('\n')
    await writeFile(file, [pid, ...rest].join('\n'))
  }
}

embedded('keeps what was committed, with fsync on, without a TCP port, in a separate session', () =>
  withFolder(async (dataDir) => {
    await withEmbedded(dataDir, async ({ url, clusterDir }) => {
      const [settings] = await ask(
        url,
        `select current_setting('fsync') as fsync, current_setting('synchronous_commit') as commit,
                current_setting('full_page_writes') as pages, current_setting('listen_addresses') as addresses,
                current_setting('server_encoding') as encoding, current_setting('data_checksums') as checksums`,
      )
      assert.equal(settings, {
        fsync: 'on',
        commit: 'on',
        pages: 'on',
        addresses: '',
        encoding: 'UTF8',
        checksums: 'on',
      })
      await ask(url, 'create table kept as select 7 as value')
      const pid = await readPid(clusterDir)
      assert.is(
        spawnSync('ps', ['-o', 'sid=', '-p', String(pid)], { encoding: 'utf8' }).stdout.trim(),
        String(pid),
      )
    })
    assert.is(await readPid(path.join(dataDir, 'postgres')), null, 'it was stopped')
    await withEmbedded(dataDir, async ({ url, adopted }) => {
      assert.is(adopted, false)
      assert.equal(await ask(url, 'select value from kept'), [{ value: 7 }])
    })
  }),
)

embedded('left running by a killed server is reused', () =>
  withMadeFolder(async (dataDir) => {
    const first = await startEmbeddedProcess(dataDir)
    const pid = await readPid(path.join(dataDir, 'postgres'))
    await first.end('SIGKILL')
    await withEmbedded(dataDir, async ({ adopted, clusterDir }) => {
      assert.is(adopted, true)
      assert.is(await readPid(clusterDir), pid)
    })
    assert.is(await readPid(path.join(dataDir, 'postgres')), null, 'whoever adopted it stops it')
  }),
)

embedded('serves one server: a second one is refused in one line with the pid of the first', () =>
  withMadeFolder(async (dataDir) => {
    const first = await startEmbeddedProcess(dataDir)
    try {
      const inUse = refusal(
        'database_in_use',
        new RegExp(`process ${first.child.pid}\\b.*BOARDROOM_DATA_DIR`),
      )
      await nodeAssert.rejects(startEmbedded({ dataDir, log, patienceMs: 500 }), inUse)
      assert.is((await ask(first.report.ready?.url ?? '', 'select 1 as one')).length, 1, 'the first goes on')
    } finally {
      await first.end()
    }
  }),
)

embedded('works for a command while the server runs, and stops with the last process', () =>
  withMadeFolder(async (dataDir) => {
    const clusterDir = path.join(dataDir, 'postgres')
    const server = await startEmbeddedProcess(dataDir)
    const command = await startEmbedded({ dataDir, log, purpose: 'command' })
    assert.is(command.adopted, true)
    await server.end()
    assert.equal(await ask(command.url, 'select 1 as one'), [{ one: 1 }])
    await command.stop()
    assert.is(await readPid(clusterDir), null)
  }),
)

embedded('is created once by several first starts at the same moment', () =>
  withFolder(async (dataDir) => {
    const starts = await Promise.all([1, 2, 3].map(() => startEmbedded({ dataDir, log, purpose: 'command' })))
    const systems = await Promise.all(
      starts.map(({ url }) => ask(url, 'select system_identifier::text as id from pg_control_system()')),
    )
    assert.is(new Set(systems.map(([row]) => row?.id)).size, 1)
    await Promise.all(starts.map((start) => start.stop()))
    assert.equal(await readdir(dataDir), ['postgres'], 'no draft is left')
    assert.is(await readPid(path.join(dataDir, 'postgres')), null, 'the last of them stopped it')
  }),
)

embedded('can be started while another process stops it', () =>
  withMadeFolder(async (dataDir) => {
    for (let round = 0; round < 5; round++) {
      const leaving = await startEmbedded({ dataDir, log })
      const left = leaving.stop()
      const coming = await startEmbedded({ dataDir, log })
      await left
      assert.equal(await ask(coming.url, 'select 1 as one'), [{ one: 1 }])
      await coming.stop()
    }
  }),
)

embedded('restarts when its Postgres is killed, and stays locked', () =>
  withMadeFolder(async (dataDir) => {
    const server = await startEmbeddedProcess(dataDir)
    try {
      const pid = (await readPid(path.join(dataDir, 'postgres'))) ?? 0
      process.kill(pid, 'SIGKILL')
      const url = server.report.ready?.url ?? ''
      await eventually(() => ask(url, 'select 1 as one'))
      await eventually(
        async () => (await ask(url, `select from pg_locks where locktype = 'advisory'`)).length === 2,
      )
      await nodeAssert.rejects(
        startEmbedded({ dataDir, log, patienceMs: 500 }),
        refusal('database_in_use', /another Boardroom/),
      )
    } finally {
      await server.end()
    }
  }),
)

embedded('starts although postmaster.pid names a different live process', () =>
  withKilledCluster(async (dataDir, clusterDir) => {
    const { uid, gid } = await stat(clusterDir)
    // Of the same user: Postgres itself accepts only those as a running one.
    const other = spawn('sleep', ['60'], { stdio: 'ignore', ...(isRoot ? { uid, gid } : {}) })
    try {
      await forgePid(clusterDir, other.pid ?? 0)
      await withEmbedded(dataDir, async ({ url }) => assert.is((await ask(url, 'select 1')).length, 1), {
        patienceMs: 30_000,
      })
      assert.ok(isAlive(other.pid ?? 0), 'and leaves that process alone')
    } finally {
      other.kill()
    }
  }),
)

embedded('starts although postmaster.pid names the Postgres of another folder', () =>
  withKilledCluster((dataDir, clusterDir) =>
    withMadeFolder((otherDir) =>
      withEmbedded(otherDir, async (other) => {
        await forgePid(clusterDir, (await readPid(other.clusterDir)) ?? 0)
        await withEmbedded(dataDir, async ({ url }) => assert.not.equal(url, other.url), {
          patienceMs: 30_000,
        })
        assert.is((await ask(other.url, 'select 1')).length, 1, 'and leaves that one alone')
      }),
    ),
  ),
)

embedded('starts although postmaster.pid names a zombie', () =>
  withKilledCluster(async (dataDir, clusterDir) => {
    const { uid, gid } = await stat(clusterDir)
    // The shell becomes a sleep that never waits for its child.
    const parent = spawn('sh', ['-c', 'sleep 0.3 & echo $!; exec sleep 60'], {
      stdio: ['ignore', 'pipe', 'ignore'],
      ...(isRoot ? { uid, gid } : {}),
    })
    try {
      const zombie = await new Promise<number>((resolve) =>
        parent.stdout.once('data', (data) => resolve(Number(String(data)))),
      )
      await eventually(() =>
        spawnSync('ps', ['-o', 'stat=', '-p', String(zombie)], { encoding: 'utf8' }).stdout.startsWith('Z'),
      )
      await forgePid(clusterDir, zombie)
      await withEmbedded(dataDir, async ({ url }) => assert.is((await ask(url, 'select 1')).length, 1), {
        patienceMs: 30_000,
      })
    } finally {
      parent.kill()
    }
  }),
)

for (const name of ['postmaster.pid', '.s.PGSQL.5432.lock']) {
  embedded(`starts although a Postgres was killed before it had written anything into ${name}`, () =>
    withKilledCluster(async (dataDir, clusterDir) => {
      const file = path.join(clusterDir, name)
      const since = new Date(Date.now() - 10_000)
      await truncate(file)
      await utimes(file, since, since)
      await withEmbedded(dataDir, async ({ url }) => assert.is((await ask(url, 'select 1')).length, 1), {
        patienceMs: 30_000,
      })
    }),
  )
}

embedded('of another major version is refused with the solution', () =>
  withFolder(async (dataDir) => {
    await mkdir(path.join(dataDir, 'postgres'))
    await writeFile(path.join(dataDir, 'postgres', 'PG_VERSION'), '17\n')
    const words = /Postgres 17, but this Boardroom contains Postgres 18;.*boardroom backup.*boardroom restore/
    await nodeAssert.rejects(startEmbedded({ dataDir, log }), refusal('data_folder_unusable', words))
  }),
)

embedded('leaves other folders alone', () =>
  withFolder(async (dataDir) => {
    await mkdir(path.join(dataDir, 'postgres'))
    await writeFile(path.join(dataDir, 'postgres', 'holiday.jpg'), '')
    await nodeAssert.rejects(
      startEmbedded({ dataDir, log }),
      refusal('data_folder_unusable', /not empty and not a Postgres folder/),
    )
    assert.equal(await readdir(path.join(dataDir, 'postgres')), ['holiday.jpg'])
  }),
)

embedded('says in one line that its place is a file', () =>
  withFolder(async (folder) => {
    await writeFile(path.join(folder, 'file'), '')
    const dataDir = path.join(folder, 'file', 'data')
    await nodeAssert.rejects(
      startEmbedded({ dataDir, log }),
      refusal('data_folder_unusable', /part of this path is a file.*BOARDROOM_DATA_DIR/),
    )
  }),
)

embedded('says in one line that its folder cannot be written', () =>
  withFolder(async (dataDir) => {
    await chmod(dataDir, 0o555)
    // Root may write anywhere: so it tries as another user.
    const { report } = await startEmbeddedProcess(
      dataDir,
      'server',
      isRoot ? { uid: 65_534, gid: 65_534 } : undefined,
    )
    await chmod(dataDir, 0o755)
    assert.is(report.refused?.code, 'data_folder_unusable')
    assert.match(report.refused?.message ?? '', /may not read and write there; .*BOARDROOM_DATA_DIR/)
  }),
)

embedded('works in a folder whose path is too long for a socket', () =>
  withFolder(async (folder) => {
    const dataDir = path.join(folder, 'long'.repeat(30), 'data')
    const link = await withEmbedded(dataDir, async ({ url, connection }) => {
      assert.is((await ask(url, 'select 1')).length, 1)
      assert.ok(connection.host.length < 80)
      assert.is(await readlink(connection.host), path.join(dataDir, 'postgres'))
      return connection.host
    })
    await nodeAssert.rejects(stat(link), { code: 'ENOENT' })
  }),
)

if (isRoot) {
  embedded('runs as a lesser account when root starts it, in a folder that only root may enter', () =>
    withFolder(async (folder) => {
      await chmod(folder, 0o700)
      await withEmbedded(path.join(folder, 'data'), async ({ url, clusterDir }) => {
        const pid = await readPid(clusterDir)
        const status = await readFile(`/proc/${pid}/status`, 'utf8')
        assert.not.match(status, /^Uid:\s+0/m)
        assert.match(status, /^Groups:\s*$/m)
        assert.is((await stat(clusterDir)).mode & 0o777, 0o700)
        assert.equal(await ask(url, 'select current_user::text as name'), [{ name: 'boardroom' }])
      })
    }),
  )

  embedded('copies its binaries where their account can run them, if it cannot where they are', () =>
    withFolder(async (folder) => {
      await chmod(folder, 0o755)
      const nobody = { name: 'nobody', uid: 65_534, gid: 65_534, other: true }
      const options = { installed: await installedPackage(), folders: [path.join(folder, 'cache')], log }
      const copied = await copyFor(nobody, options)
      assert.is(path.dirname(copied?.copiedTo ?? ''), options.folders[0])
      assert.equal(await copyFor(nobody, options), copied, 'and uses the copy again')
      await chown(copied?.copiedTo ?? '', 65_534, 65_534)
      assert.is(await copyFor(nobody, options), null, 'but never one that somebody else may have made')
    }, os.tmpdir()),
  )
}

embedded.run()
