// Checks the scopes of a service key, by noun and method. Only keys have scopes; everybody else passes.
import type { ScopeNoun } from '../../../shared/api/service-keys.ts'
import { BoardroomError } from '../../errors.ts'
import type { Identity } from '../../principal.ts'

/**
 * Refuses a service key that lacks the scope `noun`. The path of the route was already checked (http/scopes.ts); this
 * covers what the body additionally requests.
 * @throws BoardroomError access_denied
 */
export function requireKeyScope({ via, scopes = [] }: Identity, noun: ScopeNoun, method: string): void {
  if (via !== 'key' || covers(scopes, noun, method)) return
  throw new BoardroomError('access_denied', `this service key lacks the scope ${noun}`, {
    details: { needed: noun, scopes },
  })
}

/** A body with one of these fields decides who has access. */
const granting = ['is_public', 'members_level', 'owner_id', 'folder_id', 'parent_id']

/** @throws BoardroomError access_denied for a service key without `permissions`, if `body` grants access */
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
