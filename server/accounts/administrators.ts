// Checks for actions on the whole instance: only administrators with a session, or authenticated by the embedder.
import { BoardroomError } from '../errors.ts'
import type { Identity, Role } from '../principal.ts'

/** @throws BoardroomError not_signed_in | access_denied */
export function requireAdministrator({ principal, via }: Identity): { userId: number; role: Role } {
  if (principal.kind === 'anonymous' || via === 'ticket') {
    throw new BoardroomError('not_signed_in', 'sign in as an administrator first')
  }
  if (principal.kind !== 'user' || principal.role === 'user' || via === 'key') {
    throw new BoardroomError('access_denied', 'only administrators may do this')
  }
  return { userId: principal.userId, role: principal.role }
}
