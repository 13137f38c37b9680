// An external Postgres, as Debian ships it: on its own TCP port with a password, and optionally with a
// real PgBouncer in front of it that gives each transaction any free connection.
//
//   const outside = await startOutside('pooled')
//   …withDatabase and withServer use it while the variable of the runner holds `outside.address`
//   await outside.stop()
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, readdirSync, rmSync } from 'node:fs'
import { chmod, chown, mkdtemp, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { promisify } from 'node:util'
import pg from 'pg'
import { type Account, serverAccount } from '../../server/database/embedded/account.ts'
import { type ClusterAddress, clusterVariable, fastFolder, makeTemplate, urlOf } from './cluster.ts'
import { eventually } from './eventually.ts'
import { freePort } from './free-port.ts'

const run = promisify(execFile)

/** `outside`: straight to Postgres. `pooled`: the server's queries go through PgBouncer. */
export const outsideWays = ['outside', 'pooled'] as const
export type OutsideWay = (typeof outsideWays)[number]

export interface Outside {
  address: ClusterAddress
  /**
   * Postgres ends at once, as when its machine loses power, and starts again after `work`; the pooler keeps running.
   */
  whileAway<Result>(work: () => Promise<Result>): Promise<Result>
  stop(): Promise<void>
}

const oldestMajor = 15
const debian = '/usr/lib/postgresql'
const user = 'boardroom'

/** The folder of Debian's newest programs, null if there are none or only older ones than we support. */
export function findPostgres(): string | null {
  const majors = existsSync(debian) ? readdirSync(debian).map(Number) : []
  return (
    majors
      .filter((major) => major >= oldestMajor)
      .sort((a, b) => b - a)
      .map((major) => path.join(debian, String(major), 'bin'))
      .find((folder) => existsSync(path.join(folder, 'initdb'))) ?? null
  )
}

export const findPgBouncer = (): string | null =>
  [...(process.env.PATH ?? '').split(path.delimiter), '/usr/sbin']
    .map((folder) => path.join(folder, 'pgbouncer'))
    .find((file) => existsSync(file)) ?? null

/** Why these tests cannot run on this machine; null: they can. */
export const whyNot = (way: OutsideWay): string | null =>
  findPostgres() === null
    ? `no Postgres ${oldestMajor} or newer of Debian's here (apt-get install postgresql)`
    : way === 'pooled' && findPgBouncer() === null
      ? 'no PgBouncer here (apt-get install pgbouncer)'
      : null

export async function startOutside(way: OutsideWay): Promise<Outside> {
  const binaries = findPostgres()
  if (binaries === null) throw new Error(whyNot(way) ?? '')
  const folder = await mkdtemp(path.join(await fastFolder(), 'boardroom-outside-'))
  const account = await serverAccount(folder) // Postgres and PgBouncer both refuse to be root
  const processes: ChildProcess[] = []
  const remove = () => {
    for (const child of processes) child.kill('SIGQUIT')
    rmSync(folder, { recursive: true, force: true })
  }
  process.once('exit', remove)
  const password = randomBytes(16).toString('hex')
  const port = await freePort()
  const files = new OwnFiles(folder, account)
  const asAccount = account.other ? { uid: account.uid, gid: account.gid } : {}
  const start = (command: string, args: string[]): ChildProcess => {
    const child = spawn(command, args, { cwd: folder, stdio: 'ignore', ...asAccount })
    child.unref()
    processes.push(child)
    return child
  }

  if (account.other) await chown(folder, account.uid, account.gid)
  const data = path.join(folder, 'data')
  const passwordFile = await files.write('password', password)
  await run(
    path.join(binaries, 'initdb'),
    [
      '-D',
      data,
      '-U',
      user,
      '--encoding=UTF8',
      '--locale=C',
      '--auth=scram-sha-256',
      `--pwfile=${passwordFile}`,
    ],
    { cwd: folder, ...asAccount },
  )
  // Roles created by tests have no password; they may do next to nothing.
  await files.write(
    path.join('data', 'pg_hba.conf'),
    `host all ${user} 127.0.0.1/32 scram-sha-256\nhost all all 127.0.0.1/32 trust\n`,
  )
  const address: ClusterAddress = { host: '127.0.0.1', port, user, password, template: 'boardroom_template' }
  const startPostgres = async () => {
    const child = start(path.join(binaries, 'postgres'), [
      ...['-D', data, '-p', String(port)],
      ...Object.entries({
        listen_addresses: '127.0.0.1',
        unix_socket_directories: '',
        max_connections: 200,
      }).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
    ])
    await answers(urlOf(address, 'postgres'), child)
    return child
  }

  let postgres = await startPostgres()
  await makeTemplate(address)
  if (way === 'pooled') address.pooler = await startPooler()
  return {
    address,
    async whileAway(work) {
      postgres.kill('SIGQUIT')
      await once(postgres, 'exit')
      try {
        return await work()
      } finally {
        postgres = await startPostgres()
      }
    },
    async stop() {
      for (const child of processes.reverse()) {
        if (child.exitCode !== null || child.signalCode !== null) continue
        child.kill('SIGINT') // Postgres: roll back and end; PgBouncer: likewise
        const hard = setTimeout(() => child.kill('SIGKILL'), 5000)
        await once(child, 'exit')
        clearTimeout(hard)
      }
      remove()
      process.off('exit', remove)
    },
  }

  async function startPooler(): Promise<{ host: string; port: number }> {
    const pooler = { host: '127.0.0.1', port: await freePort() }
    const users = await files.write('users.txt', `"${user}" "${password}"\n`)
    // Transaction pooling instead of session pooling; and Postgres is retried sooner than after the default of 15 s.
    const settings = await files.write(
      'pgbouncer.ini',
      `[databases]
* = host=127.0.0.1 port=${port}
[pgbouncer]
listen_addr = ${pooler.host}
listen_port = ${pooler.port}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = ${users}
pool_mode = transaction
max_client_conn = 500
default_pool_size = 5
server_login_retry = 1
`,
    )
    const child = start(findPgBouncer() ?? 'pgbouncer', ['-q', settings])
    await answers(urlOf({ ...address, ...pooler }, 'postgres'), child)
    return pooler
  }
}

/** While `work` runs, the databases of this file's tests are on an external Postgres, one for all of them. */
export async function onOutside(way: OutsideWay, work: (outside: Outside) => Promise<void>): Promise<void> {
  const outside = await shared()
  const told = process.env[clusterVariable]
  process.env[clusterVariable] = JSON.stringify(addressBy(way, outside))
  try {
    await work(outside)
  } finally {
    if (told === undefined) delete process.env[clusterVariable]
    else process.env[clusterVariable] = told
  }
}

/** @param outside one with a pooler, if `way` needs one. */
export const addressBy = (way: OutsideWay, { address: { pooler, ...straight } }: Outside): ClusterAddress =>
  way === 'pooled' && pooler !== undefined ? { ...straight, pooler } : straight

let own: Promise<Outside> | null = null

/** Stopped when the process has nothing left to do. */
function shared(): Promise<Outside> {
  own ??= startOutside(findPgBouncer() === null ? 'outside' : 'pooled').then((outside) => {
    process.once('beforeExit', outside.stop)
    return outside
  })
  return own
}

class OwnFiles {
  readonly #folder: string
  readonly #account: Account

  constructor(folder: string, account: Account) {
    this.#folder = folder
    this.#account = account
  }

  async write(name: string, content: string): Promise<string> {
    const file = path.join(this.#folder, name)
    await writeFile(file, content)
    await chmod(file, 0o600)
    if (this.#account.other) await chown(file, this.#account.uid, this.#account.gid)
    return file
  }
}

/** @throws Error if `child` ends before it answers. */
async function answers(connectionString: string, child: ChildProcess): Promise<void> {
  let problem: unknown
  const answered = await eventually(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return 'ended'
    const client = new pg.Client({ connectionString })
    client.on('error', () => undefined)
    try {
      await client.connect()
      await client.query('select 1')
      return 'answered'
    } catch (error) {
      problem = error
      return null
    } finally {
      await client.end().catch(() => undefined)
    }
  })
  if (answered === 'ended')
    throw new Error(`${child.spawnfile} ended (${child.exitCode})`, { cause: problem })
}
