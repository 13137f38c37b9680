// A password that its owner changes: the new one, the end of all other sessions and the row of the trail are one
// transaction. Better Auth would write the first by itself, and a failure after that left the others signed in.
import type { Transaction } from 'kysely'
import type { ChangePasswordRequest } from '../../shared/api.ts'
import { transactionAs } from '../audit/actor.ts'
import { recordIn } from '../audit/record-in.ts'
import type { Db } from '../database/database.ts'
import type { Tables } from '../database/tables.ts'
import { BoardroomError } from '../errors.ts'
import type { Actor } from '../principal.ts'
import { hashPassword, verifyPassword } from './passwords.ts'
import { lockUserById, passwordHashOf, setPassword } from './queries.ts'
import { deleteSessions } from './session-queries.ts'

/**
 * People who knew the old password are out. The session that changed it continues, and so do its sockets.
 * @throws BoardroomError wrong_credentials | conflict (no password of ours, or another was set meanwhile)
 */
export async function changePassword(
  db: Db,
  actor: Actor,
  { userId, sessionId }: { userId: number; sessionId: number },
  { currentPassword, newPassword }: Pick<ChangePasswordRequest, 'currentPassword' | 'newPassword'>,
): Promise<void> {
  const known = await passwordHashOf(db, userId)
  if (known === null) throw new BoardroomError('conflict', 'this account has no password here')
  if (!(await verifyPassword(currentPassword, known))) {
    throw new BoardroomError('wrong_credentials', 'the current password is wrong')
  }
  const hash = await hashPassword(newPassword)
  await transactionAs(db, actor, async (trx) => {
    await lockUserById(trx, userId)
    if ((await passwordHashOf(trx, userId)) !== known) {
      throw new BoardroomError('conflict', 'another password was set meanwhile; sign in with that one')
    }
    await setPassword(trx, userId, hash)
    await deleteSessions(trx, userId, { except: sessionId })
    await recordPassword(trx, actor, userId)
  })
}

/** What the trail says of a new password: that there is one, and how it came. */
export const recordPassword = (
  trx: Transaction<Tables>,
  actor: Actor,
  userId: number,
  more: Record<string, unknown> = {},
): Promise<void> =>
  recordIn(trx, {
    action: 'update',
    category: 'account',
    actor,
    resourceType: 'user',
    resourceId: String(userId),
    details: { changed: 'password', ...more },
  })
