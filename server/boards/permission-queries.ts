// The SQL of permissions, one function per question.
import { sql, type Transaction } from 'kysely'
import type { Level } from '../../shared/levels.ts'
import { serviceIssuer, systemEmail } from '../accounts/users.ts'
import type { Db } from '../database/database.ts'
import type { NewRow, Row, Tables } from '../database/tables.ts'

type Trx = Transaction<Tables>
export interface PermissionRow extends Row<'board_permissions'> {
  kind: 'user' | 'everyone' | 'invitation'
  user_name: string | null
  /** The address of an invitation, as the inviter typed it. */
  user_email: string | null
}

/** Grants or changes a level. @returns the row's id, and whether it is new. */
export const upsertPermission = (
  trx: Trx,
  permission: NewRow<'board_permissions'>,
): Promise<{ id: number; is_new: boolean }> =>
  trx
    .insertInto('board_permissions')
    .values(permission)
    .onConflict((conflict) =>
      conflict
        .constraint('board_permissions_one_row')
        .doUpdateSet({ level: permission.level, granted_by: permission.granted_by ?? null }),
    )
    // A row that this transaction inserted has no deleting transaction (xmax).
    .returning(['id', sql<boolean>`xmax = 0`.as('is_new')])
    .executeTakeFirstOrThrow()

/** Invites an address, or changes the level of its invitation. @returns the row's id, and whether it is new. */
export const upsertInvitation = (
  trx: Trx,
  invitation: { board_id: string; email: string; level: Level; granted_by: number | null },
): Promise<{ id: number; is_new: boolean }> =>
  trx
    .insertInto('board_invitations')
    .values({ ...invitation, email: sql<string>`lower(${invitation.email})` })
    .onConflict((conflict) =>
      conflict
        .constraint('board_invitations_one_row')
        .doUpdateSet({ level: invitation.level, granted_by: invitation.granted_by }),
    )
    .returning(['id', sql<boolean>`xmax = 0`.as('is_new')])
    .executeTakeFirstOrThrow()

/** Permissions and invitations, whose ids come from one sequence. */
const permissions = (boardId: string) => sql`(
  select p.id, p.board_id, p.user_id, p.level, p.created_at, p.granted_by,
    case when p.user_id is null then 'everyone' else 'user' end as kind, u.name as user_name, u.email as user_email
  from ${sql.table('board_permissions')} p left join ${sql.table('users')} u on u.id = p.user_id
  where p.board_id = ${boardId}
  union all
  select i.id, i.board_id, null, i.level, i.created_at, i.granted_by, 'invitation', null, i.email
  from ${sql.table('board_invitations')} i where i.board_id = ${boardId})`

export const permissionById = async (
  db: Db,
  boardId: string,
  permissionId: number,
): Promise<PermissionRow | undefined> => {
  const { rows } = await sql<PermissionRow>`
    select * from ${permissions(boardId)} p where id = ${permissionId}`.execute(db)
  return rows[0]
}

/** Of one user, or of everyone (null). */
export const permissionIdOf = async (
  db: Db,
  boardId: string,
  userId: number | null,
): Promise<number | null> => {
  const row = await db
    .selectFrom('board_permissions')
    .select('id')
    .where('board_id', '=', boardId)
    .where('user_id', userId === null ? 'is' : '=', userId)
    .executeTakeFirst()
  return row?.id ?? null
}

/** In the order in which they were first granted. */
export const permissionsOf = async (
  db: Db,
  boardId: string,
  afterId: number,
  limit: number,
): Promise<PermissionRow[]> => {
  const { rows } = await sql<PermissionRow>`
    select * from ${permissions(boardId)} p where id > ${afterId} order by id limit ${limit}`.execute(db)
  return rows
}

/** @returns whether it existed. */
export const deletePermission = async (trx: Trx, boardId: string, permissionId: number): Promise<boolean> => {
  for (const table of ['board_permissions', 'board_invitations'] as const) {
    const { numDeletedRows } = await trx
      .deleteFrom(table)
      .where('id', '=', permissionId)
      .where('board_id', '=', boardId)
      .executeTakeFirst()
    if (numDeletedRows > 0n) return true
  }
  return false
}

/** Whether two people know each other because both own or have a permission on the same board. */
export async function shareBoard(db: Db, one: number, other: number): Promise<boolean> {
  const boardsOf = (userId: number) => sql`(
    select id as board_id from ${sql.table('boards')} where owner_id = ${userId} and deleted_at is null
    union select board_id from ${sql.table('board_permissions')} where user_id = ${userId})`
  const { rows } = await sql<{ shares: boolean }>`
    select exists (select from ${boardsOf(one)} a join ${boardsOf(other)} b using (board_id)) as shares`.execute(
    db,
  )
  return rows[0]?.shares === true
}

/** Possible grantees: people. The system actor cannot sign in, so its boards would be out of reach. */
const grantees = (db: Db) =>
  db.selectFrom('users').select(['id', 'is_active']).where('email', 'is distinct from', systemEmail)

export const granteeById = (db: Db, userId: number) =>
  grantees(db).where('id', '=', userId).limit(2).execute()

export const granteesByEmail = (db: Db, email: string) =>
  grantees(db).where(sql`lower(email)`, '=', sql`lower(${email})`).limit(2).execute()

/** An embedder usually has one issuer; with several, an external id may be ambiguous. */
export const granteesByExternalId = (db: Db, externalId: string, issuer?: string) => {
  const everywhere = grantees(db).where('external_id', '=', externalId).where('issuer', '<>', serviceIssuer)
  return (issuer === undefined ? everywhere : everywhere.where('issuer', '=', issuer)).limit(2).execute()
}

/** @returns how many rows. */
export const deletePermissionsOf = async (trx: Trx, boardId: string, userId: number): Promise<number> => {
  const { numDeletedRows } = await trx
    .deleteFrom('board_permissions')
    .where('board_id', '=', boardId)
    .where('user_id', '=', userId)
    .executeTakeFirst()
  return Number(numDeletedRows)
}
