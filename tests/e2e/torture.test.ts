import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { countFromEnvironment } from '../helpers/random.ts'
import { torture } from '../helpers/torture.ts'

const killing = suite('killing server and Postgres')

killing('loses nothing that was reported as saved, and the chain can be verified', async () => {
  const seed = countFromEnvironment('SEED', 1)
  const report = await torture({ rounds: 3, seed, boards: 3, writersPerBoard: 2 })
  assert.equal(report.broken, [])
  assert.ok(report.saved > 0)
})

killing.run()
