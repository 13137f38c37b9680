// The SQL of notifications, one function per question.
import { sql, type Transaction } from 'kysely'
import type { Db } from '../database/database.ts'
import type { Tables } from '../database/tables.ts'
import type { Candidate } from './people-queries.ts'

type Trx = Transaction<Tables>

/** Sets the mentions of a comment. */
export async function setMentions(
  trx: Trx,
  commentId: string,
  mentioned: readonly Candidate[],
): Promise<void> {
  await trx.deleteFrom('comment_mentions').where('comment_id', '=', commentId).execute()
  if (mentioned.length === 0) return
  await trx
    .insertInto('comment_mentions')
    .values(mentioned.map(({ id, name }) => ({ comment_id: commentId, principal: id, name })))
    .execute()
}

/** The most people notified of one comment. */
const mostTold = 200

/**
 * Creates a notification for everybody mentioned, and for everybody who wrote or was mentioned in the thread, except the
 * author. Whether they may still open the board is checked when they look, and again before anything is mailed.
 */
export async function tellPeople(
  trx: Trx,
  told: {
    boardId: string
    threadId: string
    commentId: string
    author: string
    mentioned: readonly Candidate[]
    onlyMentioned?: boolean
  },
): Promise<void> {
  const named = told.mentioned.map(({ id }) => id)
  const others =
    told.onlyMentioned === true
      ? sql``
      : sql`
    union all
    select author, 'reply' from ${sql.table('comments')} where thread_id = ${told.threadId}::uuid and deleted_at is null
    union all
    select m.principal, 'reply' from ${sql.table('comments')} c join ${sql.table('comment_mentions')} m on m.comment_id = c.id
      where c.thread_id = ${told.threadId}::uuid`
  await sql`
    insert into ${sql.table('notifications')} (recipient, kind, board_id, thread_id, comment_id)
    select recipient, min(kind), ${told.boardId}::uuid, ${told.threadId}::uuid, ${told.commentId}::uuid
    from (select unnest(${named}::text[]) as recipient, 'mention' as kind ${others}) everybody
    where recipient <> ${told.author} and recipient ~ '^(user|guest):'
    group by recipient order by min(kind), recipient limit ${mostTold}
    on conflict (comment_id, recipient) do nothing`.execute(trx)
}

/** Prevents mails about a deleted comment. */
export const withdrawn = (trx: Trx, commentId: string) =>
  trx.deleteFrom('notifications').where('comment_id', '=', commentId).execute()

export interface NotificationRow {
  id: string
  recipient: string
  kind: 'mention' | 'reply'
  board_id: string
  board_title: string
  thread_id: string
  comment_id: string
  author_name: string
  body: string
  created_at: Date
  read_at: Date | null
}

const columns = sql`
  n.id::text as id, n.recipient, n.kind, n.board_id, b.title as board_title, n.thread_id, n.comment_id,
  c.author_name, left(c.body, 400) as body, n.created_at, n.read_at`
const joined = sql`
  ${sql.table('notifications')} n join ${sql.table('boards')} b on b.id = n.board_id
  join ${sql.table('comments')} c on c.id = n.comment_id`

/** Newest first, before `before`. */
export const notificationsOf = async (
  db: Db,
  recipient: string,
  question: { unread: boolean; before: string | null; limit: number },
): Promise<NotificationRow[]> => {
  const { rows } = await sql<NotificationRow>`
    select ${columns} from ${joined}
    where n.recipient = ${recipient} ${question.unread ? sql`and n.read_at is null` : sql``}
      ${question.before === null ? sql`` : sql`and n.id < ${question.before}::bigint`}
    order by n.id desc limit ${question.limit}`.execute(db)
  return rows
}

/** @param ids null: all. */
export const setNotificationsRead = async (
  db: Db,
  recipient: string,
  ids: string[] | null,
): Promise<void> => {
  await sql`
    update ${sql.table('notifications')} set read_at = clock_timestamp()
    where recipient = ${recipient} and read_at is null
      ${ids === null ? sql`` : sql`and id = any (${ids}::bigint[])`}`.execute(db)
}

export const mailChoiceOf = async (db: Db, userId: number): Promise<boolean> =>
  (await db.selectFrom('mail_choices').select('comments').where('user_id', '=', userId).executeTakeFirst())
    ?.comments ?? true

/** @returns false if there is no such account. */
export const setMailChoice = async (db: Db, userId: number, comments: boolean): Promise<boolean> => {
  const { rows } = await sql`
    insert into ${sql.table('mail_choices')} (user_id, comments)
    select id, ${comments} from ${sql.table('users')} where id = ${userId}
    on conflict (user_id) do update set comments = excluded.comments, updated_at = now() returning 1`.execute(
    db,
  )
  return rows.length > 0
}

/**
 * Claims one person's notifications older than `minutes` for mailing, so that no other process sends them. People who do
 * not want mail, have no address or no longer exist are skipped.
 */
export const takeDigest = async (
  db: Db,
  minutes: number,
): Promise<{ userId: number; email: string; rows: NotificationRow[] } | null> => {
  const { rows } = await sql<NotificationRow & { user_id: number; email: string }>`
    with next as (
      select n.recipient, u.id as user_id, u.email from ${sql.table('notifications')} n
      join ${sql.table('users')} u on u.id = case when n.recipient ~ '^user:[0-9]{1,9}$' then substr(n.recipient, 6)::integer end
      where n.mailed_at is null and n.read_at is null and n.created_at < now() - make_interval(mins => ${minutes}::integer)
        and u.is_active and u.email is not null and u.email not like '%.invalid'
        and not exists (select from ${sql.table('mail_choices')} m where m.user_id = u.id and not m.comments)
      order by n.created_at limit 1 for update of n skip locked
    ), taken as (
      update ${sql.table('notifications')} n set mailed_at = clock_timestamp() from next
      where n.recipient = next.recipient and n.mailed_at is null and n.read_at is null
      returning n.*, next.user_id, next.email
    )
    select ${columns}, n.user_id, n.email from taken n join ${sql.table('boards')} b on b.id = n.board_id
    join ${sql.table('comments')} c on c.id = n.comment_id order by n.id`.execute(db)
  const [first] = rows
  return first === undefined ? null : { userId: first.user_id, email: first.email, rows }
}

/** Releases the notifications of a failed mail; those older than a day are then only shown on the page. */
export const giveBack = async (db: Db, ids: readonly string[]): Promise<void> => {
  await sql`
    update ${sql.table('notifications')} set mailed_at = null
    where id = any (${[...ids]}::bigint[]) and created_at > now() - interval '1 day'`.execute(db)
}
