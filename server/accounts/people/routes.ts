// All routes about people: accounts, invitations, password-reset links, and what a sign-in page offers.
import { createRoute, type OpenAPIHono } from '@hono/zod-openapi'
import { SignInOptions } from '../../../shared/api/people.ts'
import type { HttpEnv } from '../../routing/context.ts'
import { errorAnswers, jsonAnswer, newRouter } from '../../routing/router.ts'
import type { SignInDeps } from '../sign-in.ts'
import { type TwoFactorDeps, twoFactorRoutes } from '../two-factor-routes.ts'
import type { PeopleDeps } from './deps.ts'
import { personLinkRoutes } from './link-routes.ts'
import { personRoutes } from './person-routes.ts'

export function peopleRoutes(
  deps: PeopleDeps & SignInDeps & Pick<TwoFactorDeps, 'cookies'>,
): OpenAPIHono<HttpEnv> {
  const router = newRouter()
  router.openapi(
    createRoute({
      method: 'get',
      path: '/auth/options',
      tags: ['accounts'],
      summary: 'How people sign in here',
      responses: { 200: jsonAnswer(SignInOptions, 'Visible to everybody.'), ...errorAnswers() },
    }),
    (c) =>
      c.json(
        {
          sign_up: deps.config.signUp,
          password: deps.config.passwords === 'on',
          password_reset_by_mail: deps.mailer !== null && deps.config.passwords === 'on',
          two_factor: deps.config.require2fa,
          sso: deps.ssoName === null ? null : { name: deps.ssoName },
        },
        200,
      ),
  )
  router.route('/', twoFactorRoutes({ ...deps, policy: deps.config.require2fa }))
  router.route('/', personRoutes(deps))
  router.route('/', personLinkRoutes(deps))
  return router
}
