// `boardroom serve --workers N`: several processes behind one port, with their own nats-server.
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { pino } from 'pino'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { OwnNats } from '../../server/commands/own-nats.ts'
import { kill, run, type Server, serve, visitor, withFolder } from '../helpers/command-line.ts'
import { databaseSettings, withEmptyDatabase } from '../helpers/database.ts'
import { eventually } from '../helpers/eventually.ts'
import { readMetrics } from '../helpers/metrics.ts'
import { hasNats } from '../helpers/nats.ts'
import { type Drawer, drawerOf } from '../helpers/node-drawers.ts'
import { Random } from '../helpers/random.ts'

const workers = suite('serve --workers')
const refused = suite('serve --workers with errors')

interface Process {
  pid: number
  parent: number
  command: string
}

async function processes(): Promise<Process[]> {
  const { stdout } = await promisify(execFile)('ps', ['-axo', 'pid=,ppid=,args='])
  return stdout
    .trim()
    .split('\n')
    .map((line) => {
      const [, pid, parent, command = ''] = /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line) ?? []
      return { pid: Number(pid), parent: Number(parent), command }
    })
}

const workersOf = async ({ pid }: Server) =>
  (await processes()).filter(({ parent, command }) => parent === pid && command.includes('boardroom.mjs'))

/** All descendants of a server process. */
async function offspring({ pid }: Server): Promise<number[]> {
  const all = await processes()
  const found = [pid]
  for (const each of found)
    for (const { pid: child, parent } of all) if (parent === each && !found.includes(child)) found.push(child)
  return found.slice(1)
}

const goneFrom = async (pids: readonly number[]): Promise<boolean> => {
  const alive = new Set((await processes()).map(({ pid }) => pid))
  return pids.every((pid) => !alive.has(pid))
}

/** Three workers with people on the sample board, who reconnect by themselves. */
const withWorkers = (work: (server: Server, drawers: Drawer[]) => Promise<void>): Promise<void> =>
  withFolder((dataDir) =>
    withEmptyDatabase(async (database) => {
      const server = await serve(dataDir, {
        args: ['--workers', '3'],
        env: {
          ...databaseSettings(database),
          BOARDROOM_SECRET: 'a secret that is long enough for everybody',
        },
      })
      const drawers: Drawer[] = []
      try {
        const link = server.lines.find((line) => line.startsWith('Sample board, edit')) ?? ''
        const { body } = await visitor(server.url).ask('POST', '/api/share-links/exchange', {
          token: /#k=(\S+)/.exec(link)?.[1],
          name: 'Gus',
        })
        await eventually(() => /^Workers +3$/m.test(server.stdout))
        const wsUrl = `${server.url.replace('http', 'ws')}/ws`
        for (let i = 0; i < 6; i++)
          drawers.push(
            drawerOf({ boardId: body.board_id, ticket: body.ticket, first: wsUrl, next: () => wsUrl }),
          )
        await eventually(() => drawers.every(({ isSynced }) => isSynced))
        await work(server, drawers)
      } finally {
        for (const drawer of drawers) drawer.stop()
        await server.end()
      }
    }),
  )

workers('are one server; one that dies is replaced, and Ctrl-C drains all of them', () =>
  withWorkers(async (server, drawers) => {
    const [first, second, third] = await workersOf(server)
    assert.ok(first !== undefined && second !== undefined && third !== undefined)
    const random = new Random(1)
    let edits = 0
    for (const drawer of drawers) drawer.draw(() => `k${++edits}`, random)
    kill(second.pid, 'SIGKILL')
    await eventually(() => drawers.some(({ closes }) => closes.includes(1006)))
    await eventually(async () => {
      const now = await workersOf(server)
      return now.length === 3 && now.every(({ pid }) => pid !== second.pid)
    })
    for (const drawer of drawers) drawer.rest()
    const keys = drawers.flatMap((drawer) => drawer.takeDrawn())
    await eventually(() => drawers.every(({ doc }) => keys.every((key) => doc.getMap('elements').has(key))))
    for (const drawer of drawers) drawer.show(1)
    await eventually(() => drawers.every(({ seen }) => seen.length === drawers.length))

    // Whichever worker receives the request answers for all, the new one too once it is ready.
    await eventually(async () => {
      const samples = await readMetrics(server.url)
      const of = (name: string) =>
        ['1', '2', '3'].map((worker) => samples.get(`${name}{worker="${worker}"}`) ?? Number.NaN)
      const connections = of('boardroom_connections').reduce((sum, count) => sum + count, 0)
      return connections === drawers.length && of('boardroom_nodes').join() === '3,3,3'
    })

    const started = await offspring(server)
    assert.ok(started.length >= 5, 'three workers, a shell and nats-server')
    kill(-server.pid, 'SIGINT') // a terminal signals the whole group
    assert.equal((await server.ended).code, 0)
    await eventually(() => goneFrom(started))
    for (const drawer of drawers) {
      assert.equal(drawer.takeProblems(), [])
      await eventually(() => drawer.closes.includes(1012))
    }
  }),
)

workers('end with their parent when that is killed, and nats-server with them', () =>
  withWorkers(async (server) => {
    const started = await offspring(server)
    kill(server.pid, 'SIGKILL')
    await eventually(() => goneFrom(started))
  }),
)

refused('says in one line what is missing', () =>
  withFolder(async (dataDir) => {
    const line = async (args: string[], env = {}) => {
      const { code, stderr } = await run(dataDir, ['serve', ...args], { env })
      assert.is(code, 1)
      return stderr
    }
    assert.match(await line(['--workers', '2']), /^boardroom: serve --workers: .* set DATABASE_URL and .*\n$/)
    assert.match(await line(['--workers', 'many']), /^boardroom: --workers: expected a whole number .*\n$/)
    assert.throws(
      () => new OwnNats('/nowhere', pino({ level: 'silent' }), []),
      /no nats-server is installed; install it \(apt-get install nats-server\), or set NATS_URL/,
    )
  }),
)

refused('a worker that cannot start ends the whole server with the worker’s error', () =>
  withFolder((dataDir) =>
    withEmptyDatabase(async (database) => {
      const { code, stderr } = await run(dataDir, ['serve', '--workers', '2'], {
        env: databaseSettings(database),
      })
      assert.is(code, 1)
      assert.match(stderr, /^boardroom: DATABASE_URL requires BOARDROOM_SECRET.*\n$/)
    }),
  ),
)

if (hasNats(4)) {
  workers.run()
  refused.run()
}
