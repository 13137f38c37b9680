// Changing one's own password: the new password, the end of all other sessions and the audit row are one transaction.
// Better Auth would write the password separately, and a failure after that would leave the other sessions signed in.
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
 * Signs out everybody who knew the old password. The session that changed it continues, and so do its sockets.
 * @throws BoardroomError wrong_credentials | conflict (the account has no password here, or it was changed meanwhile)
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
      throw new BoardroomError('conflict', 'the password was changed meanwhile; sign in with the new one')
    }
    await setPassword(trx, userId, hash)
    await deleteSessions(trx, userId, { except: sessionId })
    await recordPassword(trx, actor, userId)
  })
}

/** The trail's event for a new password: that there is one, and how it was set. */
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
