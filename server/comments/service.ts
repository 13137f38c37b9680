// Comments for an embedder's own code: the functions that serve HTTP, behind people named by the embedder's ids.
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

/** Nobody with read marks, and above everybody. */
const ownCode: Reader = { principal: null, mayManage: true }

/** `by`: whom comments and trail name; the system by default. All throw BoardroomError, by the codes of the HTTP routes. */
export interface CommentsService<Person> {
  /** Begins a thread; with a `client_id` that was used before, it answers with what the first made. */
  create(thread: ThreadCreate & { boardId: string; by?: Person }): Promise<ThreadResponse>
  /** Answers in a thread. */
  reply(comment: CommentCreate & { boardId: string; threadId: string; by?: Person }): Promise<CommentResponse>
  /** Only the author of a comment may change it, in code too. */
  edit(change: CommentUpdate & { boardId: string; commentId: string; by?: Person }): Promise<CommentResponse>
  /** Anybody's: code may do what the owner may. */
  delete(which: { boardId: string; commentId: string; by?: Person }): Promise<void>
  resolve(change: {
    boardId: string
    threadId: string
    resolved: boolean
    by?: Person
  }): Promise<ThreadResponse>
  /** Newest first. `for`: whose unread comments are counted, and who `unread` and `mine` are about. */
  list(boardId: string, query?: Partial<ThreadListQuery> & { for?: Person }): Promise<Page<ThreadResponse>>
  read(boardId: string, threadId: string): Promise<ThreadResponse>
  /** The comments of a thread, first ones first. */
  comments(
    boardId: string,
    threadId: string,
    page?: { limit?: number; cursor?: string },
  ): Promise<Page<CommentResponse>>
  /** `reader` has read everything in the thread now. */
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
