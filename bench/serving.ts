// A server in a separate process, with a separate Postgres, for benchmarks whose clients run in the process that
// started it: one file contains both, and its first argument decides which it is.
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { type BoardroomOptions, createBoardroom } from '../server/boardroom.ts'
import { withDatabase } from '../tests/helpers/database.ts'

/** Whether this process is the server. */
export const isServing = (): boolean => process.argv[2] === 'serve'

/** Serves all requests as one user, until the parent asks it to stop; then the process ends. */
export async function serve(options: Partial<BoardroomOptions> = {}): Promise<never> {
  await withDatabase(async ({ url }) => {
    const http = createServer()
    const boardroom = await createBoardroom({
      database: url,
      secret: 'a benchmark has no secrets, but needs one',
      authenticate: () => ({ externalId: 'somebody', name: 'Somebody' }),
      ...options,
    })
    http.on('request', (request, response) => boardroom.handleRequest(request, response))
    http.on('upgrade', (request, socket, head) => boardroom.handleUpgrade(request, socket, head))
    http.listen(0, '127.0.0.1')
    await once(http, 'listening')
    process.send?.((http.address() as AddressInfo).port)
    for (let message = ''; message !== 'end'; ) {
      ;[message] = (await once(process, 'message')) as [string]
      if (message === 'cpu') process.send?.(process.cpuUsage())
    }
    await boardroom.close({ drainMs: 0 })
    http.close()
    http.closeAllConnections()
  })
  process.exit(0)
}

/** Starts the server part of this benchmark's file as another process. */
export class ServerProcess {
  readonly port: number
  readonly #process: ChildProcess

  private constructor(process: ChildProcess, port: number) {
    this.#process = process
    this.port = port
  }

  /** @param url of the benchmark: `import.meta.url` */
  static async start(url: string): Promise<ServerProcess> {
    const process = fork(fileURLToPath(url), ['serve'])
    const [port] = (await once(process, 'message')) as [number]
    return new ServerProcess(process, port)
  }

  /** Posts to the API. @throws for any answer that is not a success */
  async post<Body = { id: string }>(path: string, body: unknown): Promise<Body> {
    const response = await fetch(`http://127.0.0.1:${this.port}/api${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`)
    return (await response.json()) as Body
  }

  /** The address of a board's socket. */
  socketOf(boardId: string): string {
    return `ws://127.0.0.1:${this.port}/ws/${boardId}`
  }

  async cpuMs(): Promise<number> {
    this.#process.send('cpu')
    const [{ user, system }] = (await once(this.#process, 'message')) as [NodeJS.CpuUsage]
    return (user + system) / 1000
  }

  async end(): Promise<void> {
    this.#process.send('end')
    await once(this.#process, 'exit')
  }
}
