// A TCP connection from a server to a service that it needs, which a test can cut and restore, or make silent in one
// direction or both without anybody being told: then data waits, as with lost packets, and arrives late.
import { once } from 'node:events'
import { createConnection, createServer, type NetConnectOpts, type Server, type Socket } from 'node:net'

interface Pair {
  client: Socket
  upstream: Socket
}

export class Way {
  readonly #pairs = new Set<Pair>()
  readonly #servers: Server[] = []
  #isCut = false
  #isSilentUp = false
  #isSilentDown = false

  /** As when the other end is stopped: connections break, and new ones fail. The port stays reserved for later. */
  cut(): void {
    this.#isCut = true
    for (const { client, upstream } of this.#pairs) {
      client.destroy()
      upstream.destroy()
    }
  }

  /** It is back, and can be heard. */
  restore(): void {
    this.#isCut = false
    this.isSilentUp = false
    this.isSilentDown = false
  }

  /** Nothing reaches the other end. */
  set isSilentUp(isSilent: boolean) {
    this.#isSilentUp = isSilent
    for (const { client } of this.#pairs) flow(client, isSilent)
  }

  /** Nothing comes back from it. */
  set isSilentDown(isSilent: boolean) {
    this.#isSilentDown = isSilent
    for (const { upstream } of this.#pairs) flow(upstream, isSilent)
  }

  close(): void {
    this.cut()
    for (const server of this.#servers) server.close()
  }

  /** @returns the port that leads to `target`. */
  protected async lead(target: NetConnectOpts): Promise<number> {
    const server = createServer((client) => (this.#isCut ? client.destroy() : this.#join(client, target)))
    this.#servers.push(server)
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    if (address === null || typeof address === 'string') throw new Error('the way has no port')
    return address.port
  }

  #join(client: Socket, target: NetConnectOpts): void {
    const upstream = createConnection(target)
    const pair = { client, upstream }
    this.#pairs.add(pair)
    for (const socket of [client, upstream]) socket.on('error', () => undefined) // 'close' follows
    client.on('data', (bytes) => upstream.write(bytes))
    upstream.on('data', (bytes) => client.write(bytes))
    flow(client, this.#isSilentUp)
    flow(upstream, this.#isSilentDown)
    client.on('close', () => {
      this.#pairs.delete(pair)
      upstream.destroy()
    })
    upstream.on('close', () => client.destroy())
  }
}

function flow(socket: Socket, isSilent: boolean): void {
  if (isSilent) socket.pause()
  else socket.resume()
}
