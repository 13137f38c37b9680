// A WebSocket in a room: its messages are read in order and passed on, and its rights follow its access. Messages are
// handled by functions that return how the connection ends, if it does; only `end` touches the socket.
//
//   joining ──enter──> open ──silent──> away        in every state `end` leads to: ended
//                       └<──a message────┘
//
// An end is final and has no immediate side effects: the room removes the connection once the current turn is done, so
// that no loop over connections is affected by an end inside it.
import type { Logger } from 'pino'
import { type Level, mayWrite } from '../../../shared/levels.ts'
import { CloseCode, encodeLevelChange, type LevelReason } from '../../../shared/protocol.ts'
import type { Follower, Pending } from '../access/live-access.ts'
import type { Place, Seated } from '../access/seats.ts'
import { type Clock, GuardedClock } from '../clock.ts'
import type { Counters } from '../counters.ts'
import type { Edit, Editor, Outcome } from '../edits/edit.ts'
import { frameOf, keepAliveFrame, pingFrame } from '../frames.ts'
import type {
  AccessDecision,
  AgentRights,
  ConnectionSummary,
  Joining,
  RoomLimits,
  Socket,
  SocketEvents,
} from '../ports.ts'
import { Speaker } from '../presence/speaker.ts'
import { closing, type Ending, isDecision, type Life, type Standing } from './ending.ts'
import type { Host } from './host.ts'
import { Inbox } from './inbox.ts'
import { Outbox } from './outbox.ts'
import type { Hold } from './pace.ts'
import { Replies } from './replies.ts'
import { Silence } from './silence.ts'

export interface ConnectionOptions {
  pending: Pending
  socket: Socket
  host: Host<Connection>
  clock: Clock
  limits: RoomLimits
  counters: Counters
  log: Logger
  /** Increases with each join. */
  age: number
}

export class Connection implements SocketEvents, Follower, Editor, Seated {
  readonly joining: Joining
  readonly id: string
  readonly principalKey: string
  readonly ownProtocol: boolean
  readonly log: Logger
  readonly joinedAt: Date
  readonly speaker: Speaker
  readonly outbox: Outbox
  newClientIds = 0
  /** The rights of an agent; null for everybody else, whose level decides. */
  agent: AgentRights | null = null
  /** Sync step 1 was sent. */
  wasAsked = false
  readonly #options: ConnectionOptions
  readonly #inbox: Inbox<Connection>
  readonly #replies: Replies
  readonly #silence = new Silence()
  #life: Life = { name: 'joining', standing: { level: 'view', reason: null, mayManage: false } }

  constructor(options: ConnectionOptions) {
    const { socket, limits, counters, host, pending, age } = options
    const { connectionId, boardId, principal, principalKey, fingerprint, ownProtocol } = pending.joining
    this.#options = options
    this.joining = pending.joining
    this.id = connectionId
    this.principalKey = principalKey
    this.ownProtocol = ownProtocol
    this.log = options.log.child({ boardId, connectionId })
    this.joinedAt = new Date(options.clock.wall())
    const key = principal.kind === 'anonymous' ? `anonymous ${fingerprint}` : principalKey
    this.speaker = new Speaker({ key, age, principal, principalKey })
    // A timer has no caller that could catch its errors.
    const clock = new GuardedClock(options.clock, (error) => this.failed(error))
    this.outbox = new Outbox({
      socket,
      clock,
      onBehind: () => counters.behind++,
      onTooSlow: (code, reason) => {
        counters.too_slow++
        this.end(closing(code, reason))
      },
      onFailure: (error) => this.failed(error),
    })
    const ask = () => host.ask(this)
    this.#replies = new Replies({ clock, ownProtocol, outbox: this.outbox, ask })
    const inboxOptions = { socket, clock, limits, counters, replies: this.#replies, outbox: this.outbox }
    this.#inbox = new Inbox<Connection>(this, host, inboxOptions)
  }

  get isOpen(): boolean {
    return this.#life.name !== 'ended'
  }

  get isAway(): boolean {
    return this.#life.name === 'away'
  }

  get level(): Level | null {
    const { name, standing } = this.#life
    // After losing access, its edits that still wait for the window are not applied any more.
    return name === 'ended' && isDecision(this.#life.ending) ? null : standing.level
  }

  get reason(): LevelReason | null {
    return this.#life.standing.reason
  }

  get elementRights(): AgentRights | null {
    return this.agent
  }

  /** Whether it gets the document; an agent without can_read only sends and gets nothing back. */
  get mayRead(): boolean {
    return this.agent === null || this.agent.read
  }

  get mayManage(): boolean {
    return this.#life.standing.mayManage
  }

  /** How it ended; null while it is open. */
  get ending(): Ending | null {
    return this.#life.name === 'ended' ? this.#life.ending : null
  }

  speaksFor(clientId: number): boolean {
    return this.speaker.ids.has(clientId)
  }

  summary(): ConnectionSummary {
    const { connectionId, boardId, subject, principalKey, principal, ip, userAgent } = this.joining
    const { level } = this.#life.standing
    const { joinedAt } = this
    return { connectionId, boardId, subject, principalKey, principal, level, joinedAt, ip, userAgent }
  }

  /** Called when it has been added to its room. */
  enter(standing: Standing): void {
    this.#life = { name: 'open', standing }
  }

  /** Called once it has been greeted and announced: starts following its rights and reading. */
  start(): void {
    if (!this.isOpen) return
    this.#options.pending.follower = this
    this.#options.socket.listen(this)
    this.#options.socket.resume()
  }

  message(data: Uint8Array, isBinary: boolean): void {
    try {
      if (this.#listens()) this.#conclude(this.#inbox.receive(data, isBinary))
    } catch (error) {
      this.failed(error)
    }
  }

  /** ws received something invalid and closes the socket. */
  unreadable(): void {
    this.#options.counters.frames_unreadable++
  }

  heard(): void {
    this.#silence.pong()
  }

  drained(): void {
    if (!this.isOpen) return
    this.#guarded(() => {
      const missed = this.outbox.drained()
      if (missed.since !== null || missed.presence) this.#options.host.catchUp(this, missed)
      this.#inbox.drained()
    })
  }

  /** The socket was closed by the peer or the network. */
  closed(code: number, reason: string): void {
    this.end({ code, reason, socket: 'nothing' })
  }

  decided(decision: AccessDecision): void {
    if (this.isOpen) this.#guarded(() => this.#options.host.decided(this, decision))
  }

  unanswered(): void {
    this.end(closing(CloseCode.busy, 'access could not be checked for a minute'))
  }

  changeLevel(place: Place, mayManage: boolean, reason: LevelReason): void {
    const { name, standing } = this.#life
    if (name === 'ended') return
    this.#life = { name, standing: { ...place, mayManage } }
    const isOther = place.level !== standing.level
    if (!isOther && mayManage === standing.mayManage) return
    // Stock clients cannot be told and have to reconnect.
    if (!this.ownProtocol && isOther) {
      this.end(closing(CloseCode.levelChanged, reason))
      return
    }
    this.#sendOwn(() => encodeLevelChange({ level: place.level, may_manage: mayManage, reason }))
    // Edits it made meanwhile can be accepted now.
    if (mayWrite(place.level) && !mayWrite(standing.level)) this.#options.host.ask(this)
  }

  learned(edit: Edit, outcome: Outcome, after: number): void {
    if (this.isOpen) this.#conclude(this.#replies.learned(edit, outcome, after))
  }

  progress(committed: number): boolean {
    return this.#replies.progress(committed)
  }

  worked(ms: number): void {
    if (this.isOpen) this.#inbox.pace.work(ms)
  }

  hold(why: Hold): void {
    if (this.isOpen) this.#inbox.pace.hold(why)
  }

  release(why: Hold): void {
    this.#inbox.pace.release(why)
  }

  /** Called every nine seconds: sends something if nothing was sent since the last time. */
  tick(withPing: boolean): void {
    if (this.isOpen) this.#guarded(() => this.#conclude(this.#visit(withPing)))
  }

  /** Ends the connection after an unexpected error, without affecting others. */
  failed(error: unknown): void {
    if (!this.isOpen) return
    this.#options.counters.connections_failed++
    this.log.error({ err: error }, 'a connection failed')
    this.end(closing(CloseCode.restart, 'the connection failed; reconnect'))
  }

  /** The only way to end a connection. Idempotent. */
  end(ending: Ending): void {
    if (this.#life.name === 'ended') return
    const { host, pending, socket } = this.#options
    this.#life = { name: 'ended', standing: this.#life.standing, ending }
    host.left(this)
    this.outbox.close()
    this.#inbox.close()
    this.#replies.close()
    pending.cancel()
    if (ending.socket === 'close') socket.close(ending.code, ending.reason)
    if (ending.socket === 'terminate') socket.terminate()
  }

  /** Called for every message. @returns whether it should be handled. */
  #listens(): boolean {
    switch (this.#life.name) {
      case 'joining':
      case 'ended':
        return false
      case 'away':
        this.#life = { name: 'open', standing: this.#life.standing }
        this.#silence.message()
        this.#options.host.awayChanged(this)
        return true
      case 'open':
        this.#silence.message()
        return true
    }
  }

  #visit(withPing: boolean): Ending | null {
    if (!this.outbox.takeSpoke()) this.outbox.send(keepAliveFrame)
    // A paused connection is not read, so it cannot be expected to show signs of life.
    if (this.#inbox.pace.isHeld) this.#silence.message()
    if (this.#silence.visit(this.speaker.ids.size > 0) && this.#life.name === 'open') {
      this.#life = { name: 'away', standing: this.#life.standing }
      this.#options.host.awayChanged(this)
    }
    if (!withPing) return null
    if (!this.#silence.ping()) return { code: 1006, reason: 'two pings went unanswered', socket: 'terminate' }
    this.#options.socket.write(pingFrame)
    return null
  }

  #conclude(ending: Ending | null): void {
    if (ending !== null) this.end(ending)
  }

  #sendOwn(encode: () => Uint8Array): void {
    if (this.isOpen && this.ownProtocol) this.outbox.send(frameOf(encode()))
  }

  #guarded(work: () => void): void {
    try {
      work()
    } catch (error) {
      this.failed(error)
    }
  }
}
