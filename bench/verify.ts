// How long a full verification of a trail of a million rows takes:
//   npm run build:server && node dist/bench/verify.js [rows] [lanes …]
import { verifyAudit } from '../server/audit/verify.ts'
import { withDatabase } from '../tests/helpers/database.ts'
import { addManyAuditRows } from '../tests/helpers/many-rows.ts'

const [count = 1_000_000, ...lanes] = process.argv.slice(2).map(Number)

await withDatabase(async ({ database, url, schema }) => {
  const begun = performance.now()
  await addManyAuditRows(url, schema, count)
  console.log(`${count} rows written and sealed in ${((performance.now() - begun) / 1000).toFixed(1)} s`)
  for (const laneCount of lanes.length === 0 ? [1, 2, 1, 2] : lanes) {
    const from = performance.now()
    const { ok, rows } = await verifyAudit(database, { laneCount })
    const seconds = ((performance.now() - from) / 1000).toFixed(1)
    console.log(`${laneCount} at a time: ${rows} rows ${ok ? 'whole' : 'BROKEN'}, ${seconds} s`)
  }
})
