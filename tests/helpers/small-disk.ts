// A server whose data folder is on a small separate disk: a memory file system, which any user may mount for
// processes in a user namespace, if the machine allows those. Full really means full: the kernel's own ENOSPC.
import { spawnSync } from 'node:child_process'
import { mkdtemp, open, rm, rmdir, statfs } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { type Program, postgresIn, startProgram } from './program.ts'

export interface SmallDisk {
  program: Program
  /** Where Postgres has its files, as seen by this process. */
  clusterDir: string
  freeBytes(): Promise<number>
  /** Leaves this many bytes free. */
  fill(leaveBytes: number): Promise<void>
  /** Removes what `fill` added. */
  empty(): Promise<void>
}

/** Postgres does not run as root: in there, root is somebody else. */
const uid = process.getuid?.() === 0 ? 65_534 : (process.getuid?.() ?? 65_534)
const mounting = (folder: string, megabytes: number): string[] => [
  'unshare',
  '--user',
  `--map-user=${uid}`,
  `--map-group=${uid}`,
  '--keep-caps',
  '--mount',
  'sh',
  '-c',
  `mount -t tmpfs -o size=${megabytes}m none '${folder}' && exec "$0" "$@"`,
]

/** @returns false, having done nothing, if this machine does not allow mounting. */
export async function withSmallDisk(
  megabytes: number,
  work: (disk: SmallDisk) => Promise<void>,
): Promise<boolean> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'boardroom-disk-'))
  const [command = '', ...args] = mounting(folder, megabytes)
  if (spawnSync(command, [...args, 'true'], { stdio: 'ignore' }).status !== 0) {
    await rmdir(folder)
    return false
  }
  const program = await startProgram(
    path.join(folder, 'data'),
    { BOARDROOM_UPDATES_PER_SECOND: '10000' },
    { through: mounting(folder, megabytes) },
  )
  // Only the program sees the mount; this is the path into it from outside.
  const inside = `/proc/${program.pid}/root${folder}`
  const clusterDir = path.join(inside, 'data', 'postgres')
  const ballast = path.join(inside, 'ballast')
  const freeBytes = async () => {
    const { bavail, bsize } = await statfs(inside)
    return bavail * bsize
  }
  try {
    await work({
      program,
      clusterDir,
      freeBytes,
      async fill(leaveBytes) {
        const file = await open(ballast, 'a')
        const zeros = Buffer.alloc(1_000_000)
        try {
          for (let left = (await freeBytes()) - leaveBytes; left > 0; left -= zeros.length)
            await file.write(zeros, 0, Math.min(left, zeros.length))
        } catch (error) {
          if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error // full is the intention
        } finally {
          await file.close()
        }
      },
      empty: () => rm(ballast, { force: true }),
    })
  } finally {
    await rm(ballast, { force: true })
    const postgres = await postgresIn(clusterDir)
    await program.stop()
    for (const pid of postgres) kill(pid)
    await rmdir(folder)
  }
  return true
}

/** Left behind by a clean shutdown. */
function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // gone, as intended
  }
}
