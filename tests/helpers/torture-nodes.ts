// Several nodes on one Postgres and one NATS, while people draw on all of them: nodes are killed, suspended, drained
// and cut off at random moments, and after each round everybody must show the same, including everything that was
// reported as saved. All randomness comes from a seed; the timing of the machine does not.
import { setTimeout as delay } from 'node:timers/promises'
import * as Y from 'yjs'
import { encodeSync, MessageType, SyncStep } from '../../shared/protocol.ts'
import { databaseSettings, type TestDatabase, withDatabase } from './database.ts'
import { eventually } from './eventually.ts'
import { type Nats, withNats } from './nats.ts'
import { type Drawer, drawerOf } from './node-drawers.ts'
import { NodeProgram } from './node-program.ts'
import { signedInPerson } from './people.ts'
import { runProgram } from './program.ts'
import { Random } from './random.ts'
import { RawClient } from './raw-client.ts'
import { whatTheTrailLacks } from './trail-of-nodes.ts'

export interface NodesTortureOptions {
  rounds: number
  seed: number
  nodes: number
  boards?: number
  writersPerBoard?: number
  /** Takes Postgres away for the duration of `work`. Default: every node's connection to it is cut. */
  withoutPostgres?: (work: () => Promise<void>) => Promise<void>
  /** The longest duration of any fault. Default 8 s: by then the nodes no longer expect to hear from each other. */
  longestMs?: number
  say?: (line: string) => void
}

export interface NodesTortureReport {
  rounds: number
  edits: number
  /** Edits that were reported as saved to a client. */
  saved: number
  joins: number
  harms: Record<string, number>
  /** From the end of the faults of a round until everybody showed the same. */
  longestHealMs: number
  /** One line for each promise that was broken. */
  broken: string[]
}

interface Board {
  id: string
  ticket: string
  /** Keys of `elements` that were reported as saved to somebody. */
  saved: Set<string>
  /** Keys that must exist in the end: these, and those drawn by people who are still here. */
  kept: Set<string>
  /** They stay all the time, and reconnect by themselves. */
  drawers: Drawer[]
}

const harms = [
  'node killed',
  'node killed',
  'node stood still',
  'node drained',
  'NATS way cut',
  'NATS way silent up',
  'NATS way silent down',
  'NATS way silent',
  'database way cut',
  'database way silent up',
  'database way silent down',
  'database way silent',
  'both ways cut',
  'both ways silent',
  'NATS killed',
  'NATS stood still',
  'Postgres away',
] as const
type Harm = (typeof harms)[number]

const secret = 'a secret that all nodes of a test have'
const patiently = { withinMs: 60_000, everyMs: 50 }

/** @returns what happened; `broken` is empty if every promise held. */
export const tortureNodes = (options: NodesTortureOptions): Promise<NodesTortureReport> =>
  withNats((nats) =>
    withDatabase(async (database) => {
      const torturer = new Torturer(database, nats, options)
      try {
        await torturer.run()
        return torturer.report
      } finally {
        await torturer.close()
      }
    }),
  )

class Torturer {
  readonly report: NodesTortureReport = {
    rounds: 0,
    edits: 0,
    saved: 0,
    joins: 0,
    harms: {},
    longestHealMs: 0,
    broken: [],
  }
  readonly #database: TestDatabase
  readonly #nats: Nats
  readonly #options: NodesTortureOptions
  readonly #random: Random
  readonly #nodes: NodeProgram[]
  readonly #boards: Board[] = []
  /** Connections that were let in, as they were told. */
  readonly #letIn = new Set<string>()
  #cookie = ''
  #edits = 0
  #postgresAway = Promise.resolve()

  constructor(database: TestDatabase, nats: Nats, options: NodesTortureOptions) {
    this.#database = database
    this.#nats = nats
    this.#options = options
    this.#random = new Random(options.seed)
    const { serverUrl: databaseUrl } = database
    const env = {
      BOARDROOM_MAX_CONNECTIONS_PER_PRINCIPAL: '1000',
      BOARDROOM_MAX_CONNECTIONS_PER_IP: '10000',
      BOARDROOM_JOINS_PER_SECOND_PER_IP: '10000',
      BOARDROOM_UPDATES_PER_SECOND: '10000',
    }
    this.#nodes = Array.from(
      { length: options.nodes },
      () => new NodeProgram({ databaseUrl, natsPort: nats.port, secret, env }),
    )
  }

  async run(): Promise<void> {
    process.setMaxListeners(100) // each stock provider waits for the end of the process
    await Promise.all(this.#nodes.map((node) => node.start()))
    const { cookie } = await signedInPerson(this.#database.db, {
      name: 'Torturer',
      email: 'torture@example.org',
      secret,
    })
    this.#cookie = cookie
    const { rounds, boards = 3 } = this.#options
    for (let round = 1; round <= rounds; round++) {
      while (this.#boards.length < boards) this.#boards.push(await this.#newBoard())
      const done = await this.#drawAndHarm()
      const healMs = await this.#check(round)
      this.report.rounds = round
      this.report.longestHealMs = Math.max(this.report.longestHealMs, healMs)
      const { edits, saved, broken } = this.report
      this.#say(
        `round ${round}: ${done.join(', ')}; the same after ${healMs} ms; ${edits} edits, ${saved} saved, ${broken.length} broken`,
      )
    }
    await this.#end()
  }

  async close(): Promise<void> {
    for (const { drawers } of this.#boards) for (const drawer of drawers) drawer.stop()
    await Promise.all(this.#nodes.map((node) => node.close()))
  }

  /** @returns what was done, in words. */
  async #drawAndHarm(): Promise<string[]> {
    const isOver = { value: false }
    const writers = this.#boards.flatMap((board) =>
      Array.from({ length: this.#options.writersPerBoard ?? 2 }, () => this.#draw(board, isOver)),
    )
    for (const { drawers } of this.#boards)
      for (const drawer of drawers) drawer.draw(() => `k${++this.#edits}`, this.#random)
    await delay(this.#random.below(600))
    const { longestMs = 8000 } = this.#options
    const chosen = Array.from({ length: 1 + this.#random.below(3) }, () => this.#random.of(harms))
    // Each of them separately; some last until the nodes no longer hear of each other, some do not.
    const done = await Promise.all(
      chosen.map((harm) =>
        this.#harm(harm, this.#random.of(this.#nodes), {
          inMs: this.#random.below(800),
          forMs: this.#random.below(this.#random.chance(60) ? 2500 : longestMs),
        }),
      ),
    )
    await delay(this.#random.below(400))
    for (const harm of chosen) this.report.harms[harm] = (this.report.harms[harm] ?? 0) + 1
    isOver.value = true
    for (const { drawers } of this.#boards) for (const drawer of drawers) drawer.rest()
    await Promise.all(writers)
    // Everything is back, and crashed nodes are replaced.
    for (const node of this.#nodes) {
      node.restoreWays()
      node.goOn()
    }
    this.#nats.goOn()
    if (!this.#nats.isRunning) await this.#nats.start()
    await Promise.all(this.#nodes.map((node) => node.start()))
    return done
  }

  async #harm(harm: Harm, node: NodeProgram, { inMs, forMs }: { inMs: number; forMs: number }) {
    const which = `node ${this.#nodes.indexOf(node) + 1}`
    await delay(inMs)
    switch (harm) {
      case 'node killed':
        await node.kill()
        break
      case 'node drained': {
        const code = await node.drain()
        if (code !== null && code !== 0) this.#broken(`${which} ended with ${code} on SIGTERM`)
        break
      }
      case 'node stood still':
        node.standStill()
        await delay(forMs)
        node.goOn()
        break
      case 'NATS killed':
        await this.#nats.stop()
        break
      case 'NATS stood still':
        this.#nats.standStill()
        await delay(forMs)
        this.#nats.goOn()
        break
      case 'Postgres away':
        await this.#withoutPostgres(() => delay(forMs))
        break
      default: {
        const ways = [
          ...(harm.startsWith('database') ? [] : [node.toNats]),
          ...(harm.startsWith('NATS') ? [] : [node.toDatabase]),
        ]
        for (const way of ways) {
          if (harm.endsWith('cut')) way.cut()
          if (/silent( up)?$/.test(harm)) way.isSilentUp = true
          if (/silent( down)?$/.test(harm)) way.isSilentDown = true
        }
        await delay(forMs)
        for (const way of ways) way.restore()
      }
    }
    return `${harm} (${which}, ${inMs}+${forMs} ms)`
  }

  /** One after the other: what is unavailable cannot be taken away again. */
  #withoutPostgres(work: () => Promise<void>): Promise<void> {
    const { withoutPostgres = (inside) => this.#withoutWays(inside) } = this.#options
    this.#postgresAway = this.#postgresAway.then(() => withoutPostgres(work))
    return this.#postgresAway
  }

  async #withoutWays(work: () => Promise<void>): Promise<void> {
    for (const { toDatabase } of this.#nodes) toDatabase.cut()
    await work()
    for (const { toDatabase } of this.#nodes) toDatabase.restore()
  }

  /** One person: joins a node, draws, leaves and joins another, until the end. */
  async #draw(board: Board, isOver: { value: boolean }): Promise<void> {
    while (!isOver.value) {
      const node = this.#random.of(this.#nodes)
      const client = new RawClient(`${node.wsUrl}/${board.id}`, { ticket: board.ticket })
      let isClosed = false
      void client.closed.then(({ code, reason }) => {
        isClosed = true
        if (code >= 4400 && code < 4500) this.#broken(`a writer was sent away: ${code} ${reason}`)
      })
      await Promise.race([client.opened, client.closed, delay(2000)])
      const isOpen = () => !isClosed && client.socket.readyState === client.socket.OPEN
      const keys: string[] = []
      const last = 5 + this.#random.below(100)
      for (let edit = 0; edit < last && isOpen() && !isOver.value; edit++) {
        const key = `k${++this.#edits}`
        client.edit((doc) => doc.getMap('elements').set(key, this.#edits))
        keys.push(key)
        this.report.edits++
        if (this.#random.chance(60)) await delay(this.#random.below(15))
      }
      if (isOpen()) await delay(this.#random.below(300))
      client.terminate()
      await client.closed
      const notices = client.bodies(MessageType.notice)
      if (notices.length > 0) this.#broken(`a writer was refused: ${JSON.stringify(notices[0])}`)
      for (const key of keys.slice(0, client.saved)) {
        board.saved.add(key)
        board.kept.add(key)
      }
      this.report.saved += client.saved
      const [hello] = client.bodies(MessageType.hello) as { connection_id: string }[]
      if (hello !== undefined) this.#letIn.add(hello.connection_id)
      if (!isOver.value) await delay(this.#random.below(100))
    }
  }

  /** @returns after how long everybody showed the same. */
  async #check(round: number): Promise<number> {
    const startedAt = performance.now()
    await Promise.all(this.#boards.map((board) => this.#checkTogether(round, board)))
    const healMs = Math.round(performance.now() - startedAt)
    await Promise.all(
      this.#boards.flatMap((board) =>
        this.#nodes.map((node, place) => this.#checkNode(round, board, node, place)),
      ),
    )
    if (this.#random.chance(30)) {
      const [gone] = this.#boards.splice(this.#random.below(this.#boards.length), 1)
      for (const drawer of gone?.drawers ?? []) drawer.stop()
    }
    return healMs
  }

  /** Everybody who stayed shows all of it, the same as everybody else, and sees everybody once. */
  async #checkTogether(round: number, board: Board): Promise<void> {
    const { drawers } = board
    for (const drawer of drawers) for (const key of drawer.takeDrawn()) board.kept.add(key)
    this.report.edits = this.#edits
    const lackOf = ({ doc }: Drawer) => [...board.kept].filter((key) => !doc.getMap('elements').has(key))
    const bytes = ({ doc }: Drawer) => Buffer.from(Y.encodeStateAsUpdate(doc))
    try {
      await eventually(() => {
        const [first] = drawers
        if (drawers.some((drawer) => lackOf(drawer).length > 0)) return false
        return first === undefined || drawers.every((drawer) => bytes(drawer).equals(bytes(first)))
      }, patiently)
    } catch {
      const lacks = drawers.map((drawer) => `${drawer.where}: ${lackOf(drawer).length}`)
      this.#broken(
        `round ${round}, board ${board.id}: not the same for everybody; missing ${lacks.join(', ')}`,
      )
    }
    for (const drawer of drawers) {
      drawer.show(round)
      for (const problem of drawer.takeProblems()) this.#broken(`round ${round}: ${problem}`)
    }
    const everybody = drawers.map(({ doc }) => doc.clientID).sort()
    try {
      await eventually(() => drawers.every((drawer) => drawer.seen.join() === everybody.join()), patiently)
    } catch {
      const seen = drawers.map((drawer) => `${drawer.where} sees ${drawer.seen}`)
      this.#broken(`round ${round}, board ${board.id}: ${everybody} are there; ${seen.join('; ')}`)
    }
  }

  /** A node that lets anybody in has everything that was reported as saved at once, and the rest soon. */
  async #checkNode(round: number, board: Board, node: NodeProgram, place: number): Promise<void> {
    const where = `round ${round}, board ${board.id}, node ${place + 1}`
    const lackOf = (keys: Set<string>, elements: Y.Map<unknown>) =>
      [...keys].filter((key) => !elements.has(key))
    let isFirst = true
    let problem = ''
    const isComplete = async () => {
      const state = await this.#stateOf(board, node)
      if (typeof state === 'string') {
        problem = state
        return false
      }
      const doc = new Y.Doc()
      Y.applyUpdate(doc, state)
      const elements = doc.getMap('elements')
      const lost = lackOf(board.saved, elements)
      if (isFirst && lost.length > 0)
        this.#broken(`${where}: lost ${lost.length} of ${board.saved.size}: ${lost.slice(0, 5)}`)
      isFirst = false
      const missing = lackOf(board.kept, elements).length
      problem = doc.store.pendingStructs === null ? `lacks ${missing} edits` : 'has gaps'
      return missing === 0 && doc.store.pendingStructs === null
    }
    await eventually(isComplete, { ...patiently, everyMs: 200 }).catch(() =>
      this.#broken(`${where}: ${problem}`),
    )
  }

  async #stateOf(board: Board, node: NodeProgram): Promise<Uint8Array | string> {
    if (this.#random.chance(30)) {
      const answer = await this.#fetch(node, 'GET', `/api/boards/${board.id}/document`, {
        accept: 'application/octet-stream',
      })
      return answer.ok
        ? new Uint8Array(await answer.arrayBuffer())
        : `${answer.status} ${await answer.text()}`
    }
    const client = new RawClient(`${node.wsUrl}/${board.id}`, { ticket: board.ticket })
    const closed = client.closed.then(({ code, reason }) => `closed ${code} ${reason}`)
    await client.opened
    client.send(encodeSync(SyncStep.step1, Uint8Array.of(0)))
    const answered = eventually(
      () => client.received.find(({ type, step }) => type === MessageType.sync && step === SyncStep.step2),
      { withinMs: 20_000 },
    ).then((message) => message.body as Uint8Array) // a sync message's body is its bytes
    const state = await Promise.race([answered, closed])
    client.terminate()
    answered.catch(() => undefined)
    return state
  }

  /** Nobody is here any more, all nodes stop cleanly: the trail is complete, and its chain is verified. */
  async #end(): Promise<void> {
    for (const { drawers } of this.#boards) for (const drawer of drawers) drawer.stop()
    const lacks = async () => whatTheTrailLacks(this.#database.db, this.#letIn)
    await eventually(async () => (await lacks()).length === 0, patiently).catch(() => undefined)
    for (const lack of await lacks()) this.#broken(lack)
    this.report.joins = this.#letIn.size
    await Promise.all(this.#nodes.map((node) => node.drain()))
    try {
      await runProgram('/nowhere', ['audit', 'verify'], { env: databaseSettings(this.#database) })
    } catch (error) {
      this.#broken(`the chain does not verify: ${String(error)}`)
    }
  }

  async #newBoard(): Promise<Board> {
    const made = await this.#fetch(
      this.#random.of(this.#nodes),
      'POST',
      '/api/boards',
      {},
      { title: 'Tortured' },
    )
    if (!made.ok) throw new Error(`no board: ${made.status} ${await made.text()}`)
    const { id } = (await made.json()) as { id: string } // BoardResponse
    const where = `/api/boards/${id}/tickets`
    const answer = await this.#fetch(this.#random.of(this.#nodes), 'POST', where, {}, {})
    const { ticket } = (await answer.json()) as { ticket: string } // TicketResponse
    const urls = () => this.#random.of(this.#nodes).wsUrl
    const drawers = this.#nodes.map((node) =>
      drawerOf({ boardId: id, ticket, first: node.wsUrl, next: urls }),
    )
    return { id, ticket, saved: new Set(), kept: new Set(), drawers }
  }

  #fetch(
    { origin }: NodeProgram,
    method: string,
    where: string,
    headers: Record<string, string> = {},
    body?: unknown,
  ): Promise<Response> {
    return fetch(`${origin}${where}`, {
      method,
      headers: {
        cookie: this.#cookie,
        origin,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(20_000),
    })
  }

  #say(line: string): void {
    this.#options.say?.(line)
  }

  #broken(line: string): void {
    this.report.broken.push(line)
    this.#say(line)
  }
}
