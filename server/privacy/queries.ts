// The SQL for reading personal data, section by section. erase-queries.ts removes it.
import { type RawBuilder, sql, type Transaction } from 'kysely'
import type { Db } from '../database/database.ts'
import type { Tables } from '../database/tables.ts'

export type Trx = Transaction<Tables>

/** A user with an account, or a guest. */
export type Subject = { userId: number } | { guestId: string }

export interface SubjectRow {
  user_id: number | null
  guest_id: string | null
  name: string
  email: string | null
}

export const userSubject = (
  db: Db,
  which: { id: number } | { email: string },
): Promise<SubjectRow | undefined> =>
  db
    .selectFrom('users')
    .select((eb) => ['id as user_id', sql<null>`null`.as('guest_id'), 'name', eb.ref('email').as('email')])
    .where((eb) =>
      'id' in which ? eb('id', '=', which.id) : eb(sql`lower(email)`, '=', which.email.toLowerCase()),
    )
    .executeTakeFirst()

export const guestSubject = (db: Db, id: string): Promise<SubjectRow | undefined> =>
  db
    .selectFrom('guests')
    .select([sql<null>`null`.as('user_id'), 'id as guest_id', 'name', sql<null>`null`.as('email')])
    .where('id', '=', id)
    .executeTakeFirst()

export interface Section {
  name: string
  title: string
  /** One JSON object per row, in the column `row`. */
  query: RawBuilder<unknown>
}

export const principalOf = (subject: Subject): string =>
  'userId' in subject ? `user:${subject.userId}` : `guest:${subject.guestId}`

/** Everything about one person, most interesting first. Without secrets such as tokens and hashes. */
export function sectionsOf(subject: Subject): Section[] {
  const user = 'userId' in subject ? subject.userId : null
  const guest = 'guestId' in subject ? subject.guestId : null
  const principal = principalOf(subject)
  const t = (name: keyof Tables) => sql.table(name)
  const rows = (name: string, title: string, body: RawBuilder<unknown>): Section => ({
    name,
    title,
    query: sql`select to_jsonb(r) as row from (${body}) r`,
  })
  const mine = sql`(user_id = ${user}::integer or guest_id = ${guest}::uuid)`
  return [
    rows(
      'profile',
      'Account',
      user === null
        ? sql`select id, name, created_at, expires_at from ${t('guests')} where id = ${guest}::uuid`
        : sql`select id, name, email, email_verified, image, role, is_active, issuer, external_id, two_factor_enabled, created_at, updated_at
          from ${t('users')} where id = ${user}::integer`,
    ),
    rows(
      'sign_ins',
      'Ways to sign in',
      sql`select provider_id, scope, created_at, updated_at from ${t('accounts')} where user_id = ${user}::integer`,
    ),
    rows(
      'sessions',
      'Sessions',
      sql`select id, ip_address, user_agent, created_at, expires_at from ${t('sessions')} where user_id = ${user}::integer order by id`,
    ),
    rows(
      'consents',
      'Consents',
      sql`select * from ${t('consent_records')} where ${mine} order by accepted_at`,
    ),
    rows(
      'boards',
      'Boards',
      sql`select id, title, board_type, is_public, members_level, created_at, updated_at, deleted_at from ${t('boards')}
      where owner_id = ${user}::integer order by created_at`,
    ),
    rows(
      'permissions',
      'Permissions on boards of others',
      sql`select p.board_id, b.title, p.level, p.created_at, p.granted_by from ${t('board_permissions')} p
      join ${t('boards')} b on b.id = p.board_id where p.user_id = ${user}::integer order by p.id`,
    ),
    rows(
      'invitations',
      'Invitations to the address',
      sql`select i.board_id, i.level, i.created_at from ${t('board_invitations')} i
      join ${t('users')} u on lower(u.email) = i.email where u.id = ${user}::integer`,
    ),
    rows(
      'folders',
      'Folders',
      sql`select id, name, created_at from ${t('folders')} where owner_id = ${user}::integer order by created_at`,
    ),
    rows(
      'share_links',
      'Share links created',
      sql`select id, board_id, level, label, created_at, expires_at, revoked_at, uses from ${t('share_links')}
      where created_by = ${user}::integer order by created_at`,
    ),
    rows(
      'link_uses',
      'Share links used',
      sql`select u.link_id, l.board_id, u.name, u.first_used_at, u.revoked_at from ${t('share_link_uses')} u
      join ${t('share_links')} l on l.id = u.link_id where u.user_id = ${user}::integer or u.guest_id = ${guest}::uuid order by u.first_used_at`,
    ),
    rows(
      'access_requests',
      'Requests for access',
      sql`select board_id, level, message, created_at, answered_at, answer_level from ${t('access_requests')} where ${mine}`,
    ),
    rows(
      'stars',
      'Stars',
      sql`select board_id, created_at from ${t('board_stars')} where user_id = ${user}::integer`,
    ),
    rows(
      'library',
      'Personal library, and items added to the team library',
      sql`select name, user_id is null as of_the_team, elements, created_at from ${t('library_items')}
        where user_id = ${user}::integer or (user_id is null and created_by = ${user}::integer)`,
    ),
    rows(
      'threads',
      'Threads begun',
      sql`select id, board_id, created_by_name, created_at, resolved_at from ${t('threads')} where created_by = ${principal} order by created_at`,
    ),
    rows(
      'comments',
      'Comments',
      sql`select c.id, t.board_id, c.thread_id, c.author_name, c.body, c.created_at, c.edited_at, c.deleted_at from ${t('comments')} c
      join ${t('threads')} t on t.id = c.thread_id where c.author = ${principal} order by c.created_at`,
    ),
    rows(
      'mentions',
      'Mentioned in comments',
      sql`select m.comment_id, m.name, c.created_at from ${t('comment_mentions')} m
      join ${t('comments')} c on c.id = m.comment_id where m.principal = ${principal}`,
    ),
    rows(
      'drawn',
      'Edited boards',
      sql`select board_id, count(*) as client_ids, min(first_seen) as first_seen from ${t('board_authors')}
      where principal = ${principal} group by board_id`,
    ),
    rows(
      'files',
      'Files',
      sql`select board_id, id, mime, size, created_at from ${t('board_files')} where created_by = ${principal} order by created_at`,
    ),
    rows(
      'records',
      'Records written',
      sql`select board_id, template_code, variables, created_at, updated_at from ${t('board_records')}
      where created_by = ${user}::integer or updated_by = ${user}::integer order by created_at`,
    ),
    rows(
      'templates',
      'Templates',
      sql`select id, code, version, name, created_at, approved_at, approved_by from ${t('board_templates')}
      where created_by = ${user}::integer or approved_by = ${user}::integer order by created_at`,
    ),
    rows(
      'agent_grants',
      'Grants to agents',
      sql`select agent_name, board_id, can_create, can_read, can_update, can_delete, created_at, expires_at
      from ${t('user_agent_permissions')} where user_id = ${user}::integer`,
    ),
    rows(
      'trail',
      'Trail',
      sql`select id, timestamp, action, category, board_id, resource_type, resource_id, permission_level, old_values, new_values, details,
      ip_address, user_agent from ${t('audit_logs')}
      where ${mine} or (resource_type = 'user' and resource_id = ${user}::text) or (resource_type = 'guest' and resource_id = ${guest}::text) order by timestamp`,
    ),
  ]
}

/** Must come before any other query. */
export const beReadOnly = (trx: Trx) => sql`set transaction read only`.execute(trx)

/** The number of rows in a section. */
export const countOf = async (trx: Trx, { query }: Section): Promise<number> => {
  const { rows } = await sql<{ rows: string }>`select count(*) as rows from (${query}) counted`.execute(trx)
  return Number(rows[0]?.rows)
}

/** A section's rows in batches, without holding all of them. Inside a transaction, one section at a time. */
export async function* rowsOf(
  trx: Trx,
  { query }: Section,
  atOnce = 500,
): AsyncGenerator<Record<string, unknown>[]> {
  await sql`declare person_export no scroll cursor for ${query}`.execute(trx)
  try {
    for (;;) {
      const { rows } = await sql<{
        row: Record<string, unknown>
      }>`fetch ${sql.raw(String(atOnce))} from person_export`.execute(trx)
      if (rows.length === 0) return
      yield rows.map(({ row }) => row)
    }
  } finally {
    await sql`close person_export`.execute(trx).catch(() => undefined) // already closed by a failed transaction
  }
}
