// node dist/tests/torture.js [--rounds 30] [--seed N]: kills a server and its Postgres again and again while people
// draw. Ends with a report of what was lost, and with exit code 0 only if nothing was.
//   --nodes 3   this many nodes over NATS instead of one server, killed, suspended and cut off; if Debian's Postgres
//               is installed, Postgres is killed as well
import { parseArgs } from 'node:util'
import { hasNats } from './helpers/nats.ts'
import { onOutside, whyNot } from './helpers/outside-postgres.ts'
import { torture } from './helpers/torture.ts'
import { type NodesTortureOptions, tortureNodes } from './helpers/torture-nodes.ts'

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '30' },
    seed: { type: 'string', default: String(Date.now() % 1e9) },
    nodes: { type: 'string', default: '1' },
  },
})
const options = {
  rounds: Number(values.rounds),
  seed: Number(values.seed),
  say: (line: string) => console.log(line),
}
const nodes = Number(values.nodes)
console.log(`seed ${options.seed}`)
const report = nodes > 1 ? await ofNodes({ ...options, nodes }) : await torture(options)
for (const line of report.broken) console.error(line)
console.log(JSON.stringify({ ...report, broken: report.broken.length, seed: options.seed }))
process.exit(report.broken.length === 0 ? 0 : 1)

async function ofNodes(told: NodesTortureOptions): ReturnType<typeof tortureNodes> {
  if (!hasNats(1)) throw new Error('apt-get install nats-server')
  if (whyNot('outside') !== null) return tortureNodes(told)
  let result: Awaited<ReturnType<typeof tortureNodes>> | undefined
  await onOutside('outside', async ({ whileAway }) => {
    result = await tortureNodes({ ...told, withoutPostgres: whileAway })
  })
  if (result === undefined) throw new Error('no report')
  return result
}
