// Starting, listing, resolving, reopening and reading threads. The caller has already checked the asker's rights; the
// database writes the trail, and everybody on the board is notified when a change is committed.
import { z } from 'zod'
import { type Point, placeOn } from '../../shared/anchor.ts'
import type { ThreadCreate, ThreadListQuery, ThreadResponse } from '../../shared/api/comments.ts'
import { transactionAs } from '../audit/actor.ts'
import { BoardroomError } from '../errors.ts'
import { cursorOf, pageOf, positionOf } from '../routing/cursor.ts'
import { writeComment } from './comments.ts'
import type { CommentsDeps, Reader, Writer } from './deps.ts'
import { noThread, tell } from './events.ts'
import { mentionedPeople } from './people.ts'
import {
  type CommentRow,
  countThreads,
  firstComments,
  insertThread,
  lockThread,
  markRead,
  setResolved,
  type ThreadRow,
  threadByClient,
  threadById,
  threadsStatement,
} from './queries.ts'
import { commentPosition, commentsQuestion, threadResponse } from './responses.ts'

/** How many comments a thread includes by default. */
const defaultComments = 50

/**
 * Starts a thread. Sent again with the same `client_id`, it returns the existing one.
 * @throws BoardroomError invalid_request (unknown element or people) | conflict (too many threads)
 */
export async function createThread(
  deps: CommentsDeps,
  writer: Writer,
  boardId: string,
  body: ThreadCreate,
): Promise<{ thread: ThreadResponse; isNew: boolean }> {
  const { anchor, client_id: clientId } = body
  const answer = async (threadId: string, isNew: boolean) => ({
    thread: await readThread(deps, boardId, threadId, writer),
    isNew,
  })
  const known = () =>
    clientId === undefined ? undefined : threadByClient(deps.db, boardId, writer.principal, clientId)
  const before = await known()
  if (before !== undefined) return answer(before, false)

  const place = body.place ?? null
  const onElement =
    anchor.element_id === undefined
      ? null
      : await placeOnElement(
          deps,
          boardId,
          anchor.element_id,
          place ?? { x: anchor.x, y: anchor.y },
          place !== null,
        )
  const mentioned = await mentionedPeople(deps, writer.identity, boardId, body.mentions ?? [])
  const most = deps.limits.maxThreadsPerBoard
  if ((await countThreads(deps.db, boardId, most)) >= most) {
    throw new BoardroomError(
      'conflict',
      `a board can have at most ${most} threads (BOARDROOM_MAX_THREADS_PER_BOARD); reply in an existing one`,
    )
  }
  const threadId = await transactionAs(deps.db, writer.actor, async (trx) => {
    const id = await insertThread(trx, {
      board_id: boardId,
      anchor,
      place_x: onElement?.x ?? null,
      place_y: onElement?.y ?? null,
      created_by: writer.principal,
      created_by_name: writer.name,
      client_id: clientId ?? null,
    })
    if (id === undefined) return undefined // the same thread was sent twice at once, and the other request was first
    const commentId = await writeComment(trx, writer, {
      boardId,
      threadId: id,
      body: body.body,
      mentioned,
    })
    await tell(deps, trx, boardId, id, commentId ?? null, 'created')
    return id
  })
  const made = threadId ?? (await known())
  if (made === undefined) throw new BoardroomError('conflict', 'this thread is being written; try again')
  return answer(made, threadId !== undefined)
}

/** @throws BoardroomError invalid_request if the document never had the element */
async function placeOnElement(
  { live, worker }: CommentsDeps,
  boardId: string,
  elementId: string,
  point: Point,
  isPlace: boolean,
): Promise<Point | null> {
  const { isThere, box } = await worker.run('element', { state: await live.document(boardId), id: elementId })
  if (!isThere) {
    throw new BoardroomError(
      'invalid_request',
      'anchor.element_id: this board has no such element; omit it to pin the thread only to the place',
      { details: { in: 'json', issues: [{ path: 'anchor.element_id', message: 'no such element' }] } },
    )
  }
  if (isPlace) return point
  return box === null ? null : placeOn(box, point)
}

/**
 * Resolves or reopens a thread. Idempotent.
 * @throws BoardroomError not_found
 */
export async function resolveThread(
  deps: CommentsDeps,
  writer: Writer,
  boardId: string,
  threadId: string,
  resolved: boolean,
): Promise<ThreadResponse> {
  await transactionAs(deps.db, writer.actor, async (trx) => {
    if ((await lockThread(trx, boardId, threadId)) === undefined) throw noThread()
    if (await setResolved(trx, threadId, resolved ? writer : null))
      await tell(deps, trx, boardId, threadId, null, resolved ? 'resolved' : 'reopened')
  })
  return readThread(deps, boardId, threadId, writer)
}

/** Marks everything in the thread as read, with its notifications. @throws BoardroomError not_found */
export async function readThrough(
  deps: Pick<CommentsDeps, 'db'>,
  boardId: string,
  threadId: string,
  reader: string,
): Promise<void> {
  if ((await threadById(deps.db, boardId, threadId, null)) === undefined) throw noThread()
  await deps.db.transaction().execute((trx) => markRead(trx, threadId, reader))
}

/** @throws BoardroomError not_found */
export async function readThread(
  deps: Pick<CommentsDeps, 'db'>,
  boardId: string,
  threadId: string,
  reader: Reader,
  comments = defaultComments,
): Promise<ThreadResponse> {
  const row = await threadById(deps.db, boardId, threadId, reader.principal)
  const [thread] = row === undefined ? [] : await withComments(deps, [row], reader, comments)
  if (thread === undefined) throw noThread()
  return thread
}

/** One page of a board's threads, newest first. @throws BoardroomError invalid_request (cursor) */
export async function listThreads(
  deps: Pick<CommentsDeps, 'db'>,
  boardId: string,
  reader: Reader,
  query: Partial<ThreadListQuery> & { limit: number },
): Promise<{ items: ThreadResponse[]; next_cursor: string | null }> {
  const question = {
    boardId,
    reader: reader.principal,
    open: query.open === undefined ? undefined : query.open === 'true',
    unread: query.unread === 'true',
    mine: query.mine === 'true',
  }
  const after = positionOf(question, query.cursor, { key: z.iso.datetime(), id: z.uuid() })
  const { rows } = await threadsStatement(question, after, query.limit + 1).execute(deps.db)
  const page = pageOf(question, rows, query.limit, (row) => ({ key: row.key, id: row.id }))
  const items = await withComments(deps, page.rows, reader, query.comments ?? defaultComments)
  return { items, next_cursor: page.next_cursor }
}

async function withComments(
  { db }: Pick<CommentsDeps, 'db'>,
  threads: readonly ThreadRow[],
  reader: Reader,
  most: number,
): Promise<ThreadResponse[]> {
  const ids = threads.map(({ id }) => id)
  const rows = await firstComments(db, ids, most)
  const byThread = new Map<string, CommentRow[]>()
  for (const row of rows) byThread.set(row.thread_id, [...(byThread.get(row.thread_id) ?? []), row])
  return threads.map((thread) => {
    const comments = byThread.get(thread.id) ?? []
    const last = comments.at(-1)
    const hasMore = last !== undefined && last.created_at < thread.last_comment_at
    const next = hasMore ? cursorOf(commentsQuestion(thread.id), commentPosition(last)) : null
    return threadResponse(thread, comments, next, reader)
  })
}
