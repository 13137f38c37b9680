// Finds, links or creates the account for a person from the provider, or refuses them, and derives the role from their
// groups. Better Auth creates and links nothing itself: it finds the row that is written here.
import type { Transaction } from 'kysely'
import { transactionAs } from '../../audit/actor.ts'
import { recordIn } from '../../audit/record-in.ts'
import type { Db } from '../../database/database.ts'
import type { Tables } from '../../database/tables.ts'
import { BoardroomError } from '../../errors.ts'
import type { Actor, Role } from '../../principal.ts'
import { insertUser, lockSysadmins, lockUserByEmail, lockUserById, type UserRow } from '../queries.ts'
import { changeRole, isViolationOf, nameThatFits, systemEmail } from '../users.ts'
import type { Profile } from './profile.ts'
import { insertSubject, linkable, userIdBySubject } from './queries.ts'
import type { SsoSettings } from './settings.ts'

/** Why somebody known to the provider is refused. */
export type SsoRefusal = 'deactivated' | 'no_email' | 'not_verified' | 'email_taken' | 'not_admitted'

/** Ids are only meaningful within one provider. */
export const accountIdOf = (issuer: string, subject: string): string => `${issuer} ${subject}`

/**
 * @returns the user, and whether the last sysadmin kept a role that their groups do not grant.
 * @throws BoardroomError access_denied with an {@link SsoRefusal} as `details.reason`
 */
export async function admit(
  db: Db,
  actor: Actor,
  settings: SsoSettings,
  profile: Profile,
): Promise<{ userId: number; keptSysadmin: boolean }> {
  try {
    return await transactionAs(db, actor, async (trx) => {
      // As everywhere, sysadmins are locked before anybody else.
      const sysadmins = settings.roles.length === 0 ? [] : await lockSysadmins(trx)
      const matched = roleOf(settings, profile.groups)
      const accountId = accountIdOf(settings.issuer, profile.sub)
      const known = await userIdBySubject(trx, accountId)
      const user =
        known === null
          ? await newcomer(trx, actor, settings, profile, matched)
          : await lockUserById(trx, known)
      if (user === undefined) throw refusal('not_admitted')
      if (!user.is_active) throw refusal('deactivated', user.id)
      if (settings.accounts === 'groups' && matched === null) throw refusal('not_admitted', user.id)
      if (settings.roles.length === 0) return { userId: user.id, keptSysadmin: false }
      const role = matched ?? 'user'
      const isLast = sysadmins.length === 1 && sysadmins[0] === user.id
      if (isLast && role !== 'sysadmin') return { userId: user.id, keptSysadmin: true }
      if (role !== user.role) await changeRole(trx, user.id, role)
      return { userId: user.id, keptSysadmin: false }
    })
  } catch (error) {
    // Somebody else created the same one at this moment.
    if (isViolationOf(error, 'users_email')) throw refusal('email_taken')
    throw error
  }
}

/** The account for somebody who uses this provider for the first time. */
async function newcomer(
  trx: Transaction<Tables>,
  actor: Actor,
  { accounts, issuer, roles }: SsoSettings,
  { sub, email, emailVerified, name }: Profile,
  matched: Role | null,
): Promise<UserRow> {
  if (email === undefined) throw refusal('no_email')
  if (!emailVerified) throw refusal('not_verified')
  if (accounts === 'groups' && matched === null) throw refusal('not_admitted')
  const accountId = accountIdOf(issuer, sub)
  const owner = await lockUserByEmail(trx, email)
  if (owner === undefined) {
    if (accounts === 'known') throw refusal('not_admitted')
    const role = roles.length === 0 ? 'user' : (matched ?? 'user')
    const made = await insertUser(trx, { email, name: nameThatFits(name), role, email_verified: true })
    await insertSubject(trx, made.id, accountId)
    return made
  }
  if (!owner.is_active) throw refusal('deactivated', owner.id)
  const { email_verified, has_provider } = await linkable(trx, owner.id)
  // Somebody may have signed up with an unconfirmed address and a password of theirs to trap its owner. And an address
  // linked to another person at the provider has been reassigned to somebody new.
  if (!email_verified || has_provider || owner.issuer !== null || owner.email === systemEmail)
    throw refusal('email_taken', owner.id)
  await insertSubject(trx, owner.id, accountId)
  await recordIn(trx, {
    action: 'update',
    category: 'account',
    actor,
    resourceType: 'user',
    resourceId: String(owner.id),
    details: { changed: 'single_sign_on', issuer },
  })
  return owner
}

const rank: Record<Role, number> = { sysadmin: 2, admin: 1, user: 0 }

/** The highest role that any group grants; null if none does. */
export function roleOf({ roles }: Pick<SsoSettings, 'roles'>, groups: readonly string[]): Role | null {
  const given = roles.filter(({ group }) => groups.includes(group)).map(({ role }) => role)
  return given.sort((a, b) => rank[b] - rank[a])[0] ?? null
}

const messages: Record<SsoRefusal, string> = {
  deactivated: 'this account is deactivated',
  no_email: 'the provider gives no e-mail address for this person',
  not_verified: 'the provider has not verified the e-mail address of this person',
  email_taken: 'there is another account with this e-mail address',
  not_admitted: 'this person is not admitted here',
}

const refusal = (reason: SsoRefusal, userId?: number) =>
  new BoardroomError('access_denied', messages[reason], {
    details: { reason, ...(userId === undefined ? {} : { user_id: userId }) },
  })
