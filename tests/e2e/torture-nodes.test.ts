import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { hasNats } from '../helpers/nats.ts'
import { countFromEnvironment } from '../helpers/random.ts'
import { tortureNodes } from '../helpers/torture-nodes.ts'

const killing = suite('killing and cutting off nodes')

killing('loses nothing that was reported as saved, and everybody shows the same', async () => {
  const seed = countFromEnvironment('SEED', 1)
  const rounds = countFromEnvironment('ROUNDS', 2)
  const report = await tortureNodes({ rounds, seed, nodes: 3, boards: 2, longestMs: 3000 })
  assert.equal(report.broken, [])
  assert.ok(report.saved > 0)
})

if (hasNats(1)) killing.run()
