// The embedded database: a real Postgres in the data folder, reached over a unix socket, without a TCP port.
// It logs in first when starting, so that a Postgres left running by a killed server is reused and never duplicated.
import { setTimeout as delay } from 'node:timers/promises'
import type pg from 'pg'
import type { Logger } from 'pino'
import { BoardroomError } from '../errors.ts'
import { serverAccount } from './embedded/account.ts'
import { type Binaries, findBinaries } from './embedded/binaries.ts'
import { failedError, inUseError, lastWords, strangerError } from './embedded/failures.ts'
import {
  checkCluster,
  createCluster,
  databaseName,
  prepareDataFolder,
  removeSocketLink,
  socketFolder,
  writeAccessRules,
} from './embedded/folder.ts'
import { connectionIn, end, logIn, serverLockHolder, takeLast, takeServer, takeUse } from './embedded/lock.ts'
import {
  disarmPidFile,
  fillEmptyLocks,
  interrupt,
  postmasterState,
  readPid,
  type Starting,
  spawnPostmaster,
} from './embedded/postmaster.ts'

export interface EmbeddedOptions {
  /** The cluster is in `<dataDir>/postgres`, and created if missing. */
  dataDir: string
  log: Logger
  /** Reports progress in a sentence, for work that may take a while. */
  onProgress?: (message: string) => void
  /** `server`: serves from this folder. `command`: works beside it, or starts Postgres itself. */
  purpose?: 'server' | 'command'
  /** Where to copy binaries that the account of Postgres cannot access; default: a cache folder of the machine. */
  copyBinariesTo?: string
  /** How long to wait for a Postgres that is starting, recovering or stopping. */
  patienceMs?: number
}

const tick = 15

/**
 * Starts or adopts the Postgres of a data folder. Until `stop`, it is restarted if it dies.
 * @throws BoardroomError data_folder_unusable (not writable, another major, no account or binaries to run it with,
 *   or it does not start) | database_in_use (another server serves from this folder; the message has its pid).
 */
export async function startEmbedded(options: EmbeddedOptions): Promise<EmbeddedPostgres> {
  const clusterDir = await prepareDataFolder(options.dataDir)
  const postgres = new EmbeddedPostgres(clusterDir, options)
  await postgres.start()
  return postgres
}

export class EmbeddedPostgres {
  readonly clusterDir: string
  readonly #options: EmbeddedOptions
  readonly #log: Logger
  #socketFolder = ''
  #binaries: Binaries | null = null
  /** The connection that holds our locks. */
  #client: pg.Client | null = null
  #adopted = true
  #stopping: AbortController = new AbortController()
  #reviving: Promise<void> = Promise.resolve()

  /** Use `startEmbedded`. */
  constructor(clusterDir: string, options: EmbeddedOptions) {
    this.clusterDir = clusterDir
    this.#options = options
    this.#log = options.log.child({ part: 'embedded postgres' })
  }

  /** For `new pg.Pool` and `new pg.Client`. */
  get connection(): ReturnType<typeof connectionIn> {
    return connectionIn(this.#socketFolder)
  }

  /** The same as a URL that libpq and pg understand. */
  get url(): string {
    return `postgres://${databaseName}@/${databaseName}?host=${encodeURIComponent(this.#socketFolder)}`
  }

  /** Whether it was already running, for example because the server that started it was killed. */
  get adopted(): boolean {
    return this.#adopted
  }

  /** Where the binaries had to be copied to; null if they run from where npm installed them, or were not needed. */
  get binariesCopiedTo(): string | null {
    return this.#binaries?.copiedTo ?? null
  }

  /** Use `startEmbedded`. */
  async start(): Promise<void> {
    this.#hold(await this.#acquire())
  }

  /** Releases the folder, and stops Postgres if no other process needs it. Connections to it must be closed first. */
  async stop(): Promise<void> {
    if (this.#stopping.signal.aborted) return
    this.#stopping.abort()
    await this.#reviving
    const client = this.#client
    this.#client = null
    if (client === null) return
    try {
      if (await takeLast(client)) await this.#shutDown()
      else this.#log.info('another process still uses the database; it keeps running')
    } catch (error) {
      this.#log.warn({ err: error }, 'could not stop the database; the next start will use it as it is')
    } finally {
      await end(client)
    }
  }

  async #shutDown(): Promise<void> {
    const state = await postmasterState(this.clusterDir)
    if (state.name !== 'ours') {
      this.#log.warn('the database was started elsewhere and keeps running')
      return
    }
    interrupt(state.pid)
    const deadline = Date.now() + 20_000
    while ((await readPid(this.clusterDir)) !== null && Date.now() < deadline) await delay(5)
    await removeSocketLink(this.clusterDir)
  }

  /** Keeps `client` and its locks; if it dies before `stop`, reconnects and takes the locks again. */
  #hold(client: pg.Client): void {
    this.#client = client
    unref(client) // a library must not keep its host's process alive
    client.once('end', () => {
      if (this.#client !== client || this.#stopping.signal.aborted) return
      this.#client = null
      this.#log.warn('the connection that holds the data folder was lost')
      this.#reviving = this.#revive()
    })
  }

  async #revive(): Promise<void> {
    for (let pauseMs = 50; !this.#stopping.signal.aborted; pauseMs = Math.min(pauseMs * 2, 5000)) {
      try {
        this.#hold(await this.#acquire())
        this.#log.info('the database is back')
        return
      } catch (error) {
        if (this.#stopping.signal.aborted) return
        this.#log.error({ err: error }, 'the embedded database is unavailable; trying again')
        await delay(pauseMs, undefined, { signal: this.#stopping.signal }).catch(() => undefined) // stopping
      }
    }
  }

  /** Until we are logged in and hold our locks: logs in, waits, or creates, repairs and starts the cluster. */
  async #acquire(): Promise<pg.Client> {
    const { onProgress, patienceMs = 60_000, purpose = 'server' } = this.#options
    const deadline = Date.now() + patienceMs
    const serverDeadline = Date.now() + Math.min(patienceMs / 2, 1500)
    let starting: Starting | null = null
    let lastReason = 'it is starting'
    let told = false
    let rulesWritten = false
    try {
      for (;;) {
        if (this.#stopping.signal.aborted)
          throw new BoardroomError('closing', 'stopped while the database was starting')
        if (!(await checkCluster(this.clusterDir))) await this.#create()
        this.#socketFolder = await socketFolder(this.clusterDir)
        const login = await logIn(this.#socketFolder, `boardroom ${purpose} ${process.pid}`)
        if (login.name === 'in') {
          const taken = await this.#takeLocks(login.client, purpose, serverDeadline)
          if (taken !== null) return taken
        } else if (login.name === 'unknown_account') {
          if (rulesWritten || process.getuid?.() !== 0) throw strangerError(this.clusterDir)
          await this.#admitRoot()
          rulesWritten = true
        } else if (login.name === 'busy') {
          lastReason = login.reason
        } else if (starting === null) {
          const state = await postmasterState(this.clusterDir)
          if (state.name === 'ours') lastReason = 'it is starting or stopping'
          else {
            if (state.name === 'stranger') {
              this.#log.warn(
                { pid: state.pid },
                'postmaster.pid names a process that is not this database; repairing it',
              )
              await disarmPidFile(this.clusterDir)
            }
            if (await fillEmptyLocks(this.clusterDir))
              this.#log.warn('an earlier start was killed before it had written its lock file; repairing it')
            starting = await this.#spawn()
          }
        }
        if (starting !== null) {
          const words = await Promise.race([starting.failed, delay(tick, null)])
          if (words !== null) {
            await starting.leave()
            starting = null
            lastReason = lastWords(words)
            // Another start was faster, or backends of a killed Postgres are still exiting: log in, or try again.
            if (!/lock file|shared memory|already in use/i.test(words))
              throw await failedError(this.clusterDir, lastReason)
          }
        } else await delay(tick)
        if (Date.now() > deadline) throw await failedError(this.clusterDir, lastReason)
        if (!told && Date.now() > deadline - patienceMs + 2000) {
          told = true
          onProgress?.(`waiting for the database in ${this.clusterDir}: ${lastReason}`)
        }
      }
    } finally {
      await starting?.leave()
    }
  }

  async #create(): Promise<void> {
    this.#options.onProgress?.(`creating the database in ${this.clusterDir}`)
    const account = await serverAccount(this.clusterDir)
    await createCluster(this.clusterDir, account, await this.#findBinaries())
  }

  async #spawn(): Promise<Starting> {
    const account = await serverAccount(this.clusterDir)
    const binaries = await this.#findBinaries()
    await writeAccessRules(this.clusterDir, account)
    this.#adopted = false
    return spawnPostmaster(this.clusterDir, account, binaries)
  }

  async #findBinaries(): Promise<Binaries> {
    if (this.#binaries !== null) return this.#binaries
    const account = await serverAccount(this.clusterDir)
    const binaries = await findBinaries({ account, log: this.#log, copyTo: this.#options.copyBinariesTo })
    if (binaries.copiedTo !== null) {
      const where = `running Postgres from ${binaries.copiedTo}, because user "${account.name}" cannot enter the folder of the installed one`
      this.#options.onProgress?.(where)
    }
    this.#binaries = binaries
    return binaries
  }

  /** Root may use a database that somebody else started: it adds itself to the authentication rules. */
  async #admitRoot(): Promise<void> {
    await writeAccessRules(this.clusterDir, await serverAccount(this.clusterDir))
    const state = await postmasterState(this.clusterDir)
    if (state.name === 'ours') process.kill(state.pid, 'SIGHUP')
    await delay(100)
  }

  /** @returns null to try again. */
  async #takeLocks(
    client: pg.Client,
    purpose: 'server' | 'command',
    serverDeadline: number,
  ): Promise<pg.Client | null> {
    let refused: BoardroomError | null = null
    try {
      if (await takeUse(client)) {
        if (purpose === 'command' || (await takeServer(client))) return client
        const holder = await serverLockHolder(client)
        // A server was just killed, and its backend is about to notice.
        if (holder !== null && Date.now() > serverDeadline) refused = inUseError(this.clusterDir, holder)
      }
    } catch (error) {
      this.#log.debug({ err: error }, 'the database was lost while taking the lock; trying again')
    }
    await end(client)
    if (refused !== null) throw refused
    return null
  }
}

/** pg's types leave it out. @see https://node-postgres.com/apis/client */
const unref = (client: pg.Client) => (client as pg.Client & { unref(): void }).unref()
