// The SQL of invitations.
import { sql, type Transaction } from 'kysely'
import type { Db } from '../../database/database.ts'
import type { NewRow, Tables } from '../../database/tables.ts'

type Trx = Transaction<Tables>

const invitations = (db: Db) =>
  db
    .selectFrom('invitations')
    .leftJoin('users as inviter', 'inviter.id', 'invitations.created_by')
    .selectAll('invitations')
    .select([
      'inviter.name as created_by_name',
      'inviter.role as inviter_role',
      'inviter.is_active as inviter_is_active',
    ])

export type InvitationRow = NonNullable<Awaited<ReturnType<typeof invitationById>>>

export const invitationById = (db: Db, id: string) =>
  invitations(db).where('invitations.id', '=', id).executeTakeFirst()

export const invitationByToken = (db: Db, sha256: Buffer) =>
  invitations(db).where('invitations.token_sha256', '=', sha256).executeTakeFirst()

/** Locked, so that of two people accepting at the same moment the second one waits and finds it accepted. */
export const lockInvitation = (trx: Trx, sha256: Buffer) =>
  trx.selectFrom('invitations').select('id').where('token_sha256', '=', sha256).forUpdate().executeTakeFirst()

export const newestInvitations = (db: Db, before: { at: Date; id: string } | null, limit: number) => {
  let query = invitations(db)
  if (before !== null)
    query = query.where(
      sql<boolean>`(date_trunc('milliseconds', invitations.created_at), invitations.id) < (${before.at}, ${before.id}::uuid)`,
    )
  return query
    .orderBy(sql`date_trunc('milliseconds', invitations.created_at)`, 'desc')
    .orderBy('invitations.id', 'desc')
    .limit(limit)
    .execute()
}

export const insertInvitation = (trx: Trx, row: NewRow<'invitations'>): Promise<{ id: string }> =>
  trx.insertInto('invitations').values(row).returning('id').executeTakeFirstOrThrow()

export const acceptInvitationRow = async (trx: Trx, id: string, userId: number): Promise<void> => {
  await trx
    .updateTable('invitations')
    .set({ accepted_at: sql<Date>`now()`, accepted_by: userId })
    .where('id', '=', id)
    .execute()
}

/** Nothing if it was already accepted or revoked. */
export const revokeInvitationRow = async (trx: Trx, id: string): Promise<void> => {
  await trx
    .updateTable('invitations')
    .set({ revoked_at: sql<Date>`now()` })
    .where('id', '=', id)
    .where('revoked_at', 'is', null)
    .where('accepted_at', 'is', null)
    .execute()
}
