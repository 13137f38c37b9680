// A nats-server for the workers on this machine, if the operator has none: on a free local port, with a random token,
// and without anything on disk.
import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Logger } from 'pino'
import { BoardroomError } from '../errors.ts'

const startWithinMs = 10_000
/** Debian installs it where only root's PATH looks. */
const rootsFolders: readonly string[] = ['/usr/sbin', '/usr/local/sbin']
const againAfterMs = 500
/** Ends the program when its standard input closes, which happens when its parent dies. */
const untilClosed =
  'exec 3<&0; "$0" -c "$1" & program=$!; (cat <&3 >/dev/null; kill $program) & wait $program'

export class OwnNats {
  readonly #program: string
  readonly #log: Logger
  readonly #token = randomBytes(24).toString('hex')
  #folder = ''
  #port = -1
  #child: ChildProcess | null = null
  #isStopping = false

  /** @param path the PATH to search. @throws BoardroomError invalid_config where none is installed */
  constructor(path: string, log: Logger, further = rootsFolders) {
    const program = [...path.split(delimiter), ...further]
      .map((folder) => join(folder, 'nats-server'))
      .find((file) => existsSync(file))
    if (program === undefined)
      throw new BoardroomError(
        'invalid_config',
        'serve --workers: the workers communicate over NATS, and no nats-server is installed; install it (apt-get install nats-server), or set NATS_URL',
      )
    this.#program = program
    this.#log = log
  }

  /** Settings for the workers. */
  get settings(): Record<string, string> {
    return { NATS_URL: `nats://127.0.0.1:${this.#port}`, NATS_TOKEN: this.#token }
  }

  /** Resolves once it listens; from then on it is restarted whenever it exits. */
  async start(): Promise<void> {
    this.#folder = await mkdtemp(join(tmpdir(), 'boardroom-nats-'))
    await this.#run()
  }

  async stop(): Promise<void> {
    this.#isStopping = true
    this.#child?.stdin?.end()
    if (this.#folder !== '') await rm(this.#folder, { recursive: true, force: true, maxRetries: 3 })
  }

  async #run(): Promise<void> {
    const file = join(this.#folder, 'nats.conf')
    const lines = [
      `listen: 127.0.0.1:${this.#port}`,
      `authorization { token: "${this.#token}" }`,
      `ports_file_dir: "${this.#folder}"`,
    ]
    await writeFile(file, `${lines.join('\n')}\n`, { mode: 0o600 })
    await this.#forgetPorts()
    // In its own process group: Ctrl-C is for us, and it must outlive the workers.
    const child = spawn('/bin/sh', ['-c', untilClosed, this.#program, file], {
      stdio: ['pipe', 'ignore', 'ignore'],
      detached: true,
    })
    child.on('error', (error) => this.#log.error({ err: error }, 'nats-server was not started'))
    child.stdin.on('error', () => undefined) // it has exited
    this.#child = child
    this.#port = await this.#portOf(child)
    child.once('exit', (code, signal) => void this.#again(code, signal))
  }

  /** On the same port, so that the workers find it. */
  async #again(code: number | null, signal: string | null): Promise<void> {
    if (this.#isStopping) return
    this.#log.error({ code, signal }, 'nats-server exited; restarting it')
    await delay(againAfterMs)
    if (!this.#isStopping)
      await this.#run().catch((error: unknown) => {
        this.#log.error({ err: error }, 'nats-server did not start; trying again')
        void this.#again(null, null)
      })
  }

  async #portOf(child: ChildProcess): Promise<number> {
    const until = performance.now() + startWithinMs
    while (performance.now() < until && child.exitCode === null && child.signalCode === null) {
      const [name] = await this.#portsFiles()
      const text = name === undefined ? '' : await readFile(join(this.#folder, name), 'utf8')
      const [url] = text.trimEnd().endsWith('}') ? (JSON.parse(text) as { nats: string[] }).nats : []
      if (url !== undefined) return Number(new URL(url).port)
      await delay(20)
    }
    child.stdin?.end()
    throw new BoardroomError(
      'bus_unreachable',
      `${this.#program} did not start; try: ${this.#program} -p 4222`,
    )
  }

  async #portsFiles(): Promise<string[]> {
    return (await readdir(this.#folder)).filter((name) => name.endsWith('.ports'))
  }

  /** Removes the file that a killed one left behind. */
  async #forgetPorts(): Promise<void> {
    for (const name of await this.#portsFiles()) await rm(join(this.#folder, name))
  }
}
