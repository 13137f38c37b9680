// People over HTTP, for administrators: list, roles, deactivation, sessions.
import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi'
import {
  PasswordResetResponse,
  UserHoldings,
  UserListQuery,
  UserResponse,
  UserUpdate,
  UserUpdateResponse,
} from '../../../shared/api/people.ts'
import { listOf, SessionResponse } from '../../../shared/api.ts'
import { BoardroomError } from '../../errors.ts'
import type { HttpEnv } from '../../routing/context.ts'
import { errorAnswers, jsonAnswer, jsonBody, newRouter } from '../../routing/router.ts'
import { requireAdministrator } from '../administrators.ts'
import { passwordsOff } from '../forward.ts'
import { endSessions, listSessions } from '../sessions.ts'
import { resetTwoFactor } from '../two-factor.ts'
import type { PeopleDeps } from './deps.ts'
import { resetByAdministrator } from './password-resets.ts'
import { changePerson, holdingsOf, listPeople, readPerson, requireReach, requireReachNow } from './people.ts'

const tags = ['accounts']
const Number32 = z.coerce.number('expected the number of a user').int().positive().max(2_147_483_647)
const params = z.object({ user_id: Number32 })
const sessionParams = params.extend({
  session_id: z.coerce.number('expected the number of a session').int().positive().max(2_147_483_647),
})

/** `/users`. */
export function personRoutes(deps: PeopleDeps): OpenAPIHono<HttpEnv> {
  const { db } = deps
  const router = newRouter()

  router.openapi(
    createRoute({
      method: 'get',
      path: '/users',
      tags,
      summary: 'Everybody who has an account (administrators)',
      request: { query: UserListQuery },
      responses: { 200: jsonAnswer(listOf(UserResponse), 'One page.'), ...errorAnswers(401, 403) },
    }),
    async (c) => {
      const { role } = requireAdministrator(c.get('identity'))
      return c.json(await listPeople(db, role, c.req.valid('query')), 200)
    },
  )

  router.openapi(
    createRoute({
      method: 'get',
      path: '/users/{user_id}',
      tags,
      summary: 'One account',
      request: { params },
      responses: { 200: jsonAnswer(UserResponse, 'The account.'), ...errorAnswers(401, 403, 404) },
    }),
    async (c) => {
      const { role } = requireAdministrator(c.get('identity'))
      return c.json(await readPerson(db, role, c.req.valid('param').user_id), 200)
    },
  )

  router.openapi(
    createRoute({
      method: 'patch',
      path: '/users/{user_id}',
      tags,
      summary: 'Change name, role, or whether an account is active',
      description:
        'Accounts above your own role cannot be changed, and no role above it can be granted. Deactivating an account signs it out everywhere, closes its sockets (4401) and stops its share links, unless `transfer_to` takes over boards and links; the response says what happened. The last active sysadmin keeps role and access (409).',
      request: { params, body: jsonBody(UserUpdate) },
      responses: {
        200: jsonAnswer(UserUpdateResponse, 'The current state, and what was deactivated.'),
        ...errorAnswers(401, 403, 404, 409),
      },
    }),
    async (c) => {
      const { userId } = requireAdministrator(c.get('identity'))
      const { user_id } = c.req.valid('param')
      return c.json(await changePerson(db, c.get('actor'), userId, user_id, c.req.valid('json')), 200)
    },
  )

  router.openapi(
    createRoute({
      method: 'get',
      path: '/users/{user_id}/holdings',
      tags,
      summary: 'What would stop or change hands with an account',
      request: { params },
      responses: { 200: jsonAnswer(UserHoldings, 'As it is now.'), ...errorAnswers(401, 403, 404) },
    }),
    async (c) => {
      requireAdministrator(c.get('identity'))
      return c.json(await holdingsOf(db, c.req.valid('param').user_id), 200)
    },
  )

  router.openapi(
    createRoute({
      method: 'get',
      path: '/users/{user_id}/sessions',
      tags,
      summary: 'The sessions of a user, newest first',
      request: { params },
      responses: { 200: jsonAnswer(listOf(SessionResponse), 'All of them.'), ...errorAnswers(401, 403, 404) },
    }),
    async (c) => {
      const { role } = requireAdministrator(c.get('identity'))
      const { id } = await readPerson(db, role, c.req.valid('param').user_id)
      const items = await listSessions(db, id, c.get('identity').sessionId)
      return c.json({ items, next_cursor: null }, 200)
    },
  )

  router.openapi(
    createRoute({
      method: 'delete',
      path: '/users/{user_id}/sessions',
      tags,
      summary: 'Sign somebody out everywhere',
      request: { params },
      responses: {
        204: { description: 'All have ended, with their sockets and tickets.' },
        ...errorAnswers(401, 403, 404),
      },
    }),
    async (c) => {
      const { userId } = requireAdministrator(c.get('identity'))
      const { user_id } = c.req.valid('param')
      await requireReachNow(db, userId, user_id)
      await endSessions(db, c.get('actor'), user_id)
      return c.body(null, 204)
    },
  )

  router.openapi(
    createRoute({
      method: 'delete',
      path: '/users/{user_id}/sessions/{session_id}',
      tags,
      summary: "End one of somebody's sessions",
      request: { params: sessionParams },
      responses: {
        204: { description: 'It has ended, with its sockets and tickets.' },
        ...errorAnswers(401, 403, 404),
      },
    }),
    async (c) => {
      const { userId } = requireAdministrator(c.get('identity'))
      const { user_id, session_id } = c.req.valid('param')
      await requireReachNow(db, userId, user_id)
      if ((await endSessions(db, c.get('actor'), user_id, { id: session_id })) === 0)
        throw new BoardroomError('not_found', 'this user has no such session')
      return c.body(null, 204)
    },
  )

  router.openapi(
    createRoute({
      method: 'post',
      path: '/users/{user_id}/password-reset',
      tags,
      summary: 'Create a link with which somebody can set a new password',
      description:
        'It works once, within a day; a newer one replaces it. It is also mailed if there is a mail server. The password stays the same until the link is used.',
      request: { params },
      responses: {
        201: jsonAnswer(PasswordResetResponse, 'The link; pass it on yourself if it was not mailed.'),
        ...errorAnswers(401, 403, 404, 409),
      },
    }),
    async (c) => {
      const { userId } = requireAdministrator(c.get('identity'))
      if (deps.config.passwords === 'off') throw passwordsOff()
      const url = deps.publicUrl(c.req.header('host') ?? null)
      const { user_id } = c.req.valid('param')
      return c.json(
        await resetByAdministrator(deps, c.get('actor'), { askerId: userId, userId: user_id, url }),
        201,
      )
    },
  )

  router.openapi(
    createRoute({
      method: 'delete',
      path: '/users/{user_id}/two-factor',
      tags,
      summary: 'Remove a lost second factor',
      description: 'The password alone is enough to sign in again, until another one is set up.',
      request: { params },
      responses: { 204: { description: 'Gone.' }, ...errorAnswers(401, 403, 404, 409) },
    }),
    async (c) => {
      const { userId } = requireAdministrator(c.get('identity'))
      await resetTwoFactor(db, c.get('actor'), c.req.valid('param').user_id, (trx, id) =>
        requireReach(trx, userId, id),
      )
      return c.body(null, 204)
    },
  )

  return router
}
