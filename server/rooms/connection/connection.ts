// One WebSocket in one room: what it says is read in order and handed on, what it may do follows its access, and how
// it ends is decided here alone.
//
//   open ──close()──> closed       the close frame is out, the room is left; what still arrives is not looked at
import type { Logger } from 'pino'
import { type Level, mayWrite } from '../../../shared/levels.ts'
import {
  CloseCode,
  encodeLevelChange,
  encodeNotice,
  encodePermissionDenied,
  encodeSaved,
  type LevelReason,
  type Notice,
} from '../../../shared/protocol.ts'
import { readStateVector } from '../../documents/validate/state-vector.ts'
import type { Follower } from '../access/live-access.ts'
import { frameOf, keepAliveFrame, pingFrame } from '../frames.ts'
import { isEmptyStateVector, readMessage } from '../messages.ts'
import type { AccessDecision, ConnectionSummary, Joining, SocketEvents } from '../ports.ts'
import { Speaker } from '../presence/awareness.ts'
import type { ConnectionOptions } from './host.ts'
import { Outbox } from './outbox.ts'
import { Pace } from './pace.ts'
import { Answers, Resync } from './resync.ts'
import { Saved } from './saved.ts'

const rejectionsWithinMs = 60_000
const mostRejections = 3
const deniedEveryMs = 10_000
const mostMissedPongs = 2

export class Connection implements SocketEvents, Follower {
  readonly joining: Joining
  readonly log: Logger
  readonly joinedAt: Date
  readonly speaker: Speaker
  readonly outbox: Outbox
  readonly pace: Pace
  readonly saved: Saved
  readonly resync: Resync
  /** What it may do now; null once it is closed. @see Room, which alone sets it. */
  level: Level | null = null
  reason: LevelReason | null = null
  mayManage = false
  newClientIds = 0
  /** Sync step 1 was sent. */
  wasAsked = false
  readonly #answers: Answers
  readonly #options: ConnectionOptions
  #isOpen = true
  #lastLevel: Level = 'view'
  #rejectedAt: number[] = []
  #deniedAt = Number.NEGATIVE_INFINITY
  #missedPongs = 0

  constructor(options: ConnectionOptions) {
    const { socket, clock, limits, counters, host } = options
    this.#options = options
    this.joining = options.pending.joining
    const { connectionId, boardId, principal, principalKey, fingerprint } = this.joining
    this.log = options.log.child({ boardId, connectionId })
    this.joinedAt = new Date(clock.wall())
    const key = principal.kind === 'anonymous' ? `anonymous ${fingerprint}` : principalKey
    this.speaker = new Speaker({ key, age: options.age, principal, principalKey })
    this.outbox = new Outbox({
      socket,
      clock,
      onBehind: () => counters.behind++,
      onTooSlow: (code, reason) => {
        counters.too_slow++
        this.close(code, reason)
      },
    })
    this.pace = new Pace({ socket, clock, limits, onSlowed: () => counters.slowed++ })
    this.saved = new Saved({
      saved: (count) => this.#sendOwn(() => encodeSaved(count)),
      refused: (notice) => this.#refused(notice),
    })
    this.resync = new Resync({ clock, ask: () => host.ask(this) })
    this.#answers = new Answers({
      clock,
      answer: (stateVector) => host.answer(this, stateVector),
      isFull: () => this.outbox.isFull,
      onDelayed: () => counters.answers_delayed++,
    })
  }

  get id(): string {
    return this.joining.connectionId
  }

  get principalKey(): string {
    return this.joining.principalKey
  }

  speaksFor(clientId: number): boolean {
    return this.speaker.ids.has(clientId)
  }

  get ownProtocol(): boolean {
    return this.joining.ownProtocol
  }

  get isOpen(): boolean {
    return this.#isOpen
  }

  summary(): ConnectionSummary {
    const { connectionId, boardId, subject, principalKey, principal, ip, userAgent } = this.joining
    const level = this.level ?? this.#lastLevel
    return {
      connectionId,
      boardId,
      subject,
      principalKey,
      principal,
      level,
      joinedAt: this.joinedAt,
      ip,
      userAgent,
    }
  }

  /** In the room: follow the rights, and read. */
  start(): void {
    this.#options.pending.follower = this
    this.#options.socket.listen(this)
    this.#options.socket.resume()
  }

  message(data: Uint8Array, isBinary: boolean): void {
    if (!this.#isOpen) return
    this.#missedPongs = 0
    const { host, limits } = this.#options
    const { counters } = this.#options
    if (!isBinary) {
      counters.text_frames++
      this.close(CloseCode.unsupportedData, 'messages are binary here')
      return
    }
    if (data.length > limits.maxFrameBytes) {
      counters.frames_too_large++
      this.close(CloseCode.frameTooLarge, `a message may have ${limits.maxFrameBytes} bytes`)
      return
    }
    this.pace.message()
    const message = readMessage(data)
    switch (message.type) {
      case 'update':
        this.pace.update()
        host.edit({
          connection: this,
          count: this.saved.receive(),
          isStep2: message.isStep2,
          update: message.update,
        })
        return
      case 'awareness':
        if (!host.presence(this, message.update)) this.#malformed('an awareness update is malformed')
        return
      case 'step1':
        this.#asked(message.stateVector)
        return
      case 'queryAwareness':
        host.sendEveryone(this)
        return
      case 'ignored':
        counters.frames_ignored++
        return
      case 'malformed':
        this.#malformed(message.why)
        return
    }
  }

  /** ws could make nothing of what came, and closes. */
  unreadable(): void {
    this.#options.counters.frames_unreadable++
  }

  heard(): void {
    this.#missedPongs = 0
  }

  drained(): void {
    if (!this.#isOpen) return
    const missed = this.outbox.drained()
    if (missed.since !== null || missed.presence) this.#options.host.catchUp(this, missed)
    this.#answers.drained()
  }

  /** The socket ended without our doing. */
  closed(code: number, reason: string): void {
    this.#end(code, reason)
  }

  decided(decision: AccessDecision): void {
    if (this.#isOpen) this.#options.host.decided(this, decision)
  }

  unanswered(): void {
    this.close(CloseCode.busy, 'access could not be checked for a minute')
  }

  /** The level from here on. Stock clients cannot be told and are sent round once more. */
  changeLevel(level: Level, mayManage: boolean, reason: LevelReason): void {
    const isOther = level !== this.level
    if (!isOther && mayManage === this.mayManage) return
    const { host } = this.#options
    const mayWriteNow = mayWrite(level) && !mayWrite(this.level)
    this.level = level
    this.mayManage = mayManage
    if (!this.ownProtocol && isOther) {
      this.close(CloseCode.levelChanged, reason)
      return
    }
    this.#sendOwn(() => encodeLevelChange({ level, may_manage: mayManage, reason }))
    // Whatever it drew meanwhile is welcome now.
    if (mayWriteNow) host.ask(this)
  }

  /** An update was refused for what it is: honest clients send no such thing, so the third ends it. */
  violated(): void {
    const now = this.#options.clock.now()
    this.#rejectedAt = [...this.#rejectedAt.filter((at) => at > now - rejectionsWithinMs), now]
    if (this.#rejectedAt.length >= mostRejections)
      this.close(CloseCode.protocolViolation, 'three updates in a minute were refused')
  }

  /** Its document and the board say different things under one client id; stock clients cannot start over by themselves. */
  contradicted(message: string): void {
    if (!this.ownProtocol) this.close(CloseCode.protocolViolation, message)
  }

  /** An update was dropped because the board, or the client, lacks something. */
  dropped(count: number): void {
    this.saved.dropped(count)
    if (!this.resync.dropped()) this.close(CloseCode.busy, 'the documents do not come together')
  }

  worked(ms: number): void {
    if (this.#isOpen) this.pace.work(ms)
  }

  /** Every nine seconds: a client that heard nothing since the last time hears something now. */
  tick(withPing: boolean): void {
    if (!this.outbox.takeSpoke()) this.outbox.send(keepAliveFrame)
    if (!withPing) return
    if (this.pace.isHeld) this.#missedPongs = 0
    else if (this.#missedPongs++ >= mostMissedPongs) {
      this.#options.socket.terminate()
      this.#end(1006, 'two pings went unanswered')
      return
    }
    this.#options.socket.write(pingFrame)
  }

  notice(notice: Notice): void {
    this.#sendOwn(() => encodeNotice(notice))
  }

  close(code: number, reason: string): void {
    if (!this.#isOpen) return
    if (code >= 4400 && code < 4500) {
      // A decision: what of it still waits for the window is not applied any more.
      this.#lastLevel = this.level ?? this.#lastLevel
      this.level = null
    }
    this.#options.socket.close(code, reason)
    this.#end(code, reason)
  }

  #end(code: number, reason: string): void {
    if (!this.#isOpen) return
    this.#isOpen = false
    this.outbox.close()
    this.pace.close()
    this.resync.close()
    this.#answers.close()
    this.#options.pending.cancel()
    this.#options.host.left(this, code, reason)
  }

  #asked(stateVector: Uint8Array): void {
    if (!isEmptyStateVector(stateVector) && readStateVector(stateVector).outcome !== 'ok') {
      this.#malformed('a state vector is malformed')
      return
    }
    this.#answers.asked(stateVector)
  }

  #malformed(why: string): void {
    this.#options.counters.malformed++
    this.close(CloseCode.protocolViolation, why)
  }

  #refused(notice: Notice): void {
    if (this.ownProtocol) {
      this.notice(notice)
      return
    }
    const now = this.#options.clock.now()
    if (now - this.#deniedAt < deniedEveryMs) return
    this.#deniedAt = now
    if (this.#isOpen) this.outbox.send(frameOf(encodePermissionDenied(notice.message)))
  }

  #sendOwn(encode: () => Uint8Array): void {
    if (this.#isOpen && this.ownProtocol) this.outbox.send(frameOf(encode()))
  }
}
