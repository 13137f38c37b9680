// The SQL of permissions, one question a function.
import { sql, type Transaction } from 'kysely'
import { systemEmail } from '../accounts/users.ts'
import type { Db } from '../database/database.ts'
import type { NewRow, Row, Tables } from '../database/tables.ts'

type Trx = Transaction<Tables>
export type PermissionRow = Row<'board_permissions'> & { user_name: string | null; user_email: string | null }

/** Gives a level, or changes the one that is there. @returns the row's id, and whether it is new. */
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
    // A row that this transaction inserted has no deleting transaction.
    .returning(['id', sql<boolean>`xmax = 0`.as('is_new')])
    .executeTakeFirstOrThrow()

const permissions = (db: Db) =>
  db
    .selectFrom('board_permissions as p')
    .leftJoin('users as u', 'u.id', 'p.user_id')
    .selectAll('p')
    .select(['u.name as user_name', 'u.email as user_email'])

export const permissionById = (db: Db, permissionId: number): Promise<PermissionRow | undefined> =>
  permissions(db).where('p.id', '=', permissionId).executeTakeFirst()

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

/** In the order in which they were first given. */
export const permissionsOf = (
  db: Db,
  boardId: string,
  afterId: number,
  limit: number,
): Promise<PermissionRow[]> =>
  permissions(db)
    .where('p.board_id', '=', boardId)
    .where('p.id', '>', afterId)
    .orderBy('p.id')
    .limit(limit)
    .execute()

/** @returns whether it was there. */
export const deletePermission = async (trx: Trx, boardId: string, permissionId: number): Promise<boolean> => {
  const { numDeletedRows } = await trx
    .deleteFrom('board_permissions')
    .where('id', '=', permissionId)
    .where('board_id', '=', boardId)
    .executeTakeFirst()
  return numDeletedRows > 0n
}

/** Whom something can be given: people. The system actor cannot sign in, and a board of its would be out of reach. */
const grantees = (db: Db) =>
  db.selectFrom('users').select(['id', 'is_active']).where('email', 'is distinct from', systemEmail)

export const granteeById = (db: Db, userId: number) =>
  grantees(db).where('id', '=', userId).limit(2).execute()

export const granteesByEmail = (db: Db, email: string) =>
  grantees(db).where(sql`lower(email)`, '=', sql`lower(${email})`).limit(2).execute()

/** An embedder has one issuer as a rule; with several, one external id may mean several people. */
export const granteesByExternalId = (db: Db, externalId: string) =>
  grantees(db).where('external_id', '=', externalId).limit(2).execute()
