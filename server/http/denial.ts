// The denial of a join: what is recorded in the trail, and what the client is told.
import type { CloseCode } from '../../shared/protocol.ts'
import { BoardroomError, type ErrorCode } from '../errors.ts'

/** `reason` is for the trail, `message` for the client. */
export interface DenialReason {
  code: ErrorCode
  reason: string
  closeCode: CloseCode
  message: string
}

/** A denied join, which is recorded. */
export class Denial extends BoardroomError {
  readonly closeCode: CloseCode

  constructor({ code, message, closeCode }: DenialReason) {
    super(code, message)
    this.closeCode = closeCode
  }
}
