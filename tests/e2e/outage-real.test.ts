// A real Postgres that is frozen or killed, the processes themselves; outage.test.ts cuts the connection to it,
// outage-disk.test.ts fills its disk.
import path from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { CloseCode } from '../../shared/protocol.ts'
import { clusterVariable, startCluster } from '../helpers/cluster.ts'
import { visitor, withMadeFolder } from '../helpers/command-line.ts'
import { eventually } from '../helpers/eventually.ts'
import { draw, patiently, put, readiness, sees, withGuests } from '../helpers/guests.ts'
import { readMetrics } from '../helpers/metrics.ts'
import { freezePostgres, type Program, startProgram } from '../helpers/program.ts'
import type { RawClient } from '../helpers/raw-client.ts'
import { withServer } from '../helpers/server.ts'

const outage = suite('a Postgres that fails')

const withProgram = async (
  work: (
    program: Program,
    clusterDir: string,
    people: { ada: RawClient; bob: RawClient; join: () => Promise<RawClient> },
  ) => Promise<void>,
): Promise<void> =>
  withMadeFolder(async (dataDir) => {
    const program = await startProgram(dataDir)
    try {
      await withGuests(program, async (join) => {
        const [ada, bob] = [await join(), await join()]
        await draw(ada, 'before')
        await eventually(sees(bob, 'before'))
        await work(program, path.join(dataDir, 'postgres'), { ada, bob, join })
      })
    } finally {
      await program.stop()
    }
  })

outage('that is embedded and frozen with all its backends delays nobody who draws, and nothing is lost', () =>
  withProgram(async ({ origin }, clusterDir, { ada, bob, join }) => {
    const thaw = await freezePostgres(clusterDir)
    let count = 0
    try {
      count = put(ada, 'during')
      await eventually(sees(bob, 'during'))
      assert.is((await readiness(origin)).status, 503)
      assert.is((await visitor(origin).ask('GET', '/healthz')).status, 200)
      await eventually(async () => (await readMetrics(origin)).get('boardroom_listening') === 0, patiently)
      const askedAt = performance.now()
      assert.is((await (await join()).closed).code, CloseCode.busy)
      assert.ok(
        performance.now() - askedAt < 10_000,
        'refused at once, not after the time-outs of the database',
      )
      assert.ok(((await readMetrics(origin)).get('boardroom_unsaved_bytes') ?? 0) > 0)
      assert.ok(ada.saved < count, 'nothing is called saved that is not')
    } finally {
      thaw()
    }
    await eventually(() => ada.saved >= count, patiently)
    await eventually(async () => (await readiness(origin)).status === 200, patiently)
    await eventually(sees(await join(), 'during'), patiently)
    for (const client of [ada, bob]) assert.is(client.socket.readyState, client.socket.OPEN)
  }),
)

outage('that is embedded and killed is restarted, and people do not notice', () =>
  withProgram(async (program, _, { ada, bob, join }) => {
    for (const key of ['first', 'second']) {
      assert.ok((await program.kill('postgres')) > 1)
      await draw(ada, key)
      await eventually(sees(bob, key))
    }
    await eventually(async () => (await readiness(program.origin)).status === 200, patiently)
    await eventually(sees(await join(), 'second'), patiently)
    for (const client of [ada, bob]) assert.is(client.socket.readyState, client.socket.OPEN)
  }),
)

outage(
  'that is external and stays frozen ends rooms with 4503, and has everything when it resumes',
  async () => {
    const cluster = await startCluster()
    const told = process.env[clusterVariable]
    process.env[clusterVariable] = JSON.stringify(cluster.address)
    try {
      await withServer(
        async ({ user, raw, origin }) => {
          const person = await user('Ada')
          const board = await person.board()
          const ticket = await person.ticket(board)
          const [ada, bob] = [await raw(board, { ticket }), await raw(board, { ticket })]
          await draw(ada, 'before')
          await eventually(sees(bob, 'before'))
          const thaw = await freezePostgres(cluster.address.host)
          try {
            put(ada, 'during')
            await eventually(sees(bob, 'during'))
            for (const client of [ada, bob]) assert.is((await client.closed).code, CloseCode.busy)
            assert.is((await readiness(origin)).saving, 'failed')
            assert.is((await (await raw(board, { ticket })).closed).code, CloseCode.busy)
          } finally {
            thaw()
          }
          await eventually(async () => (await readiness(origin)).status === 200, patiently)
          await eventually(
            async () => (await readMetrics(origin)).get('boardroom_unsaved_bytes') === 0,
            patiently,
          )
          const again = await raw(board, { ticket })
          await eventually(sees(again, 'during'))
          await draw(again, 'after')
        },
        { goOnUnsavedMs: 1000 },
      )
    } finally {
      if (told === undefined) delete process.env[clusterVariable]
      else process.env[clusterVariable] = told
      await cluster.stop()
    }
  },
)

outage.run()
