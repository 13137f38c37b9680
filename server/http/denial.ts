// Somebody is not let in at a join: what the trail says, and what the client hears.
import type { CloseCode } from '../../shared/protocol.ts'
import { BoardroomError, type ErrorCode } from '../errors.ts'

/** `reason` is for the trail, `message` for the client. */
export interface DenialReason {
  code: ErrorCode
  reason: string
  closeCode: CloseCode
  message: string
}

/** Somebody is not let in, which is recorded. */
export class Denial extends BoardroomError {
  readonly closeCode: CloseCode

  constructor({ code, message, closeCode }: DenialReason) {
    super(code, message)
    this.closeCode = closeCode
  }
}
