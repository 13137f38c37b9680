// A clean shutdown, while people draw with the stock provider, which reconnects by itself; and an immediate one.
import { randomBytes, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { request } from 'node:http'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import path from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { WebSocket } from 'ws'
import { WebsocketProvider } from 'y-websocket'
import * as Y from 'yjs'
import { CloseCode } from '../../shared/protocol.ts'
import { visitor, withMadeFolder } from '../helpers/command-line.ts'
import { eventually } from '../helpers/eventually.ts'
import { freezePostgres, type Program, postgresIn, startProgram } from '../helpers/program.ts'
import { RawClient } from '../helpers/raw-client.ts'

const drain = suite('SIGTERM')

const patiently = { withinMs: 60_000, everyMs: 50 }

interface Way {
  wsUrl: string
  boardId: string
  ticket: string
}

async function wayInto(program: Program, { origin }: Street): Promise<Way> {
  const link = await eventually(() => program.said.find((line) => line.startsWith('Sample board, edit')))
  const { body } = await visitor(origin).ask('POST', '/api/share-links/exchange', {
    token: /#k=(\S+)/.exec(link)?.[1],
    name: 'Gus',
  })
  return { wsUrl: `${origin.replace('http', 'ws')}/ws`, boardId: body.board_id, ticket: body.ticket }
}

/** As an app uses it. Continues to draw until `stop`, with a server and without. */
function stockPerson({ wsUrl, boardId, ticket }: Way, name: string) {
  const doc = new Y.Doc()
  const provider = new WebsocketProvider(wsUrl, boardId, doc, {
    disableBc: true,
    maxBackoffTime: 500,
    protocols: ['boardroom.yjs', `boardroom.ticket.${ticket}`],
    WebSocketPolyfill: WebSocket as unknown as typeof globalThis.WebSocket, // ws has the browser's interface
  })
  const closes: number[] = []
  provider.on('connection-close', (event) => {
    if (event !== null) closes.push(event.code)
  })
  let drawn = 0
  const drawing = setInterval(() => doc.getMap('drawn').set(`${name} ${++drawn}`, drawn), 40)
  return {
    name,
    doc,
    provider,
    closes,
    get drawn() {
      return drawn
    },
    rest: () => clearInterval(drawing),
    stop() {
      clearInterval(drawing)
      provider.destroy()
      doc.destroy()
    },
  }
}

interface Street {
  /** http://127.0.0.1:port, the same whichever program is behind it. */
  origin: string
  leadTo(program: Program): void
}

/** A port that this test holds from first to last, so that nobody else takes it while the program restarts. */
async function withStreet(work: (street: Street) => Promise<void>): Promise<void> {
  let target = 0
  const server = createServer((client) => {
    const upstream = connect(target, '127.0.0.1')
    client.on('error', () => undefined).on('close', () => upstream.destroy())
    upstream.on('error', () => undefined).on('close', () => client.destroySoon())
    client.pipe(upstream).pipe(client)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo // a TCP listener
  try {
    await work({
      origin: `http://127.0.0.1:${port}`,
      leadTo(program) {
        target = Number(new URL(program.origin).port)
      },
    })
  } finally {
    server.close()
  }
}

/** By client, so that the order of arrival does not matter. */
const stateOf = (doc: Y.Doc) => [...Y.decodeStateVector(Y.encodeStateVector(doc))].sort(([a], [b]) => a - b)

drain('under load loses nothing, finishes in time, and everybody reconnects automatically', () =>
  withStreet((street) =>
    withMadeFolder(async (folder) => {
      const env = { BOARDROOM_MAX_CONNECTIONS_PER_PRINCIPAL: '100' }
      let program = await startProgram(folder, env)
      street.leadTo(program)
      const people: ReturnType<typeof stockPerson>[] = []
      try {
        const way = await wayInto(program, street)
        for (let at = 0; at < 6; at++) people.push(stockPerson(way, `person ${at}`))
        const witness = new RawClient(`${way.wsUrl}/${way.boardId}`, { ticket: way.ticket })
        await witness.opened
        let said = 0
        const witnessing = setInterval(() => {
          if (witness.socket.readyState === WebSocket.OPEN)
            witness.edit((doc) => doc.getMap('witnessed').set(`w${++said}`, said))
        }, 10)
        await eventually(
          () => witness.saved > 20 && people.every(({ provider }) => provider.synced),
          patiently,
        )

        const begun = performance.now()
        assert.is(await program.stop(), 0)
        assert.ok(performance.now() - begun < 25_000)
        clearInterval(witnessing)
        assert.is((await witness.closed).code, CloseCode.restart)
        const drawnBefore = people.map(({ drawn }) => drawn)

        program = await startProgram(folder, env)
        street.leadTo(program)
        await eventually(
          () => people.every(({ provider, drawn }, at) => provider.synced && drawn > (drawnBefore[at] ?? 0)),
          patiently,
        )
        for (const { closes } of people) assert.is(closes[0], CloseCode.restart)
        for (const person of people) person.rest()
        // A newcomer gets it from the server alone.
        const late = new RawClient(`${way.wsUrl}/${way.boardId}`, { ticket: way.ticket })
        await late.opened
        await eventually(() => {
          const expected = stateOf(late.doc)
          for (const { doc } of people) assert.equal(stateOf(doc), expected)
          return true
        }, patiently)
        const drawn = late.doc.getMap('drawn')
        for (const person of people)
          for (let at = 1; at <= person.drawn; at++) assert.ok(drawn.has(`${person.name} ${at}`))
        const witnessed = late.doc.getMap('witnessed')
        for (let at = 1; at <= witness.saved; at++)
          assert.ok(witnessed.has(`w${at}`), `w${at} was called saved`)
        late.terminate()
      } finally {
        for (const person of people) person.stop()
        await program.stop()
      }
    }),
  ),
)

drain('is not delayed by a refused client that never answers', () =>
  withMadeFolder(async (folder) => {
    const program = await startProgram(folder)
    const refused = request(`${program.origin}/ws/${randomUUID()}`, {
      headers: {
        connection: 'Upgrade',
        upgrade: 'websocket',
        'sec-websocket-version': '13',
        'sec-websocket-key': randomBytes(16).toString('base64'),
        'sec-websocket-protocol': 'boardroom.v1',
      },
    }).end()
    const [, socket] = (await once(refused, 'upgrade')) as [unknown, Socket]
    socket.on('error', () => undefined) // it is cut in the end
    try {
      assert.is(await program.stop(), 0)
    } finally {
      socket.destroy()
    }
  }),
)

drain('a second time ends it at once, even if the first waits for a database that hangs', () =>
  withMadeFolder(async (folder) => {
    const program = await startProgram(folder, { BOARDROOM_LOG_LEVEL: 'info' })
    const clusterDir = path.join(folder, 'postgres')
    const thaw = await freezePostgres(clusterDir)
    const postgres = await postgresIn(clusterDir)
    try {
      process.kill(program.pid, 'SIGTERM')
      await eventually(() => program.said.some((line) => line.includes('"stopping"')), patiently)
      process.kill(program.pid, 'SIGTERM')
      const begun = performance.now()
      assert.equal(await program.exited, [1, null])
      assert.ok(performance.now() - begun < 10_000)
      assert.ok(program.said.some((line) => line.includes('second signal')))
    } finally {
      thaw()
      for (const pid of postgres.slice(0, 1)) process.kill(pid, 'SIGINT')
      await eventually(async () => (await postgresIn(clusterDir)).length === 0, patiently)
    }
  }),
)

drain.run()
