// Threads and comments as HTTP responses, and the cursor of a thread's next page.
import type { CommentResponse, ThreadResponse } from '../../shared/api/comments.ts'
import type { Position } from '../routing/cursor.ts'
import type { Reader } from './deps.ts'
import type { CommentRow, ThreadRow } from './queries.ts'

export const commentsQuestion = (threadId: string) => ['comments', threadId]
export const commentPosition = ({ key, id }: CommentRow): Position => ({ key, id })

export const commentResponse = (row: CommentRow, reader: Reader): CommentResponse => ({
  id: row.id,
  thread_id: row.thread_id,
  author: row.author,
  author_name: row.author_name,
  author_label: reader.mayManage ? row.author_label : null,
  body: row.body,
  mentions: row.mentions,
  client_id: row.author === reader.principal ? row.client_id : null,
  created_at: row.created_at.toISOString(),
  edited_at: row.edited_at?.toISOString() ?? null,
  deleted_at: row.deleted_at?.toISOString() ?? null,
  deleted_by: row.deleted_by,
  deleted_by_name: row.deleted_by_name,
})

export const threadResponse = (
  row: ThreadRow,
  comments: readonly CommentRow[],
  nextComments: string | null,
  reader: Reader,
): ThreadResponse => ({
  id: row.id,
  board_id: row.board_id,
  anchor: row.anchor,
  place: row.place_x === null || row.place_y === null ? null : { x: row.place_x, y: row.place_y },
  created_by: row.created_by,
  created_by_name: row.created_by_name,
  client_id: row.created_by === reader.principal ? row.client_id : null,
  created_at: row.created_at.toISOString(),
  resolved: row.resolved_at !== null,
  resolved_at: row.resolved_at?.toISOString() ?? null,
  resolved_by: row.resolved_by,
  resolved_by_name: row.resolved_by_name,
  comment_count: row.comment_count,
  last_comment_at: row.last_comment_at.toISOString(),
  unread_count: row.unread_count,
  mine: row.is_mine,
  comments: comments.map((comment) => commentResponse(comment, reader)),
  comments_cursor: nextComments,
})
