// Reads a client's message from its frame, without a copy and never beyond its end: the bytes are part of a buffer that
// may also contain messages of other sockets. Never throws.
import { MessageType, SyncStep } from '../../shared/protocol.ts'

export type ClientMessage =
  | { type: 'step1'; stateVector: Uint8Array }
  /** [0,1] and [0,2]: an update; the two differ only in what they answer. */
  | { type: 'update'; isStep2: boolean; update: Uint8Array }
  | { type: 'awareness'; update: Uint8Array }
  | { type: 'queryAwareness' }
  | { type: 'ping' }
  /** A type that this server does not know, or that has no meaning when a client sends it. */
  | { type: 'ignored' }
  | { type: 'malformed'; why: string }

/** Reads numbers and byte arrays; -1 or null if bytes are missing or a number is above 2^53 - 1. */
export class Reader {
  readonly bytes: Uint8Array
  at = 0

  constructor(bytes: Uint8Array) {
    this.bytes = bytes
  }

  get isAtEnd(): boolean {
    return this.at === this.bytes.length
  }

  varUint(): number {
    const { bytes } = this
    let value = 0
    let unit = 1
    for (let length = 1; length <= 8 && this.at < bytes.length; length++) {
      const byte = bytes[this.at++] as number // below the length
      value += (byte & 127) * unit
      if (byte < 128) return value <= Number.MAX_SAFE_INTEGER ? value : -1
      unit *= 128
    }
    return -1
  }

  /** @returns a view, not a copy. */
  varBytes(): Uint8Array | null {
    const length = this.varUint()
    if (length < 0 || length > this.bytes.length - this.at) return null
    this.at += length
    return this.bytes.subarray(this.at - length, this.at)
  }
}

const ignored: ClientMessage = { type: 'ignored' }
const malformed = (why: string): ClientMessage => ({ type: 'malformed', why })

/** @param frame one binary message; the result has views of it. */
export function readMessage(frame: Uint8Array): ClientMessage {
  const reader = new Reader(frame)
  const type = reader.varUint()
  switch (type) {
    case MessageType.sync:
      return readSync(reader)
    case MessageType.awareness: {
      const update = reader.varBytes()
      if (update === null || !reader.isAtEnd) return malformed('an awareness message is cut off or too long')
      return { type: 'awareness', update }
    }
    case MessageType.queryAwareness:
      return { type: 'queryAwareness' }
    case MessageType.ping:
      return { type: 'ping' }
    default:
      return type < 0 ? malformed('a message without a type') : ignored
  }
}

function readSync(reader: Reader): ClientMessage {
  const step = reader.varUint()
  const body = reader.varBytes()
  if (body === null || !reader.isAtEnd) return malformed('a sync message is cut off or too long')
  if (step === SyncStep.step1) return { type: 'step1', stateVector: body }
  if (step !== SyncStep.step2 && step !== SyncStep.update)
    return malformed('a sync message of an unknown step')
  return { type: 'update', isStep2: step === SyncStep.step2, update: body }
}

/** Neither structs nor deletions: the answer of a client that has nothing to add. */
export const isEmptyUpdate = (update: Uint8Array): boolean =>
  update.length === 2 && update[0] === 0 && update[1] === 0

/** The state vector of an empty document. */
export const isEmptyStateVector = (stateVector: Uint8Array): boolean =>
  stateVector.length === 1 && stateVector[0] === 0
