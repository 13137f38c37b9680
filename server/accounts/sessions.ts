// Listing and ending sessions: one's own or, for administrators, those of others.
import type { SessionResponse } from '../../shared/api.ts'
import { transactionAs } from '../audit/actor.ts'
import { recordIn } from '../audit/record-in.ts'
import type { Db } from '../database/database.ts'
import type { Actor } from '../principal.ts'
import { deleteSessions, sessionsOf } from './session-queries.ts'

/** Newest first. @param currentId the current session */
export async function listSessions(
  db: Db,
  userId: number,
  currentId: string | null,
): Promise<SessionResponse[]> {
  const sessions = await sessionsOf(db, userId)
  return sessions.map(({ id, created_at, expires_at, ip_address, user_agent }) => ({
    id,
    created_at: created_at.toISOString(),
    expires_at: expires_at.toISOString(),
    ip_address: ip_address || null,
    user_agent: user_agent || null,
    is_current: String(id) === currentId,
  }))
}

/** Signs out: sockets and tickets of the sessions end with them. @returns how many ended */
export function endSessions(
  db: Db,
  actor: Actor,
  userId: number,
  which: { id?: number; except?: number } = {},
): Promise<number> {
  return transactionAs(db, actor, async (trx) => {
    const ended = await deleteSessions(trx, userId, which)
    for (const id of ended)
      await recordIn(trx, {
        action: 'logout',
        actor,
        resourceType: 'session',
        resourceId: String(id),
        ...(actor.userId === userId ? {} : { details: { user_id: userId } }),
      })
    return ended.length
  })
}
