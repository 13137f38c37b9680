// A proxy to a database that can be manipulated: the answers of a pooler or an old server, or silence.
import { once } from 'node:events'
import { createConnection, createServer, type Socket } from 'node:net'
import pg from 'pg'

export interface Proxy {
  /** The same database, through the proxy. */
  url: string
  /** From now on nothing passes in either direction, and nobody is told. */
  freeze(): void
}

/**
 * @param url of a database on a unix socket.
 * @param change modifies what the server sends; must keep the length.
 */
export async function withProxy<Result>(
  url: string,
  change: (bytes: Buffer) => Buffer,
  work: (proxy: Proxy) => Promise<Result>,
): Promise<Result> {
  const { host, port, user, database } = new pg.Client({ connectionString: url })
  const sockets = new Set<Socket>()
  const server = createServer((client) => {
    const upstream = createConnection(`${host}/.s.PGSQL.${port}`)
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      socket.on('error', () => undefined)
    }
    client.on('data', (bytes) => upstream.write(bytes)).on('close', () => upstream.destroy())
    upstream.on('data', (bytes) => client.write(change(bytes))).on('close', () => client.destroy())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the proxy has no port')
  try {
    return await work({
      url: `postgres://${user}@127.0.0.1:${address.port}/${database}`,
      freeze: () => {
        for (const socket of sockets) socket.pause()
      },
    })
  } finally {
    for (const socket of sockets) socket.destroy()
    server.close()
  }
}
