// The way from a server to its database, which a test can cut and open again.
import { once } from 'node:events'
import { createConnection, createServer, type NetConnectOpts, type Server, type Socket } from 'node:net'
import pg from 'pg'

export class DatabaseWay {
  readonly #pairs = new Set<Socket>()
  readonly #servers: Server[] = []
  #isCut = false

  /** For each address of the database (Postgres, its pooler) once. @returns the same database by this way */
  async open(url: string): Promise<string> {
    const { host, port, user, password, database } = new pg.Client({ connectionString: url })
    const target = host.startsWith('/') ? { path: `${host}/.s.PGSQL.${port}` } : { host, port }
    const server = createServer((client) => (this.#isCut ? client.destroy() : this.#lead(client, target)))
    this.#servers.push(server)
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    if (address === null || typeof address === 'string') throw new Error('the way has no port')
    return `postgres://${user}${password ? `:${password}` : ''}@127.0.0.1:${address.port}/${database}`
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
    for (const server of this.#servers) server.close()
  }

  #lead(client: Socket, target: NetConnectOpts): void {
    const upstream = createConnection(target)
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
