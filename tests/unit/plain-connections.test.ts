import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { Registry } from 'prom-client'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { PlainConnections } from '../../server/http/plain-connections.ts'

const plain = suite('connections that are not WebSockets')

interface Listening {
  connections: PlainConnections
  registry: Registry
  warnings: string[]
  /** Connects. @returns whether it was accepted, the server's end, and what it is told if it is closed. */
  come(): Promise<{ taken: boolean; served: Socket; told: Promise<string> }>
}

/** A listener that accepts at most two from this machine, and three in total. */
async function withListener(isProxy: boolean, work: (listening: Listening) => Promise<void>): Promise<void> {
  const [registry, warnings, clients]: [Registry, string[], Socket[]] = [new Registry(), [], []]
  const connections = new PlainConnections({
    limits: { maxHttpConnections: 3, maxHttpConnectionsPerIp: 2 },
    isProxy: () => isProxy,
    registry,
    log: { warn: (_, message) => warnings.push(message) },
  })
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo // a TCP listener
  try {
    await work({
      connections,
      registry,
      warnings,
      async come() {
        const client = connect(port, '127.0.0.1')
        clients.push(client)
        const [served] = (await once(server, 'connection')) as [Socket]
        let said = ''
        client.on('data', (data) => {
          said += data
        })
        const told = once(client, 'close').then(() => said)
        return { taken: connections.take(served), served, told }
      },
    })
  } finally {
    for (const client of clients) client.destroy()
    server.close()
  }
}

const counted = async (registry: Registry): Promise<Record<string, number>> => {
  const metric = await registry.getSingleMetric('boardroom_http_connections_refused_total')?.get()
  return Object.fromEntries((metric?.values ?? []).map(({ labels, value }) => [labels.reason, value]))
}

plain('of one address beyond the limit get 429, are counted, and logged once', () =>
  withListener(false, async ({ come, registry, warnings }) => {
    for (let time = 0; time < 2; time++) assert.ok((await come()).taken)
    for (let time = 0; time < 2; time++) {
      const { taken, told } = await come()
      assert.not(taken)
      assert.match(await told, /^HTTP\/1\.1 429 /)
    }
    assert.equal(await counted(registry), { too_many_connections_from_address: 2 })
    assert.is(warnings.length, 1)
    assert.match(warnings[0] ?? '', 'BOARDROOM_TRUSTED_PROXIES')
  }),
)

plain('release their slots when they end and when they become WebSockets', () =>
  withListener(false, async ({ come, connections }) => {
    const [first, second] = [await come(), await come()]
    connections.release(first.served)
    connections.release(first.served)
    assert.ok((await come()).taken)
    assert.not((await come()).taken)
    const ended = once(second.served, 'close')
    second.served.destroy()
    await ended
    assert.ok((await come()).taken)
    assert.not((await come()).taken)
  }),
)

plain('of a proxy count only towards the total, not as one address', () =>
  withListener(true, async ({ come, registry }) => {
    for (let time = 0; time < 3; time++) assert.ok((await come()).taken)
    const { taken, told } = await come()
    assert.not(taken)
    assert.match(await told, /^HTTP\/1\.1 503 /)
    assert.equal(await counted(registry), { too_many_connections: 1 })
  }),
)

plain.run()
