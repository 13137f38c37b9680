// What administrators can see and change about people, up to their own role. Every change is one transaction, in which
// the administrator's rights are checked again.
import type { Transaction } from 'kysely'
import { z } from 'zod'
import type {
  UserHoldings,
  UserListQuery,
  UserResponse,
  UserUpdate,
  UserUpdateResponse,
} from '../../../shared/api/people.ts'
import { transactionAs } from '../../audit/actor.ts'
import type { Db } from '../../database/database.ts'
import type { Tables } from '../../database/tables.ts'
import { BoardroomError } from '../../errors.ts'
import type { Actor, Role } from '../../principal.ts'
import { pageOf, positionOf } from '../../routing/cursor.ts'
import { liveLinksOf, setUserActive, setUserName } from '../queries.ts'
import { changeableUser, changeRole, type Disabled, deactivate, serviceIssuer } from '../users.ts'
import { findPeople, lockUsers, openInvitationsOf, type PersonRow, personById } from './queries.ts'

const rank: Readonly<Record<Role, number>> = { user: 0, admin: 1, sysadmin: 2 }

/** Whether somebody with role `own` may grant, change or revoke role `other`. */
export const reaches = (own: Role, other: Role): boolean => own !== 'user' && rank[own] >= rank[other]

export async function listPeople(
  db: Db,
  asker: Role,
  { limit, cursor, ...filter }: UserListQuery,
): Promise<{ items: UserResponse[]; next_cursor: string | null }> {
  const question = ['users', filter]
  const number = z.string().regex(/^\d{1,10}$/)
  const after = positionOf(question, cursor, { key: number, id: number })
  const rows = await findPeople(db, filter, Number(after?.id ?? 0), limit + 1)
  const page = pageOf(question, rows, limit, ({ id }) => ({ key: String(id), id: String(id) }))
  return { items: page.rows.map((row) => userResponse(row, asker)), next_cursor: page.next_cursor }
}

/** @throws BoardroomError not_found */
export async function readPerson(db: Db, asker: Role, id: number): Promise<UserResponse> {
  const row = await personById(db, id)
  if (row === undefined) throw new BoardroomError('not_found', 'there is no such user')
  return userResponse(row, asker)
}

/** What would end with an account, shown before it is deactivated. @throws BoardroomError not_found */
export async function holdingsOf(db: Db, id: number): Promise<UserHoldings> {
  const row = await personById(db, id)
  if (row === undefined) throw new BoardroomError('not_found', 'there is no such user')
  const links = await liveLinksOf(db, id)
  return { boards: row.boards, links, sessions: row.sessions, invitations: await openInvitationsOf(db, id) }
}

/**
 * Changes name, role and whether an account is active.
 * @throws BoardroomError not_found | access_denied (above the asker's role) | conflict (the last active sysadmin, the
 *   system actor, a name or role that is managed elsewhere, transfer_to cannot take over)
 */
export async function changePerson(
  db: Db,
  actor: Actor,
  askerId: number,
  id: number,
  { name, role, is_active, transfer_to }: UserUpdate,
): Promise<UserUpdateResponse> {
  const { disabled, asker } = await transactionAs(db, actor, async (trx) => {
    const asker = await requireReach(trx, askerId, id, role)
    const user = await changeableUser(trx, id)
    if (name !== undefined && name !== user.name) {
      if (user.issuer !== null) {
        throw new BoardroomError(
          'conflict',
          'name: this account is named by the application that it comes from',
        )
      }
      await setUserName(trx, id, name)
    }
    // Activate before changing the role and deactivate after it: only active sysadmins count.
    if (is_active === true && !user.is_active) await setUserActive(trx, id, true)
    if (role !== undefined && role !== user.role) await changeRole(trx, id, role)
    const disabled = is_active === false && user.is_active ? await deactivate(trx, id, transfer_to) : null
    return { disabled, asker }
  })
  const deactivation = disabled === null ? null : deactivationOf(disabled, transfer_to)
  return { ...(await readPerson(db, asker, id)), deactivation }
}

const deactivationOf = ({ boards, links, sessions, stoppedLinks }: Disabled, heir: number | undefined) => ({
  transferred_to: heir ?? null,
  ...{ boards, links, sessions },
  stopped_links: stoppedLinks,
})

/**
 * Checks that the asker may (still) change `id` and grant the role. Both rows stay locked.
 * @returns the role of the asker. @throws BoardroomError not_found | access_denied
 */
export async function requireReach(
  trx: Transaction<Tables>,
  askerId: number,
  id: number,
  role?: Role,
): Promise<Role> {
  const rows = await lockUsers(trx, [askerId, id])
  const asker = rows.find((row) => row.id === askerId)
  const user = rows.find((row) => row.id === id)
  if (asker === undefined || !asker.is_active || asker.role === 'user') {
    throw new BoardroomError('access_denied', 'only administrators may do this')
  }
  if (user === undefined) throw new BoardroomError('not_found', 'there is no such user')
  if (!reaches(asker.role, user.role)) {
    throw new BoardroomError('access_denied', 'only a sysadmin may change a sysadmin')
  }
  if (role !== undefined && !reaches(asker.role, role)) {
    throw new BoardroomError('access_denied', 'role: only a sysadmin can make somebody a sysadmin')
  }
  return asker.role
}

/** The same in a transaction of its own. */
export const requireReachNow = (db: Db, askerId: number, id: number): Promise<Role> =>
  db.transaction().execute((trx) => requireReach(trx, askerId, id))

const userResponse = (row: PersonRow, asker: Role): UserResponse => ({
  id: row.id,
  name: row.name,
  email: row.email,
  role: row.role,
  is_active: row.is_active,
  kind: row.issuer === null ? 'member' : row.issuer === serviceIssuer ? 'service' : 'foreign',
  issuer: row.issuer,
  external_id: row.external_id,
  two_factor_enabled: row.two_factor_enabled,
  has_password: Boolean(row.has_password),
  sessions: row.sessions,
  boards: row.boards,
  last_seen_at: row.last_seen_at?.toISOString() ?? null,
  created_at: row.created_at.toISOString(),
  may_change: reaches(asker, row.role),
})
