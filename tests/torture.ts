// node dist/tests/torture.js [--rounds 30] [--seed N]: kills a server and its Postgres again and again while people
// draw. Ends with what was lost, and exit code 0 only where that is nothing.
import { parseArgs } from 'node:util'
import { torture } from './helpers/torture.ts'

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '30' },
    seed: { type: 'string', default: String(Date.now() % 1e9) },
  },
})
const seed = Number(values.seed)
console.log(`seed ${seed}`)
const report = await torture({ rounds: Number(values.rounds), seed, say: (line) => console.log(line) })
for (const line of report.broken) console.error(line)
console.log(JSON.stringify({ ...report, broken: report.broken.length, seed }))
process.exit(report.broken.length === 0 ? 0 : 1)
