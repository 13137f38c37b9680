// Who is asking: a principal (who they are, never what they may do: access is looked up at every join and followed
// live), the identity that proves it, and the actor that the trail records.
import type { Level } from '../shared/levels.ts'
import type { PublicPrincipal } from '../shared/protocol.ts'

export type Role = 'sysadmin' | 'admin' | 'user'

export type Principal =
  | { kind: 'user'; userId: number; name: string; role: Role }
  | { kind: 'guest'; guestId: string; name: string }
  | { kind: 'agent'; agentId: string; name: string }
  /** An unknown person. `id` is new for every request and connection: no two are the same principal. */
  | { kind: 'anonymous'; id: string }

/** A principal, how it was proven, and what must remain true for it to stay valid. */
export interface Identity {
  principal: Principal
  /** How it was proven, for the trail. */
  via: 'session' | 'guest' | 'ticket' | 'agent' | 'key' | 'jwt' | 'embedder' | 'anonymous'
  /** The Better Auth session that must stay alive, also for tickets issued from it; null if there is none. */
  sessionId: string | null
  /** A ticket's board: on any other, the identity is anonymous. */
  boardId: string | null
  /** The highest level that a ticket allows; null is no limit. */
  maxLevel: Level | null
  /** Signed in, but allowed only to set up the required second factor. */
  needsTwoFactor?: true
  /** The guest that a user was in the same browser before signing in. */
  formerGuestId?: string
  /** The service key that must stay valid: the one that asks, or the one that a ticket was issued with. */
  keyId?: string
  /** The directory it belongs to: for a service key the one it speaks for, for a foreign token its issuer. */
  issuer?: string
  /** What a service key may be used for. */
  scopes?: readonly string[]
}

/** Stable for a person across connections: `user:7`, `guest:<uuid>`, `agent:<id>`, `anonymous:<uuid>`. */
export const principalKey = (principal: Principal): string => {
  switch (principal.kind) {
    case 'user':
      return `user:${principal.userId}`
    case 'guest':
      return `guest:${principal.guestId}`
    case 'agent':
      return `agent:${principal.agentId}`
    case 'anonymous':
      return `anonymous:${principal.id}`
  }
}

export const publicPrincipal = (principal: Principal, linkLabel: string | null): PublicPrincipal => ({
  kind: principal.kind,
  id: principalKey(principal),
  name: principal.kind === 'anonymous' ? 'Anonymous' : principal.name,
  ...(linkLabel === null ? {} : { link_label: linkLabel }),
})

/** Who acts, as the trail records it. */
export interface Actor {
  kind: 'user' | 'guest' | 'agent' | 'system' | 'anonymous'
  userId: number | null
  guestId: string | null
  agentId: string | null
  name: string | null
  sessionId: string | null
  ip: string | null
  /** Truncated to 500 characters. */
  userAgent: string | null
}

export const systemActor: Actor = {
  kind: 'system',
  userId: null,
  guestId: null,
  agentId: null,
  name: 'system',
  sessionId: null,
  ip: null,
  userAgent: null,
}

export const actorOf = (identity: Identity, ip: string | null, userAgent: string | null): Actor => {
  const { principal } = identity
  return {
    kind: principal.kind,
    userId: principal.kind === 'user' ? principal.userId : null,
    guestId: principal.kind === 'guest' ? principal.guestId : null,
    agentId: principal.kind === 'agent' ? principal.agentId : null,
    name: principal.kind === 'anonymous' ? null : principal.name,
    sessionId: identity.sessionId ?? (identity.keyId === undefined ? null : `key:${identity.keyId}`),
    ip,
    userAgent: userAgent?.slice(0, 500) ?? null,
  }
}
