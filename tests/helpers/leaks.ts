// Does a server retain anything of people who left and of boards that nobody has open? One real process, many visits,
// and a look inside before and after, when everything is closed again.
import { mkdtemp, rm } from 'node:fs/promises'
import path from 'node:path'
import pg from 'pg'
import { fastFolder } from './cluster.ts'
import { eventually } from './eventually.ts'
import { type Holdings, type Inside, openInside } from './inside.ts'
import { readMetrics } from './metrics.ts'
import { type Program, runProgram, startProgram } from './program.ts'
import { type Visit, visits } from './visits.ts'

export interface LeaksOptions {
  /** Connects and disconnects, on a few boards. */
  connects: number
  /** Boards opened, drawn on, left and closed, each once; one in ten read over HTTP. */
  rooms: number
  /** Both in small numbers, before the first look: one-time allocations happen then. */
  warmUp: { connects: number; rooms: number }
  say?: (line: string) => void
}

export interface Look extends Holdings {
  databaseConnections: number
}

export interface LeaksReport {
  before: Look
  after: Look
  /** Of the connects, by close code. */
  ends: Record<string, number>
  /** Boards read over HTTP in between: each read is remembered for an hour, so that it is recorded once. */
  reads: number
}

const atOnce = 100
const email = 'visitor@example.org'
const password = 'correct horse battery staple'

export async function lookForLeaks(options: LeaksOptions): Promise<LeaksReport> {
  const dataDir = await mkdtemp(path.join(await fastFolder(), 'boardroom-leaks-'))
  const limits = {
    BOARDROOM_MAX_CONNECTIONS_PER_PRINCIPAL: '100000',
    BOARDROOM_JOINS_PER_SECOND_PER_IP: '100000',
    BOARDROOM_FAILED_JOINS_PER_MINUTE_PER_IP: '100000',
  }
  try {
    const program = await startProgram(dataDir, limits, { nodeOptions: ['--inspect=127.0.0.1:0'] })
    try {
      const inside = await openInside(program)
      const report = await new Crowd(dataDir, program, inside, options.say ?? (() => undefined)).run(options)
      inside.close()
      return report
    } finally {
      await program.stop()
    }
  } finally {
    await rm(dataDir, { recursive: true, force: true, maxRetries: 10 })
  }
}

class Crowd {
  readonly #dataDir: string
  readonly #program: Program
  readonly #inside: Inside
  readonly #say: (line: string) => void
  #databaseUrl = ''
  #cookie = ''
  #reads = 0

  constructor(dataDir: string, program: Program, inside: Inside, say: (line: string) => void) {
    this.#dataDir = dataDir
    this.#program = program
    this.#inside = inside
    this.#say = say
  }

  async run({ connects, rooms, warmUp }: LeaksOptions): Promise<LeaksReport> {
    await runProgram(
      this.#dataDir,
      ['user', 'create', '--email', email, '--name', 'Visitor', '--role', 'sysadmin'],
      { input: `${password}\n` },
    )
    this.#databaseUrl = (await runProgram(this.#dataDir, ['database', 'url'])).trim()
    await this.#signIn()
    const boards = await this.#makeBoards(warmUp.rooms + rooms + 20)
    const busy = boards.splice(0, 20)
    const ticket = await this.#ticketFor(busy[0] ?? '')
    await this.#comeAndGo(warmUp.connects, busy, ticket)
    await this.#openAndClose(boards.splice(0, warmUp.rooms))
    const before = await this.#look()
    this.#reads = 0
    this.#say(`at the start: ${JSON.stringify(before)}`)
    const ends = await this.#comeAndGo(connects, busy, ticket)
    this.#say(
      `${connects} connects and disconnects: ${JSON.stringify(ends)}; ${JSON.stringify(await this.#look())}`,
    )
    await this.#openAndClose(boards)
    const after = await this.#look()
    this.#say(`${rooms} rooms opened and closed: ${JSON.stringify(after)}`)
    return { before, after, ends, reads: this.#reads }
  }

  get #wsUrl(): string {
    return `${this.#program.origin.replace('http', 'ws')}/ws`
  }

  /**
   * Signed in and not, stock and custom clients, with and without a proper close; one in fifty with an invalid
   * ticket.
   */
  #comeAndGo(count: number, boards: readonly string[], ticket: string): Promise<Record<string, number>> {
    return visits(count, atOnce, (number): Visit => {
      const isKnown = number % 3 === 0
      return {
        url: `${this.#wsUrl}/${isKnown ? boards[0] : boards[number % boards.length]}`,
        ...(number % 50 === 0 ? { ticket: 'no-ticket' } : isKnown ? { ticket } : {}),
        does: number % 25 === 0 ? 'draws' : 'looks',
        leaves: number % 4 === 0 ? 'resets' : 'politely',
      }
    })
  }

  async #openAndClose(boards: readonly string[]): Promise<void> {
    await visits(boards.length, 20, (number) => ({
      url: `${this.#wsUrl}/${boards[number]}`,
      does: 'draws',
      leaves: number % 4 === 0 ? 'resets' : 'politely',
    }))
    // Folded by now or soon: read without being opened.
    const some = boards.filter((_, at) => at % 10 === 0)
    this.#reads += some.length
    let next = 0
    const read = async () => {
      for (let board = some[next++]; board !== undefined; board = some[next++]) {
        const answer = await fetch(`${this.#program.origin}/api/boards/${board}/document`, {
          headers: { accept: 'application/octet-stream', cookie: this.#cookie },
        })
        if (!answer.ok) throw new Error(`${answer.status}: ${await answer.text()}`)
        await answer.arrayBuffer()
      }
    }
    await Promise.all(Array.from({ length: 10 }, read))
  }

  /** When everybody is gone, every room is closed, every log folded, and idle connections are released. */
  async #look(): Promise<Look> {
    await eventually(
      async () => {
        const metrics = await readMetrics(this.#program.origin)
        return (
          metrics.get('boardroom_connections') === 0 &&
          metrics.get('boardroom_rooms') === 0 &&
          metrics.get('boardroom_folds_due') === 0
        )
      },
      { withinMs: 600_000, everyMs: 200 },
    )
    // The pool releases connections that were idle for 30 s: not waited for, but limited by its size.
    const databaseConnections = await this.#count(
      `select count(*)::int as n from pg_stat_activity where application_name like 'boardroom%' and pid <> pg_backend_pid()`,
    )
    return { ...(await this.#inside.look()), databaseConnections }
  }

  async #count(query: string): Promise<number> {
    return this.#withDatabase(async (client) => Number((await client.query(query)).rows[0]?.n))
  }

  async #withDatabase<Result>(work: (client: pg.Client) => Promise<Result>): Promise<Result> {
    const client = new pg.Client({ connectionString: this.#databaseUrl })
    await client.connect()
    try {
      return await work(client)
    } finally {
      await client.end()
    }
  }

  /** Boards that everybody may draw on. */
  #makeBoards(count: number): Promise<string[]> {
    return this.#withDatabase(async (client) => {
      const { rows } = await client.query<{ id: string }>(
        `with made as (
           insert into boardroom.boards (owner_id, created_by, title)
           select id, id, 'Visited' from boardroom.users, generate_series(1, $1) where email = $2 returning id
         ), opened as (
           insert into boardroom.board_permissions (board_id, level) select id, 'edit' from made
         )
         select id from made`,
        [count, email],
      )
      return rows.map(({ id }) => id)
    })
  }

  async #signIn(): Promise<void> {
    const { origin } = this.#program
    const answer = await fetch(`${origin}/api/auth/sign-in/email`, {
      method: 'POST',
      headers: { origin, 'content-type': 'application/json' },
      body: JSON.stringify({ email, password }),
    })
    this.#cookie = answer.headers
      .getSetCookie()
      .map((line) => line.split(';')[0])
      .join('; ')
  }

  async #ticketFor(board: string): Promise<string> {
    const { origin } = this.#program
    const answer = await fetch(`${origin}/api/boards/${board}/tickets`, {
      method: 'POST',
      headers: { origin, cookie: this.#cookie, 'content-type': 'application/json' },
      body: '{}',
    })
    const { ticket } = (await answer.json()) as { ticket: string } // TicketResponse
    return ticket
  }
}
