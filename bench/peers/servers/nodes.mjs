// Two nodes as one entrant, with what they share: `node nodes.mjs boardroom`, `floor` or `hocuspocus`, with PORT, PORT_2 and DATA_DIR in
// the environment. Everything that it starts is its child, so that all of it is measured, and ends with it. DATA_DIR/nodes.json
// has the process ids of the nodes, DATA_DIR/nodes.env what makes boards on them.
import { spawn } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import net from 'node:net'
import { fileURLToPath } from 'node:url'
import { freePort } from '../load/server-process.mjs'

const { PORT, PORT_2, DATA_DIR, PATH } = process.env
const [kind] = process.argv.slice(2)
const here = (path) => fileURLToPath(new URL(path, import.meta.url))
const children = []
const atEnd = []

process.once('SIGTERM', async () => {
  for (const child of children.reverse()) {
    child.kill('SIGTERM')
    if (child.exitCode === null) await new Promise((resolve) => child.once('exit', resolve))
  }
  for (const end of atEnd) await end()
  process.exit(0)
})

function start(program, args, env = {}) {
  // Debian installs nats-server where only root's PATH looks.
  const path = `${PATH}:/usr/sbin`
  const child = spawn(program, args, { env: { ...process.env, ...env, PATH: path }, stdio: 'inherit' })
  child.once('error', (error) => {
    console.error(error.code === 'ENOENT' ? `install ${program}` : error)
    process.exit(1)
  })
  children.push(child)
  return child
}

async function listening(port) {
  for (;;) {
    const open = await new Promise((resolve) => {
      const socket = net.connect(port, '127.0.0.1', () => resolve(socket.destroy() && true))
      socket.on('error', () => resolve(false))
    })
    if (open) return
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

const bus = await freePort()
const nodes = []
if (kind === 'hocuspocus') {
  start('redis-server', ['--port', bus, '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'])
  await listening(bus)
  for (const port of [PORT_2, PORT]) {
    nodes.push(start('node', [here('hocuspocus/server.mjs')], { PORT: port, REDIS_PORT: bus }))
    await listening(port)
  }
} else {
  const { startEmbedded } = await import(here('../../../dist/server/database/embedded.js'))
  const { pino } = await import('../../../node_modules/pino/pino.js')
  const postgres = await startEmbedded({
    dataDir: `${DATA_DIR}/postgres`,
    log: pino.default({ level: 'warn' }),
  })
  atEnd.push(() => postgres.stop())
  start('nats-server', ['-a', '127.0.0.1', '-p', bus])
  await listening(bus)
  const shared = {
    DATABASE_URL: postgres.url,
    BOARDROOM_SECRET: 'a secret of a benchmark, which all nodes have',
  }
  writeFileSync(
    `${DATA_DIR}/nodes.env`,
    Object.entries(shared)
      .map(([name, value]) => `${name}=${value}\n`)
      .join(''),
  )
  if (kind === 'floor') writeFileSync(`${DATA_DIR}/floor-database`, postgres.url)
  for (const [at, port] of [PORT_2, PORT].entries()) {
    const own = `${DATA_DIR}/node-${at}`
    mkdirSync(own, { recursive: true })
    const env = { ...shared, NATS_URL: `nats://127.0.0.1:${bus}`, PORT: port, DATA_DIR: own }
    const [program, args] =
      kind === 'floor' ? ['node', [here('floor/committed.mjs')]] : ['sh', [here('../../serve.sh')]]
    nodes.push(start(program, args, env))
    await listening(port)
  }
}
writeFileSync(`${DATA_DIR}/nodes.json`, JSON.stringify(nodes.map(({ pid }) => pid).reverse()))
