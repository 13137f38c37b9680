// The memory of a running server, seen through Node's inspector: the server does not notice.
//
//   const program = await startProgram(folder, {}, { nodeOptions: ['--inspect=127.0.0.1:0'] })
//   const inside = await openInside(program)
//   const before = await inside.look()
import { once } from 'node:events'
import { readdir, readFile } from 'node:fs/promises'
import { WebSocket } from 'ws'
import type { Program } from './program.ts'

/** After a forced garbage collection. Bytes, and numbers of objects. */
export interface Holdings {
  heapBytes: number
  /** Outside the heap: buffers. */
  externalBytes: number
  residentBytes: number
  /** Entries of all Maps and Sets together. */
  entries: number
  /** Open files and sockets; null where the system does not list them. */
  handles: number | null
  /** What keeps the process alive, by kind: timers, sockets, pipes. */
  resources: Record<string, number>
}

export interface Inside {
  look(): Promise<Holdings>
  close(): void
}

interface Answer {
  id: number
  result?: { result?: { value?: unknown }; objects?: { objectId: string } }
  error?: { message: string }
}

/** Runs in the server. */
const memory = `JSON.stringify({ memory: process.memoryUsage(), resources: process.getActiveResourcesInfo() })`
const sizes = `function () { let all = 0; for (const each of this) { try { all += each.size } catch {} } return all }`

/** @param program was started with `--inspect`. */
export async function openInside(program: Program): Promise<Inside> {
  const url = program.said.map((line) => /Debugger listening on (ws:\S+)/.exec(line)?.[1]).find(Boolean)
  if (url === undefined) throw new Error('the program was not started with --inspect')
  const socket = new WebSocket(url, { perMessageDeflate: false, maxPayload: 1 << 30 })
  await once(socket, 'open')
  const waiting = new Map<number, (answer: Answer) => void>()
  socket.on('message', (data: Buffer) => {
    const answer = JSON.parse(data.toString()) as Answer // the inspector's protocol
    waiting.get(answer.id)?.(answer)
    waiting.delete(answer.id)
  })
  let lastId = 0
  const ask = async (method: string, params: object = {}): Promise<NonNullable<Answer['result']>> => {
    const id = ++lastId
    const answered = new Promise<Answer>((resolve) => waiting.set(id, resolve))
    socket.send(JSON.stringify({ id, method, params }))
    const { result, error } = await answered
    if (result === undefined) throw new Error(`${method}: ${error?.message}`)
    return result
  }
  const evaluate = async (expression: string) => (await ask('Runtime.evaluate', { expression })).result
  const entriesOf = async (prototype: string): Promise<number> => {
    const found = await ask('Runtime.evaluate', { expression: prototype, objectGroup: 'look' })
    const { objectId: prototypeObjectId } = found.result as { objectId?: string }
    const { objects } = await ask('Runtime.queryObjects', { prototypeObjectId, objectGroup: 'look' })
    const counted = await ask('Runtime.callFunctionOn', {
      objectId: objects?.objectId,
      functionDeclaration: sizes,
      returnByValue: true,
    })
    await ask('Runtime.releaseObjectGroup', { objectGroup: 'look' })
    return Number(counted.result?.value)
  }
  return {
    async look() {
      const entries = (await entriesOf('Map.prototype')) + (await entriesOf('Set.prototype'))
      for (let time = 0; time < 3; time++) await ask('HeapProfiler.collectGarbage')
      const { value } = (await evaluate(memory)) ?? {}
      const { memory: used, resources } = JSON.parse(String(value)) as {
        memory: NodeJS.MemoryUsage
        resources: string[]
      }
      const byKind: Record<string, number> = {}
      for (const kind of resources) byKind[kind] = (byKind[kind] ?? 0) + 1
      return {
        heapBytes: used.heapUsed,
        externalBytes: used.external,
        residentBytes: await residentBytesOf(program.pid, used.rss),
        entries,
        handles: await readdir(`/proc/${program.pid}/fd`).then(
          ({ length }) => length,
          () => null,
        ),
        resources: byKind,
      }
    },
    close: () => socket.close(),
  }
}

const residentBytesOf = (pid: number, otherwise: number): Promise<number> =>
  readFile(`/proc/${pid}/status`, 'utf8').then(
    (status) => Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024,
    () => otherwise,
  )
