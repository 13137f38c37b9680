// How everybody on a board hears of a change to its comments: which, and what happened to it, never what it says.
import type { BoardEvent } from '../../shared/protocol.ts'
import { notifyEvent } from '../boards/board-queries.ts'
import { BoardroomError } from '../errors.ts'
import type { CommentsDeps } from './deps.ts'

/** With the commit, or not at all. */
export const tell = (
  { schema }: Pick<CommentsDeps, 'schema'>,
  trx: Parameters<typeof notifyEvent>[0],
  boardId: string,
  threadId: string,
  commentId: string | null,
  change: Extract<BoardEvent, { type: 'comment' }>['change'],
) =>
  notifyEvent(trx, schema, boardId, { type: 'comment', thread_id: threadId, comment_id: commentId, change })

export const noThread = () => new BoardroomError('not_found', 'this board has no such thread')
