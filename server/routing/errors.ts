// How a request fails: every error, expected or not, becomes `{error: {code, message, details?}}` here and nowhere
// else, and is logged once with its request id.
import type { Context, ErrorHandler } from 'hono'
import { HTTPException } from 'hono/http-exception'
import type { Logger } from 'pino'
import type { ErrorResponse } from '../../shared/api.ts'
import { BoardroomError, httpStatusOf, logLevelOf } from '../errors.ts'
import type { HttpEnv } from './context.ts'

/** Maps every error of a handler to its JSON answer; 429 and 503 carry Retry-After. */
export const errorHandler =
  (log: Logger): ErrorHandler<HttpEnv> =>
  (error, c) => {
    const known = boardroomErrorOf(error)
    const fields = {
      requestId: c.get('requestId'),
      method: c.req.method,
      path: c.req.path,
      code: known.code,
      // Nearly always a setting that is missing: the operator needs to see which.
      ...(known.code === 'origin_not_allowed' ? known.details : {}),
    }
    const level = logLevelOf(known.code)
    if (level === 'error') log.error({ ...fields, err: error }, 'request failed')
    else log[level](fields, 'request refused')
    return errorAnswer(c, known)
  }

/** The JSON answer for an expected failure. */
export function errorAnswer(c: Context<HttpEnv>, error: BoardroomError): Response {
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

/** For getRequestListener's `errorHandler`: the answer to a malformed request (with an invalid Host, say). */
export function unreadableRequest(error: unknown): Response {
  const isTheirs = error instanceof Error && error.name === 'RequestError'
  const { code, message } = isTheirs
    ? new BoardroomError('invalid_request', 'the request cannot be parsed')
    : new BoardroomError('internal', 'something broke on the server')
  const body: ErrorResponse = { error: { code, message } }
  return Response.json(body, { status: httpStatusOf(code), headers: { 'x-content-type-options': 'nosniff' } })
}

const retryAfterOf = (error: BoardroomError): string => {
  const seconds = error.details?.retry_after_seconds
  return typeof seconds === 'number' ? String(Math.max(1, Math.ceil(seconds))) : '5'
}

/**
 * Any thrown value as a BoardroomError. What nobody expected becomes `internal`, with a message that tells nothing.
 */
export function boardroomErrorOf(error: unknown): BoardroomError {
  if (error instanceof BoardroomError) return error
  if (error instanceof HTTPException) return ofFramework(error)
  if (error instanceof SyntaxError || error instanceof URIError) {
    return new BoardroomError('malformed_json', 'the request body is not valid JSON in UTF-8', {
      cause: error,
    })
  }
  return (
    ofDatabase(error) ?? new BoardroomError('internal', 'something broke on the server', { cause: error })
  )
}

/** What Hono and its validators throw: broken JSON, a content type that the route does not take. */
function ofFramework(error: HTTPException): BoardroomError {
  if (error.status === 415) {
    return new BoardroomError(
      'unsupported_media_type',
      'this route does not take that content type; JSON bodies need content-type: application/json',
    )
  }
  if (error.status === 413) return new BoardroomError('too_large', 'the body is too large')
  if (error.status < 500) {
    return error.message.includes('JSON')
      ? new BoardroomError('malformed_json', 'the request body is not valid JSON')
      : new BoardroomError('invalid_request', error.message || 'malformed request')
  }
  return new BoardroomError('internal', 'something broke on the server', { cause: error })
}

/** What Postgres and its driver throw, by SQLSTATE or by the code of the socket. */
function ofDatabase(error: unknown): BoardroomError | undefined {
  if (!(error instanceof Error)) return undefined
  const code = 'code' in error && typeof error.code === 'string' ? error.code : ''
  if (unreachable.some((prefix) => code.startsWith(prefix)) || unreachableMessage.test(error.message)) {
    return new BoardroomError('database_unreachable', 'the database does not answer; try again', {
      cause: error,
    })
  }
  // The row that this one refers to was removed meanwhile, or somebody wrote the same one first.
  if (code === '23503' || code === '23505' || code === '40001' || code === '40P01') {
    return new BoardroomError('conflict', 'it was changed by someone else at the same moment; try again', {
      cause: error,
    })
  }
  if ('constraint' in error && error.constraint === 'users_last_sysadmin') {
    return new BoardroomError('conflict', error.message, { cause: error })
  }
  if (code === '22021' || code === '22P05') {
    return new BoardroomError('invalid_request', 'the request holds characters that cannot be stored', {
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
// pg gives its own time-outs and lost connections no code.
const unreachableMessage =
  /^(Connection terminated|Query read timeout|timeout exceeded when trying to connect|Client has encountered a connection error)/

const denials = new Set<string>([
  'not_signed_in',
  'access_denied',
  'board_deleted',
  'origin_not_allowed',
  'consent_needed',
])

/** Why somebody was refused what they asked for, as the trail says it; null where the error is none of that kind. */
export function deniedReason({ code, cause }: BoardroomError): string | null {
  // A board that one may not see looks like one that is not there; the cause says which refusal it was.
  const hidden = cause instanceof BoardroomError ? cause.code : null
  return denials.has(code) || (code === 'not_found' && hidden === 'access_denied') ? (hidden ?? code) : null
}
