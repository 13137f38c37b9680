// The SQL for removing personal data from every table.
import { sql } from 'kysely'
import { principalOf, type Subject, type Trx } from './queries.ts'

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
