// Threads and comments over HTTP. Each handler checks access, calls the service, and responds. Everybody who may see the
// board can read; everybody with the level comment can write.
import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi'
import type { Context } from 'hono'
import {
  CommentCreate,
  CommentResponse,
  CommentUpdate,
  MentionableQuery,
  MentionableResponse,
  ThreadCreate,
  ThreadListQuery,
  ThreadResponse,
  ThreadUpdate,
} from '../../shared/api/comments.ts'
import { listOf, PageQuery, Uuid } from '../../shared/api.ts'
import { requireLevel } from '../boards/require-level.ts'
import { BoardroomError } from '../errors.ts'
import { addressKey } from '../routing/addresses.ts'
import type { HttpEnv } from '../routing/context.ts'
import { errorAnswers, jsonAnswer, jsonBody, newRouter } from '../routing/router.ts'
import { createComment, deleteComment, editComment, listComments } from './comments.ts'
import { type CommentsDeps, type Reader, readerKey, type Writer, writerOf } from './deps.ts'
import { notificationRoutes } from './notification-routes.ts'
import { mentionablePeople } from './people.ts'
import { createThread, listThreads, readThread, readThrough, resolveThread } from './threads.ts'

const tags = ['comments']
const params = z.object({ board_id: Uuid })
const threadParams = params.extend({ thread_id: Uuid })
const commentParams = params.extend({ comment_id: Uuid })

export function commentRoutes(deps: CommentsDeps): OpenAPIHono<HttpEnv> {
  const router = newRouter()

  /** The asker as a reader. The first read within the hour is recorded in the trail before the response. */
  const reading = async (c: Context<HttpEnv>, boardId: string): Promise<Reader> => {
    const identity = c.get('identity')
    const { level, mayManage } = await requireLevel(deps.access, identity, boardId, 'view')
    await deps.audit.recordRead(c.get('actor'), boardId, 'threads', level)
    return { principal: readerKey(identity), mayManage }
  }
  const writing = async (c: Context<HttpEnv>, boardId: string): Promise<Writer> => {
    const identity = c.get('identity')
    const actor = c.get('actor')
    const writer = writerOf(identity, actor, await requireLevel(deps.access, identity, boardId, 'comment'))
    const key = readerKey(identity) ?? addressKey(actor.ip ?? '')
    if (!deps.writes.take(key)) {
      throw new BoardroomError('too_many_requests', 'too many comments at once; wait a moment', {
        details: { retry_after_ms: deps.writes.retryAfterMs(key) },
      })
    }
    return writer
  }

  router.openapi(
    createRoute({
      method: 'post',
      path: '/boards/{board_id}/threads',
      tags,
      summary: 'Start a thread at a place or on an element',
      request: { params, body: jsonBody(ThreadCreate) },
      responses: {
        201: jsonAnswer(ThreadResponse, 'The thread with its first comment.'),
        200: jsonAnswer(ThreadResponse, 'It already existed, with this client_id.'),
        ...errorAnswers(401, 403, 404, 409, 410, 413, 415),
      },
    }),
    async (c) => {
      const { board_id } = c.req.valid('param')
      const writer = await writing(c, board_id)
      const { thread, isNew } = await createThread(deps, writer, board_id, c.req.valid('json'))
      return isNew ? c.json(thread, 201) : c.json(thread, 200)
    },
  )

  router.openapi(
    createRoute({
      method: 'get',
      path: '/boards/{board_id}/threads',
      tags,
      summary: 'List threads, newest first',
      request: { params, query: ThreadListQuery },
      responses: { 200: jsonAnswer(listOf(ThreadResponse), 'One page.'), ...errorAnswers(401, 404, 410) },
    }),
    async (c) => {
      const { board_id } = c.req.valid('param')
      return c.json(await listThreads(deps, board_id, await reading(c, board_id), c.req.valid('query')), 200)
    },
  )

  router.openapi(
    createRoute({
      method: 'get',
      path: '/boards/{board_id}/threads/{thread_id}',
      tags,
      summary: 'One thread with its first comments',
      request: { params: threadParams },
      responses: { 200: jsonAnswer(ThreadResponse, 'The thread.'), ...errorAnswers(401, 404, 410) },
    }),
    async (c) => {
      const { board_id, thread_id } = c.req.valid('param')
      return c.json(await readThread(deps, board_id, thread_id, await reading(c, board_id)), 200)
    },
  )

  router.openapi(
    createRoute({
      method: 'patch',
      path: '/boards/{board_id}/threads/{thread_id}',
      tags,
      summary: 'Resolve a thread, or open it again',
      request: { params: threadParams, body: jsonBody(ThreadUpdate) },
      responses: {
        200: jsonAnswer(ThreadResponse, 'The current state; the first person to resolve it is kept.'),
        ...errorAnswers(401, 403, 404, 410, 413, 415),
      },
    }),
    async (c) => {
      const { board_id, thread_id } = c.req.valid('param')
      const writer = await writing(c, board_id)
      const { resolved } = c.req.valid('json')
      return c.json(await resolveThread(deps, writer, board_id, thread_id, resolved), 200)
    },
  )

  router.openapi(
    createRoute({
      method: 'get',
      path: '/boards/{board_id}/threads/{thread_id}/comments',
      tags,
      summary: 'List the comments of a thread, oldest first',
      request: { params: threadParams, query: PageQuery },
      responses: { 200: jsonAnswer(listOf(CommentResponse), 'One page.'), ...errorAnswers(401, 404, 410) },
    }),
    async (c) => {
      const { board_id, thread_id } = c.req.valid('param')
      const reader = await reading(c, board_id)
      return c.json(await listComments(deps, board_id, thread_id, reader, c.req.valid('query')), 200)
    },
  )

  router.openapi(
    createRoute({
      method: 'post',
      path: '/boards/{board_id}/threads/{thread_id}/comments',
      tags,
      summary: 'Reply in a thread',
      request: { params: threadParams, body: jsonBody(CommentCreate) },
      responses: {
        201: jsonAnswer(CommentResponse, 'The comment.'),
        200: jsonAnswer(CommentResponse, 'It already existed, with this client_id.'),
        ...errorAnswers(401, 403, 404, 409, 410, 413, 415),
      },
    }),
    async (c) => {
      const { board_id, thread_id } = c.req.valid('param')
      const writer = await writing(c, board_id)
      const { comment, isNew } = await createComment(deps, writer, board_id, thread_id, c.req.valid('json'))
      return isNew ? c.json(comment, 201) : c.json(comment, 200)
    },
  )

  router.openapi(
    createRoute({
      method: 'post',
      path: '/boards/{board_id}/threads/{thread_id}/read',
      tags,
      summary: 'Mark everything in a thread as read',
      description: 'For users and guests, also with the level view.',
      request: { params: threadParams },
      responses: { 204: { description: 'Read.' }, ...errorAnswers(401, 404, 410) },
    }),
    async (c) => {
      const { board_id, thread_id } = c.req.valid('param')
      const { principal } = await reading(c, board_id)
      if (principal === null)
        throw new BoardroomError('not_signed_in', 'sign in or open a share link to mark threads as read')
      await readThrough(deps, board_id, thread_id, principal)
      return c.body(null, 204)
    },
  )

  router.openapi(
    createRoute({
      method: 'patch',
      path: '/boards/{board_id}/comments/{comment_id}',
      tags,
      summary: 'Edit your own comment',
      request: { params: commentParams, body: jsonBody(CommentUpdate) },
      responses: {
        200: jsonAnswer(CommentResponse, 'The comment.'),
        ...errorAnswers(401, 403, 404, 409, 410, 413, 415),
      },
    }),
    async (c) => {
      const { board_id, comment_id } = c.req.valid('param')
      const writer = await writing(c, board_id)
      return c.json(await editComment(deps, writer, board_id, comment_id, c.req.valid('json')), 200)
    },
  )

  router.openapi(
    createRoute({
      method: 'delete',
      path: '/boards/{board_id}/comments/{comment_id}',
      tags,
      summary: 'Delete a comment: one’s own, or any for who manages the board',
      description: 'Its text is removed; that it existed, and who deleted it, is kept.',
      request: { params: commentParams },
      responses: { 204: { description: 'Deleted.' }, ...errorAnswers(401, 403, 404, 410) },
    }),
    async (c) => {
      const { board_id, comment_id } = c.req.valid('param')
      await deleteComment(deps, await writing(c, board_id), board_id, comment_id)
      return c.body(null, 204)
    },
  )

  router.openapi(
    createRoute({
      method: 'get',
      path: '/boards/{board_id}/mentionable',
      tags,
      summary: 'List people who may be mentioned in a comment',
      description:
        'Of the people who may open the board: its owner, people with a permission, people who used a link, and authors of comments; with `q`, and if you have an account, also members it is open to.',
      request: { params, query: MentionableQuery },
      responses: {
        200: jsonAnswer(z.object({ items: z.array(MentionableResponse) }), 'By name.'),
        ...errorAnswers(401, 403, 404, 410),
      },
    }),
    async (c) => {
      const { board_id } = c.req.valid('param')
      const identity = c.get('identity')
      await requireLevel(deps.access, identity, board_id, 'comment')
      return c.json({ items: await mentionablePeople(deps, identity, board_id, c.req.valid('query')) }, 200)
    },
  )

  router.route('/', notificationRoutes(deps))
  return router
}
