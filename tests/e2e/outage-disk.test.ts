// A Postgres whose disk is really full: the kernel reports it to every process that writes there.
import { rejects } from 'node:assert/strict'
import pg from 'pg'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { CloseCode } from '../../shared/protocol.ts'
import { eventually } from '../helpers/eventually.ts'
import { draw, patiently, put, readiness, sees, withGuests } from '../helpers/guests.ts'
import { readMetrics } from '../helpers/metrics.ts'
import type { RawClient } from '../helpers/raw-client.ts'
import { type SmallDisk, withSmallDisk } from '../helpers/small-disk.ts'

const outage = suite('a Postgres')

outage('whose disk is full loses no edit: it reports it, and recovers once there is space', async () => {
  const couldMount = await withSmallDisk(96, (disk) => withGuests(disk.program, (join) => fillUp(disk, join)))
  if (!couldMount) console.log('(without a disk that is really full: this machine lets nobody mount one)')
})

async function fillUp(
  { program, clusterDir, freeBytes, fill, empty }: SmallDisk,
  join: () => Promise<RawClient>,
): Promise<void> {
  const { origin } = program
  const [ada, bob] = [await join(), await join()]
  await draw(ada, 'before')
  await eventually(sees(bob, 'before'))

  // First the tables cannot grow…
  await fill(0)
  let count = 0
  await eventually(async () => {
    count = put(ada, 'large', new Uint8Array(50_000).fill(count))
    return (await readiness(origin)).saving === 'failed'
  }, patiently)
  count = put(ada, 'while full')
  await eventually(sees(bob, 'while full'))
  assert.is((await (await join()).closed).code, CloseCode.busy)
  const metrics = await readMetrics(origin)
  assert.is(metrics.get('boardroom_saving'), 0)
  assert.ok((metrics.get('boardroom_unsaved_bytes') ?? 0) > 0)
  assert.ok((metrics.get('boardroom_disk_free_bytes') ?? Number.POSITIVE_INFINITY) < 1_000_000)
  await eventually(() => program.said.some((line) => /disk of the data folder is nearly full/.test(line)))
  assert.ok(ada.saved < count, 'nothing is called saved that is not')
  await empty()
  await eventually(() => ada.saved >= count, patiently)
  await eventually(async () => (await readiness(origin)).status === 200, patiently)
  await eventually(sees(await join(), 'while full'), patiently)

  // …then Postgres cannot write its own log either, and stops.
  await fill(0)
  assert.ok((await freeBytes()) < 1_000_000)
  await writeLogUntilItEnds(clusterDir)
  count = put(ada, 'without Postgres')
  await eventually(async () => (await readiness(origin)).database === 'failed', patiently)
  await eventually(
    () => program.said.some((line) => /does not start: its disk is full/.test(line)),
    patiently,
  )
  await empty()
  await eventually(() => ada.saved >= count, patiently)
  await eventually(async () => (await readiness(origin)).status === 200, patiently)
  await eventually(sees(await join(), 'without Postgres'), patiently)
  for (const client of [ada, bob]) assert.is(client.socket.readyState, client.socket.OPEN)
}

/** Fills one segment of its log after another, until there is no space for the next. */
async function writeLogUntilItEnds(clusterDir: string): Promise<void> {
  const client = new pg.Client({ host: clusterDir, user: 'boardroom', database: 'boardroom' })
  client.on('error', () => undefined) // what is waited for
  await client.connect()
  const megabyte = `select pg_logical_emit_message(false, 'filler', repeat('x', 1000000))`
  await rejects(async () => {
    for (let written = 0; written < 500; written++) await client.query(megabyte)
  })
  client.end().catch(() => undefined) // it is gone already
}

outage.run()
