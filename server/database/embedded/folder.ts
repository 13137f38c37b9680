// The folder of the embedded cluster, `<data folder>/postgres`: creates it once, checks it at every start, and provides a
// short path to its socket.
import { spawn } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import {
  access,
  chown,
  constants,
  lstat,
  mkdir,
  open,
  readdir,
  readFile,
  readlink,
  rename,
  rm,
  rmdir,
  stat,
  symlink,
  unlink,
  writeFile,
} from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { BoardroomError } from '../../errors.ts'
import { type Account, starter } from './account.ts'
import type { Binaries } from './binaries.ts'

export const port = 5432
/** Superuser of the cluster, and the name of the database. */
export const databaseName = 'boardroom'
const major = '18'
const socketName = `.s.PGSQL.${port}`

/** The environment of Postgres and initdb, without anything that would change their port, folder or language. */
export const cleanEnvironment: NodeJS.ProcessEnv = {
  PATH: process.env.PATH ?? '/usr/bin:/bin',
  LC_ALL: 'C',
  TZ: 'UTC',
}

/** @returns the folder's real path (it need not exist yet). @throws BoardroomError data_folder_unusable */
export async function prepareDataFolder(dataDir: string): Promise<string> {
  const folder = path.resolve(dataDir)
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 })
    await access(folder, constants.R_OK | constants.W_OK | constants.X_OK)
  } catch (cause) {
    throw unusable(folder, cause)
  }
  return path.join(folder, 'postgres')
}

/**
 * Whether `clusterDir` holds a cluster we can run.
 * @returns false where it has to be made.
 * @throws BoardroomError data_folder_unusable: another major, something else, or not writable.
 */
export async function checkCluster(clusterDir: string): Promise<boolean> {
  let version: string
  try {
    version = (await readFile(path.join(clusterDir, 'PG_VERSION'), 'utf8')).trim()
    await access(clusterDir, constants.W_OK)
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    if (code !== 'ENOENT') throw unusable(clusterDir, cause)
    const entries = await readdir(clusterDir).catch(() => [])
    if (entries.length === 0) return false
    throw new BoardroomError(
      'data_folder_unusable',
      `${clusterDir} is not empty and not a Postgres folder; move it elsewhere, or choose another BOARDROOM_DATA_DIR`,
    )
  }
  if (version === major) return true
  throw new BoardroomError(
    'data_folder_unusable',
    `${clusterDir} was created by Postgres ${version}, but this Boardroom contains Postgres ${major}; start the Boardroom that created it, run "boardroom backup FILE" there, and "boardroom restore FILE" here with a new BOARDROOM_DATA_DIR`,
  )
}

/** Creates the cluster in a temporary folder and renames it: of several first starts one wins, and the others use its. */
export async function createCluster(clusterDir: string, account: Account, binaries: Binaries): Promise<void> {
  await removeAbandoned(clusterDir)
  const draft = `${clusterDir}.new-${randomBytes(6).toString('hex')}`
  try {
    await mkdir(draft, { mode: 0o700 })
    if (account.other) await chown(draft, account.uid, account.gid)
    await initdb(draft, account, binaries)
    await rename(draft, clusterDir).catch(async (error: unknown) => {
      if (!(await checkCluster(clusterDir))) throw error // otherwise another start was faster
    })
    await syncFolder(path.dirname(clusterDir))
  } catch (cause) {
    if (cause instanceof BoardroomError) throw cause
    throw unusable(clusterDir, cause)
  } finally {
    await rm(draft, { recursive: true, force: true })
  }
}

/**
 * Who may log in: by peer authentication the account that starts Boardroom and the one that runs Postgres; nobody else
 * on the machine, and without passwords.
 */
export async function writeAccessRules(clusterDir: string, account: Account): Promise<void> {
  const names = new Set([starter().name, account.name])
  const files = {
    'pg_hba.conf': 'local all all peer map=boardroom\n',
    'pg_ident.conf': [...names].map((name) => `boardroom "${name}" ${databaseName}\n`).join(''),
  }
  for (const [name, content] of Object.entries(files)) {
    const file = path.join(clusterDir, name)
    const draft = `${file}.${randomBytes(6).toString('hex')}`
    await writeFile(draft, content, { mode: 0o600 })
    if (account.other) await chown(draft, account.uid, account.gid)
    await rename(draft, file)
  }
}

/** The path of the cluster folder for the account: a link avoids parent folders that it may not enter. */
export const folderAsSeenInside = (clusterDir: string, account: Account): string =>
  account.other && process.platform === 'linux' ? '/proc/self/cwd' : clusterDir

/**
 * The folder that clients use as host. Socket paths are limited to 107 bytes (macOS 103): a longer one gets a short
 * link in a private folder, which is the same for every process of this user.
 */
export async function socketFolder(clusterDir: string): Promise<string> {
  const fits = (folder: string) =>
    Buffer.byteLength(path.join(folder, socketName)) <= (process.platform === 'darwin' ? 103 : 107)
  if (fits(clusterDir)) return clusterDir
  const link = linkTo(clusterDir)
  const parent = path.dirname(link)
  await mkdir(parent, { mode: 0o700, recursive: true })
  const { uid, mode } = await lstat(parent)
  if (uid !== process.getuid?.() || (mode & 0o077) !== 0) {
    throw new BoardroomError(
      'data_folder_unusable',
      `${clusterDir} is too long for a socket path, and ${parent} belongs to another user; choose a shorter BOARDROOM_DATA_DIR`,
    )
  }
  const target = await readlink(link).catch(() => null)
  if (target === clusterDir) return link
  if (target !== null) await unlink(link)
  await symlink(clusterDir, link).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error // else another process of ours just made it
  })
  return link
}

/** Removes the short link; called after the cluster was stopped. */
export async function removeSocketLink(clusterDir: string): Promise<void> {
  const link = linkTo(clusterDir)
  await rm(link, { force: true })
  await rmdir(path.dirname(link)).catch(() => undefined) // another cluster's link is still in it, or it never was
}

const linkTo = (clusterDir: string): string => {
  const name = createHash('sha256').update(clusterDir).digest('hex').slice(0, 12)
  const temporary = os.tmpdir().length <= 60 ? os.tmpdir() : '/tmp'
  return path.join(temporary, `boardroom-${process.getuid?.() ?? 0}`, name)
}

async function initdb(folder: string, account: Account, binaries: Binaries): Promise<void> {
  const inside = folderAsSeenInside(folder, account)
  const args = ['-D', inside, '-U', databaseName, '--encoding=UTF8', '--locale=C', '-A', 'peer']
  const child = spawn(binaries.initdb, args, {
    cwd: folder,
    env: cleanEnvironment,
    stdio: ['ignore', 'ignore', 'pipe'],
    ...(account.other ? { uid: account.uid, gid: account.gid } : {}),
  })
  let output = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    output = (output + text).slice(-4096)
  })
  const code = await new Promise<number | null>((resolve, reject) =>
    child.once('error', reject).once('close', resolve),
  )
  if (code === 0) return
  const reason = output.split('\n').find((line) => /error|fatal/i.test(line)) ?? output.trim()
  throw new BoardroomError(
    'data_folder_unusable',
    `cannot create the database in ${path.dirname(folder)}: ${reason}`,
  )
}

/** Removes incomplete clusters of killed starts; creating one takes a second, so an hour is plenty. */
async function removeAbandoned(clusterDir: string): Promise<void> {
  const parent = path.dirname(clusterDir)
  for (const name of await readdir(parent)) {
    if (!name.startsWith(`${path.basename(clusterDir)}.new-`)) continue
    const made = await stat(path.join(parent, name)).catch(() => null)
    if (made !== null && Date.now() - made.mtimeMs > 3_600_000)
      await rm(path.join(parent, name), { recursive: true, force: true })
  }
}

/** The rename itself must survive a power failure, or later commits would be lost with the folder. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

function unusable(folder: string, cause: unknown): BoardroomError {
  const { code, message } = cause as NodeJS.ErrnoException // from node:fs
  const reasons: Record<string, string> = {
    EACCES: `user "${starter().name}" may not read and write there`,
    EPERM: `user "${starter().name}" may not read and write there`,
    EROFS: 'the file system is read-only',
    ENOTDIR: 'a part of this path is a file',
    EEXIST: 'there is a file of this name',
    ENOSPC: 'the disk is full',
  }
  const reason = reasons[code ?? ''] ?? message
  return new BoardroomError(
    'data_folder_unusable',
    `cannot use the folder ${folder}: ${reason}; fix that, or set BOARDROOM_DATA_DIR to another folder`,
    { cause },
  )
}
