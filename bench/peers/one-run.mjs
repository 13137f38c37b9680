// Starts one server, runs one scenario on it and prints one JSON result. Started by run.mjs, which
// writes the job to its standard input.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort, serverEnv, startServer } from './load/server-process.mjs'
import { protocols } from './protocols/index.mjs'
import { scenarios } from './scenarios/index.mjs'

const { peer, scenario, variant } = JSON.parse(readFileSync(0, 'utf8'))
const { run, rooms, variants } = scenarios[scenario]
const params = variants[variant]
if (scenarios[scenario].isOwn) {
  const result = await run(peer.cwd, params).catch((error) => ({ error: error.stack.slice(-1500) }))
  console.log(JSON.stringify(result))
  process.exit(0)
}
const dataDir = mkdtempSync(join(tmpdir(), 'boardroom-bench-'))
const port = await freePort()
const ports = [port]
if (peer.nodes > 1) {
  ports.push(await freePort())
  peer.env = { ...peer.env, PORT_2: String(ports[1]) }
}
let server = await startServer(peer, port, dataDir)
let cpuOfStopped = 0

/** Runs the setup command, which may print a `room<TAB>url` line for each room it created. */
function setUp() {
  if (!peer.setup) return new Map()
  const { status, stdout, stderr } = spawnSync('sh', ['-c', peer.setup], {
    input: rooms(params).join('\n'),
    encoding: 'utf8',
    env: serverEnv(peer, port, dataDir),
    maxBuffer: 1e8,
  })
  if (status !== 0) throw new Error(`setup failed: ${stderr}`)
  return new Map(
    stdout
      .split('\n')
      .filter((line) => line.includes('\t'))
      .map((line) => line.split('\t')),
  )
}

/** The path and query of a room's URL. */
function pathOf(room) {
  const url = urls.get(room) ?? peer.url?.replaceAll('{room}', encodeURIComponent(room))
  return url?.replace(/^\w+:\/\/[^/]*/, '')
}

const adapter = protocols[peer.protocol]
let result
let urls
try {
  urls = setUp()
  const target = {
    adapter: {
      ...adapter,
      ackType: peer.ackType,
      subprotocol: peer.subprotocol,
      path: (room) => pathOf(room) ?? adapter.path(room),
    },
    port,
    ports,
    persists: peer.persists === true,
    dataDir,
    cpu: () => server.cpu(),
    rss: () => server.rss(),
    peak: () => server.peak(),
    pss: () => server.pss(),
    held: () => server.held(),
    stored: () => server.stored(),
    heap: () => server.heap(),
    collectGarbage: () => server.collectGarbage(),
    /** Stops the server with `signal`, starts it again on the same data and returns the start time. */
    async restart(signal) {
      cpuOfStopped += server.cpu()
      await server.stop(signal)
      server = await startServer(peer, port, dataDir)
      return server.startMs
    },
  }
  result = await run(target, params)
  if (!server.alive()) result.serverDied = server.log().slice(-600)
} catch (error) {
  result = { error: `${error.stack}\n${server.log().slice(-600)}`.slice(-1500) }
}
const { user, system } = process.cpuUsage()
result.cpuTotal = cpuOfStopped + server.cpu() + (user + system) / 1e6
await server.stop()
rmSync(dataDir, { recursive: true, force: true })
console.log(JSON.stringify(result))
process.exit(0)
