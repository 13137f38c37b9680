// The way from a server to its database, which a test can cut and open again.
import { once } from 'node:events'
import { createConnection, createServer, type Server, type Socket } from 'node:net'
import pg from 'pg'

export class DatabaseWay {
  readonly #pairs = new Set<Socket>()
  #server: Server | null = null
  #port = 0
  #target = ''
  #name = ''

  /** @param url of a database on a unix socket. @returns the same database by this way */
  async open(url: string): Promise<string> {
    const { host, port, user, database } = new pg.Client({ connectionString: url })
    this.#target = `${host}/.s.PGSQL.${port}`
    this.#name = `${user}@127.0.0.1:PORT/${database}`
    await this.restore()
    return `postgres://${this.#name.replace('PORT', String(this.#port))}`
  }

  /** As when Postgres is stopped: connections break, and new ones are refused. */
  cut(): void {
    this.#server?.close()
    this.#server = null
    this.#break()
  }

  /** It is back. */
  async restore(): Promise<void> {
    if (this.#server !== null) return
    this.#server = createServer((client) => this.#lead(client))
    this.#server.listen(this.#port, '127.0.0.1')
    await once(this.#server, 'listening')
    const address = this.#server.address()
    if (address !== null && typeof address === 'object') this.#port = address.port
  }

  close(): void {
    this.cut()
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

  #break(): void {
    for (const socket of this.#pairs) socket.destroy()
  }
}
