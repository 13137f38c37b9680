// What a service key may be used for: compares its scopes with the requested route. Routes that no scope covers are closed
// to keys, so that a new route stays closed until somebody decides otherwise.
import type { MiddlewareHandler } from 'hono'
import type { ScopeNoun } from '../../shared/api/service-keys.ts'
import { requireKeyScope } from '../accounts/service-keys/scopes.ts'
import { BoardroomError } from '../errors.ts'
import type { HttpEnv } from '../routing/context.ts'

/** @throws BoardroomError access_denied if a service key lacks the scope of the route, or a required second factor is missing */
export const requireScope: MiddlewareHandler<HttpEnv> = async (c, next) => {
  const identity = c.get('identity')
  const { via, needsTwoFactor = false } = identity
  if (needsTwoFactor && !isOpenWithoutTwoFactor(c.req.path)) {
    throw new BoardroomError(
      'access_denied',
      'this server requires a second factor; set one up on your account page first',
      { details: { reason: 'two_factor_required' } },
    )
  }
  if (via === 'key') {
    const noun = nounOf(c.req.path)
    if (noun === null) throw new BoardroomError('access_denied', 'service keys may not use this route')
    if (noun !== 'nothing') requireKeyScope(identity, noun, c.req.method)
  }
  await next()
}

/** People who lack a required second factor may only see who they are, set one up, and sign out. */
const isOpenWithoutTwoFactor = (path: string): boolean =>
  path === '/api/me' || path.startsWith('/api/auth/') || path === '/api/docs' || path === '/api/openapi.json'

const ofBoards: Readonly<Record<string, ScopeNoun | null>> = {
  tickets: 'tickets',
  permissions: 'permissions',
  'share-links': 'permissions',
  access: 'permissions',
  'access-requests': 'permissions',
  connections: 'permissions',
  moderation: 'permissions',
  offer: 'permissions',
  authors: 'permissions',
  threads: 'comments',
  comments: 'comments',
  mentionable: 'comments',
  audit: 'audit',
  // Templates are visible to everybody but closed to keys.
  template: null,
}
const open: Readonly<Record<string, ScopeNoun | 'nothing'>> = {
  me: 'nothing',
  'openapi.json': 'nothing',
  docs: 'nothing',
  boards: 'boards',
  folders: 'boards',
  webhooks: 'webhooks',
}

/** null: closed to keys. */
function nounOf(path: string): ScopeNoun | 'nothing' | null {
  const [first = '', , third = ''] = path.split('/').slice(2)
  if (first === 'me' && path !== '/api/me') return null
  if (first === 'boards') return Object.hasOwn(ofBoards, third) ? (ofBoards[third] ?? null) : 'boards'
  if (first === 'folders' && third === 'permissions') return 'permissions'
  return open[first] ?? null
}
