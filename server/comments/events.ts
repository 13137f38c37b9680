// Notifies everybody on a board about changes to its comments. The notification names the comment and the change; a node
// that has the board open reads the comment once for all its connections, so that they do not have to.
import type { Logger } from 'pino'
import type { ThreadResponse } from '../../shared/api/comments.ts'
import type { BoardEvent } from '../../shared/protocol.ts'
import { notifyEvent } from '../boards/board-queries.ts'
import type { Db } from '../database/database.ts'
import { BoardroomError } from '../errors.ts'
import type { CommentsDeps, Reader } from './deps.ts'
import { commentById, threadById } from './queries.ts'
import { threadResponse } from './responses.ts'

export type CommentEvent = Extract<BoardEvent, { type: 'comment' }>

/** Only sent if the transaction commits. */
export const tell = (
  { schema }: Pick<CommentsDeps, 'schema'>,
  trx: Parameters<typeof notifyEvent>[0],
  boardId: string,
  threadId: string,
  commentId: string | null,
  change: CommentEvent['change'],
) =>
  notifyEvent(trx, schema, boardId, { type: 'comment', thread_id: threadId, comment_id: commentId, change })

export const noThread = () => new BoardroomError('not_found', 'this board has no such thread')

/**
 * @param send to everybody who has the board open here; with the current thread, or without if it cannot be read.
 * @returns a function that receives the notifications and sends those of a board in order.
 */
export function commentNews(
  { db, log }: { db: Db; log: Pick<Logger, 'warn'> },
  send: (boardId: string, event: CommentEvent) => void,
): (boardId: string, event: CommentEvent) => void {
  const last = new Map<string, Promise<void>>()
  const deliver = async (before: Promise<void> | undefined, boardId: string, event: CommentEvent) => {
    await before
    const thread = await threadNews(db, boardId, event.thread_id, event.comment_id).catch(
      (error: unknown) => {
        log.warn({ err: error, boardId }, 'a comment could not be read for the people on its board')
        return undefined
      },
    )
    send(boardId, thread === undefined ? event : { ...event, thread })
  }
  return (boardId, event) => {
    const sent = deliver(last.get(boardId), boardId, event)
      .catch((error: unknown) => log.warn({ err: error, boardId }, 'the change of a comment was not sent'))
      .finally(() => {
        if (last.get(boardId) === sent) last.delete(boardId)
      })
    last.set(boardId, sent)
  }
}

/** A neutral reader: everything that depends on the reader is left out. */
const nobody: Reader = { principal: null, mayManage: false }

/** The thread as everybody sees it, with the changed comment. Undefined if it no longer exists. */
async function threadNews(
  db: Db,
  boardId: string,
  threadId: string,
  commentId: string | null,
): Promise<ThreadResponse | undefined> {
  const row = await threadById(db, boardId, threadId, null)
  const comment = commentId === null ? undefined : await commentById(db, boardId, commentId)
  return row && threadResponse(row, comment === undefined ? [] : [comment], null, nobody)
}
