// Rooms whose environment the test controls: time, the commits of the log, the access decisions.
import pino from 'pino'
import * as Y from 'yjs'
import { configWith } from '../../server/config.ts'
import { BoardroomError } from '../../server/errors.ts'
import type { Clock, Timer } from '../../server/rooms/clock.ts'
import type { Connection } from '../../server/rooms/connection/connection.ts'
import type { Contested, Relayed } from '../../server/rooms/edits/client-ids.ts'
import type {
  Access,
  AccessDecision,
  AccessSubject,
  Author,
  ConnectionSummary,
  Joining,
  RoomLimits,
  SideRows,
  StoredBoard,
  UpdateLog,
} from '../../server/rooms/ports.ts'
import { Rooms, type RoomsOptions } from '../../server/rooms/rooms.ts'
import type { Level } from '../../shared/levels.ts'
import { assertComplete, documentOf } from './log-complete.ts'
import { PairedClient } from './socket-pair.ts'

/** Lets everything run that does not wait for anything external. */
export const settle = async (): Promise<void> => {
  for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve))
}

/** Time that advances only when told to. */
export class HandClock implements Clock {
  /** How much time passes with each look at the clock: work takes time. */
  msALook = 0
  #now = 1000
  #timers: { at: number; run: () => void }[] = []

  now(): number {
    this.#now += this.msALook
    return this.#now
  }

  wall(): number {
    return 1_800_000_000_000 + this.#now
  }

  after(ms: number, run: () => void): Timer {
    const timer = { at: this.#now + ms, run }
    this.#timers.push(timer)
    const cancel = () => {
      this.#timers = this.#timers.filter((other) => other !== timer)
    }
    return { cancel }
  }

  get timers(): number {
    return this.#timers.length
  }

  async advance(ms: number): Promise<void> {
    const until = this.#now + ms
    for (;;) {
      const [next] = this.#timers.filter((timer) => timer.at <= until).sort((a, b) => a.at - b.at)
      if (next === undefined) break
      this.#timers = this.#timers.filter((timer) => timer !== next)
      this.#now = Math.max(this.#now, next.at)
      next.run()
      await settle()
    }
    this.#now = until
    await settle()
  }
}

interface Queued {
  boardId: string
  update: Uint8Array
  authors: readonly Author[]
  sideRows: SideRows | null
  resolve: () => void
  reject: (error: unknown) => void
}

/** A log whose commits the test triggers, unless it commits automatically. */
export class HandLog implements UpdateLog {
  isHandMade = false
  failingSince: number | null = null
  loads = 0
  idles = 0
  /** Boards whose loading waits until the test releases it. */
  held: (() => void)[] | null = null
  readonly boards = new Map<string, StoredBoard>()
  queue: Queued[] = []

  async load(boardId: string): Promise<StoredBoard> {
    this.loads++
    const { held } = this
    if (held !== null) await new Promise<void>((resolve) => held.push(resolve))
    const stored = this.boards.get(boardId)
    return stored === undefined
      ? { snapshot: null, updates: [], authors: [] }
      : { ...stored, updates: [...stored.updates], authors: [...stored.authors] }
  }

  append(
    boardId: string,
    update: Uint8Array,
    authors: readonly Author[],
    sideRows: SideRows | null = null,
  ): Promise<void> {
    return new Promise((resolve, reject) => {
      this.queue.push({ boardId, update, authors, sideRows, resolve, reject })
      if (!this.isHandMade) this.commit()
    })
  }

  hurried = 0

  hurry(): void {
    this.hurried++
  }

  /** Commits the first `count` waiting entries. */
  commit(count = this.queue.length): void {
    for (const { boardId, update, authors, resolve } of this.queue.splice(0, count)) {
      const board = this.boards.get(boardId) ?? { snapshot: null, updates: [], authors: [] }
      board.updates.push(update)
      // The last value for each, as in a table whose key is the client id.
      const known = new Map([...board.authors, ...authors].map((author) => [author.clientId, author]))
      board.authors = [...known.values()].sort((a, b) => a.clientId - b.clientId)
      this.boards.set(boardId, board)
      resolve()
    }
  }

  unsavedBytes(boardId: string): number {
    return this.queue
      .filter((each) => each.boardId === boardId)
      .reduce((sum, each) => sum + each.update.length, 0)
  }

  get totalUnsavedBytes(): number {
    return this.queue.reduce((sum, each) => sum + each.update.length, 0)
  }

  idle(): void {
    this.idles++
  }

  /** A document of what is committed. */
  committed(boardId: string): Y.Doc {
    return documentOf(this.boards.get(boardId))
  }

  /** A document of what is committed or on its way there. */
  appended(boardId: string): Y.Doc {
    const doc = this.committed(boardId)
    for (const queued of this.queue) if (queued.boardId === boardId) Y.applyUpdate(doc, queued.update)
    return doc
  }
}

export const decision = (level: Level | null, changes: Partial<AccessDecision> = {}): AccessDecision => ({
  level,
  mayManage: false,
  reason: level === null ? 'none' : 'permission',
  linkId: null,
  linkLabel: null,
  board: 'live',
  credential: 'valid',
  nextChangeAt: null,
  agent: null,
  ...changes,
})

/** Answers from a table, at once or when the test says so. */
export class HandAccess implements Access {
  readonly decisions = new Map<string, AccessDecision>()
  isHandMade = false
  isAway = false
  questions: { subjects: readonly AccessSubject[]; answer: () => void; fail: () => void }[] = []
  asked = 0

  /** @param who `user:7` and the like */
  set(who: string, level: Level | null, changes: Partial<AccessDecision> = {}): void {
    this.decisions.set(who, decision(level, changes))
  }

  decide(subjects: readonly AccessSubject[]): Promise<AccessDecision[]> {
    this.asked++
    if (this.isAway) return Promise.reject(new BoardroomError('database_unreachable', 'away'))
    // The database answers with its state at the time of the question.
    const answers = subjects.map((subject) => this.decisions.get(keyOf(subject)) ?? decision(null))
    if (!this.isHandMade) return Promise.resolve(answers)
    return new Promise((resolve, reject) => {
      this.questions.push({ subjects, answer: () => resolve(answers), fail: () => reject(new Error('away')) })
    })
  }
}

const keyOf = ({ userId, guestId }: AccessSubject): string =>
  userId !== null ? `user:${userId}` : guestId !== null ? `guest:${guestId}` : 'anonymous'

export interface Left {
  connection: ConnectionSummary
  code: number
  reason: string
}

export interface JoinOptions {
  board?: string
  user?: number
  /** With `user`: the guest that it was before it signed in. */
  guest?: string
  level?: Level
  own?: boolean
  doc?: Y.Doc
  fingerprint?: string
}

export class TestRooms {
  readonly clock = new HandClock()
  readonly log = new HandLog()
  readonly access = new HandAccess()
  readonly left: Left[] = []
  /** Anything else that happens then. */
  onLeft: () => void = () => undefined
  readonly relayed: { by: string; relayed: readonly Relayed[] }[] = []
  readonly contested: Contested[] = []
  readonly rooms: Rooms
  #connections = 0

  constructor(limits: Partial<RoomLimits> = {}, work: Pick<RoomsOptions, 'cut' | 'dryRun' | 'nodes'> = {}) {
    this.rooms = new Rooms({
      ...work,
      log: this.log,
      access: this.access,
      limits: configWith(limits),
      logger: pino({ level: 'silent' }),
      clock: this.clock,
      onLeave: (connection, code, reason) => {
        this.left.push({ connection, code, reason })
        this.onLeft()
      },
      onRelayed: ({ principalKey }, relayed) => this.relayed.push({ by: principalKey, relayed }),
      onContested: (_owner, contested) => this.contested.push(contested),
    })
  }

  joining({ board = 'board', user, guest, own = false, fingerprint = 'here' }: JoinOptions): Joining {
    const connectionId = `connection-${++this.#connections}`
    const [kind, id] =
      user !== undefined
        ? (['user', `user:${user}`] as const)
        : guest !== undefined
          ? (['guest', `guest:${guest}`] as const)
          : (['anonymous', `anonymous:${connectionId}`] as const)
    return {
      connectionId,
      boardId: board,
      subject: {
        boardId: board,
        userId: user ?? null,
        guestId: user === undefined ? (guest ?? null) : null,
        agentId: null,
        sessionId: null,
        maxLevel: null,
      },
      principalKey: id,
      formerKey: user !== undefined && guest !== undefined ? `guest:${guest}` : null,
      principal: { kind, id, name: kind === 'anonymous' ? 'Anonymous' : `Name of ${id}` },
      fingerprint,
      ownProtocol: own,
      ip: '127.0.0.1',
      userAgent: 'test',
    }
  }

  /** A client whose join is complete: registered, decided, in the room, synced as far as `pump` takes it. */
  async join(options: JoinOptions = {}): Promise<{ client: PairedClient; connection: Connection }> {
    const { level = 'edit' } = options
    const joining = this.joining(options)
    const who = keyOf(joining.subject)
    if (!this.access.decisions.has(who) || options.level !== undefined) this.access.set(who, level)
    const pending = this.rooms.rights.register(joining)
    const client = new PairedClient(options.doc)
    const connection = await this.rooms.join(pending, await pending.decide(), client.socket)
    client.askForState()
    await settle()
    client.pump()
    client.pump()
    return { client, connection }
  }

  /** Everything in the live document must be in the log, or on its way there. @throws with what is missing */
  async assertLogComplete(board = 'board'): Promise<void> {
    assertComplete(await this.rooms.document(board), this.log.appended(board))
  }

  /** Until nothing moves between these clients and the server. */
  async pump(...clients: PairedClient[]): Promise<void> {
    for (let round = 0; round < 50; round++) {
      let moved = false
      for (const client of clients) if (client.closeCode === null) moved = client.pump() || moved
      await this.clock.advance(30)
      for (const client of clients) moved = client.receive() || moved
      if (!moved) return
    }
  }
}

export const draw = (client: { doc: Y.Doc }, key: string, value: unknown): void => {
  client.doc.getMap('elements').set(key, value)
}
export const drawn = (client: { doc: Y.Doc }): Record<string, unknown> =>
  client.doc.getMap('elements').toJSON()
