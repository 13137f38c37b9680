// Comments for an embedder's code: the functions that serve HTTP, with people named by the embedder's ids.
import type {
  CommentCreate,
  CommentResponse,
  CommentUpdate,
  ThreadCreate,
  ThreadListQuery,
  ThreadResponse,
} from '../../shared/api/comments.ts'
import { createComment, deleteComment, editComment, listComments } from './comments.ts'
import type { CommentsDeps, Reader, Writer } from './deps.ts'
import { createThread, listThreads, readThread, readThrough, resolveThread } from './threads.ts'

interface Page<Item> {
  items: Item[]
  next_cursor: string | null
}

/** Has no read marks, and sees everything. */
const ownCode: Reader = { principal: null, mayManage: true }

/** `by` is the author in comments and the trail; the system by default. All throw BoardroomError with the codes of the HTTP routes. */
export interface CommentsService<Person> {
  /** Starts a thread; if the `client_id` was used before, it returns the existing one. */
  create(thread: ThreadCreate & { boardId: string; by?: Person }): Promise<ThreadResponse>
  /** Replies in a thread. */
  reply(comment: CommentCreate & { boardId: string; threadId: string; by?: Person }): Promise<CommentResponse>
  /** Only the author of a comment may change it, even in code. */
  edit(change: CommentUpdate & { boardId: string; commentId: string; by?: Person }): Promise<CommentResponse>
  /** Deletes anybody's comment: code may do what the owner may. */
  delete(which: { boardId: string; commentId: string; by?: Person }): Promise<void>
  resolve(change: {
    boardId: string
    threadId: string
    resolved: boolean
    by?: Person
  }): Promise<ThreadResponse>
  /** Newest first. `for`: whose unread comments are counted, and whom `unread` and `mine` refer to. */
  list(boardId: string, query?: Partial<ThreadListQuery> & { for?: Person }): Promise<Page<ThreadResponse>>
  read(boardId: string, threadId: string): Promise<ThreadResponse>
  /** The comments of a thread, oldest first. */
  comments(
    boardId: string,
    threadId: string,
    page?: { limit?: number; cursor?: string },
  ): Promise<Page<CommentResponse>>
  /** Marks everything in the thread as read by `reader`. */
  markRead(boardId: string, threadId: string, reader: Person): Promise<void>
}

/** @param writerFor somebody as a writer; undefined: the system */
export function commentsService<Person>(
  deps: CommentsDeps,
  writerFor: (person: Person | undefined) => Promise<Writer>,
): CommentsService<Person> {
  return {
    create: async ({ boardId, by, ...body }) =>
      (await createThread(deps, await writerFor(by), boardId, body)).thread,
    reply: async ({ boardId, threadId, by, ...body }) =>
      (await createComment(deps, await writerFor(by), boardId, threadId, body)).comment,
    edit: async ({ boardId, commentId, by, ...body }) =>
      editComment(deps, await writerFor(by), boardId, commentId, body),
    delete: async ({ boardId, commentId, by }) =>
      deleteComment(deps, await writerFor(by), boardId, commentId),
    resolve: async ({ boardId, threadId, resolved, by }) =>
      resolveThread(deps, await writerFor(by), boardId, threadId, resolved),
    async list(boardId, { for: person, ...query } = {}) {
      const reader = person === undefined ? ownCode : await writerFor(person)
      return listThreads(deps, boardId, reader, { limit: 100, ...query })
    },
    read: (boardId, threadId) => readThread(deps, boardId, threadId, ownCode),
    comments: (boardId, threadId, page) =>
      listComments(deps, boardId, threadId, ownCode, { limit: 100, ...page }),
    markRead: async (boardId, threadId, reader) =>
      readThrough(deps, boardId, threadId, (await writerFor(reader)).principal),
  }
}
