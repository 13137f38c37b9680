// Comments of a thread: written only once even if sent repeatedly, edited by their authors, deleted by their authors and
// managers of the board. People who are mentioned or replied to are notified.
import type { Transaction } from 'kysely'
import { z } from 'zod'
import type { CommentCreate, CommentResponse, CommentUpdate } from '../../shared/api/comments.ts'
import { transactionAs } from '../audit/actor.ts'
import type { Tables } from '../database/tables.ts'
import { BoardroomError } from '../errors.ts'
import { pageOf, positionOf } from '../routing/cursor.ts'
import type { CommentsDeps, Reader, Writer } from './deps.ts'
import { noThread, tell } from './events.ts'
import { setMentions, tellPeople, withdrawn } from './notification-queries.ts'
import { mentionedPeople } from './people.ts'
import type { Candidate } from './people-queries.ts'
import {
  commentByClient,
  commentById,
  commentsOf,
  countComments,
  insertComment,
  lockThread,
  setBody,
  setDeleted,
  threadById,
} from './queries.ts'
import { commentPosition, commentResponse, commentsQuestion } from './responses.ts'

/**
 * Replies in a thread. Sent again with the same `client_id`, it returns the existing comment.
 * @throws BoardroomError not_found | invalid_request (unknown people) | conflict (too many comments)
 */
export async function createComment(
  deps: CommentsDeps,
  writer: Writer,
  boardId: string,
  threadId: string,
  { body, mentions, client_id: clientId }: CommentCreate,
): Promise<{ comment: CommentResponse; isNew: boolean }> {
  const known = () =>
    clientId === undefined ? undefined : commentByClient(deps.db, threadId, writer.principal, clientId)
  const before =
    (await threadById(deps.db, boardId, threadId, null)) === undefined ? undefined : await known()
  if (before !== undefined) return { comment: await readComment(deps, writer, boardId, before), isNew: false }
  const mentioned = await mentionedPeople(deps, writer.identity, boardId, mentions ?? [])
  const most = deps.limits.maxCommentsPerThread
  const commentId = await transactionAs(deps.db, writer.actor, async (trx) => {
    if ((await lockThread(trx, boardId, threadId)) === undefined) throw noThread()
    if ((await countComments(trx, threadId)) >= most) {
      throw new BoardroomError(
        'conflict',
        `a thread can have at most ${most} comments (BOARDROOM_MAX_COMMENTS_PER_THREAD); start another`,
      )
    }
    const id = await writeComment(trx, writer, { boardId, threadId, body, mentioned, clientId })
    if (id !== undefined) await tell(deps, trx, boardId, threadId, id, 'created')
    return id
  })
  const made = commentId ?? (await known())
  if (made === undefined) throw new BoardroomError('conflict', 'this comment is being written; try again')
  return { comment: await readComment(deps, writer, boardId, made), isNew: commentId !== undefined }
}

/** Writes the comment, its mentions, and notifications. @returns undefined if a comment with its client id exists */
export async function writeComment(
  trx: Transaction<Tables>,
  writer: Writer,
  comment: {
    boardId: string
    threadId: string
    body: string
    mentioned: readonly Candidate[]
    clientId?: string | undefined
  },
): Promise<string | undefined> {
  const { boardId, threadId, mentioned } = comment
  const id = await insertComment(trx, {
    thread_id: threadId,
    author: writer.principal,
    author_name: writer.name,
    author_label: writer.label,
    body: comment.body,
    client_id: comment.clientId ?? null,
  })
  if (id === undefined) return undefined
  await setMentions(trx, id, mentioned)
  await tellPeople(trx, { boardId, threadId, commentId: id, author: writer.principal, mentioned })
  return id
}

/**
 * Replaces the text with `body`, and notifies newly mentioned people.
 * @throws BoardroomError not_found | access_denied (somebody else's) | conflict (deleted) | invalid_request
 */
export async function editComment(
  deps: CommentsDeps,
  writer: Writer,
  boardId: string,
  commentId: string,
  { body, mentions }: CommentUpdate,
): Promise<CommentResponse> {
  const comment = await ownComment(deps, writer, boardId, commentId)
  const mentioned =
    mentions === undefined ? null : await mentionedPeople(deps, writer.identity, boardId, mentions)
  await transactionAs(deps.db, writer.actor, async (trx) => {
    if (!(await setBody(trx, commentId, body)))
      throw new BoardroomError('conflict', 'this comment is deleted')
    if (mentioned !== null) {
      await setMentions(trx, commentId, mentioned)
      const told = { boardId, threadId: comment.thread_id, commentId, author: writer.principal, mentioned }
      await tellPeople(trx, { ...told, onlyMentioned: true })
    }
    await tell(deps, trx, boardId, comment.thread_id, commentId, 'updated')
  })
  return readComment(deps, writer, boardId, commentId)
}

async function ownComment(deps: CommentsDeps, writer: Writer, boardId: string, commentId: string) {
  const comment = await commentById(deps.db, boardId, commentId)
  if (comment === undefined) throw noComment()
  if (comment.author !== writer.principal)
    throw new BoardroomError('access_denied', 'only the author of a comment may change it')
  return comment
}

/**
 * Removes the text of a comment; that it existed, and who deleted it, is kept. Idempotent.
 * @throws BoardroomError not_found | access_denied (somebody else's, and the asker does not manage the board)
 */
export async function deleteComment(
  deps: CommentsDeps,
  writer: Writer,
  boardId: string,
  commentId: string,
): Promise<void> {
  const comment = await commentById(deps.db, boardId, commentId)
  if (comment === undefined) throw noComment()
  if (comment.author !== writer.principal && !writer.mayManage) {
    throw new BoardroomError(
      'access_denied',
      'only the author of a comment, the owner of the board or an administrator may delete it',
    )
  }
  await transactionAs(deps.db, writer.actor, async (trx) => {
    if (!(await setDeleted(trx, commentId, writer))) return
    await withdrawn(trx, commentId)
    await tell(deps, trx, boardId, comment.thread_id, commentId, 'deleted')
  })
}

/** One page of a thread, oldest comments first. @throws BoardroomError not_found | invalid_request (cursor) */
export async function listComments(
  deps: Pick<CommentsDeps, 'db'>,
  boardId: string,
  threadId: string,
  reader: Reader,
  query: { limit: number; cursor?: string | undefined },
): Promise<{ items: CommentResponse[]; next_cursor: string | null }> {
  if ((await threadById(deps.db, boardId, threadId, null)) === undefined) throw noThread()
  const question = commentsQuestion(threadId)
  const after = positionOf(question, query.cursor, { key: z.iso.datetime(), id: z.uuid() })
  const rows = await commentsOf(deps.db, threadId, after, query.limit + 1)
  const page = pageOf(question, rows, query.limit, commentPosition)
  return { items: page.rows.map((row) => commentResponse(row, reader)), next_cursor: page.next_cursor }
}

async function readComment(
  deps: Pick<CommentsDeps, 'db'>,
  writer: Writer,
  boardId: string,
  commentId: string,
): Promise<CommentResponse> {
  const row = await commentById(deps.db, boardId, commentId)
  if (row === undefined) throw noComment()
  return commentResponse(row, writer)
}

const noComment = () => new BoardroomError('not_found', 'this board has no such comment')
