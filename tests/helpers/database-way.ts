// The way from a server to its database, which a test can cut and open again.
import { once } from 'node:events'
import { createConnection, createServer, type Server, type Socket } from 'node:net'
import pg from 'pg'

export class DatabaseWay {
  readonly #pairs = new Set<Socket>()
  #server: Server | null = null
  #isCut = false
  #target = ''

  /** @param url of a database on a unix socket. @returns the same database by this way */
  async open(url: string): Promise<string> {
    const { host, port, user, database } = new pg.Client({ connectionString: url })
    this.#target = `${host}/.s.PGSQL.${port}`
    this.#server = createServer((client) => (this.#isCut ? client.destroy() : this.#lead(client)))
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    const address = this.#server.address()
    if (address === null || typeof address === 'string') throw new Error('the way has no port')
    return `postgres://${user}@127.0.0.1:${address.port}/${database}`
  }

  /** As when Postgres is stopped: connections break, and new ones come to nothing. The port stays taken, for later. */
  cut(): void {
    this.#isCut = true
    for (const socket of this.#pairs) socket.destroy()
  }

  /** It is back. */
  restore(): void {
    this.#isCut = false
  }

  close(): void {
    this.cut()
    this.#server?.close()
  }

  #lead(client: Socket): void {
    const upstream = createConnection(this.#target)
    for (const socket of [client, upstream]) {
      this.#pairs.add(socket)
      socket.on('error', () => undefined) // 'close' follows
    }
    client.on('data', (bytes) => upstream.write(bytes))
    upstream.on('data', (bytes) => client.write(bytes))
    client.on('close', () => {
      this.#pairs.delete(client)
      upstream.destroy()
    })
    upstream.on('close', () => {
      this.#pairs.delete(upstream)
      client.destroy()
    })
  }
}
