// Every expected failure of the product, by its stable code. Only the table below defines what a code means at
// the edges: HTTP status, WebSocket close code, log level.
import { CloseCode } from '../shared/protocol.ts'

type LogLevel = 'debug' | 'info' | 'warn' | 'error'
interface Meaning {
  status: 400 | 401 | 403 | 404 | 405 | 409 | 410 | 411 | 413 | 415 | 422 | 429 | 451 | 500 | 503 | 507
  close: CloseCode
  log: LogLevel
}

const table = {
  invalid_request: { status: 400, close: CloseCode.protocolViolation, log: 'debug' },
  malformed_json: { status: 400, close: CloseCode.protocolViolation, log: 'debug' },
  not_signed_in: { status: 401, close: CloseCode.notSignedIn, log: 'debug' },
  wrong_credentials: { status: 401, close: CloseCode.notSignedIn, log: 'info' },
  access_denied: { status: 403, close: CloseCode.noAccess, log: 'info' },
  origin_not_allowed: { status: 403, close: CloseCode.noAccess, log: 'warn' },
  not_found: { status: 404, close: CloseCode.noSuchBoard, log: 'debug' },
  link_not_valid: { status: 404, close: CloseCode.noAccess, log: 'info' },
  link_password_needed: { status: 403, close: CloseCode.noAccess, log: 'debug' },
  method_not_allowed: { status: 405, close: CloseCode.protocolViolation, log: 'debug' },
  conflict: { status: 409, close: CloseCode.protocolViolation, log: 'debug' },
  board_deleted: { status: 410, close: CloseCode.boardDeleted, log: 'debug' },
  too_large: { status: 413, close: CloseCode.frameTooLarge, log: 'info' },
  consent_needed: { status: 451, close: CloseCode.consentNeeded, log: 'debug' },
  unsupported_media_type: { status: 415, close: CloseCode.unsupportedData, log: 'debug' },
  too_many_requests: { status: 429, close: CloseCode.busy, log: 'info' },
  board_full: { status: 507, close: CloseCode.levelChanged, log: 'warn' },
  board_unreadable: { status: 503, close: CloseCode.busy, log: 'error' },
  issuer_unreachable: { status: 503, close: CloseCode.busy, log: 'warn' },
  database_unreachable: { status: 503, close: CloseCode.busy, log: 'error' },
  closing: { status: 503, close: CloseCode.restart, log: 'info' },
  internal: { status: 500, close: CloseCode.busy, log: 'error' },
  // Failures that stop the start or a command; these never reach a client.
  invalid_config: { status: 500, close: CloseCode.busy, log: 'error' },
  database_too_new: { status: 500, close: CloseCode.busy, log: 'error' },
  bus_unreachable: { status: 503, close: CloseCode.busy, log: 'error' },
  database_in_use: { status: 500, close: CloseCode.busy, log: 'error' },
  data_folder_unusable: { status: 500, close: CloseCode.busy, log: 'error' },
} satisfies Record<string, Meaning>

export type ErrorCode = keyof typeof table

/**
 * An expected failure. The message says what was expected, what came and, where there is one, the next step;
 * it never holds a token, a password or board content, because clients and logs see it.
 * @param options.details facts a program can use, for the `details` of an HTTP answer.
 */
export class BoardroomError extends Error {
  readonly code: ErrorCode
  readonly details: Record<string, unknown> | undefined

  constructor(
    code: ErrorCode,
    message: string,
    options: { cause?: unknown; details?: Record<string, unknown> } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'BoardroomError'
    this.code = code
    this.details = options.details
  }
}

export const httpStatusOf = (code: ErrorCode): Meaning['status'] => table[code].status
export const closeCodeOf = (code: ErrorCode): CloseCode => table[code].close
export const logLevelOf = (code: ErrorCode): LogLevel => table[code].log
