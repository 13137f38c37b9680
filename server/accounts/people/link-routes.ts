// Invitations and password-reset links over HTTP. Routes that need no sign-in require the secret of a link.
import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi'
import {
  InvitationAccept,
  InvitationCreate,
  InvitationPreview,
  InvitationResponse,
  LinkToken,
  PasswordResetAsk,
  PasswordResetPreview,
  PasswordResetUse,
} from '../../../shared/api/people.ts'
import { listOf, PageQuery, SignInResponse, Uuid } from '../../../shared/api.ts'
import { BoardroomError } from '../../errors.ts'
import { addressKey } from '../../routing/addresses.ts'
import type { HttpEnv } from '../../routing/context.ts'
import { errorAnswers, jsonAnswer, jsonBody, newRouter } from '../../routing/router.ts'
import { requireAdministrator } from '../administrators.ts'
import { passwordsOff } from '../forward.ts'
import { guess, type SignInDeps, signIn } from '../sign-in.ts'
import type { PeopleDeps } from './deps.ts'
import {
  acceptInvitation,
  createInvitation,
  listInvitations,
  previewInvitation,
  revokeInvitation,
} from './invitations.ts'
import { previewReset, resetByMail, setPasswordByLink } from './password-resets.ts'

const tags = ['accounts']

/** `/invitations` and `/password-resets`. */
export function personLinkRoutes(deps: PeopleDeps & SignInDeps): OpenAPIHono<HttpEnv> {
  const { db } = deps
  const router = newRouter()
  const needsPasswords = () => {
    if (deps.config.passwords === 'off') throw passwordsOff()
  }

  router.openapi(
    createRoute({
      method: 'post',
      path: '/invitations',
      tags,
      summary: 'Invite somebody (administrators)',
      description:
        'The link creates one account, once. It becomes invalid when its creator may no longer grant that role.',
      request: { body: jsonBody(InvitationCreate) },
      responses: {
        201: jsonAnswer(InvitationResponse, 'The link, in `url`, which is shown only once.'),
        ...errorAnswers(401, 403, 409),
      },
    }),
    async (c) => {
      const { userId } = requireAdministrator(c.get('identity'))
      needsPasswords()
      const url = deps.publicUrl(c.req.header('host') ?? null)
      const body = c.req.valid('json')
      return c.json(await createInvitation(deps, c.get('actor'), { askerId: userId, url }, body), 201)
    },
  )

  router.openapi(
    createRoute({
      method: 'get',
      path: '/invitations',
      tags,
      summary: 'Invitations, newest first',
      request: { query: PageQuery },
      responses: { 200: jsonAnswer(listOf(InvitationResponse), 'One page.'), ...errorAnswers(401, 403) },
    }),
    async (c) => {
      requireAdministrator(c.get('identity'))
      return c.json(await listInvitations(db, c.req.valid('query')), 200)
    },
  )

  router.openapi(
    createRoute({
      method: 'delete',
      path: '/invitations/{invitation_id}',
      tags,
      summary: 'Withdraw an invitation',
      request: { params: z.object({ invitation_id: Uuid }) },
      responses: { 204: { description: 'It no longer works.' }, ...errorAnswers(401, 403, 404, 409) },
    }),
    async (c) => {
      requireAdministrator(c.get('identity'))
      await revokeInvitation(db, c.get('actor'), c.req.valid('param').invitation_id)
      return c.body(null, 204)
    },
  )

  router.openapi(
    createRoute({
      method: 'post',
      path: '/invitations/preview',
      tags,
      summary: 'What an invitation is for, with its secret',
      request: { body: jsonBody(LinkToken) },
      responses: { 200: jsonAnswer(InvitationPreview, 'It is good.'), ...errorAnswers(404) },
    }),
    async (c) => {
      const { token } = c.req.valid('json')
      return c.json(await guess(deps, c, () => previewInvitation(db, token)), 200)
    },
  )

  router.openapi(
    createRoute({
      method: 'post',
      path: '/invitations/accept',
      tags,
      summary: 'Accept an invitation and create the account',
      description: 'Not while signed in (409): sign out first; the invitation stays valid.',
      request: { body: jsonBody(InvitationAccept) },
      responses: { 200: jsonAnswer(SignInResponse, 'Created and signed in.'), ...errorAnswers(404, 409) },
    }),
    async (c) => {
      needsPasswords()
      const { principal } = c.get('identity')
      if (principal.kind === 'user') {
        throw new BoardroomError(
          'conflict',
          `you are signed in as ${principal.name}; sign out first; the invitation stays valid`,
        )
      }
      const body = c.req.valid('json')
      const email = await guess(deps, c, () => acceptInvitation(db, c.get('actor'), body))
      return signIn(deps, c, { email, password: body.password })
    },
  )

  router.openapi(
    createRoute({
      method: 'post',
      path: '/password-resets',
      tags,
      summary: 'Request a password-reset link by mail',
      description:
        'The response is the same whether there is an account or not. 409 if this server sends no mail.',
      request: { body: jsonBody(PasswordResetAsk) },
      responses: {
        202: jsonAnswer(
          z.object({ accepted: z.literal(true) }),
          'If there is such an account, the link is mailed.',
        ),
        ...errorAnswers(409),
      },
    }),
    async (c) => {
      needsPasswords()
      const key = addressKey(c.get('actor').ip)
      if (!deps.mailsAsked.take(key)) {
        throw new BoardroomError(
          'too_many_requests',
          'too many mails were requested from this address; try again later',
          {
            details: { retry_after_seconds: Math.ceil(deps.mailsAsked.retryAfterMs(key) / 1000) },
          },
        )
      }
      // Not the host name that the requester used: the mail goes to somebody else.
      const url = deps.publicUrl(null)
      void resetByMail(deps, c.get('actor'), c.req.valid('json').email, url)
      return c.json({ accepted: true as const }, 202)
    },
  )

  router.openapi(
    createRoute({
      method: 'post',
      path: '/password-resets/preview',
      tags,
      summary: 'Whose password a link sets, while it is valid',
      request: { body: jsonBody(PasswordResetPreview) },
      responses: {
        200: jsonAnswer(z.object({ email: z.string().nullable() }), 'It is good.'),
        ...errorAnswers(404),
      },
    }),
    async (c) => {
      needsPasswords()
      const { token } = c.req.valid('json')
      return c.json(await guess(deps, c, () => previewReset(db, token)), 200)
    },
  )

  router.openapi(
    createRoute({
      method: 'post',
      path: '/password-resets/use',
      tags,
      summary: 'Set a new password, with the secret of a link',
      description: 'Ends all sessions of the account. Sign in afterwards.',
      request: { body: jsonBody(PasswordResetUse) },
      responses: {
        200: jsonAnswer(z.object({ email: z.string().nullable() }), 'Set; sign in with `email`.'),
        ...errorAnswers(404),
      },
    }),
    async (c) => {
      needsPasswords()
      const body = c.req.valid('json')
      return c.json(await guess(deps, c, () => setPasswordByLink(deps, c.get('actor'), body)), 200)
    },
  )

  return router
}
