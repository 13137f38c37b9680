// The SQL of people as administrators see them, one function per question.
import { sql, type Transaction } from 'kysely'
import type { UserListQuery } from '../../../shared/api/people.ts'
import { searchKeyOf } from '../../../shared/search-key.ts'
import type { Db } from '../../database/database.ts'
import type { Tables } from '../../database/tables.ts'
import { systemEmail } from '../users.ts'

type Trx = Transaction<Tables>

const people = (db: Db) =>
  db
    .selectFrom('users')
    .select([
      'users.id',
      'users.name',
      'users.email',
      'users.role',
      'users.is_active',
      'users.issuer',
      'users.external_id',
      'users.two_factor_enabled',
      'users.created_at',
    ])
    .select((eb) => [
      eb
        .exists(
          eb
            .selectFrom('accounts')
            .select('accounts.id')
            .whereRef('accounts.user_id', '=', 'users.id')
            .where('accounts.provider_id', '=', 'credential')
            .where('accounts.password', 'is not', null),
        )
        .as('has_password'),
      sql<number>`(select count(*)::integer from ${sql.table('sessions')} s where s.user_id = users.id and s.expires_at > now())`.as(
        'sessions',
      ),
      sql<Date | null>`(select max(greatest(s.created_at, s.updated_at)) from ${sql.table('sessions')} s where s.user_id = users.id and s.expires_at > now())`.as(
        'last_seen_at',
      ),
      sql<number>`(select count(*)::integer from ${sql.table('boards')} b where b.owner_id = users.id)`.as(
        'boards',
      ),
    ])
    // The system actor is not a person and cannot be changed.
    .where((eb) => eb.or([eb('users.email', 'is', null), eb('users.email', '!=', systemEmail)]))

export type PersonRow = NonNullable<Awaited<ReturnType<typeof personById>>>

export const personById = (db: Db, id: number) => people(db).where('users.id', '=', id).executeTakeFirst()

/** In order of creation, up to `limit` after `after`. */
export const findPeople = (
  db: Db,
  { q, role, active }: Pick<UserListQuery, 'q' | 'role' | 'active'>,
  after: number,
  limit: number,
) => {
  let query = people(db).where('users.id', '>', after)
  if (role !== undefined) query = query.where('users.role', '=', role)
  if (active !== undefined) query = query.where('users.is_active', '=', active === 'true')
  if (q !== undefined && q !== '') {
    const pattern = `%${searchKeyOf(q).replaceAll(/[\\%_]/g, '\\$&')}%`
    const key = sql.table('search_key')
    query = query.where(
      sql<boolean>`(${key}(${sql.ref('users.name')}) like ${pattern} or ${key}(${sql.ref('users.email')}) like ${pattern})`,
    )
  }
  return query.orderBy('users.id').limit(limit).execute()
}

/** Locks both rows in a fixed order, so that two people changing each other do not deadlock. */
export const lockUsers = (trx: Trx, ids: readonly number[]) =>
  trx
    .selectFrom('users')
    .select(['id', 'role', 'is_active', 'name', 'email'])
    .where('id', 'in', ids)
    .orderBy('id')
    .forUpdate()
    .execute()

export const openInvitationsOf = async (db: Db, userId: number): Promise<number> => {
  const { count } = await db
    .selectFrom('invitations')
    .select((eb) => eb.fn.countAll<string>().as('count'))
    .where('created_by', '=', userId)
    .where('accepted_at', 'is', null)
    .where('revoked_at', 'is', null)
    .where('expires_at', '>', sql<Date>`now()`)
    .executeTakeFirstOrThrow()
  return Number(count)
}
