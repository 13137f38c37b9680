// Kills a server and its Postgres at random moments while people draw and boards are left, deleted and shared, and
// checks after each restart whether anything that was reported as saved is gone. All randomness comes from a seed;
// the timing of the machine does not.
import { mkdtemp, rm } from 'node:fs/promises'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import * as Y from 'yjs'
import { encodeSync, MessageType, SyncStep } from '../../shared/protocol.ts'
import { fastFolder } from './cluster.ts'
import { eventually } from './eventually.ts'
import { type Program, runProgram, startProgram } from './program.ts'
import { Random } from './random.ts'
import { RawClient } from './raw-client.ts'

export interface TortureOptions {
  rounds: number
  seed: number
  boards?: number
  writersPerBoard?: number
  say?: (line: string) => void
}

export interface TortureReport {
  rounds: number
  edits: number
  /** Edits that were reported as saved to a client. */
  saved: number
  /** Rounds by what was killed. */
  kills: Record<string, number>
  /** Rounds by what was going on at that moment. */
  moments: Record<string, number>
  /** How often a running Postgres was killed. */
  postgresKills: number
  /** One line for each promise that was broken. */
  broken: string[]
}

interface Board {
  id: string
  ticket: string
  /** Keys of `elements` that were reported as saved to somebody. */
  saved: Set<string>
  /** null: unknown, because the answer did not arrive. */
  isDeleted: boolean | null
  /** Level of everyone, as far as answered. */
  everyone: string | null | 'unknown'
}

const killings = ['both', 'program', 'postgres first', 'postgres'] as const
/** folding: everybody has just left, so every log is folded; deleting, sharing: on all boards at once. */
const moments = ['drawing', 'folding', 'deleting', 'sharing'] as const
const email = 'torture@example.org'
const password = 'correct horse battery staple'

/** @returns what happened; `broken` is empty if every promise held. */
export async function torture(options: TortureOptions): Promise<TortureReport> {
  const dataDir = await mkdtemp(path.join(await fastFolder(), 'boardroom-torture-'))
  const torturer = new Torturer(dataDir, options)
  try {
    await torturer.run()
    return torturer.report
  } finally {
    await torturer.close()
    await rm(dataDir, { recursive: true, force: true, maxRetries: 10 })
  }
}

class Torturer {
  readonly report: TortureReport = {
    rounds: 0,
    edits: 0,
    saved: 0,
    kills: {},
    moments: {},
    postgresKills: 0,
    broken: [],
  }
  readonly #dataDir: string
  readonly #options: TortureOptions
  readonly #random: Random
  readonly #say: (line: string) => void
  #boards: Board[] = []
  #program: Program | null = null
  #cookie = ''
  #edits = 0

  constructor(dataDir: string, options: TortureOptions) {
    this.#dataDir = dataDir
    this.#options = options
    this.#random = new Random(options.seed)
    this.#say = options.say ?? (() => undefined)
  }

  async run(): Promise<void> {
    await this.#start()
    await runProgram(
      this.#dataDir,
      ['user', 'create', '--email', email, '--name', 'Torturer', '--role', 'sysadmin'],
      {
        input: `${password}\n`,
      },
    )
    await this.#signIn()
    for (let round = 1; round <= this.#options.rounds; round++) {
      while (this.#boards.length < (this.#options.boards ?? 4)) this.#boards.push(await this.#newBoard())
      const how = this.#random.of(killings)
      const moment = this.#random.of(moments)
      await this.#drawAndKill(how, moment)
      await this.#start()
      await this.#check(round)
      this.report.kills[how] = (this.report.kills[how] ?? 0) + 1
      this.report.moments[moment] = (this.report.moments[moment] ?? 0) + 1
      this.report.rounds = round
      const { edits, saved, broken } = this.report
      this.#say(
        `round ${round}: killed ${how} while ${moment}; ${edits} edits, ${saved} saved, ${broken.length} broken`,
      )
    }
    await this.#checkChain()
  }

  async close(): Promise<void> {
    // Cleanly, so that nothing of Postgres is left behind.
    await this.#program?.stop()
    this.#program = null
  }

  async #start(): Promise<void> {
    this.#program ??= await startProgram(this.#dataDir, {
      BOARDROOM_MAX_CONNECTIONS_PER_PRINCIPAL: '1000',
      BOARDROOM_UPDATES_PER_SECOND: '10000',
    })
  }

  get #origin(): string {
    return this.#program?.origin ?? ''
  }

  async #drawAndKill(how: (typeof killings)[number], moment: (typeof moments)[number]): Promise<void> {
    const program = this.#program
    if (program === null) return
    const drawingIsOver = { value: false }
    const meddlingIsOver = { value: false }
    const drawing = this.#boards.flatMap((board) =>
      Array.from({ length: this.#options.writersPerBoard ?? 3 }, () => this.#draw(board, drawingIsOver)),
    )
    const meddling = this.#boards.map((board) => this.#meddle(board, meddlingIsOver))
    await delay(100 + this.#random.below(1400))
    if (moment !== 'drawing') {
      meddlingIsOver.value = true
      await Promise.all(meddling)
    }
    if (moment === 'folding') {
      drawingIsOver.value = true
      await Promise.all(drawing)
    }
    if (moment === 'deleting') meddling.push(...this.#boards.map((board) => this.#deleteOrRestore(board)))
    if (moment === 'sharing') meddling.push(...this.#boards.map((board) => this.#share(board)))
    await delay(this.#random.below(30))
    if (how === 'postgres first' || how === 'postgres') {
      this.report.postgresKills += (await program.kill('postgres')) > 0 ? 1 : 0
      // The server restarts its Postgres and continues; or is killed while doing so.
      await delay(how === 'postgres' ? 1500 : this.#random.below(700))
    }
    this.report.postgresKills += (await program.kill(how === 'program' ? 'program' : 'both')) > 0 ? 1 : 0
    this.#program = null
    drawingIsOver.value = true
    meddlingIsOver.value = true
    await Promise.all([...drawing, ...meddling])
  }

  /** One person: joins, draws, sometimes leaves and comes back, until the end. */
  async #draw(board: Board, isOver: { value: boolean }): Promise<void> {
    while (!isOver.value) {
      const client = new RawClient(`${this.#origin.replace('http', 'ws')}/ws/${board.id}`, {
        ticket: board.ticket,
      })
      let isClosed = false
      void client.closed.then(() => {
        isClosed = true
      })
      await Promise.race([client.opened, client.closed])
      const isOpen = () => !isClosed && client.socket.readyState === client.socket.OPEN
      const keys: string[] = []
      const last = 5 + this.#random.below(this.#random.chance(20) ? 2000 : 200)
      for (let edit = 0; edit < last && isOpen() && !isOver.value; edit++) {
        const key = `k${++this.#edits}`
        client.edit((doc) => doc.getMap('elements').set(key, this.#edits))
        keys.push(key)
        this.report.edits++
        if (this.#random.chance(40)) await delay(this.#random.below(8))
      }
      // The person who leaves may be the last one: then the board's log is folded, and the kill may interrupt that.
      if (isOpen()) await delay(this.#random.below(60))
      client.terminate()
      await client.closed
      const isNoted = client.bodies(MessageType.notice).length > 0
      // Frame 65 counts refused frames as well: a client that was refused anything is not a reliable witness.
      if (isNoted) continue
      for (const key of keys.slice(0, client.saved)) board.saved.add(key)
      this.report.saved += client.saved
      if (!isOver.value) await delay(this.#random.below(100))
    }
  }

  /** Deletes and restores a board, or changes everyone's level on it, from time to time. */
  async #meddle(board: Board, isOver: { value: boolean }): Promise<void> {
    while (!isOver.value) {
      await delay(this.#random.below(400))
      if (isOver.value) return
      if (this.#random.chance(15)) await this.#deleteOrRestore(board)
      else await this.#share(board)
    }
  }

  async #deleteOrRestore(board: Board): Promise<void> {
    const isDeleted = board.isDeleted === true
    board.isDeleted = null
    const status = isDeleted
      ? await this.#ask('POST', `/api/boards/${board.id}/restore`)
      : await this.#ask('DELETE', `/api/boards/${board.id}`)
    if (status !== null && status < 300) board.isDeleted = !isDeleted
  }

  async #share(board: Board): Promise<void> {
    if (board.isDeleted !== false) return
    const level = this.#random.of(['view', 'comment', 'edit'])
    board.everyone = 'unknown'
    const status = await this.#ask('POST', `/api/boards/${board.id}/permissions`, { user_id: null, level })
    if (status !== null && status < 300) board.everyone = level
  }

  /** @returns the status, null if no answer arrived. */
  async #ask(method: string, where: string, body?: unknown): Promise<number | null> {
    try {
      const answer = await this.#fetch(method, where, body)
      await answer.arrayBuffer()
      return answer.status
    } catch {
      return null // the server was killed, which is the point
    }
  }

  #fetch(
    method: string,
    where: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Response> {
    return fetch(`${this.#origin}${where}`, {
      method,
      headers: {
        cookie: this.#cookie,
        origin: this.#origin,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(15_000),
    })
  }

  async #signIn(): Promise<void> {
    const answer = await this.#fetch('POST', '/api/auth/sign-in/email', { email, password })
    if (!answer.ok) throw new Error(`sign-in: ${answer.status} ${await answer.text()}`)
    this.#cookie = answer.headers
      .getSetCookie()
      .map((line) => line.split(';')[0])
      .join('; ')
  }

  async #newBoard(): Promise<Board> {
    const answer = await this.#fetch('POST', '/api/boards', { title: 'Tortured' })
    const { id } = (await answer.json()) as { id: string } // BoardResponse
    const ticketAnswer = await this.#fetch('POST', `/api/boards/${id}/tickets`, {})
    const { ticket } = (await ticketAnswer.json()) as { ticket: string } // TicketResponse
    return { id, ticket, saved: new Set(), isDeleted: false, everyone: null }
  }

  async #check(round: number): Promise<void> {
    for (const board of this.#boards) {
      const isDeleted = (await this.#ask('GET', `/api/boards/${board.id}`)) === 410
      if (board.isDeleted !== null && board.isDeleted !== isDeleted)
        this.#broken(round, board, `deleted should be ${board.isDeleted} and is ${isDeleted}`)
      if (isDeleted) await this.#ask('POST', `/api/boards/${board.id}/restore`)
      board.isDeleted = false
      await this.#checkEveryone(round, board)
      await this.#checkContent(round, board)
    }
    if (round % 5 === 0) await this.#checkChain()
    // One board in five starts empty again, so that kills also hit new boards.
    if (this.#random.chance(40)) this.#boards.splice(this.#random.below(this.#boards.length), 1)
  }

  async #checkEveryone(round: number, board: Board): Promise<void> {
    if (board.everyone === 'unknown') return
    const answer = await this.#fetch('GET', `/api/boards/${board.id}/permissions`)
    const { items } = (await answer.json()) as { items: { user_id: number | null; level: string }[] }
    const level = items.find(({ user_id }) => user_id === null)?.level ?? null
    if (level !== board.everyone)
      this.#broken(round, board, `everyone should have ${board.everyone} and has ${level}`)
  }

  async #checkContent(round: number, board: Board): Promise<void> {
    const [how, state] = this.#random.chance(50)
      ? (['socket', await this.#stateBySocket(board)] as const)
      : (['http', await this.#stateByHttp(board)] as const)
    if (typeof state === 'string') {
      this.#broken(round, board, `cannot be read by ${how}: ${state}`)
      return
    }
    const doc = new Y.Doc()
    Y.applyUpdate(doc, state)
    if (doc.store.pendingStructs !== null) this.#broken(round, board, `has gaps by ${how}`)
    const elements = doc.getMap('elements')
    const lost = [...board.saved].filter((key) => !elements.has(key))
    if (lost.length > 0)
      this.#broken(
        round,
        board,
        `lost ${lost.length} of ${board.saved.size} saved edits by ${how}: ${lost.slice(0, 5)}`,
      )
    // Whatever exists now existed before this start, and must not be lost later either.
    for (const key of elements.keys()) board.saved.add(key)
  }

  /** The body of step 2, which must contain everything by itself. */
  async #stateBySocket(board: Board): Promise<Uint8Array | string> {
    const client = new RawClient(`${this.#origin.replace('http', 'ws')}/ws/${board.id}`, {
      ticket: board.ticket,
    })
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

  async #stateByHttp(board: Board): Promise<Uint8Array | string> {
    const answer = await this.#fetch('GET', `/api/boards/${board.id}/document`, undefined, {
      accept: 'application/octet-stream',
    })
    return answer.ok ? new Uint8Array(await answer.arrayBuffer()) : `${answer.status} ${await answer.text()}`
  }

  async #checkChain(): Promise<void> {
    // The last rows are sealed within a second.
    await delay(1500)
    try {
      await runProgram(this.#dataDir, ['audit', 'verify'])
    } catch (error) {
      this.report.broken.push(`the chain does not verify: ${String(error)}`)
    }
  }

  #broken(round: number, board: Board, what: string): void {
    const line = `round ${round}, board ${board.id}: ${what}`
    this.report.broken.push(line)
    this.#say(line)
  }
}
