// The SQL for personal data: reading it section by section, and removing it from every table.
import { type RawBuilder, sql, type Transaction } from 'kysely'
import type { Db } from '../database/database.ts'
import type { Tables } from '../database/tables.ts'

type Trx = Transaction<Tables>

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

const principalOf = (subject: Subject): string =>
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

const erased = 'Erased person'

/**
 * Removes the address from what others created for it. Run it before the trail is erased: it adds rows there, which are
 * found by the address.
 */
export async function eraseAddress(trx: Trx, userId: number): Promise<void> {
  const address = sql`(select lower(email) from ${sql.table('users')} where id = ${userId})`
  await sql`delete from ${sql.table('verifications')} where identifier ilike '%' || ${address} || '%'`.execute(
    trx,
  )
  await sql`update ${sql.table('invitations')} set email = null where lower(email) = ${address}`.execute(trx)
  await sql`delete from ${sql.table('board_invitations')} where email = ${address}`.execute(trx)
}

/** Removes a user's name and address from every table except the trail, and all their credentials. */
export async function eraseUser(trx: Trx, userId: number): Promise<void> {
  for (const table of [
    'sessions',
    'accounts',
    'two_factors',
    'board_stars',
    'mail_choices',
    'library_items',
  ] as const)
    await sql`delete from ${sql.table(table)} where user_id = ${userId}`.execute(trx)
  await trx.updateTable('access_requests').set({ message: null }).where('user_id', '=', userId).execute()
  await trx.updateTable('share_link_uses').set({ name: erased }).where('user_id', '=', userId).execute()
  await sql`
    update ${sql.table('agents')} set name = 'Agent ' || id, description = '', is_active = false where owner_id = ${userId}`.execute(
    trx,
  )
  await sql`
    update ${sql.table('users')} set name = ${erased}, image = null, is_active = false, email_verified = false,
      erased_at = coalesce(erased_at, now()),
      two_factor_enabled = false, ban_reason = null,
      email = case when email is null then null else 'erased-' || id || '@erased.invalid' end,
      external_id = case when external_id is null then null else 'erased-' || id end
    where id = ${userId}`.execute(trx)
}

/** The same for a guest, whose session ends. */
export async function eraseGuest(trx: Trx, guestId: string): Promise<void> {
  await trx.updateTable('access_requests').set({ message: null }).where('guest_id', '=', guestId).execute()
  await trx.updateTable('share_link_uses').set({ name: erased }).where('guest_id', '=', guestId).execute()
  await sql`update ${sql.table('guests')} set name = ${erased}, erased_at = coalesce(erased_at, now()), expires_at = least(expires_at, now()) where id = ${guestId}`.execute(
    trx,
  )
}

/** Mentions by others: `@Ada` becomes `@Erased person`. */
export const eraseMentions = (trx: Trx, subject: Subject) =>
  sql`
    update ${sql.table('comments')} c set body = replace(c.body, '@' || m.name, ${`@${erased}`})
    from ${sql.table('comment_mentions')} m where m.comment_id = c.id and m.principal = ${principalOf(subject)}`.execute(
    trx,
  )

/** Removes the labels of the user's links. Must run before the links are handed over. */
export const eraseLabels = (trx: Trx, userId: number) =>
  trx
    .updateTable('share_links')
    .set({ label: null })
    .where('created_by', '=', userId)
    .where('label', 'is not', null)
    .execute()

/** A user's agents, as principals in comments. */
export const agentsOf = async (trx: Trx, userId: number): Promise<string[]> => {
  const rows = await trx.selectFrom('agents').select('id').where('owner_id', '=', userId).execute()
  return rows.map(({ id }) => `agent:${id}`)
}

/**
 * Removes the person's name from webhook events, including comments that mention them. Must run before their mentions
 * are removed.
 */
export async function eraseFromWebhooks(trx: Trx, subject: Subject): Promise<void> {
  const principal = principalOf(subject)
  const guest = 'guestId' in subject ? subject.guestId : null
  const events = sql.table('webhook_events')
  await sql`
    update ${events} e set data = jsonb_set(e.data, '{body}', to_jsonb(replace(e.data ->> 'body', '@' || m.name, ${`@${erased}`})))
    from ${sql.table('comment_mentions')} m
    where m.principal = ${principal} and e.data ->> 'comment_id' = m.comment_id::text and e.data ? 'body'`.execute(
    trx,
  )
  for (const key of ['actor', 'person'])
    await sql`
      update ${events} set data = jsonb_set(data, array[${key}], (data -> ${key}) - 'external_id' || ${JSON.stringify({ name: erased })}::jsonb)
      where data -> ${key} ->> 'id' = ${principal} or data -> ${key} ->> 'guest_id' = ${guest}`.execute(trx)
  await sql`
    update ${events} set data = jsonb_set(data, '{author_name}', ${JSON.stringify(erased)}::jsonb)
    where data ->> 'author' = ${principal}`.execute(trx)
}

/** Consents are kept as evidence; IP address and browser are removed, and valid ones are withdrawn. */
export async function eraseConsents(trx: Trx, subject: Subject): Promise<void> {
  const mine =
    'userId' in subject ? sql`user_id = ${subject.userId}` : sql`guest_id = ${subject.guestId}::uuid`
  await sql`update ${sql.table('consent_records')} set withdrawn_at = greatest(now(), accepted_at) where withdrawn_at is null and ${mine}`.execute(
    trx,
  )
  await sql`select set_config('boardroom.erasing', gen_random_uuid()::text, true)`.execute(trx)
  await sql`update ${sql.table('consent_records')} set ip_address = null, user_agent = null where ${mine}`.execute(
    trx,
  )
  await sql`select set_config('boardroom.erasing', '', true)`.execute(trx)
}
