// What every part is built from: the settings, the opened database, and what the embedder passed in.
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
  /** Each opened part adds its close function; they are called in reverse order. */
  opened: OpenedParts
  /** Aborted as the first step of closing. */
  closing: AbortSignal
}

/** The number of this process among several behind one port, and how `/metrics` answers for all of them. */
export interface MetricsOf {
  worker: string
  all: (own: () => Promise<string>) => () => Promise<string>
}
