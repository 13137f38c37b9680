// Threads, comments, who was told of them.
import type { ColumnType, Generated } from 'kysely'
import type { MaybeTime, Stamp } from './columns.ts'

export interface Anchor {
  x: number
  y: number
  element_id?: string | undefined
}

export interface ThreadsTable {
  id: Generated<string>
  board_id: string
  anchor: ColumnType<Anchor, Anchor, Anchor>
  /** Where on the anchor's element, in parts of its width and height; null both where it has none. */
  place_x: number | null
  place_y: number | null
  /** The author's own name for it, so that a retry writes nothing twice. */
  client_id: string | null
  /** `user:7`, `guest:<uuid>`, … */
  created_by: string
  created_by_name: string
  created_at: Stamp
  resolved_at: MaybeTime
  resolved_by: string | null
  resolved_by_name: string | null
}

export interface CommentsTable {
  id: Generated<string>
  thread_id: string
  client_id: string | null
  /** `user:7`, `guest:<uuid>`, … */
  author: string
  author_name: string
  author_label: string | null
  /** Empty once deleted. */
  body: string
  created_at: Stamp
  edited_at: MaybeTime
  deleted_at: MaybeTime
  deleted_by: string | null
  deleted_by_name: string | null
}

export interface CommentReadsTable {
  thread_id: string
  /** `user:7`, `guest:<uuid>`, … */
  reader: string
  read_at: Stamp
}

export interface CommentMentionsTable {
  comment_id: string
  /** `user:7` or `guest:<uuid>` */
  principal: string
  name: string
}

export interface NotificationsTable {
  id: Generated<string>
  /** `user:7` or `guest:<uuid>` */
  recipient: string
  kind: 'mention' | 'reply'
  board_id: string
  thread_id: string
  comment_id: string
  created_at: Stamp
  read_at: MaybeTime
  mailed_at: MaybeTime
}

export interface MailChoicesTable {
  user_id: number
  comments: boolean
  updated_at: Stamp
}
