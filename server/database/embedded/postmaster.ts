// The Postgres process of a cluster folder: whether it lives, starting it, stopping it. Nothing here is trusted
// for exclusion: Postgres's own locks and the lock in lock.ts do that.
import { execFile, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { open, readFile, readlink, stat, unlink, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { promisify } from 'node:util'
import type { Account } from './account.ts'
import type { Binaries } from './binaries.ts'
import { cleanEnvironment, folderAsSeenInside, port } from './folder.ts'

const run = promisify(execFile)

/** Fewer processes and less memory than the defaults, which are made for a machine of its own. Durability is untouched. */
const settings: Record<string, string> = {
  listen_addresses: '',
  unix_socket_directories: '.',
  port: String(port),
  max_connections: '100',
  timezone: 'UTC',
  log_timezone: 'UTC',
  io_method: 'sync',
  max_logical_replication_workers: '0',
  // Its own log, one file a weekday, each overwritten after a week; without the values of rows.
  logging_collector: 'on',
  log_directory: 'log',
  log_filename: 'postgres-%a.log',
  log_truncate_on_rotation: 'on',
  log_rotation_size: '0',
  log_error_verbosity: 'terse',
}

/**
 * What the pid in `postmaster.pid` is: `ours` a live postmaster of this folder, `none` no file or nobody of that
 * number (Postgres clears that up itself), `stranger` a live process that is not ours or a zombie, which Postgres
 * would take for a running postmaster.
 */
export async function postmasterState(
  clusterDir: string,
): Promise<{ name: 'ours' | 'stranger'; pid: number } | { name: 'none' }> {
  const pid = await readPid(clusterDir)
  if (pid === null || !exists(pid)) return { name: 'none' }
  return { name: (await isPostmasterOf(pid, clusterDir)) ? 'ours' : 'stranger', pid }
}

/** The first line of `postmaster.pid`; null where there is none. */
export async function readPid(clusterDir: string): Promise<number | null> {
  const content = await readFile(path.join(clusterDir, 'postmaster.pid'), 'utf8').catch(() => '')
  const pid = Number.parseInt(content, 10)
  return pid > 0 ? pid : null
}

/**
 * Makes a lock file that names a stranger harmless. It is never deleted, because it carries the key of the shared
 * memory by which Postgres finds out that an orphaned backend still writes: it gets our own pid, which Postgres,
 * our child, knows cannot be another postmaster.
 */
export async function disarmPidFile(clusterDir: string): Promise<void> {
  const file = path.join(clusterDir, 'postmaster.pid')
  const lines = (await readFile(file, 'utf8')).split('\n')
  lines[0] = String(process.pid)
  await writeFile(file, lines.join('\n'))
  await unlink(path.join(clusterDir, `.s.PGSQL.${port}.lock`)).catch(() => undefined) // may be gone already
}

/** A start has the words in these files right after it has made them. */
const cutOffMs = 3000

/**
 * Mends the lock files that a Postgres killed between making and writing them has left empty: no other ever starts in
 * such a folder. They get our own pid, as above: one that a start fills meanwhile is another file by then.
 * @returns whether there were any.
 */
export async function fillEmptyLocks(clusterDir: string): Promise<boolean> {
  let found = false
  for (const name of ['postmaster.pid', `.s.PGSQL.${port}.lock`]) {
    const file = await open(path.join(clusterDir, name), 'r+').catch(() => null) // usually missing
    if (file === null) continue
    try {
      const { size, mtimeMs } = await file.stat()
      if (size > 0 || Date.now() - mtimeMs < cutOffMs) continue
      await file.write(`${process.pid}\n`)
      found = true
    } finally {
      await file.close()
    }
  }
  return found
}

export interface Starting {
  /** Resolves with Postgres's own words if it ended instead of serving; never resolves otherwise. */
  failed: Promise<string>
  /** Stop watching: Postgres keeps running. */
  leave(): Promise<void>
}

/** Starts Postgres in a session of its own, so that Ctrl-C reaches us and not it before the flush. */
export async function spawnPostmaster(
  clusterDir: string,
  account: Account,
  binaries: Binaries,
): Promise<Starting> {
  // A file without a name: we read from it why a start failed, and Postgres never writes to a closed pipe.
  const name = path.join(clusterDir, `start-${randomBytes(6).toString('hex')}.log`)
  const output = await open(name, 'w+', 0o600)
  await unlink(name)
  const args = [
    '-D',
    folderAsSeenInside(clusterDir, account),
    ...Object.entries(settings).flatMap(([key, value]) => ['-c', `${key}=${value}`]),
  ]
  const child = spawn(binaries.postgres, args, {
    cwd: clusterDir,
    detached: true,
    env: cleanEnvironment,
    stdio: ['ignore', output.fd, output.fd],
    ...(account.other ? { uid: account.uid, gid: account.gid } : {}),
  })
  child.unref()
  let left = false
  const failed = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message))
    child.once('exit', () => {
      if (left) return
      const buffer = Buffer.alloc(16_384)
      output.read(buffer, 0, buffer.length, 0).then(
        ({ bytesRead }) => resolve(buffer.toString('utf8', 0, bytesRead)),
        (error: Error) => resolve(error.message),
      )
    })
  })
  return {
    failed,
    leave: async () => {
      left = true
      await output.close()
    },
  }
}

/** Asks the postmaster to roll back what runs and to end (a "fast" shutdown). */
export function interrupt(pid: number): void {
  try {
    process.kill(pid, 'SIGINT')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error // it has just ended
  }
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM' // there is one, of another user
  }
}

async function isPostmasterOf(pid: number, clusterDir: string): Promise<boolean> {
  if (process.platform !== 'linux') {
    const { stdout } = await run('ps', ['-o', 'stat=,comm=', '-p', String(pid)]).catch(() => ({ stdout: '' }))
    return /postgres$/.test(stdout.trim()) && !stdout.trim().startsWith('Z')
  }
  try {
    // A zombie has neither; a process of another user shows neither.
    const [program, inside, ours] = await Promise.all([
      readlink(`/proc/${pid}/exe`),
      stat(`/proc/${pid}/cwd`),
      stat(clusterDir),
    ])
    return (
      path.basename(program.replace(/ \(deleted\)$/, '')) === 'postgres' &&
      inside.dev === ours.dev &&
      inside.ino === ours.ino
    )
  } catch {
    return false // not readable or gone: not a live postmaster of ours
  }
}
