// Who must have a second factor, and removing one that was lost.
import type { Transaction } from 'kysely'
import { transactionAs } from '../audit/actor.ts'
import { recordIn } from '../audit/record-in.ts'
import type { Config } from '../config.ts'
import type { Db } from '../database/database.ts'
import type { Tables } from '../database/tables.ts'
import { BoardroomError } from '../errors.ts'
import type { Actor, Role } from '../principal.ts'
import { hasPassword, removeTwoFactor } from './two-factor-queries.ts'
import { changeableUser, type Whose } from './users.ts'

export type TwoFactorPolicy = Config['require2fa']

/** Whether the policy requires a second factor for this role. */
export const isRequiredOf = (policy: TwoFactorPolicy, role: Role): boolean =>
  policy === 'all' || (policy === 'admins' && role !== 'user')

/** Whether somebody has to set one up first. People who sign in elsewhere use that provider's factors. */
export const mustSetUp = async (
  db: Db,
  policy: TwoFactorPolicy,
  user: { userId: number; role: Role; twoFactorEnabled: boolean },
): Promise<boolean> =>
  isRequiredOf(policy, user.role) && !user.twoFactorEnabled && (await hasPassword(db, user.userId))

/** The trail's event when the owner switches it on or off or creates new recovery codes; never contains a secret. */
export const recordTwoFactor = (
  trx: Transaction<Tables>,
  actor: Actor,
  userId: number,
  change: { from: boolean; to: boolean } | 'recovery_codes',
): Promise<void> =>
  recordIn(trx, {
    action: 'update',
    category: 'account',
    actor,
    resourceType: 'user',
    resourceId: String(userId),
    ...(typeof change === 'string'
      ? { details: { changed: change } }
      : {
          oldValues: { two_factor_enabled: change.from },
          newValues: { two_factor_enabled: change.to },
          details: { changed: 'two_factor' },
        }),
  })

/**
 * Removes a lost second factor, so that the password alone is enough again.
 * @param admits checks inside the transaction whether this is allowed
 * @throws BoardroomError not_found | conflict (there is none)
 */
export const resetTwoFactor = (
  db: Db,
  actor: Actor,
  whose: Whose,
  admits: (trx: Transaction<Tables>, userId: number) => Promise<unknown> = async () => undefined,
): Promise<void> =>
  transactionAs(db, actor, async (trx) => {
    const { id } = await changeableUser(trx, whose)
    await admits(trx, id)
    if (!(await removeTwoFactor(trx, id))) {
      throw new BoardroomError('conflict', 'this account has no second factor')
    }
  })
