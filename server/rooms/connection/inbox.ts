// Reads one client's messages in order and within its budget, and passes them to the room.
import { CloseCode } from '../../../shared/protocol.ts'
import { readStateVector } from '../../documents/validate/state-vector.ts'
import type { Clock } from '../clock.ts'
import type { Counters } from '../counters.ts'
import type { Editor } from '../edits/edit.ts'
import { answerToPing } from '../frames.ts'
import { type ClientMessage, isEmptyStateVector, readMessage } from '../messages.ts'
import type { RoomLimits, Socket } from '../ports.ts'
import { closing, type Ending } from './ending.ts'
import type { Host } from './host.ts'
import type { Outbox } from './outbox.ts'
import { Pace } from './pace.ts'
import type { Replies } from './replies.ts'
import { Answers } from './resync.ts'

export interface InboxOptions {
  socket: Socket
  clock: Clock
  limits: RoomLimits
  counters: Counters
  replies: Replies
  outbox: Outbox
}

/** @typeParam Member the type of the connection in `Host`. */
export class Inbox<Member extends Editor> {
  readonly pace: Pace
  readonly #answers: Answers
  readonly #member: Member
  readonly #host: Host<Member>
  readonly #options: InboxOptions

  constructor(member: Member, host: Host<Member>, options: InboxOptions) {
    const { socket, clock, limits, counters, outbox } = options
    this.#member = member
    this.#host = host
    this.#options = options
    this.pace = new Pace({ socket, clock, limits, onSlowed: () => counters.slowed++ })
    this.#answers = new Answers({
      clock,
      answer: (stateVector) => host.answer(member, stateVector),
      isFull: () => outbox.isFull,
      onDelayed: () => counters.answers_delayed++,
    })
  }

  /** Handles one message. @returns how the connection ends because of it; null: it stays open. */
  receive(data: Uint8Array, isBinary: boolean): Ending | null {
    const { limits, counters } = this.#options
    if (!isBinary) {
      counters.text_frames++
      return closing(CloseCode.unsupportedData, 'expected a binary message')
    }
    if (data.length > limits.maxFrameBytes) {
      counters.frames_too_large++
      return closing(
        CloseCode.frameTooLarge,
        `the message is larger than the limit of ${limits.maxFrameBytes} bytes`,
      )
    }
    this.pace.message()
    return this.#handle(readMessage(data))
  }

  /** The socket's buffer has drained. */
  drained(): void {
    this.#answers.drained()
  }

  close(): void {
    this.pace.close()
    this.#answers.close()
  }

  #handle(message: ClientMessage): Ending | null {
    const member = this.#member
    const host = this.#host
    switch (message.type) {
      case 'update': {
        this.pace.update()
        const count = this.#options.replies.receive()
        host.edit({ editor: member, count, isStep2: message.isStep2, update: message.update })
        return null
      }
      case 'awareness':
        return host.presence(member, message.update)
          ? null
          : this.#malformed('an awareness update is malformed')
      case 'step1':
        return this.#asked(message.stateVector)
      case 'queryAwareness':
        host.sendEveryone(member)
        return null
      case 'ping':
        this.#options.outbox.send(answerToPing)
        return null
      case 'ignored':
        this.#options.counters.frames_ignored++
        return null
      case 'malformed':
        return this.#malformed(message.why)
    }
  }

  #asked(stateVector: Uint8Array): Ending | null {
    const bounds = this.#options.limits.inspection?.stateVector
    if (!isEmptyStateVector(stateVector) && readStateVector(stateVector, bounds).outcome !== 'ok')
      return this.#malformed('a state vector is malformed')
    this.#answers.asked(stateVector)
    return null
  }

  #malformed(why: string): Ending {
    this.#options.counters.malformed++
    return closing(CloseCode.protocolViolation, why)
  }
}
