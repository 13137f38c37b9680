// Identities, as the identification of a request would return them.
import type { Identity, Role } from '../../server/principal.ts'

/** The identity of a signed-in user. */
export const userIdentity = (userId: number, role: Role = 'user', name = 'Somebody'): Identity => ({
  principal: { kind: 'user', userId, name, role },
  via: 'session',
  sessionId: null,
  boardId: null,
  maxLevel: null,
})

export const guestIdentity = (guestId: string, name = 'Gus'): Identity => ({
  principal: { kind: 'guest', guestId, name },
  via: 'guest',
  sessionId: null,
  boardId: null,
  maxLevel: null,
})

export const anonymousIdentity: Identity = {
  principal: { kind: 'anonymous', id: '00000000-0000-4000-8000-000000000000' },
  via: 'anonymous',
  sessionId: null,
  boardId: null,
  maxLevel: null,
}
