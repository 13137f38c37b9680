// The SQL of the instance as a whole, one function per question.
import { sql } from 'kysely'
import type { Db } from '../database/database.ts'

export const titlesOf = async (db: Db, ids: readonly string[]): Promise<Map<string, string>> => {
  if (ids.length === 0) return new Map()
  const rows = await db.selectFrom('boards').select(['id', 'title']).where('id', 'in', ids).execute()
  return new Map(rows.map(({ id, title }) => [id, title]))
}

/** Newest first, up to `limit` before `before`. */
export const newestLinks = (db: Db, before: { at: Date; id: string } | null, limit: number) => {
  let query = db
    .selectFrom('share_links')
    .innerJoin('boards', 'boards.id', 'share_links.board_id')
    .leftJoin('users', 'users.id', 'share_links.created_by')
    .select([
      'share_links.id',
      'share_links.board_id',
      'boards.title as board_title',
      'share_links.label',
      'share_links.level',
      'share_links.revoked_at',
      'share_links.expires_at',
      'share_links.uses',
      'share_links.max_uses',
      'share_links.created_by',
      'users.name as created_by_name',
      'share_links.created_at',
      'share_links.last_used_at',
    ])
  if (before !== null)
    query = query.where(
      sql<boolean>`(date_trunc('milliseconds', share_links.created_at), share_links.id) < (${before.at}, ${before.id}::uuid)`,
    )
  return query
    .orderBy(sql`date_trunc('milliseconds', share_links.created_at)`, 'desc')
    .orderBy('share_links.id', 'desc')
    .limit(limit)
    .execute()
}

export const countsOf = async (db: Db) => {
  const { rows } = await sql<{
    active: number
    deactivated: number
    administrators: number
    live: number
    trash: number
    files_bytes: number
  }>`select
    (select count(*)::integer from ${sql.table('users')} where is_active and email is distinct from 'system@boardroom.invalid') as active,
    (select count(*)::integer from ${sql.table('users')} where not is_active) as deactivated,
    (select count(*)::integer from ${sql.table('users')} where is_active and role <> 'user') as administrators,
    (select count(*)::integer from ${sql.table('boards')} where deleted_at is null) as live,
    (select count(*)::integer from ${sql.table('boards')} where deleted_at is not null) as trash,
    (select coalesce(sum(octet_length(data)), 0)::float8 from ${sql.table('file_contents')}) as files_bytes`.execute(
    db,
  )
  const [counts] = rows
  if (counts === undefined) throw new Error('the query returned no counts')
  return counts
}
