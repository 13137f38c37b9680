// What every part of a start is made from: the settings, the opened database, and what the embedder handed in.
import type { Logger } from 'pino'
import type { Registry } from 'prom-client'
import type { Authenticate } from '../accounts/identify.ts'
import type { Config } from '../config.ts'
import type { Database } from '../database/database.ts'
import type { InspectionLimits } from '../rooms/ports.ts'
import type { RateLimits } from '../routing/rate-limits.ts'
import type { WebhookPace } from '../webhooks/sender.ts'
import type { OpenedParts } from './opened-parts.ts'

export interface Given {
  database: Database
  config: Config & { secret: string }
  log: Logger
  clientFolder: string | null
  dataFolder: string | null
  goOnUnsavedMs: number | undefined
  heartbeatMs: number | undefined
  inspection: InspectionLimits | undefined
  webhookPace: Partial<WebhookPace> | undefined
  metricsOf: MetricsOf | undefined
  authenticate: Authenticate | undefined
  rates: RateLimits
  registry: Registry
  /** Each part that is opened adds how it is closed; they close in the reverse order. */
  opened: OpenedParts
  /** Aborted at the first step of a stop. */
  closing: AbortSignal
}

/** Which of several processes behind one port this is, in `/metrics`, and how each answers there for all of them. */
export interface MetricsOf {
  worker: string
  all: (own: () => Promise<string>) => () => Promise<string>
}
