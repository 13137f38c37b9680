// Forwards a request to one of Better Auth's routes, and converts its responses and refusals to our format.
import type { Context } from 'hono'
import { z } from 'zod'
import { BoardroomError } from '../errors.ts'
import type { HttpEnv } from '../routing/context.ts'
import type { Auth } from './auth.ts'
import { clientAddressHeader } from './auth-deps.ts'
import type { Calling } from './settling.ts'

export type Handled = Context<HttpEnv>

/**
 * Calls one of Better Auth's routes on behalf of the asker.
 * @returns a successful response. @throws BoardroomError for its refusals
 */
export async function forward(
  auth: Pick<Auth, 'handler' | 'baseUrl'>,
  c: Handled,
  method: 'GET' | 'POST',
  path: string,
  body?: Record<string, unknown>,
  how?: Calling,
): Promise<Response> {
  return accepted(await auth.handler(requestFor(auth, c, method, path, body), how))
}

/** @returns a successful response. @throws BoardroomError for Better Auth's refusals */
export async function accepted(answer: Response): Promise<Response> {
  if (!answer.ok) throw await refusalOf(answer)
  return answer
}

/** The asker's request as a request to Better Auth. @param path with its query */
export function requestFor(
  auth: Pick<Auth, 'baseUrl'>,
  c: Handled,
  method: 'GET' | 'POST',
  path: string,
  body?: Record<string, unknown>,
): Request {
  const headers = new Headers()
  for (const name of passedOn) {
    const value = c.req.header(name)
    if (value !== undefined) headers.set(name, value)
  }
  // The edge has already checked the origin (http/cors.ts). Better Auth requires one even if the request had none.
  if (!headers.has('origin')) headers.set('origin', new URL(auth.baseUrl).origin)
  const { ip } = c.get('actor')
  if (ip !== null) headers.set(clientAddressHeader, ip)
  if (body !== undefined) headers.set('content-type', 'application/json')
  const init = body === undefined ? { method, headers } : { method, headers, body: JSON.stringify(body) }
  return new Request(auth.baseUrl + path, init)
}

const passedOn = ['authorization', 'cookie', 'host', 'origin', 'user-agent']

const Failure = z
  .object({ code: z.string().catch(''), message: z.string().catch('') })
  .catch({ code: '', message: '' })

/** Better Auth's errors about second factors, in our words. */
const refusals: Readonly<Record<string, ConstructorParameters<typeof BoardroomError>>> = {
  INVALID_CODE: ['wrong_credentials', 'the code is wrong; enter the one that the app shows now'],
  INVALID_BACKUP_CODE: ['wrong_credentials', 'this recovery code is wrong or already used'],
  INVALID_TWO_FACTOR_COOKIE: ['not_signed_in', 'sign in with your password first'],
  TOO_MANY_ATTEMPTS_REQUEST_NEW_CODE: [
    'not_signed_in',
    'too many wrong codes; sign in with your password again',
  ],
  ACCOUNT_TEMPORARILY_LOCKED: [
    'too_many_requests',
    'too many wrong codes for this account; try again in a quarter of an hour',
    { details: { retry_after_seconds: 900 } },
  ],
  TOTP_ALREADY_ENABLED: ['conflict', 'you already have a second factor; switch it off first'],
  TOTP_NOT_ENABLED: ['conflict', 'you have no second factor; set one up first'],
  TWO_FACTOR_NOT_ENABLED: ['conflict', 'you have no second factor; set one up first'],
  BACKUP_CODES_NOT_ENABLED: ['conflict', 'you have no recovery codes; set up a second factor first'],
}

async function refusalOf(answer: Response): Promise<BoardroomError> {
  const { code, message } = Failure.parse(await answer.json().catch(() => ({})))
  if (code === 'INVALID_EMAIL_OR_PASSWORD')
    return new BoardroomError('wrong_credentials', 'wrong e-mail or password')
  if (code === 'INVALID_PASSWORD')
    return new BoardroomError('wrong_credentials', 'the current password is wrong')
  if (code === 'ACCOUNT_DEACTIVATED' || code === 'BANNED_USER') {
    return new BoardroomError('access_denied', 'this account is deactivated; ask an administrator')
  }
  if (code === 'PASSWORDS_OFF') return passwordsOff()
  if (code.includes('ORIGIN') || code.startsWith('CROSS_SITE')) {
    return new BoardroomError('origin_not_allowed', 'pages of this origin may not sign in here')
  }
  const known = refusals[code]
  if (known !== undefined) return new BoardroomError(...known)
  if (answer.status === 401) return new BoardroomError('not_signed_in', 'sign in first')
  if (answer.status < 500) return new BoardroomError('invalid_request', message || 'the request was refused')
  return new BoardroomError('internal', 'sign-in failed', { details: { code } })
}

/** The error for whatever requires a password while BOARDROOM_PASSWORDS is off. */
export const passwordsOff = (): BoardroomError =>
  new BoardroomError('access_denied', 'this server does not use passwords; use single sign-on', {
    details: { reason: 'passwords_off' },
  })

/** Copies Better Auth's cookies to our response. */
export function withCookies<Answer extends Response>(answer: Answer, from: Response): Answer {
  for (const cookie of from.headers.getSetCookie()) answer.headers.append('set-cookie', cookie)
  return answer
}
