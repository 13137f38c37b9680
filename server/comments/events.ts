// How everybody on a board hears of a change to its comments. The notification says which, and what happened to it; a
// node that has the board open reads once what it says, for all who are there, so that none of them has to ask.
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

/** With the commit, or not at all. */
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
 * @param send to everybody who has the board open here; with the thread as it is now, or without where it cannot be read.
 * @returns what takes the notifications, and sends those of a board in their order.
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
        log.warn({ err: error, boardId }, 'a comment could not be read for those who are on its board')
        return undefined
      },
    )
    send(boardId, thread === undefined ? event : { ...event, thread })
  }
  return (boardId, event) => {
    const sent = deliver(last.get(boardId), boardId, event)
      .catch((error: unknown) => log.warn({ err: error, boardId }, 'the news of a comment were not sent'))
      .finally(() => {
        if (last.get(boardId) === sent) last.delete(boardId)
      })
    last.set(boardId, sent)
  }
}

/** Who has read nothing and manages nothing: what concerns one alone is left out. */
const nobody: Reader = { principal: null, mayManage: false }

/** The thread as it is shown to everybody, with the comment that the news is about. Undefined where it is gone. */
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
