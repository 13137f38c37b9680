// What the scopes of a service key cover, by noun and method. Others than keys have no scopes, and are not asked.
import type { ScopeNoun } from '../../../shared/api/service-keys.ts'
import { BoardroomError } from '../../errors.ts'
import type { Identity } from '../../principal.ts'

/**
 * Refuses a service key that lacks `noun`. The route has been asked for by its path already (http/scopes.ts); this is
 * for what a body asks for beside it.
 * @throws BoardroomError access_denied
 */
export function requireKeyScope({ via, scopes = [] }: Identity, noun: ScopeNoun, method: string): void {
  if (via !== 'key' || covers(scopes, noun, method)) return
  throw new BoardroomError('access_denied', `this service key lacks the scope ${noun}`, {
    details: { needed: noun, scopes },
  })
}

/** Bodies in which one of these stands decide who may open something. */
const granting = ['is_public', 'members_level', 'owner_id', 'folder_id', 'parent_id']

/** @throws BoardroomError access_denied for a service key without `permissions`, where `body` hands out access */
export function requireScopeToGrant(identity: Identity, body: object, method: string): void {
  if (granting.some((field) => field in body)) requireKeyScope(identity, 'permissions', method)
}

function covers(scopes: readonly string[], noun: ScopeNoun, method: string): boolean {
  const isReading = method === 'GET' || method === 'HEAD'
  return scopes.some(
    (scope) =>
      scope === noun ||
      scope === `${noun}:write` ||
      (scope === `${noun}:read` && isReading) ||
      (scope === `${noun}:create` && method === 'POST'),
  )
}
