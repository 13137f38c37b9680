// A rolling deployment: nodes are replaced one after the other behind a load balancer, while people draw with the
// stock provider.
import { setTimeout as delay } from 'node:timers/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import * as Y from 'yjs'
import { withBalancer } from '../helpers/balancer.ts'
import { withDatabase } from '../helpers/database.ts'
import { eventually } from '../helpers/eventually.ts'
import { hasNats, withNats } from '../helpers/nats.ts'
import { type Drawer, drawerOf } from '../helpers/node-drawers.ts'
import { NodeProgram } from '../helpers/node-program.ts'
import { signedInPerson } from '../helpers/people.ts'
import { Random } from '../helpers/random.ts'

const deploy = suite('a rolling deploy')
const secret = 'a secret that all nodes of a test have'

deploy('loses no edit and refuses no join', () =>
  withNats((nats) =>
    withDatabase(async (database) => {
      const node = () =>
        new NodeProgram({
          databaseUrl: database.serverUrl,
          natsPort: nats.port,
          secret,
          env: { HOST: '127.0.0.1' },
        })
      let serving: NodeProgram[] = []
      const started: NodeProgram[] = []
      const startOne = async () => {
        const one = node()
        started.push(one)
        await one.start()
        return one
      }
      const drawers: Drawer[] = []
      try {
        serving = await Promise.all([startOne(), startOne()])
        const ports = () => serving.map(({ origin }) => Number(new URL(origin).port))
        await withBalancer(ports, async (balancer) => {
          const { cookie } = await signedInPerson(database.db, {
            name: 'Ada',
            email: 'ada@example.org',
            secret,
          })
          const ask = async (path: string, body: unknown) => {
            const answer = await fetch(`${balancer.origin}${path}`, {
              method: 'POST',
              headers: { cookie, origin: balancer.origin, 'content-type': 'application/json' },
              body: JSON.stringify(body),
            })
            assert.ok(answer.ok, `${path}: ${answer.status}`)
            return answer.json() as Promise<Record<string, string>>
          }
          const { id: boardId = '' } = await ask('/api/boards', { title: 'Plans' })
          const { ticket = '' } = await ask(`/api/boards/${boardId}/tickets`, {})
          for (let i = 0; i < 6; i++)
            drawers.push(drawerOf({ boardId, ticket, first: balancer.wsUrl, next: () => balancer.wsUrl }))
          await eventually(() => drawers.every(({ isSynced }) => isSynced))
          let edits = 0
          const random = new Random(1)
          for (const drawer of drawers) drawer.draw(() => `k${++edits}`, random)

          for (const old of serving) {
            const fresh = await startOne()
            serving = [...serving, fresh]
            await delay(500)
            // Not taken out explicitly: it stops listening, and the load balancer moves on to the next.
            assert.is(await old.drain(), 0)
            serving = serving.filter((one) => one !== old)
          }

          for (const drawer of drawers) drawer.rest()
          const keys = drawers.flatMap((drawer) => drawer.takeDrawn())
          const hasAll = (doc: Y.Doc) => keys.every((key) => doc.getMap('elements').has(key))
          await eventually(() => drawers.every(({ doc }) => hasAll(doc)))
          const stored = new Y.Doc()
          await eventually(async () => {
            const answer = await fetch(`${balancer.origin}/api/boards/${boardId}/document`, {
              headers: { cookie, accept: 'application/octet-stream' },
            })
            Y.applyUpdate(stored, new Uint8Array(await answer.arrayBuffer()))
            return hasAll(stored)
          })
          // Everybody was asked to reconnect once per node that they were on, and was let in at the first attempt.
          for (const drawer of drawers) {
            assert.equal(drawer.takeProblems(), [])
            assert.equal(new Set(drawer.closes), new Set([1012]))
            assert.is(drawer.failedTries, 0)
          }
          assert.is(balancer.turnedAway, 0)
        })
      } finally {
        for (const drawer of drawers) drawer.stop()
        await Promise.all(started.map((one) => one.close()))
      }
    }),
  ),
)

if (hasNats(1)) deploy.run()
