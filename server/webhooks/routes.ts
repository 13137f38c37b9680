// Webhooks over HTTP: administrators manage all of them, service keys with the scope those of their issuer.
import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi'
import {
  WebhookCreate,
  WebhookDeliveryQuery,
  WebhookDeliveryResponse,
  WebhookResponse,
  WebhookRotate,
  WebhookUpdate,
} from '../../shared/api/webhooks.ts'
import { listOf, Uuid } from '../../shared/api.ts'
import { requireAdministrator } from '../accounts/administrators.ts'
import type { Identity } from '../principal.ts'
import type { HttpEnv } from '../routing/context.ts'
import { errorAnswers, jsonAnswer, jsonBody, newRouter } from '../routing/router.ts'
import type { Holder } from './queries.ts'
import {
  createWebhook,
  listDeliveries,
  listWebhooks,
  readWebhook,
  redeliver,
  removeWebhook,
  rotateWebhook,
  testWebhook,
  updateWebhook,
  type WebhooksDeps,
} from './webhooks.ts'

const tags = ['webhooks']
const params = z.object({ webhook_id: Uuid })
const deliveryParams = params.extend({ delivery_id: z.string().regex(/^\d{1,18}$/) })
const path = '/webhooks/{webhook_id}'

/** @throws BoardroomError not_signed_in | access_denied */
function holderOf(identity: Identity): Holder {
  const { principal, via, issuer, keyId } = identity
  if (via === 'key' && principal.kind === 'user' && issuer !== undefined && keyId !== undefined)
    return { userId: principal.userId, issuer, keyId }
  return { userId: requireAdministrator(identity).userId }
}

/** `/webhooks`. */
export function webhookRoutes(deps: WebhooksDeps): OpenAPIHono<HttpEnv> {
  const { db } = deps
  const router = newRouter()

  router.openapi(
    createRoute({
      method: 'post',
      path: '/webhooks',
      tags,
      summary: 'Create a webhook',
      description:
        'Events are sent by POST, signed according to Standard Webhooks. Redirects are not followed, and private networks are refused unless the operator allows them.',
      request: { body: jsonBody(WebhookCreate) },
      responses: {
        201: jsonAnswer(
          WebhookResponse,
          'The webhook, with its secret in `secret`, which is shown only once.',
        ),
        ...errorAnswers(401, 403, 409, 413, 415),
      },
    }),
    async (c) => {
      const holder = holderOf(c.get('identity'))
      return c.json(await createWebhook(deps, c.get('actor'), holder, c.req.valid('json')), 201)
    },
  )

  router.openapi(
    createRoute({
      method: 'get',
      path: '/webhooks',
      tags,
      summary: 'List webhooks, newest first',
      responses: { 200: jsonAnswer(listOf(WebhookResponse), 'All of them.'), ...errorAnswers(401, 403) },
    }),
    async (c) =>
      c.json({ items: await listWebhooks(db, holderOf(c.get('identity'))), next_cursor: null }, 200),
  )

  router.openapi(
    createRoute({
      method: 'get',
      path,
      tags,
      summary: 'Get a webhook',
      request: { params },
      responses: { 200: jsonAnswer(WebhookResponse, 'The webhook.'), ...errorAnswers(401, 403, 404) },
    }),
    async (c) =>
      c.json(await readWebhook(db, holderOf(c.get('identity')), c.req.valid('param').webhook_id), 200),
  )

  router.openapi(
    createRoute({
      method: 'patch',
      path,
      tags,
      summary: 'Change, disable or enable a webhook',
      request: { params, body: jsonBody(WebhookUpdate) },
      responses: {
        200: jsonAnswer(WebhookResponse, 'The updated webhook.'),
        ...errorAnswers(401, 403, 404, 413, 415),
      },
    }),
    async (c) => {
      const holder = holderOf(c.get('identity'))
      const { webhook_id } = c.req.valid('param')
      return c.json(await updateWebhook(deps, c.get('actor'), holder, webhook_id, c.req.valid('json')), 200)
    },
  )

  router.openapi(
    createRoute({
      method: 'delete',
      path,
      tags,
      summary: 'Delete a webhook and its undelivered events',
      request: { params },
      responses: { 204: { description: 'Removed.' }, ...errorAnswers(401, 403, 404) },
    }),
    async (c) => {
      const holder = holderOf(c.get('identity'))
      await removeWebhook(db, c.get('actor'), holder, c.req.valid('param').webhook_id)
      return c.body(null, 204)
    },
  )

  router.openapi(
    createRoute({
      method: 'post',
      path: `${path}/rotate`,
      tags,
      summary: 'Rotate the secret of a webhook',
      description: 'For `overlap_seconds`, deliveries are signed with both secrets.',
      request: { params, body: { ...jsonBody(WebhookRotate), required: false } },
      responses: {
        200: jsonAnswer(WebhookResponse, 'The new secret, in `secret`, which is shown only once.'),
        ...errorAnswers(401, 403, 404, 409),
      },
    }),
    async (c) => {
      const holder = holderOf(c.get('identity'))
      const { overlap_seconds } = WebhookRotate.parse(c.req.valid('json') ?? {})
      const { webhook_id } = c.req.valid('param')
      return c.json(await rotateWebhook(deps, c.get('actor'), holder, webhook_id, overlap_seconds), 200)
    },
  )

  router.openapi(
    createRoute({
      method: 'post',
      path: `${path}/test`,
      tags,
      summary: 'Send `webhook.test`',
      request: { params },
      responses: {
        202: { description: 'Queued; see the deliveries for the outcome.' },
        ...errorAnswers(401, 403, 404, 409),
      },
    }),
    async (c) => {
      await testWebhook(db, holderOf(c.get('identity')), c.req.valid('param').webhook_id)
      return c.body(null, 202)
    },
  )

  router.openapi(
    createRoute({
      method: 'get',
      path: `${path}/deliveries`,
      tags,
      summary: 'List deliveries, newest first, with their last responses',
      request: { params, query: WebhookDeliveryQuery },
      responses: {
        200: jsonAnswer(listOf(WebhookDeliveryResponse), 'One page.'),
        ...errorAnswers(401, 403, 404),
      },
    }),
    async (c) => {
      const holder = holderOf(c.get('identity'))
      const { webhook_id } = c.req.valid('param')
      return c.json(await listDeliveries(db, holder, webhook_id, c.req.valid('query')), 200)
    },
  )

  router.openapi(
    createRoute({
      method: 'post',
      path: `${path}/deliveries/{delivery_id}/retry`,
      tags,
      summary: 'Send a delivery again',
      request: { params: deliveryParams },
      responses: { 202: { description: 'Queued.' }, ...errorAnswers(401, 403, 404) },
    }),
    async (c) => {
      const { webhook_id, delivery_id } = c.req.valid('param')
      await redeliver(db, holderOf(c.get('identity')), webhook_id, delivery_id)
      return c.body(null, 202)
    },
  )

  return router
}
