// Seeded random lives of a complete server: permissions granted, lowered and removed by the API's functions and by hand,
// guests invited and their links revoked, joins, writes, a LISTEN connection cut, and restarts on the same database. Then:
//   no update was accepted that was sent later than a second after the permission to write was removed,
//   no socket was open later than a second after access was removed,
//   every join and every change has its row, every join its leave, and the chain can be verified,
//   every update that was reported as saved is in the database.
//   SEED=7 RIGHTS_SECONDS=600 node dist/tests/run.js property/rights     (the clock is real: a seed gives the same plan)
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import * as Y from 'yjs'
import { verifyAudit } from '../../server/audit/verify.ts'
import { type Boardroom, createBoardroom } from '../../server/boardroom.ts'
import type { Level } from '../../shared/levels.ts'
import { MessageType } from '../../shared/protocol.ts'
import { type TestDatabase, withDatabase } from '../helpers/database.ts'
import { countFromEnvironment, Random } from '../helpers/random.ts'
import { RawClient, type RawOptions } from '../helpers/raw-client.ts'
import { Standstills } from '../helpers/standstills.ts'

const seconds = countFromEnvironment('RIGHTS_SECONDS', 10)
const seed = countFromEnvironment('SEED', 1)
/** The promised time; time in which the machine did nothing for anybody is not counted, see `Standstills`. */
const graceMs = 1000
const levels = [null, 'view', 'comment', 'edit'] as const
type Given = Level | null

interface Write {
  key: string
  board: number
  sentAt: number
  seat: Seat
  /** The server reported that it is committed. */
  isSaved: boolean
}

/** One person on one board, through any number of connections. */
interface Seat {
  name: string
  board: number
  options: RawOptions
  level(): Given
  /** When their permissions changed: for losses when the change was committed, for gains when it was begun. */
  changes: { at: number; level: Given }[]
  client: RawClient | null
  /** Writes of this connection, by their counts from 1. */
  writes: Write[]
}

interface Person {
  id: number
  name: string
  isActive: boolean
}

class World {
  readonly test: TestDatabase
  readonly random = new Random(seed)
  readonly steps: string[] = []
  readonly seats: Seat[] = []
  readonly boards: string[] = []
  readonly people: Person[] = []
  readonly writes: Write[] = []
  readonly joined: string[] = []
  /** Rows that the changes must have left, by action and category. */
  readonly expected: Record<string, number> = {}
  readonly members: Given[] = []
  readonly rows = new Map<string, Given>()
  boardroom!: Boardroom // by `start`, before anything else
  readonly http = createServer()
  /** Links that will be revoked. */
  readonly ends: { due: number; end(): Promise<void> }[] = []
  readonly #standstills: Standstills
  #guests = 0
  #port = 0

  constructor(test: TestDatabase) {
    this.test = test
    this.#standstills = new Standstills(test.pool)
  }

  async start(): Promise<void> {
    this.boardroom = await createBoardroom({
      database: this.test.url,
      secret: 'the same on every start, of 32 characters',
      authenticate: ({ headers }) => {
        const name = headers['x-user']
        return typeof name === 'string' ? { externalId: name, name } : null
      },
      joinsPerSecondPerIp: 100_000,
      failedJoinsPerMinutePerIp: 100_000,
      failedGuessesPerMinutePerIp: 100_000,
    })
    if (this.#port !== 0) return
    this.http.on('request', (request, response) => this.boardroom.handleRequest(request, response))
    this.http.on('upgrade', (request, socket, head) => this.boardroom.handleUpgrade(request, socket, head))
    this.http.listen(0, '127.0.0.1')
    await once(this.http, 'listening')
    this.#port = (this.http.address() as AddressInfo).port // it listens on TCP
    for (const title of ['One', 'Other']) {
      this.boards.push(
        await this.boardroom.boards.create({ owner: { externalId: 'owner', name: 'Owner' }, title }),
      )
      this.members.push(null)
    }
    for (const name of ['Ada', 'Bob', 'Eve']) {
      const person = { id: await this.boardroom.users.idOf({ externalId: name, name }), name, isActive: true }
      this.people.push(person)
      for (const board of [0, 1]) {
        const level = (): Given => {
          if (!person.isActive) return null
          return highest(this.rows.get(`${name} ${board}`) ?? null, this.members[board] ?? null)
        }
        this.#seat({ name, board, options: { headers: { 'x-user': name } }, level })
      }
    }
  }

  #seat(seat: Pick<Seat, 'name' | 'board' | 'options' | 'level'>): void {
    this.seats.push({ ...seat, changes: [{ at: Date.now(), level: seat.level() }], client: null, writes: [] })
  }

  sql(statement: string, ...values: unknown[]): Promise<unknown> {
    return this.test.pool.query(statement.replaceAll('@', `${this.test.schema}.`), values)
  }

  /** Makes a change and records whom it concerns; `rows` are the additional rows that the trail must have. */
  async change(how: () => Promise<unknown>, rows: Record<string, number>, model: () => void): Promise<void> {
    const begunAt = Date.now()
    await how()
    const doneAt = Date.now()
    model()
    for (const [key, count] of Object.entries(rows)) this.expected[key] = (this.expected[key] ?? 0) + count
    for (const seat of this.seats) {
      const before = seat.changes.at(-1)?.level ?? null
      const level = seat.level()
      if (level !== before) seat.changes.push({ at: rank(level) > rank(before) ? begunAt : doneAt, level })
    }
  }

  async step(): Promise<void> {
    const { random } = this
    const action = random.below(100)
    const board = random.below(2)
    const seat = random.of(this.seats)
    // Changes are few, so that their effect is visible: a second must pass before a write is forbidden.
    if (action < 50) this.write(seat)
    // All at once, so that edits of people who may and who may not write arrive in one batch.
    else if (action < 70) for (const each of this.seats) this.write(each)
    else if (action < 88) this.join(seat)
    else if (action < 92) await this.give(random.of(this.people), board, random.of(levels))
    else if (action < 93) await this.open(board, random.of(levels))
    else if (action < 94) await this.activate(random.of(this.people))
    else if (action < 96) await this.invite(board)
    else if (action < 99 || random.chance(50)) await this.disturb()
    else await this.restart()
    this.look()
  }

  write(seat: Seat): void {
    const { client } = seat
    if (client === null || client.socket.readyState !== client.socket.OPEN) return
    const key = `${seat.name} ${this.writes.length}`
    const doc = new Y.Doc() // each write is independent, so that a refused one does not block those that follow
    doc.getMap('notes').set(key, true)
    const write = { key, board: seat.board, sentAt: Date.now(), seat, isSaved: false }
    client.sendUpdate(Y.encodeStateAsUpdate(doc))
    seat.writes.push(write)
    this.writes.push(write)
  }

  join(seat: Seat): void {
    if (seat.client !== null && seat.client.socket.readyState !== seat.client.socket.CLOSED) {
      if (this.random.chance(4)) seat.client.close()
      return
    }
    seat.writes = []
    const client = new RawClient(`ws://127.0.0.1:${this.#port}/ws/${this.boards[seat.board]}`, seat.options)
    seat.client = client
    client.socket.on('message', () => this.hear(seat, client))
  }

  hear(seat: Seat, client: RawClient): void {
    const message = client.received.at(-1)
    if (message?.type === MessageType.hello)
      this.joined.push((message.body as { connection_id: string }).connection_id)
    // What is covered while nothing was refused is saved; afterwards the counts say less.
    if (
      message?.type !== MessageType.saved ||
      seat.client !== client ||
      client.bodies(MessageType.notice).length > 0
    )
      return
    for (const write of seat.writes.slice(0, client.saved)) write.isSaved = true
  }

  async give(person: Person, board: number, level: Given): Promise<void> {
    // The API grants nothing to a deactivated account.
    const byHand = this.random.chance(50) || !person.isActive
    const key = `${person.name} ${board}`
    const before = this.rows.get(key) ?? null
    const boardId = this.boards[board] ?? ''
    this.steps.push(`${person.name} on ${board}: ${before} -> ${level}${byHand ? ' by hand' : ''}`)
    const user = person.id
    await this.change(
      () => {
        if (level === null && before === null) return Promise.resolve()
        if (level === null && byHand)
          return this.sql(
            'delete from @board_permissions where board_id = $1 and user_id = $2',
            boardId,
            user,
          )
        if (level === null) return this.boardroom.permissions.revoke({ boardId, user })
        if (byHand)
          return this.sql(
            'insert into @board_permissions (board_id, user_id, level) values ($1, $2, $3) on conflict (board_id, user_id) do update set level = $3',
            boardId,
            user,
            level,
          )
        return this.boardroom.permissions.grant({ boardId, user, level })
      },
      level === before ? {} : { 'permission_change permission': 1 },
      () => this.rows.set(key, level),
    )
  }

  async open(board: number, level: Given): Promise<void> {
    this.steps.push(`members on ${board}: ${level}`)
    await this.change(
      () => this.sql('update @boards set members_level = $2 where id = $1', this.boards[board], level),
      level === this.members[board] ? {} : { 'permission_change permission': 1 },
      () => {
        this.members[board] = level
      },
    )
  }

  async activate(person: Person): Promise<void> {
    this.steps.push(`${person.name} is ${person.isActive ? 'deactivated' : 'back'}`)
    await this.change(
      () => this.sql('update @users set is_active = not is_active where id = $1', person.id),
      { 'update account': 1 },
      () => {
        person.isActive = !person.isActive
      },
    )
  }

  /** A guest through a separate link, whose expiry is chosen soon after; at most four at a time. */
  async invite(board: number): Promise<void> {
    const guests = this.seats.filter(({ name }) => name.startsWith('guest'))
    const leaving = guests.length < 4 ? undefined : this.random.of(guests)
    if (leaving !== undefined) {
      this.seats.splice(this.seats.indexOf(leaving), 1)
      leaving.client?.terminate()
      return
    }
    const boardId = this.boards[board] ?? ''
    const name = `guest ${++this.#guests}`
    let given: Given = this.random.of(['view', 'edit'] as const)
    const link = await this.boardroom.shareLinks.create({ boardId, level: given })
    const answer = await fetch(`http://127.0.0.1:${this.#port}/api/share-links/exchange`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ token: link.url.split('#k=')[1], name }),
    })
    const { ticket } = (await answer.json()) as { ticket: string } // ShareLinkExchangeResponse
    this.steps.push(`${name} on ${board}: ${given}`)
    await this.change(
      async () => undefined,
      { 'link_create link': 1, 'link_use link': 1 },
      () => undefined,
    )
    this.#seat({ name, board, options: { ticket }, level: () => given })
    this.ends.push({
      due: Date.now() + 500 + this.random.below(2000),
      end: async () => {
        this.steps.push(`the link of ${name} is revoked`)
        await this.change(
          () =>
            this.random.chance(50)
              ? this.sql('update @share_links set revoked_at = now() where id = $1', link.id)
              : this.boardroom.shareLinks.revoke({ boardId, linkId: link.id }),
          { 'link_revoke link': 1 },
          () => {
            given = null
          },
        )
      },
    })
  }

  async disturb(): Promise<void> {
    for (const due of this.ends.splice(0)) {
      if (due.due < Date.now()) await due.end()
      else this.ends.push(due)
    }
    if (!this.random.chance(30)) return
    this.steps.push('LISTEN is cut')
    await this.sql(
      `select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and application_name like 'boardroom listens%'`,
    )
  }

  async restart(): Promise<void> {
    this.steps.push('restart')
    await this.boardroom.close({ drainMs: 0 })
    await this.start()
  }

  /** Nobody is there who lost access more than a second ago. */
  look(): void {
    for (const { name, board, client, changes } of this.seats) {
      const last = changes.at(-1)
      if (client === null || last === undefined || last.level !== null || !this.isPast(last.at, Date.now()))
        continue
      const isIn =
        client.bodies(MessageType.hello).length > 0 && client.socket.readyState === client.socket.OPEN
      assert.not(isIn, `${name} is still on ${board} ${Date.now() - last.at} ms after; ${this.told()}`)
    }
  }

  /** Whether more than a second has passed in which anything could be done. */
  isPast(from: number, to: number): boolean {
    return from + graceMs + this.#standstills.between(from, to) < to
  }

  /** Whether the sender had lost the permission to write long enough before, and did not get it back just then. */
  wasForbidden({ seat, sentAt }: Write): boolean {
    const at = seat.changes.findLastIndex((change) => this.isPast(change.at, sentAt))
    const since = seat.changes.slice(at)
    return at >= 0 && since.every((change) => change.level !== 'edit' || this.isPast(sentAt, change.at))
  }

  close(): Promise<void> {
    return this.#standstills.close()
  }

  told(): string {
    return `seed ${seed}\n${this.steps.slice(-40).join('\n')}`
  }
}

const rank = (level: Given): number => levels.indexOf(level)
const highest = (a: Given, b: Given): Given => (rank(a) > rank(b) ? a : b)

const rights = suite('random lives of a server')
rights(`keep every promise about permissions, rows and saved updates (seed ${seed})`, () =>
  withDatabase(async (test) => {
    const world = new World(test)
    await world.start()
    try {
      const until = Date.now() + seconds * 1000
      while (Date.now() < until) {
        await world.step()
        await new Promise((resolve) => setTimeout(resolve, world.random.below(15)))
      }
      await world.restart() // what is read now comes from the database
      const notes: Record<string, unknown>[] = []
      for (const boardId of world.boards) {
        const doc = new Y.Doc()
        Y.applyUpdate(doc, await world.boardroom.documents.read(boardId))
        notes.push(doc.getMap('notes').toJSON())
      }
      const isThere = ({ key, board }: Write) => key in (notes[board] ?? {})
      const forbidden = world.writes.filter((write) => world.wasForbidden(write))
      const saved = world.writes.filter((write) => write.isSaved)
      assert.equal(
        forbidden.filter(isThere).map(({ key }) => key),
        [],
        `accepted without the right; ${world.told()}`,
      )
      assert.equal(
        saved.filter((write) => !isThere(write)).map(({ key }) => key),
        [],
        `saved and lost; ${world.told()}`,
      )

      await world.boardroom.close({ drainMs: 0 })
      const { rows } = await test.pool.query(
        `select action, category, details ->> 'connection_id' as connection from ${test.schema}.audit_logs where board_id = any($1) or action = 'update' and category = 'account'`,
        [world.boards],
      )
      const connections = (action: string) =>
        rows
          .filter((row) => row.action === action)
          .map((row) => row.connection)
          .sort()
      const came = connections('access')
      assert.equal(
        world.joined.filter((id) => !came.includes(id)),
        [],
        'a join without its row',
      )
      assert.equal(connections('leave'), came, 'a leave for every access')
      const counted: Record<string, number> = {}
      for (const key of Object.keys(world.expected))
        counted[key] = rows.filter((row) => `${row.action} ${row.category}` === key).length
      assert.equal(counted, world.expected, world.told())
      assert.ok((await verifyAudit(test.database)).ok)
      for (const [what, count] of Object.entries({
        joins: world.joined.length,
        saved: saved.length,
        forbidden: forbidden.length,
      }))
        assert.ok(count > 0, `a run that shows something: ${count} ${what}; ${world.told()}`)
      console.log(
        `# seed ${seed}: ${world.steps.length} changes, ${world.joined.length} joins, ${saved.length} saved, ${forbidden.length} forbidden`,
      )
    } finally {
      for (const { client } of world.seats) client?.terminate()
      await world.close()
      await world.boardroom.close({ drainMs: 0 })
      world.http.close()
      world.http.closeAllConnections()
    }
  }),
)
rights.run()
