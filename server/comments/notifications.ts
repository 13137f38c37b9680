// Notifications: comments that mention somebody, and replies in their threads. They are shown only while the person may
// open the board; once access is revoked, even earlier notifications are hidden.
import { z } from 'zod'
import type { NotificationResponse } from '../../shared/api/comments.ts'
import { subjectOf } from '../boards/access.ts'
import { BoardroomError } from '../errors.ts'
import type { Identity } from '../principal.ts'
import { pageOf, positionOf } from '../routing/cursor.ts'
import { type CommentsDeps, readerKey } from './deps.ts'
import { type NotificationRow, notificationsOf } from './notification-queries.ts'

/** @throws BoardroomError not_signed_in (nobody known) | access_denied (a ticket, which is only valid for its board) */
export function recipientOf(identity: Identity): string {
  if (identity.boardId !== null)
    throw new BoardroomError('access_denied', 'a ticket is only valid for its own board')
  const recipient = readerKey(identity)
  if (recipient === null || recipient.startsWith('agent:'))
    throw new BoardroomError('not_signed_in', 'sign in or open a share link to see your notifications')
  return recipient
}

/** One page, newest first; it may be shorter than its limit. @throws BoardroomError invalid_request (cursor) */
export async function listNotifications(
  deps: Pick<CommentsDeps, 'db' | 'access'>,
  identity: Identity,
  query: { unread: boolean; limit: number; cursor?: string | undefined },
): Promise<{ items: NotificationResponse[]; next_cursor: string | null }> {
  const recipient = recipientOf(identity)
  const question = ['notifications', recipient, query.unread]
  const after = positionOf(question, query.cursor, { key: z.literal(''), id: z.string().regex(/^\d{1,18}$/) })
  const rows = await notificationsOf(deps.db, recipient, {
    unread: query.unread,
    before: after?.id ?? null,
    limit: query.limit + 1,
  })
  const page = pageOf(question, rows, query.limit, (row) => ({ key: '', id: row.id }))
  const boardIds = [...new Set(page.rows.map((row) => row.board_id))]
  const decisions = await deps.access.decide(boardIds.map((boardId) => subjectOf(identity, boardId)))
  const open = new Set(boardIds.filter((_, index) => (decisions[index]?.level ?? null) !== null))
  return {
    items: page.rows.filter((row) => open.has(row.board_id)).map(notificationResponse),
    next_cursor: page.next_cursor,
  }
}

const notificationResponse = (row: NotificationRow): NotificationResponse => ({
  id: row.id,
  kind: row.kind,
  board_id: row.board_id,
  board_title: row.board_title,
  thread_id: row.thread_id,
  comment_id: row.comment_id,
  author_name: row.author_name,
  excerpt: excerptOf(row.body),
  created_at: row.created_at.toISOString(),
  read_at: row.read_at?.toISOString() ?? null,
})

/** One notification. */
export const excerptOf = (body: string): string => {
  const line = body.replace(/\s+/gu, ' ').trim()
  return line.length <= 200
    ? line
    : `${line
        .slice(0, 199)
        .toWellFormed()
        .replace(/\ufffd$/, '')}…`
}
