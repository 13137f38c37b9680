// Notifications over HTTP, the mail preference, and the unsubscribe URL.
import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi'
import {
  MailChoice,
  MailChoiceResponse,
  NotificationQuery,
  NotificationResponse,
  NotificationsRead,
} from '../../shared/api/comments.ts'
import { listOf } from '../../shared/api.ts'
import { BoardroomError } from '../errors.ts'
import type { Identity } from '../principal.ts'
import type { HttpEnv } from '../routing/context.ts'
import { errorAnswers, jsonAnswer, jsonBody, newRouter } from '../routing/router.ts'
import type { CommentsDeps } from './deps.ts'
import { userOfStopToken } from './mail-stop.ts'
import { mailChoiceOf, setMailChoice, setNotificationsRead } from './notification-queries.ts'
import { listNotifications, recipientOf } from './notifications.ts'

const tags = ['notifications']

export function notificationRoutes(deps: CommentsDeps): OpenAPIHono<HttpEnv> {
  const router = newRouter()

  router.openapi(
    createRoute({
      method: 'get',
      path: '/me/notifications',
      tags,
      summary: 'List notifications: comments that mention you, and replies in your threads',
      description: 'Only of boards that you may still open. A page may be shorter than its limit.',
      request: { query: NotificationQuery },
      responses: {
        200: jsonAnswer(listOf(NotificationResponse), 'One page, newest first.'),
        ...errorAnswers(401, 403),
      },
    }),
    async (c) => {
      const { unread, ...page } = c.req.valid('query')
      return c.json(
        await listNotifications(deps, c.get('identity'), { ...page, unread: unread === 'true' }),
        200,
      )
    },
  )

  router.openapi(
    createRoute({
      method: 'post',
      path: '/me/notifications/read',
      tags,
      summary: 'Mark notifications as read',
      request: { body: jsonBody(NotificationsRead) },
      responses: { 204: { description: 'Read.' }, ...errorAnswers(401, 403, 413, 415) },
    }),
    async (c) => {
      const { ids } = c.req.valid('json')
      await setNotificationsRead(deps.db, recipientOf(c.get('identity')), ids ?? null)
      return c.body(null, 204)
    },
  )

  router.openapi(
    createRoute({
      method: 'get',
      path: '/me/mail',
      tags,
      summary: 'Whether you receive comments by mail',
      responses: { 200: jsonAnswer(MailChoiceResponse, 'As it is.'), ...errorAnswers(401, 403) },
    }),
    async (c) => {
      const comments = await mailChoiceOf(deps.db, accountOf(c.get('identity')))
      return c.json({ comments, server_mails: deps.mails }, 200)
    },
  )

  router.openapi(
    createRoute({
      method: 'put',
      path: '/me/mail',
      tags,
      summary: 'Choose whether you receive comments by mail',
      request: { body: jsonBody(MailChoice) },
      responses: {
        200: jsonAnswer(MailChoiceResponse, 'The current setting.'),
        ...errorAnswers(401, 403, 413, 415),
      },
    }),
    async (c) => {
      const { comments } = c.req.valid('json')
      await setMailChoice(deps.db, accountOf(c.get('identity')), comments)
      return c.json({ comments, server_mails: deps.mails }, 200)
    },
  )

  const stopRequest = { query: z.strictObject({ token: z.string().max(100) }) }
  const page = { 'text/html': { schema: z.string() } }

  router.openapi(
    createRoute({
      method: 'get',
      path: '/mail/stop',
      tags,
      summary: 'The unsubscribe page, with one button',
      request: stopRequest,
      responses: { 200: { description: 'A page.', content: page }, ...errorAnswers(404) },
    }),
    (c) => {
      const { token } = c.req.valid('query')
      if (userOfStopToken(deps.secret, token) === null) throw notOurs()
      // A GET changes nothing, because mail programs and virus scanners open every link in a mail.
      return c.html(
        pageOf('Mails about comments', '<form method="post"><button>Stop these mails</button></form>'),
        200,
      )
    },
  )

  router.openapi(
    createRoute({
      method: 'post',
      path: '/mail/stop',
      tags,
      summary: 'Unsubscribe the account named by the URL (RFC 8058)',
      request: stopRequest,
      responses: {
        200: { description: 'Stopped; a page that says so.', content: page },
        ...errorAnswers(404),
      },
    }),
    async (c) => {
      const userId = userOfStopToken(deps.secret, c.req.valid('query').token)
      if (userId === null) throw notOurs()
      await setMailChoice(deps.db, userId, false)
      return c.html(
        pageOf(
          'Stopped',
          '<p>You will get no more mails about comments. You can still read them on your boards.</p>',
        ),
        200,
      )
    },
  )

  return router
}

const notOurs = () =>
  new BoardroomError('not_found', 'this link is not valid; use the last line of a newer mail')

function accountOf(identity: Identity): number {
  recipientOf(identity)
  if (identity.principal.kind !== 'user')
    throw new BoardroomError('access_denied', 'only people with an account receive mails')
  return identity.principal.userId
}

const pageOf = (title: string, body: string): string =>
  `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>${title} · Boardroom</title><h1>${title}</h1>${body}</html>`
