// node dist/bench/bus.js [--messages 20000] [--bytes 300] [--a-second 1000]: the cost of a message from one process to
// another over NATS: over core NATS, and over JetStream (in memory, in a file), where a message counts once the server has
// stored it. Needs nats-server. CPU is that of both clients (this process) and of the server.
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { connect } from '@nats-io/transport-node'
import { eventually } from '../tests/helpers/eventually.ts'
import { withNats } from '../tests/helpers/nats.ts'

const { values } = parseArgs({
  options: {
    messages: { type: 'string', default: '20000' },
    bytes: { type: 'string', default: '300' },
    'a-second': { type: 'string', default: '1000' },
  },
})
const messages = Number(values.messages)
const aSecond = Number(values['a-second'])
const body = new Uint8Array(Number(values.bytes))
const ticksASecond = 100
const folder = await mkdtemp(path.join(os.tmpdir(), 'boardroom-bus-'))

await withNats(async ({ port, pid }) => {
  const publisher = await connect({ servers: `127.0.0.1:${port}` })
  const listener = await connect({ servers: `127.0.0.1:${port}` })
  const ask = async (subject: string, question: unknown) => {
    const answer = (await publisher.request(subject, JSON.stringify(question))).json<{ error?: unknown }>()
    if (answer.error) throw new Error(JSON.stringify(answer.error))
  }
  for (const how of ['core', 'memory', 'file']) {
    const subject = `bench.${how}`
    if (how !== 'core') {
      const stream = { name: how, subjects: [subject], storage: how, max_msgs: 10_000 }
      await ask(`$JS.API.STREAM.CREATE.${how}`, stream)
      const config = { durable_name: how, deliver_subject: `heard.${how}`, ack_policy: 'none' }
      await ask(`$JS.API.CONSUMER.DURABLE.CREATE.${how}.${how}`, { stream_name: how, config })
    }
    const sentAt: number[] = []
    const latencies: number[] = []
    listener.subscribe(how === 'core' ? subject : `heard.${how}`, {
      callback: () => {
        latencies.push(performance.now() - (sentAt[latencies.length] ?? 0))
      },
    })
    await listener.flush()
    const run = async () => {
      sentAt.length = 0
      latencies.length = 0
      const startedAt = performance.now()
      const before = await cpuMs(pid)
      for (let sent = 0; sent < messages; ) {
        for (
          const until = Math.min(messages, ((performance.now() - startedAt) / 1000) * aSecond);
          sent < until;
          sent++
        ) {
          sentAt.push(performance.now())
          if (how === 'core') publisher.publish(subject, body)
          else void publisher.request(subject, body, { timeout: 30_000 })
        }
        await delay(5)
      }
      await eventually(() => latencies.length === messages)
      return (await cpuMs(pid)) - before
    }
    await run()
    const ms = await run()
    latencies.sort((a, b) => a - b)
    const at = (share: number) => (latencies[Math.floor(latencies.length * share)] ?? 0).toFixed(2)
    console.log(
      `${how === 'core' ? 'core' : `JetStream, ${how}`}: ${((ms * 1000) / messages).toFixed(1)} us of CPU a message, p50 ${at(0.5)} ms, p99 ${at(0.99)} ms`,
    )
  }
  await publisher.close()
  await listener.close()
}, `jetstream { store_dir: ${folder} }\n`)
await rm(folder, { recursive: true, force: true })

async function cpuMs(pid: number): Promise<number> {
  const { user, system } = process.cpuUsage()
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (user + system) / 1000 + ((Number(fields[11]) + Number(fields[12])) * 1000) / ticksASecond
}
