// A board's events as server-sent events, for clients without boardroom.v1: changes to the board, the asker's level, and
// who is here. Rights are followed live, as on a socket: a decision from an hour ago must not keep a stream open.
import type { Level } from '../../shared/levels.ts'
import type { BoardEvent, PublicPrincipal } from '../../shared/protocol.ts'
import type { Identity } from '../principal.ts'
import type { AccessDecision, ConnectionSummary } from '../rooms/ports.ts'
import { subjectOf } from './access.ts'
import type { BoardsDeps } from './deps.ts'
import { refusalOf, wholeLevelOf } from './require-level.ts'

/** An event to send: `event` is its name, `data` is JSON. */
export type StreamEvent =
  | { event: 'level'; data: { level: Level; may_manage: boolean } }
  | { event: 'here'; data: { connection_id: string; principal: PublicPrincipal; level: Level }[] }
  | { event: Exclude<BoardEvent['type'], 'joined' | 'left'>; data: BoardEvent }
  /** The last event: why the stream ends. */
  | { event: 'ended'; data: { code: string; message: string } }

const peopleEveryMs = 2_000
const recheckEveryMs = 60_000
/** Longer delays overflow a timer. */
const shortestTimerMs = 1000
const longestTimerMs = 2 ** 31 - 1

/**
 * One client's stream. Calls `send` in order until `end`, which it also calls itself when access is lost or the server
 * closes. Its creator calls `start`, and `end` when the client disconnects.
 */
export class EventStream {
  readonly #deps: Pick<BoardsDeps, 'access' | 'connections' | 'notifications' | 'log'>
  readonly #identity: Identity
  readonly #boardId: string
  readonly #send: (event: StreamEvent) => void
  readonly #onEnd: () => void
  readonly #undo: (() => void)[] = []
  #decision: AccessDecision
  #people = ''
  #expiry: NodeJS.Timeout | null = null
  #checking = false
  #checkAgain = false
  #ended = false

  constructor(
    deps: Pick<BoardsDeps, 'access' | 'connections' | 'notifications' | 'log'>,
    asked: { identity: Identity; boardId: string; decision: AccessDecision },
    client: { send(event: StreamEvent): void; onEnd(): void },
  ) {
    this.#deps = deps
    this.#identity = asked.identity
    this.#boardId = asked.boardId.toLowerCase()
    this.#decision = asked.decision
    this.#send = (event) => client.send(event)
    this.#onEnd = () => client.onEnd()
  }

  start(): void {
    const { notifications } = this.#deps
    const people = setInterval(() => this.#tellPeople(), peopleEveryMs)
    const recheck = setInterval(() => this.#check(), recheckEveryMs)
    this.#undo.push(
      notifications.onAccess((payloads) => {
        if (payloads.some((payload) => this.#concerns(payload))) this.#check()
      }),
      notifications.onEvent(({ boardId, event }) => {
        if (boardId !== this.#boardId || event.type === 'joined' || event.type === 'left') return
        this.#send({ event: event.type, data: event })
      }),
      () => clearInterval(people),
      () => clearInterval(recheck),
    )
    this.#tellLevel()
    this.#tellPeople()
    // Something may have changed between the first decision and listening.
    this.#check()
  }

  /** The server is closing: tells the client to reconnect. */
  close(): void {
    this.#finish('closing', 'the server is closing; try again in a moment')
  }

  end(): void {
    if (this.#ended) return
    this.#ended = true
    if (this.#expiry !== null) clearTimeout(this.#expiry)
    for (const undo of this.#undo) undo()
    this.#onEnd()
  }

  #concerns(payload: string): boolean {
    const { principal, sessionId } = this.#identity
    return (
      payload === '*' ||
      payload === `b:${this.#boardId}` ||
      (principal.kind === 'user' && payload === `u:${principal.userId}`) ||
      (principal.kind === 'guest' && payload === `g:${principal.guestId}`) ||
      (sessionId !== null && payload === `s:${sessionId}`) ||
      // An agent's rights depend on its users.
      (principal.kind === 'agent' && payload.startsWith('u:'))
    )
  }

  /** Runs one query at a time; a notification meanwhile repeats it, so that an outdated result is never final. */
  #check(): void {
    if (this.#ended) return
    if (this.#checking) {
      this.#checkAgain = true
      return
    }
    this.#checking = true
    this.#deps.access
      .decide([subjectOf(this.#identity, this.#boardId)])
      .then(
        ([decision]) => decision !== undefined && this.#follow(decision),
        (error: unknown) => {
          this.#deps.log.warn(
            { err: error, boardId: this.#boardId },
            'could not check the access of an event stream',
          )
          this.#finish('database_unreachable', 'the database does not answer; try again in a moment')
        },
      )
      .finally(() => {
        this.#checking = false
        if (!this.#checkAgain) return
        this.#checkAgain = false
        this.#check()
      })
  }

  #follow(decided: AccessDecision): void {
    const decision = { ...decided, level: wholeLevelOf(decided) }
    const refusal = refusalOf(decision, this.#identity)
    if (refusal !== null) {
      this.#finish(refusal.code, refusal.message)
      return
    }
    const changed = decision.level !== this.#decision.level || decision.mayManage !== this.#decision.mayManage
    this.#decision = decision
    if (changed) this.#tellLevel()
    this.#followClock()
  }

  /** Sets a timer for rights that expire. */
  #followClock(): void {
    if (this.#expiry !== null) clearTimeout(this.#expiry)
    this.#expiry = null
    const { nextChangeAt } = this.#decision
    if (this.#ended || nextChangeAt === null) return
    // At least a second if it has expired by our clock: the database's may be behind and would return the same again.
    const inMs = nextChangeAt.getTime() - Date.now()
    const waitMs = Math.min(inMs > 0 ? inMs + 10 : shortestTimerMs, longestTimerMs)
    this.#expiry = setTimeout(() => this.#check(), waitMs)
  }

  #tellLevel(): void {
    const { level, mayManage } = this.#decision
    if (!this.#ended && level !== null) this.#send({ event: 'level', data: { level, may_manage: mayManage } })
  }

  /** Synchronous if all connections are on this node, so that it is the second event that a client gets. */
  #tellPeople(): void {
    if (this.#ended) return
    const connections = this.#deps.connections.connectionsOf(this.#boardId)
    if (!(connections instanceof Promise)) {
      this.#tellOf(connections)
      return
    }
    connections.then(
      (everybody) => this.#tellOf(everybody),
      (error: unknown) => this.#deps.log.warn({ err: error }, 'could not list who is here'),
    )
  }

  #tellOf(connections: readonly ConnectionSummary[]): void {
    if (this.#ended) return
    const here = connections.map(({ connectionId, principal, level }) => ({
      connection_id: connectionId,
      principal,
      level,
    }))
    const text = JSON.stringify(here)
    if (text === this.#people) return
    this.#people = text
    this.#send({ event: 'here', data: here })
  }

  #finish(code: string, message: string): void {
    if (this.#ended) return
    this.#send({ event: 'ended', data: { code, message } })
    this.end()
  }
}
