// Nodes whose clocks are ten minutes apart, with the database's clock in between.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { MessageType } from '../../shared/protocol.ts'
import { databaseSettings, withDatabase } from '../helpers/database.ts'
import { eventually } from '../helpers/eventually.ts'
import { hasNats, withNats } from '../helpers/nats.ts'
import { NodeProgram } from '../helpers/node-program.ts'
import { signedInPerson } from '../helpers/people.ts'
import { runProgram } from '../helpers/program.ts'
import { awareness, RawClient } from '../helpers/raw-client.ts'

const clocks = suite('nodes whose clocks differ by ten minutes')
const secret = 'a secret that all nodes of a test have'
const fiveMinutes = 5 * 60_000

clocks('behave as one: tickets, edits, presence, permissions, expiry, and a trail that can be verified', () =>
  withNats((nats) =>
    withDatabase(async (database) => {
      const nodes = [-fiveMinutes, fiveMinutes].map((offMs) => {
        const env = {
          CLOCK_OFF_MS: String(offMs),
          NODE_OPTIONS: `--import=${new URL('../helpers/other-clock.js', import.meta.url)}`,
        }
        return new NodeProgram({ databaseUrl: database.serverUrl, natsPort: nats.port, secret, env })
      })
      try {
        for (const node of nodes) await node.start()
        const [slow, fast] = nodes as [NodeProgram, NodeProgram] // two were made
        const { cookie } = await signedInPerson(database.db, {
          name: 'Ada',
          email: 'ada@example.org',
          secret,
        })
        const ask = async (node: NodeProgram, method: string, path: string, body?: unknown) => {
          const answer = await fetch(`${node.origin}${path}`, {
            method,
            headers: { cookie, origin: node.origin, 'content-type': 'application/json' },
            ...(body === undefined ? {} : { body: JSON.stringify(body) }),
          })
          assert.ok(answer.ok, `${method} ${path}: ${answer.status}`)
          // biome-ignore lint/suspicious/noExplicitAny: answers are looked at by tests, whatever their shape
          return (await answer.json()) as any
        }
        const { id: board } = await ask(slow, 'POST', '/api/boards', { title: 'Plans' })
        const join = async (on: NodeProgram, ticketBy: NodeProgram) => {
          const { ticket } = await ask(ticketBy, 'POST', `/api/boards/${board}/tickets`, {})
          const client = new RawClient(`${on.wsUrl}/${board}`, { ticket })
          await client.message(MessageType.hello)
          return client
        }
        // A ticket of either is valid on the other.
        const a = await join(slow, fast)
        const b = await join(fast, slow)
        for (const [writer, reader, key] of [
          [a, b, 'a'],
          [b, a, 'b'],
        ] as const) {
          const edit = writer.edit((doc) => doc.getMap('m').set(key, 1))
          await eventually(() => writer.saved >= edit && reader.doc.getMap('m').has(key))
          writer.send(awareness([{ clientId: writer.doc.clientID, clock: 1, state: { x: 1 } }]))
          await eventually(() => reader.bodies(MessageType.awareness).length > 0)
        }

        // A link expires by the database's clock, whatever a node's clock says. A fast node asks again until it has
        // expired; a slow one, whose timer is late, finds out when it next checks everybody, within a minute.
        const ends = new Date(Date.now() + 8000).toISOString()
        const made = { level: 'view', expires_at: ends }
        const guests: RawClient[] = []
        const closes = new Map<NodeProgram, number>()
        // Nobody can create one on the fast node: for it, that time has passed.
        const refused = await fetch(`${fast.origin}/api/boards/${board}/share-links`, {
          method: 'POST',
          headers: { cookie, origin: fast.origin, 'content-type': 'application/json' },
          body: JSON.stringify(made),
        })
        assert.is(refused.status, 400)
        assert.match(await refused.text(), /expires_at: expected a time in the future/)
        const { url } = await ask(slow, 'POST', `/api/boards/${board}/share-links`, made)
        for (const node of nodes) {
          const answer = await fetch(`${node.origin}/api/share-links/exchange`, {
            method: 'POST',
            headers: { origin: node.origin, 'content-type': 'application/json' },
            body: JSON.stringify({ token: /#k=(\S+)/.exec(url)?.[1], name: 'Gus' }),
          })
          const { ticket } = (await answer.json()) as { ticket: string } // otherwise no hello arrives
          const guest = new RawClient(`${node.wsUrl}/${board}`, { ticket })
          void guest.closed.then(({ code }) => closes.set(node, code))
          await guest.message(MessageType.hello)
          guests.push(guest)
        }
        await eventually(() => closes.get(fast) === 4401)
        for (const client of [a, b, ...guests]) client.terminate()
        for (const node of nodes) assert.is(await node.drain(), 0)
        await runProgram('/nowhere', ['audit', 'verify'], { env: databaseSettings(database) })
      } finally {
        for (const node of nodes) await node.close()
      }
    }),
  ),
)

if (hasNats(1)) clocks.run()
