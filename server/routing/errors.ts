// How a request fails: here and nowhere else every error, expected or not, becomes `{error: {code, message, details?}}`
// and is logged once with its request id.
import type { Context, ErrorHandler } from 'hono'
import { HTTPException } from 'hono/http-exception'
import type { Logger } from 'pino'
import type { ErrorResponse } from '../../shared/api.ts'
import { BoardroomError, httpStatusOf, logLevelOf } from '../errors.ts'
import type { HttpEnv } from './context.ts'

/** Maps every error of a handler to its JSON response; 429 and 503 carry Retry-After. */
export const errorHandler =
  (log: Logger): ErrorHandler<HttpEnv> =>
  (error, c) => {
    const known = boardroomErrorOf(error)
    const fields = {
      requestId: c.get('requestId'),
      method: c.req.method,
      path: c.req.path,
      code: known.code,
      // Nearly always a missing setting, so the operator needs to see it.
      ...(known.code === 'origin_not_allowed' ? known.details : {}),
    }
    const level = logLevelOf(known.code)
    if (level === 'error') log.error({ ...fields, err: error }, 'request failed')
    else log[level](fields, 'request refused')
    return errorAnswer(c, known)
  }

/** The JSON response to an expected failure. */
function errorAnswer(c: Context<HttpEnv>, error: BoardroomError): Response {
  const status = httpStatusOf(error.code)
  const body: ErrorResponse = {
    error: {
      code: error.code,
      message: error.message,
      ...(error.details === undefined ? {} : { details: error.details }),
    },
  }
  if (status === 429 || status === 503) c.header('retry-after', retryAfterOf(error))
  return c.json(body, status)
}

/** For getRequestListener's `errorHandler`: the response to a malformed request (such as one with an invalid Host). */
export function unreadableRequest(error: unknown): Response {
  const isTheirs = error instanceof Error && error.name === 'RequestError'
  const { code, message } = isTheirs
    ? new BoardroomError('invalid_request', 'the request cannot be parsed')
    : new BoardroomError('internal', 'an internal error occurred')
  const body: ErrorResponse = { error: { code, message } }
  return Response.json(body, { status: httpStatusOf(code), headers: { 'x-content-type-options': 'nosniff' } })
}

const retryAfterOf = (error: BoardroomError): string => {
  const seconds = error.details?.retry_after_seconds
  return typeof seconds === 'number' ? String(Math.max(1, Math.ceil(seconds))) : '5'
}

/**
 * Any thrown value as a BoardroomError. Unexpected errors become `internal`, with a message that reveals nothing.
 */
export function boardroomErrorOf(error: unknown): BoardroomError {
  if (error instanceof BoardroomError) return error
  if (error instanceof HTTPException) return ofFramework(error)
  if (error instanceof SyntaxError || error instanceof URIError) {
    return new BoardroomError('malformed_json', 'the request body is not valid JSON in UTF-8', {
      cause: error,
    })
  }
  return ofDatabase(error) ?? new BoardroomError('internal', 'an internal error occurred', { cause: error })
}

/** What Hono and its validators throw: broken JSON, a content type that the route does not take. */
function ofFramework(error: HTTPException): BoardroomError {
  if (error.status === 415) {
    return new BoardroomError(
      'unsupported_media_type',
      'this route does not accept that content type; JSON bodies need content-type: application/json',
    )
  }
  if (error.status === 413) return new BoardroomError('too_large', 'the body is too large')
  if (error.status < 500) {
    return error.message.includes('JSON')
      ? new BoardroomError('malformed_json', 'the request body is not valid JSON')
      : new BoardroomError('invalid_request', error.message || 'malformed request')
  }
  return new BoardroomError('internal', 'an internal error occurred', { cause: error })
}

/** Maps what Postgres and its driver throw, by SQLSTATE or by the error code of the socket. */
function ofDatabase(error: unknown): BoardroomError | undefined {
  if (!(error instanceof Error)) return undefined
  const code = 'code' in error && typeof error.code === 'string' ? error.code : ''
  // ENOENT counts only for a socket: a missing file says nothing about the database.
  const isFile = code === 'ENOENT' && !('syscall' in error && error.syscall === 'connect')
  const isUnreachable = unreachable.some((prefix) => code.startsWith(prefix)) && !isFile
  if (isUnreachable || unreachableMessage.test(error.message)) {
    return new BoardroomError('database_unreachable', 'the database does not answer; try again', {
      cause: error,
    })
  }
  // The referenced row was removed meanwhile, or somebody else inserted the same one first.
  if (code === '23503' || code === '23505' || code === '40001' || code === '40P01') {
    return new BoardroomError('conflict', 'somebody else changed it at the same time; try again', {
      cause: error,
    })
  }
  if ('constraint' in error && error.constraint === 'users_last_sysadmin') {
    return new BoardroomError('conflict', error.message, { cause: error })
  }
  if (code === '22021' || code === '22P05') {
    return new BoardroomError('invalid_request', 'the request contains characters that cannot be stored', {
      cause: error,
    })
  }
  return undefined
}

const unreachable = [
  '08',
  '57P',
  '57014',
  '53',
  '58',
  'ECONN',
  'ENOTFOUND',
  'ENOENT',
  'EPIPE',
  'ETIMEDOUT',
  'EHOST',
  'EAI_',
]
// pg's own errors for time-outs and lost connections have no code.
const unreachableMessage =
  /^(Connection terminated|Query read timeout|timeout exceeded when trying to connect|Client has encountered a connection error)/

const denials = new Set<string>([
  'not_signed_in',
  'access_denied',
  'board_deleted',
  'origin_not_allowed',
  'consent_needed',
])

/** Why a request was refused, for the trail; null if the error is of another kind. */
export function deniedReason({ code, cause }: BoardroomError): string | null {
  // A board that the asker may not see looks like a missing one; the cause tells which refusal it was.
  const hidden = cause instanceof BoardroomError ? cause.code : null
  return denials.has(code) || (code === 'not_found' && hidden === 'access_denied') ? (hidden ?? code) : null
}
