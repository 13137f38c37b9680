// Whether one server process returns to the memory, handles and entries that it started with, after people came and went
// and boards were opened and closed.
//   npm run build:server && node dist/bench/leaks.js
//   CONNECTS=200000 ROOMS=20000 node dist/bench/leaks.js
import os from 'node:os'
import { type Look, lookForLeaks } from '../tests/helpers/leaks.ts'
import { countFromEnvironment } from '../tests/helpers/random.ts'

const connects = countFromEnvironment('CONNECTS', 200_000)
const rooms = countFromEnvironment('ROOMS', 20_000)

const since = performance.now()
const seconds = () => `${Math.round((performance.now() - since) / 1000)} s`
const { before, after, reads } = await lookForLeaks({
  connects,
  rooms,
  warmUp: { connects: 5000, rooms: 500 },
  say: (line) => console.log(`${seconds()}: ${line}`),
})
const mb = (bytes: number) => (bytes / 1e6).toFixed(1)
const row = (name: string, { heapBytes, externalBytes, residentBytes, ...rest }: Look) =>
  `| ${[name, mb(heapBytes), mb(externalBytes), mb(residentBytes), rest.entries, rest.handles ?? '', rest.databaseConnections, JSON.stringify(rest.resources)].join(' | ')} |`
console.log(`
${connects} connects and ${rooms} rooms in ${seconds()}, Node ${process.versions.node}, ${os.cpus().length} x ${os.cpus()[0]?.model}

| | heap MB | external MB | resident MB | entries of maps and sets | handles | database connections | resources |
| --- | --- | --- | --- | --- | --- | --- | --- |
${row('before', before)}
${row('after', after)}

${reads} boards were read over HTTP in between; that is remembered for an hour, one entry each.`)
