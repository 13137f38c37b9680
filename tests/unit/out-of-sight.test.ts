// Two nodes that hear themselves but not each other for a while, as when two NATS servers lose their connection.
import { randomUUID } from 'node:crypto'
import { pino } from 'pino'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Cluster } from '../../server/cluster/cluster.ts'
import { eventually } from '../helpers/eventually.ts'
import { LocalBus } from '../helpers/local-bus.ts'

const sight = suite('nodes that lose contact with each other')

sight('announce everything again when they are back, and every board is checked', async () => {
  const bus = new LocalBus()
  let isApart = false
  const heard: string[] = []
  const clusters = ['one', 'other'].map((name) => {
    const cluster = new Cluster({
      ...{
        bus: bus.end(() => isApart),
        log: pino({ level: 'silent' }),
        deployment: 'test',
        secret: 'secret',
      },
      nodeId: randomUUID(),
      silentNodes: async () => [],
      askDatabase: async () => undefined,
      onClose: () => undefined,
    })
    cluster.open('0b0a0000-0000-4000-8000-000000000001', {
      message: () => undefined,
      gone: () => heard.push(`${name} gone`),
      backAgain: () => heard.push(`${name} tells again`),
      otherBackAgain: () => heard.push(`${name} doubts`),
      tick: (shouldReadLog) => shouldReadLog && heard.push(`${name} looks`),
    })
    return cluster
  })
  try {
    for (const cluster of clusters) await cluster.start()
    await eventually(() => clusters.every(({ stats }) => stats.nodes === 2))
    assert.equal(heard, [])
    isApart = true
    await eventually(() => clusters.every(({ stats }) => stats.nodes === 1), { withinMs: 15_000 })
    assert.ok(heard.includes('one gone') && heard.includes('other gone'))
    isApart = false
    await eventually(() => clusters.every(({ stats }) => stats.nodes === 2))
    for (const name of ['one', 'other'])
      for (const what of ['tells again', 'doubts', 'looks'])
        await eventually(() => heard.includes(`${name} ${what}`))
  } finally {
    for (const cluster of clusters) await cluster.close()
  }
})

sight.run()
