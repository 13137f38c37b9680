// Follows the access of open connections. A connection is registered before its level is read, so that no change is missed
// between query and admission. Notified connections are checked again, all of one moment in one query. Each connection has
// one query in flight, repeated if something changed meanwhile, so that an old decision never replaces a newer one.
import type { Logger } from 'pino'
import { BoardroomError } from '../../errors.ts'
import type { Clock, Timer } from '../clock.ts'
import type { Access, AccessDecision, AccessSubject, Joining } from '../ports.ts'

const routineMs = 60_000
const retryMs = 1000
const answerWithinMs = 10_000
const mostUnansweredMs = 60_000
const mostSubjectsOfAQuestion = 500
const mostQuestionsAtOnce = 4
/** Checks that arrive during a query are batched until it returns, or run in parallel if it takes longer than this. */
const besideAfterMs = 20
const shortestExpiryMs = 1000

/** Receives the decisions about a connection in a room. */
export interface Follower {
  decided(decision: AccessDecision): void
  /** Access could not be checked for a minute. */
  unanswered(): void
}

/** A registered connection, from before its level is read until it leaves. */
export class Pending {
  readonly joining: Joining
  readonly #rights: Rights
  /** The newest decision; null before the first. */
  latest: AccessDecision | null = null
  /** resting: `latest` is valid. asking: a query is in flight. stale: the query must be repeated. */
  state: 'resting' | 'asking' | 'stale' | 'ended' = 'resting'
  follower: Follower | null = null
  waiting: { resolve: (decision: AccessDecision) => void; reject: (error: unknown) => void }[] = []

  constructor(rights: Rights, joining: Joining) {
    this.#rights = rights
    this.joining = joining
  }

  /**
   * A decision that was not followed by any notification.
   * @throws BoardroomError database_unreachable
   */
  decide(): Promise<AccessDecision> {
    return this.#rights.decide(this)
  }

  /** The newest decision; queries if there is none or a query is in flight. @throws like `decide` */
  current(): Promise<AccessDecision> {
    if (this.latest !== null && this.state === 'resting') return Promise.resolve(this.latest)
    return this.decide()
  }

  /** Stops following, because the join was refused or the connection left. */
  cancel(): void {
    this.#rights.forget(this)
  }
}

export class Rights {
  readonly #access: Access
  readonly #clock: Clock
  readonly #log: Logger
  readonly #all = new Set<Pending>()
  /** By the notification payloads that affect them: `b:…`, `u:…`, `g:…`, `s:…`. */
  readonly #concerned = new Map<string, Set<Pending>>()
  /** Pending checks: notified connections and joins come before routine ones. */
  readonly #urgent = new Set<Pending>()
  readonly #due = new Set<Pending>()
  #questions = 0
  #askedAt = Number.NEGATIVE_INFINITY
  #beside: Timer | null = null
  #isScheduled = false
  #failingSince: number | null = null
  #routine: Timer | null = null
  #retry: Timer | null = null
  #expiry: { timer: Timer; at: number } | null = null

  constructor(options: { access: Access; clock: Clock; log: Logger }) {
    this.#access = options.access
    this.#clock = options.clock
    this.#log = options.log
  }

  /** For how many milliseconds the database has not answered; null while it does. */
  get failingForMs(): number | null {
    return this.#failingSince === null ? null : this.#clock.now() - this.#failingSince
  }

  /** Joins are refused at the moment, until the database has answered a single query that probes it. */
  get refusesJoins(): boolean {
    return this.#failingSince !== null && (this.#questions > 0 || this.#retry !== null)
  }

  /** Starts following a connection. Must be called before its level is read. */
  register(joining: Joining): Pending {
    const pending = new Pending(this, joining)
    this.#all.add(pending)
    for (const payload of payloadsOf(joining.subject)) {
      const concerned = this.#concerned.get(payload)
      if (concerned === undefined) this.#concerned.set(payload, new Set([pending]))
      else concerned.add(pending)
    }
    this.#routine ??= this.#clock.after(routineMs, () => this.#askEverybody())
    return pending
  }

  /** @param payloads as they come over the access channel: `b:<board>`, `u:<user>`, `g:<guest>`, `s:<session>`, `*`. */
  notified(payloads: readonly string[]): void {
    for (const payload of payloads)
      for (const pending of payload === '*' ? this.#all : (this.#concerned.get(payload) ?? []))
        this.#mark(pending, this.#urgent)
    if (payloads.some((payload) => payload.startsWith('u:')))
      for (const pending of this.#concerned.get(anyUser) ?? []) this.#mark(pending, this.#urgent)
  }

  decide(pending: Pending): Promise<AccessDecision> {
    if (pending.state === 'ended')
      return Promise.reject(new BoardroomError('closing', 'this join was cancelled'))
    if (this.refusesJoins) return Promise.reject(unreachable())
    return new Promise((resolve, reject) => {
      pending.waiting.push({ resolve, reject })
      if (pending.state === 'resting') this.#mark(pending, this.#urgent)
    })
  }

  forget(pending: Pending): void {
    if (pending.state === 'ended') return
    pending.state = 'ended'
    this.#all.delete(pending)
    this.#urgent.delete(pending)
    this.#due.delete(pending)
    for (const payload of payloadsOf(pending.joining.subject)) {
      const concerned = this.#concerned.get(payload)
      concerned?.delete(pending)
      if (concerned?.size === 0) this.#concerned.delete(payload)
    }
    settle(pending, (wait) => wait.reject(new BoardroomError('closing', 'this join was cancelled')))
    if (this.#all.size === 0) this.#rest()
  }

  #mark(pending: Pending, queue: Set<Pending>): void {
    if (pending.state === 'resting') queue.add(pending)
    else if (pending.state === 'asking') pending.state = 'stale'
    if (this.#isScheduled) return
    this.#isScheduled = true
    // After all notifications of this moment have been marked.
    queueMicrotask(() => {
      this.#isScheduled = false
      this.#askNext()
    })
  }

  #askNext(): void {
    while (this.#mayAsk()) {
      const batch: Pending[] = []
      for (const queue of [this.#urgent, this.#due])
        for (const pending of queue) {
          if (batch.length === mostSubjectsOfAQuestion) break
          queue.delete(pending)
          this.#urgent.delete(pending)
          this.#due.delete(pending)
          pending.state = 'asking'
          batch.push(pending)
        }
      if (batch.length === 0) return
      void this.#ask(batch)
    }
  }

  #mayAsk(): boolean {
    if (this.#retry !== null || this.#questions >= mostQuestionsAtOnce) return false
    if (this.#urgent.size + this.#due.size === 0) return false
    const waitMs = this.#askedAt + besideAfterMs - this.#clock.now()
    if (this.#questions === 0 || waitMs <= 0) return true
    this.#beside ??= this.#clock.after(waitMs, () => {
      this.#beside = null
      this.#askNext()
    })
    return false
  }

  /** Never rejects. */
  async #ask(batch: readonly Pending[]): Promise<void> {
    this.#questions++
    this.#askedAt = this.#clock.now()
    let decisions: AccessDecision[] | null = null
    try {
      decisions = await this.#answered(this.#access.decide(batch.map((pending) => pending.joining.subject)))
    } catch (error) {
      this.#log.warn({ err: error, subjects: batch.length }, 'access could not be decided')
    }
    this.#questions--
    if (decisions === null || decisions.length !== batch.length) this.#failed(batch)
    else {
      this.#failingSince = null
      for (const [i, pending] of batch.entries()) this.#deliver(pending, decisions[i] as AccessDecision) // same length
      this.#watchExpiry(batch)
    }
    this.#askNext()
  }

  /** A time-out, because a hanging database never answers. */
  #answered<T>(answer: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const timer = this.#clock.after(answerWithinMs, () => reject(new Error('no answer in time')))
      answer.then(resolve, reject).finally(() => timer.cancel())
    })
  }

  #deliver(pending: Pending, decision: AccessDecision): void {
    if (pending.state === 'ended') return
    const isStale = pending.state === 'stale'
    pending.state = 'resting'
    pending.latest = decision
    if (isStale) this.#mark(pending, this.#urgent)
    else settle(pending, (wait) => wait.resolve(decision))
    // Even if it is stale: it is newer than the current one, and a flood of notifications must not delay losing access.
    pending.follower?.decided(decision)
  }

  #failed(batch: readonly Pending[]): void {
    this.#failingSince ??= this.#clock.now()
    const isOver = this.#clock.now() - this.#failingSince >= mostUnansweredMs
    for (const pending of batch) {
      if (pending.state === 'ended') continue
      pending.state = 'resting'
      settle(pending, (wait) => wait.reject(unreachable()))
      if (pending.follower !== null) this.#urgent.add(pending)
    }
    if (isOver) for (const pending of [...this.#all]) pending.follower?.unanswered()
    if (this.#all.size === 0) return
    this.#retry ??= this.#clock.after(retryMs, () => {
      this.#retry = null
      this.#askNext()
    })
  }

  #askEverybody(): void {
    this.#routine = this.#clock.after(routineMs, () => this.#askEverybody())
    for (const pending of this.#all) if (pending.follower !== null) this.#mark(pending, this.#due)
  }

  /**
   * One timer for the earliest expiry, or an earlier time: if that expiry was extended, the timer finds nothing to do and
   * searches all connections for the next one.
   * @param among the connections with new decisions.
   */
  #watchExpiry(among: Iterable<Pending> = this.#all): void {
    let next = this.#expiry?.at ?? Number.POSITIVE_INFINITY
    // Who left while they were asked about need nothing watched: with nobody left, no timer may stay.
    for (const { state, latest } of among)
      if (state !== 'ended') next = Math.min(next, latest?.nextChangeAt?.getTime() ?? next)
    if (next === this.#expiry?.at || next === Number.POSITIVE_INFINITY) return
    this.#expiry?.timer.cancel()
    // At least a second, because the database's clock may be behind ours and return the same result again.
    const inMs = Math.max(next - this.#clock.wall(), 0)
    const timer = this.#clock.after(inMs === 0 ? shortestExpiryMs : inMs, () => this.#expired())
    this.#expiry = { timer, at: next }
  }

  #expired(): void {
    this.#expiry = null
    const now = this.#clock.wall()
    for (const pending of this.#all) {
      const at = pending.latest?.nextChangeAt?.getTime()
      if (at !== undefined && at <= now + 1) this.#mark(pending, this.#urgent)
    }
    // Timers end after 24 days at the latest, expiries do not.
    this.#watchExpiry()
  }

  #rest(): void {
    for (const timer of [this.#routine, this.#retry, this.#beside, this.#expiry?.timer]) timer?.cancel()
    this.#routine = null
    this.#beside = null
    this.#retry = null
    this.#expiry = null
  }
}

const unreachable = (): BoardroomError =>
  new BoardroomError('database_unreachable', 'access cannot be checked at the moment; try again soon')

/** An agent's rights depend on its users, which only the database knows, so a change of any user may affect it. */
const anyUser = 'u:*'

const payloadsOf = ({ boardId, userId, guestId, agentId, sessionId }: AccessSubject): string[] => {
  const payloads = [`b:${boardId}`]
  if (agentId !== null) payloads.push(anyUser)
  if (userId !== null) payloads.push(`u:${userId}`)
  if (guestId !== null) payloads.push(`g:${guestId}`)
  if (sessionId !== null) payloads.push(`s:${sessionId}`)
  return payloads
}

function settle(pending: Pending, how: (wait: Pending['waiting'][number]) => void): void {
  const { waiting } = pending
  pending.waiting = []
  for (const wait of waiting) how(wait)
}
