// A load balancer as operators have one: each connection goes to the next node in turn that accepts it.
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

export interface Balancer {
  /** http://127.0.0.1:port */
  origin: string
  wsUrl: string
  /** Connections that no node accepted. */
  readonly turnedAway: number
}

/** @param ports of the nodes, at the moment of a connection. */
export async function withBalancer<Result>(
  ports: () => readonly number[],
  work: (balancer: Balancer) => Promise<Result>,
): Promise<Result> {
  let turn = 0
  let turnedAway = 0
  const sockets = new Set<Socket>()
  const lead = (client: Socket, left: number[]): void => {
    const port = left.shift()
    if (port === undefined) {
      turnedAway++
      client.destroy()
      return
    }
    const upstream = connect(port, '127.0.0.1')
    let isThrough = false
    sockets.add(upstream)
    upstream.on('error', () => undefined) // 'close' follows
    upstream.once('connect', () => {
      isThrough = true
      client.on('close', () => upstream.destroy())
      client.pipe(upstream).pipe(client)
    })
    upstream.on('close', () => {
      sockets.delete(upstream)
      if (isThrough) client.destroySoon()
      else lead(client, left)
    })
  }
  const server = createServer({ pauseOnConnect: false }, (client) => {
    sockets.add(client)
    client.on('error', () => undefined).on('close', () => sockets.delete(client))
    const all = ports()
    const first = turn++ % Math.max(1, all.length)
    lead(client, [...all.slice(first), ...all.slice(0, first)])
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo // a TCP listener
  try {
    return await work({
      origin: `http://127.0.0.1:${port}`,
      wsUrl: `ws://127.0.0.1:${port}/ws`,
      get turnedAway() {
        return turnedAway
      },
    })
  } finally {
    server.close()
    for (const socket of sockets) socket.destroy()
  }
}
