// Service keys over HTTP, for administrators who are signed in: a key cannot create keys.
import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi'
import { ServiceKeyCreate, ServiceKeyResponse, ServiceKeyRotate } from '../../../shared/api/service-keys.ts'
import { listOf, Uuid } from '../../../shared/api.ts'
import type { Db } from '../../database/database.ts'
import type { HttpEnv } from '../../routing/context.ts'
import { errorAnswers, jsonAnswer, jsonBody, newRouter } from '../../routing/router.ts'
import { requireAdministrator } from '../administrators.ts'
import { createKey, listKeys, revokeServiceKey, rotateServiceKey } from './service-keys.ts'

const tags = ['service keys']
const params = z.object({ key_id: Uuid })

/** `/service-keys`. */
export function serviceKeyRoutes({ db }: { db: Db }): OpenAPIHono<HttpEnv> {
  const router = newRouter()

  router.openapi(
    createRoute({
      method: 'post',
      path: '/service-keys',
      tags,
      summary: 'Create a service key',
      description:
        'For administrators. The key goes into `Authorization: Bearer` of your server’s requests. It acts as the service account of its issuer: it creates boards, which that account owns, manages those and the boards of the issuer’s users, and requests tickets for these users.',
      request: { body: jsonBody(ServiceKeyCreate) },
      responses: {
        201: jsonAnswer(ServiceKeyResponse, 'The key, in `key`, which is shown only once.'),
        ...errorAnswers(401, 403, 413, 415),
      },
    }),
    async (c) => {
      requireAdministrator(c.get('identity'))
      return c.json(await createKey(db, c.get('actor'), c.req.valid('json')), 201)
    },
  )

  router.openapi(
    createRoute({
      method: 'get',
      path: '/service-keys',
      tags,
      summary: 'List service keys, newest first',
      responses: {
        200: jsonAnswer(listOf(ServiceKeyResponse), 'All of them, without their secrets.'),
        ...errorAnswers(401, 403),
      },
    }),
    async (c) => {
      requireAdministrator(c.get('identity'))
      return c.json({ items: await listKeys(db), next_cursor: null }, 200)
    },
  )

  router.openapi(
    createRoute({
      method: 'post',
      path: '/service-keys/{key_id}/rotate',
      tags,
      summary: 'Rotate the secret of a service key',
      description:
        'The previous secret keeps working for `overlap_seconds`, so that servers can be switched over one after the other. Another rotation within that time ends it early. Tickets keep working.',
      request: { params, body: { ...jsonBody(ServiceKeyRotate), required: false } },
      responses: {
        200: jsonAnswer(ServiceKeyResponse, 'The new secret, in `key`, which is shown only once.'),
        ...errorAnswers(401, 403, 404, 409),
      },
    }),
    async (c) => {
      requireAdministrator(c.get('identity'))
      const wanted = ServiceKeyRotate.parse(c.req.valid('json') ?? {})
      return c.json(await rotateServiceKey(db, c.get('actor'), c.req.valid('param').key_id, wanted), 200)
    },
  )

  router.openapi(
    createRoute({
      method: 'delete',
      path: '/service-keys/{key_id}',
      tags,
      summary: 'Revoke a service key',
      request: { params },
      responses: {
        204: { description: 'It no longer works; tickets and sockets created with it have ended.' },
        ...errorAnswers(401, 403, 404),
      },
    }),
    async (c) => {
      requireAdministrator(c.get('identity'))
      await revokeServiceKey(db, c.get('actor'), c.req.valid('param').key_id)
      return c.body(null, 204)
    },
  )

  return router
}
