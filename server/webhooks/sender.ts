// Sends due deliveries, which it looks for every second: claims some from the outbox under a lease, so that if a process
// dies, they become due again; a receiver may therefore get one twice, with the same webhook-id. Failures are retried with
// growing delays for three days; a webhook that keeps failing, or responds with 410 Gone, is disabled, and its managers
// are notified.
import type { Logger } from 'pino'
import { Webhook } from 'standardwebhooks'
import { transactionAs } from '../audit/actor.ts'
import type { Db } from '../database/database.ts'
import type { Mailer } from '../mail/mailer.ts'
import { systemActor } from '../principal.ts'
import type { Outgoing } from './outgoing.ts'
import {
  administratorAddresses,
  type DueDelivery,
  setDelivered,
  setDisabled,
  setFailed,
  takeDue,
} from './queries.ts'
import { decipher } from './secrets.ts'

export interface WebhookPace {
  /** Seconds until the next attempt after the first, second, … failure. */
  retryAfterS: readonly number[]
  /** How long a webhook may keep failing before it is disabled. */
  disableAfterMs: number
  pollMs: number
  /** How long a receiver may take for its complete response. */
  timeoutMs: number
}

const minute = 60
const hour = 60 * minute

/** As in Standard Webhooks: at once, then with growing delays, over three days. */
export const webhookPace: WebhookPace = {
  retryAfterS: [5, 5 * minute, 30 * minute, 2 * hour, 5 * hour, 10 * hour, 14 * hour, 20 * hour, 24 * hour],
  disableAfterMs: 5 * 24 * hour * 1000,
  pollMs: 1000,
  timeoutMs: 10_000,
}

export interface SenderDeps {
  db: Db
  log: Logger
  outgoing: Outgoing
  key: Buffer
  mailer: Mailer | null
  publicUrl: string
  pace?: Partial<WebhookPace> | undefined
}

const mostAtOnce = 64
const mostOfHolder = 16
const mostOfOne = 4
const leaseS = 60
const longestRetryAfterS = 24 * hour

export class WebhookSender {
  readonly #deps: SenderDeps
  readonly #pace: WebhookPace
  /** By webhook. */
  readonly #underWay = new Map<string, { holder: string; sending: Set<Promise<void>> }>()
  #turn: Promise<void> | null = null
  #closed = false
  /** Whether the database failed the last time; logged once. */
  #isAway = false

  constructor(deps: SenderDeps) {
    this.#deps = deps
    this.#pace = { ...webhookPace, ...deps.pace }
  }

  /** Something is due: sends of it what may be under way at once. */
  takeSome(): void {
    if (this.#closed || this.#turn !== null) return
    this.#turn = this.#take()
      .then(
        () => {
          this.#isAway = false
        },
        (error: unknown) => {
          if (!this.#isAway) this.#deps.log.warn({ err: error }, 'webhooks not sent; trying again')
          this.#isAway = true
        },
      )
      .finally(() => {
        this.#turn = null
      })
  }

  /** Waits for deliveries in progress. */
  async close(): Promise<void> {
    this.#closed = true
    await this.#turn
    await Promise.all([...this.#underWay.values()].flatMap(({ sending }) => [...sending]))
  }

  async #take(): Promise<void> {
    const { db } = this.#deps
    const underWay = new Map<string, number>()
    let count = 0
    for (const { holder, sending } of this.#underWay.values()) {
      underWay.set(holder, (underWay.get(holder) ?? 0) + sending.size)
      count += sending.size
    }
    if (count < mostAtOnce) {
      // A webhook has at most this many in flight, and gets more only when all of those are done.
      const busy = [...this.#underWay.keys()]
      const limit = mostAtOnce - count
      const most = { limit, each: mostOfOne, ofHolder: mostOfHolder }
      const due = await takeDue(db, { ...most, leaseS, busy, underWay })
      for (const delivery of due) this.#begin(delivery)
    }
  }

  #begin(due: DueDelivery): void {
    const ofWebhook = this.#underWay.get(due.webhook_id) ?? { holder: due.holder, sending: new Set() }
    this.#underWay.set(due.webhook_id, ofWebhook)
    const { sending } = ofWebhook
    const work = this.#send(due)
      .catch((error: unknown) =>
        this.#deps.log.warn(
          { err: error, webhookId: due.webhook_id },
          'a delivery will be retried after its lease',
        ),
      )
      .finally(() => {
        sending.delete(work)
        if (sending.size === 0) this.#underWay.delete(due.webhook_id)
      })
    sending.add(work)
  }

  async #send(due: DueDelivery): Promise<void> {
    const { db, outgoing, log } = this.#deps
    const outcome = await this.#post(due, outgoing)
    if (outcome.error === null) {
      await setDelivered(db, due, outcome)
      return
    }
    log.debug({ webhookId: due.webhook_id, type: due.type, status: outcome.status }, 'a delivery failed')
    const planned = this.#pace.retryAfterS[due.attempts - 1]
    const jitter = 0.9 + Math.random() * 0.2
    const retryInS =
      planned === undefined
        ? null
        : Math.max(planned * jitter, Math.min(outcome.retryAfterS ?? 0, longestRetryAfterS))
    const failingSince = await setFailed(db, due, outcome, retryInS)
    if (outcome.status === 410) await this.#disable(due, 'the receiver responded with 410 Gone')
    else if (failingSince !== null && Date.now() - failingSince.getTime() > this.#pace.disableAfterMs) {
      await this.#disable(
        due,
        `nothing has been delivered since ${failingSince.toISOString()}: ${outcome.error}`,
      )
    }
  }

  async #post(due: DueDelivery, outgoing: Outgoing): ReturnType<Outgoing['post']> {
    const body = JSON.stringify({ type: due.type, timestamp: due.created_at.toISOString(), data: due.data })
    const id = messageIdOf(due.event_id)
    const now = new Date()
    const secrets = [due.secret, ...(due.former_secret === null ? [] : [due.former_secret])]
    let signature: string
    try {
      signature = secrets
        .map((stored) => new Webhook(decipher(this.#deps.key, stored)).sign(id, now, body))
        .join(' ')
    } catch {
      const error = 'the signing secret cannot be read: BOARDROOM_SECRET has changed; rotate the secret'
      return { status: null, error, answer: null }
    }
    const headers = {
      'content-type': 'application/json',
      'user-agent': 'Boardroom-Webhooks',
      'webhook-id': id,
      'webhook-timestamp': String(Math.floor(now.getTime() / 1000)),
      'webhook-signature': signature,
    }
    return outgoing.post(due.url, headers, body)
  }

  async #disable(due: DueDelivery, reason: string): Promise<void> {
    const { db, log, mailer, publicUrl } = this.#deps
    const isNew = await transactionAs(db, systemActor, (trx) => setDisabled(trx, due.webhook_id, reason))
    if (!isNew) return
    log.error({ webhookId: due.webhook_id, reason }, 'a webhook was disabled')
    if (mailer === null) return
    const text = [
      `Boardroom has stopped sending events to ${due.url}: ${reason}.`,
      'Once the receiver works again, enable the webhook; undelivered events are sent then.',
      `PATCH ${publicUrl}/api/webhooks/${due.webhook_id} {"enabled": true}`,
    ].join('\n\n')
    for (const to of await administratorAddresses(db)) {
      await mailer
        .send({ to, subject: 'A webhook was disabled', text })
        .catch((error: unknown) => log.warn({ err: error }, 'an administrator was not mailed'))
    }
  }
}

export const messageIdOf = (eventId: string): string => `msg_${eventId.replaceAll('-', '')}`
