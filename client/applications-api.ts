// The parts of the HTTP API for other applications.
import type { ServiceKeyCreate, ServiceKeyResponse } from '../shared/api/service-keys.ts'
import type {
  WebhookCreate,
  WebhookDeliveryResponse,
  WebhookResponse,
  WebhookUpdate,
} from '../shared/api/webhooks.ts'
import { done, json, type Page } from './api.ts'

export const listKeys = () => json<Page<ServiceKeyResponse>>('GET', '/service-keys')
export const createKey = (body: ServiceKeyCreate) =>
  json<ServiceKeyResponse>('POST', '/service-keys', { body })
export const rotateKey = (id: string) =>
  json<ServiceKeyResponse>('POST', `/service-keys/${id}/rotate`, { body: {} })
export const revokeKey = (id: string) => done('DELETE', `/service-keys/${id}`)

export const listWebhooks = () => json<Page<WebhookResponse>>('GET', '/webhooks')
export const createWebhook = (body: WebhookCreate) => json<WebhookResponse>('POST', '/webhooks', { body })
export const updateWebhook = (id: string, body: WebhookUpdate) =>
  json<WebhookResponse>('PATCH', `/webhooks/${id}`, { body })
export const rotateWebhook = (id: string) =>
  json<WebhookResponse>('POST', `/webhooks/${id}/rotate`, { body: {} })
export const testWebhook = (id: string) => done('POST', `/webhooks/${id}/test`)
export const removeWebhook = (id: string) => done('DELETE', `/webhooks/${id}`)
export const listDeliveries = (id: string) =>
  json<Page<WebhookDeliveryResponse>>('GET', `/webhooks/${id}/deliveries?limit=20`)
