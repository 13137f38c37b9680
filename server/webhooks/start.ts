// Sets up webhooks: the routes, and the sender that runs in the background.
import type { Logger } from 'pino'
import type { Config } from '../config.ts'
import type { Db } from '../database/database.ts'
import type { WaitingWork } from '../database/waiting-work.ts'
import type { Mailer } from '../mail/mailer.ts'
import { createOutgoing } from './outgoing.ts'
import { webhookRoutes } from './routes.ts'
import { webhookKeyOf } from './secrets.ts'
import { type WebhookPace, WebhookSender, webhookPace } from './sender.ts'

/** @throws BoardroomError invalid_config (BOARDROOM_WEBHOOK_PRIVATE_NETWORKS) */
export function startWebhooks(parts: {
  db: Db
  log: Logger
  config: Pick<Config, 'webhookPrivateNetworks'> & { secret: string }
  mailer: Mailer | null
  publicUrl: string
  pace: Partial<WebhookPace> | undefined
  waiting: WaitingWork
}): { routes: ReturnType<typeof webhookRoutes>; close(): Promise<void> } {
  const { db, log, config, mailer, publicUrl, pace, waiting } = parts
  const outgoing = createOutgoing({
    privateNetworks: config.webhookPrivateNetworks,
    timeoutMs: pace?.timeoutMs ?? webhookPace.timeoutMs,
  })
  const key = webhookKeyOf(config.secret)
  const sender = new WebhookSender({ db, log, outgoing, key, mailer, publicUrl, pace })
  waiting.onLook(({ deliveries }) => {
    if (deliveries) sender.takeSome()
  })
  return { routes: webhookRoutes({ db, outgoing, key }), close: () => sender.close() }
}
