// Who may still be here. A connection is registered before its level is read, so that no change slips in between
// question and admission; what is notified is asked again, everybody of one moment in one query. Per connection one
// question is under way and is put again if something changed meanwhile, so an old answer never follows a newer one.
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
/** What comes while a question is under way is asked together, when that is answered; or beside it, where it takes longer than this. */
const besideAfterMs = 20
const shortestExpiryMs = 1000

/** What follows a decision about a connection that is in a room. */
export interface Follower {
  decided(decision: AccessDecision): void
  /** Nobody could be asked for a minute. */
  unanswered(): void
}

/** One registered connection, from before its level is read until it leaves. */
export class Pending {
  readonly joining: Joining
  readonly #rights: Rights
  /** The newest decision; null before the first. */
  latest: AccessDecision | null = null
  /** resting: `latest` holds. asking: a question is under way. stale: it must be put again. */
  state: 'resting' | 'asking' | 'stale' | 'ended' = 'resting'
  follower: Follower | null = null
  waiting: { resolve: (decision: AccessDecision) => void; reject: (error: unknown) => void }[] = []

  constructor(rights: Rights, joining: Joining) {
    this.#rights = rights
    this.joining = joining
  }

  /**
   * The decision, with nothing notified since it was asked for.
   * @throws BoardroomError database_unreachable
   */
  decide(): Promise<AccessDecision> {
    return this.#rights.decide(this)
  }

  /** The newest decision; asks where there is none, or where one is under way. @throws like `decide` */
  current(): Promise<AccessDecision> {
    if (this.latest !== null && this.state === 'resting') return Promise.resolve(this.latest)
    return this.decide()
  }

  /** Stop following: the join was refused, or the connection left. */
  cancel(): void {
    this.#rights.forget(this)
  }
}

export class Rights {
  readonly #access: Access
  readonly #clock: Clock
  readonly #log: Logger
  readonly #all = new Set<Pending>()
  /** By the payload that concerns them: `b:…`, `u:…`, `g:…`, `s:…`. */
  readonly #concerned = new Map<string, Set<Pending>>()
  /** To be asked about: what was notified, and a join, before what is only due. */
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

  /** Milliseconds for which nobody answered, null while answers come. */
  get failingForMs(): number | null {
    return this.#failingSince === null ? null : this.#clock.now() - this.#failingSince
  }

  /** Follow a connection from here on. To be called before anything about its level is read. */
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
    // While the database does not answer, one question at a time probes it; joins meanwhile are refused.
    if (this.#failingSince !== null && (this.#questions > 0 || this.#retry !== null))
      return Promise.reject(unreachable())
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
    // After everything of this moment has been marked.
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

  /** A database that hangs answers nothing at all. */
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
    // Also where it is stale: it is newer than what is held, and a flood of notifications must not delay a loss.
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
   * One timer, for the earliest moment at which time alone changes something, or an earlier one: where that is put off,
   * the timer finds nothing to do, and looks at everybody for the next.
   * @param among whose decisions are new.
   */
  #watchExpiry(among: Iterable<Pending> = this.#all): void {
    let next = this.#expiry?.at ?? Number.POSITIVE_INFINITY
    for (const { latest } of among) next = Math.min(next, latest?.nextChangeAt?.getTime() ?? next)
    if (next === this.#expiry?.at || next === Number.POSITIVE_INFINITY) return
    this.#expiry?.timer.cancel()
    // At least a second, because the database's clock may be behind ours and say the same again.
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
  new BoardroomError('database_unreachable', 'access cannot be decided now; try again in a moment')

/** An agent may do what its users may, and who they are only the database knows: whatever concerns a user concerns it. */
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
