// Notifications from the database: access changes and board events. A dedicated connection listens, and checks every few
// seconds that notifications still arrive, because a connection with a frozen backend reports no error.
//
//   away ── connect, LISTEN ──> listening ── lost, or did not hear itself ──> away
//
// After being `away`, notifications may have been missed; listeners get `*`: check everything again.
import { randomBytes } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import pg from 'pg'
import type { Logger } from 'pino'
import type { BoardEvent } from '../../shared/protocol.ts'
import {
  asExpected,
  clientConfig,
  connectClient,
  destroyClient,
  endClient,
  type Target,
} from './connection.ts'

export interface NotificationsOptions {
  /** The database without a pooler: `Database.direct`. */
  direct: Target
  schema: string
  log: Logger
  /** How often it checks that notifications arrive. */
  heartbeatMs?: number | undefined
  /** How long its own notification may take to arrive. */
  patienceMs?: number | undefined
}

/** Together these are the seven seconds within which a deaf connection is noticed. */
export const defaultPace = { heartbeatMs: 5000, patienceMs: 2000 } as const

export interface EventNotification {
  boardId: string
  event: BoardEvent
}

type Listener<Value> = (value: Value) => void

/** The notifications of a burst arrive in several packets: they are delivered as one array per interval, the first at once. */
const gatherMs = 4

export class Notifications {
  readonly #options: NotificationsOptions
  readonly #accessChannel: string
  readonly #eventsChannel: string
  readonly #accessListeners = new Set<Listener<string[]>>()
  readonly #eventListeners = new Set<Listener<EventNotification>>()
  readonly #closed = new AbortController()
  #client: pg.Client | null = null
  #supervising: Promise<void> = Promise.resolve()
  /** Distinct payloads for the next array. */
  #gathered = new Set<string>()
  #gathering: NodeJS.Timeout | null = null
  #lastDelivery = 0
  #lastHeardAt = 0

  constructor(options: NotificationsOptions) {
    this.#options = options
    this.#accessChannel = `${options.schema}_access`
    this.#eventsChannel = `${options.schema}_events`
  }

  /** When the database was last heard (ms since 1970); 0 before `start`. If older than a few seconds, it is unavailable. */
  get lastHeardAt(): number {
    return this.#lastHeardAt
  }

  get isListening(): boolean {
    return this.#client !== null
  }

  /** Resolves once it listens. Register listeners before querying the data that notifications are about. @throws BoardroomError database_unreachable */
  async start(): Promise<void> {
    const client = await this.#listen().catch((error: unknown) => {
      throw asExpected(error)
    })
    this.#supervising = this.#supervise(client)
  }

  /**
   * Delivers the distinct payloads of a moment as one array: `b:<board>`, `u:<user>`, `g:<guest>`, `s:<session>`; or only `*`:
   * anything may have changed.
   * @returns a function that unsubscribes.
   */
  onAccess(listener: Listener<string[]>): () => void {
    this.#accessListeners.add(listener)
    return () => this.#accessListeners.delete(listener)
  }

  /** Events outside the document: comments, titles, versions. @returns a function that unsubscribes. */
  onEvent(listener: Listener<EventNotification>): () => void {
    this.#eventListeners.add(listener)
    return () => this.#eventListeners.delete(listener)
  }

  async close(): Promise<void> {
    this.#closed.abort()
    if (this.#gathering !== null) clearTimeout(this.#gathering)
    this.#gathering = null
    await this.#supervising
  }

  async #listen(): Promise<pg.Client> {
    const { patienceMs = defaultPace.patienceMs } = this.#options
    const timeOuts = { connectMs: Math.max(patienceMs, 2000), answerMs: patienceMs, statementMs: patienceMs }
    const client = await connectClient(
      clientConfig(this.#options.direct, timeOuts, { name: `boardroom listens ${process.pid}` }),
    )
    try {
      client.on('notification', ({ channel, payload = '' }) => this.#receive(client, channel, payload))
      await client.query(`listen ${pg.escapeIdentifier(this.#accessChannel)}`)
      await client.query(`listen ${pg.escapeIdentifier(this.#eventsChannel)}`)
    } catch (error) {
      destroyClient(client)
      throw error
    }
    this.#client = client
    this.#lastHeardAt = Date.now()
    return client
  }

  /** Until `close`: listens; whenever that ends, listens again and has everything checked again. Never throws. */
  async #supervise(first: pg.Client): Promise<void> {
    const { signal } = this.#closed
    let client: pg.Client | null = first
    while (!signal.aborted) {
      if (client !== null) {
        const reason = await this.#hearUntilLost(client)
        this.#client = null
        if (signal.aborted) await endClient(client)
        else {
          destroyClient(client)
          this.#options.log.warn(
            { reason },
            'the connection for database notifications was lost; listening again',
          )
        }
      }
      client = await this.#listenAnew()
      if (client !== null) this.#gather('*')
    }
    if (client !== null) await endClient(client)
    this.#client = null
  }

  /** @returns null when closed. */
  async #listenAnew(): Promise<pg.Client | null> {
    for (let pauseMs = 25; !this.#closed.signal.aborted; pauseMs = Math.min(pauseMs * 2, 1000)) {
      try {
        const client = await this.#listen()
        this.#options.log.info('listening to the database again')
        return client
      } catch (error) {
        this.#options.log.debug({ err: error }, 'cannot listen to the database yet')
        await delay(pauseMs, undefined, { signal: this.#closed.signal }).catch(() => undefined) // closed
      }
    }
    return null
  }

  /** Resolves with the reason when the connection ends, its own notification does not arrive in time, or on close. */
  #hearUntilLost(client: pg.Client): Promise<string> {
    const { heartbeatMs = defaultPace.heartbeatMs, patienceMs = defaultPace.patienceMs } = this.#options
    const { signal } = this.#closed
    return new Promise((resolve) => {
      let expected: string | null = null
      let patience: NodeJS.Timeout | null = null
      const finish = (reason: string) => {
        clearInterval(heartbeat)
        if (patience !== null) clearTimeout(patience)
        client.off('notification', hear).off('end', onEnd)
        signal.removeEventListener('abort', onClose)
        resolve(reason)
      }
      const onEnd = () => finish('the connection ended')
      const onClose = () => finish('closed')
      const hear = ({ payload }: pg.Notification) => {
        if (payload !== expected) return
        expected = null
        if (patience !== null) clearTimeout(patience)
      }
      const beat = () => {
        if (expected !== null) return
        expected = `h:${randomBytes(8).toString('hex')}`
        patience = setTimeout(() => finish(`not heard for ${patienceMs} ms`), patienceMs)
        client
          .query('select pg_notify($1, $2)', [this.#accessChannel, expected])
          .catch(() => finish('the heartbeat failed'))
      }
      const heartbeat = setInterval(beat, heartbeatMs)
      client.on('notification', hear).once('end', onEnd)
      signal.addEventListener('abort', onClose, { once: true })
      if (signal.aborted) onClose()
    })
  }

  #receive(client: pg.Client, channel: string, payload: string): void {
    if (this.#closed.signal.aborted || (this.#client !== null && this.#client !== client)) return
    this.#lastHeardAt = Date.now()
    if (channel === this.#eventsChannel) this.#deliverEvent(payload)
    // Heartbeats of other processes on the same database are heard too.
    else if (!payload.startsWith('h:')) this.#gather(payload)
  }

  #gather(payload: string): void {
    this.#gathered.add(payload)
    if (this.#gathering !== null || this.#closed.signal.aborted) return
    const waitMs = Math.max(0, this.#lastDelivery + gatherMs - performance.now())
    this.#gathering = setTimeout(() => this.#deliverAccess(), waitMs)
  }

  #deliverAccess(): void {
    this.#gathering = null
    this.#lastDelivery = performance.now()
    const payloads = this.#gathered.has('*') ? ['*'] : [...this.#gathered]
    this.#gathered = new Set()
    for (const listener of this.#accessListeners) this.#call(listener, payloads)
  }

  #deliverEvent(payload: string): void {
    let parsed: { board_id?: unknown; event?: unknown } | null
    try {
      parsed = JSON.parse(payload)
    } catch {
      parsed = null // sent by hand in psql: logged below
    }
    if (typeof parsed?.board_id !== 'string' || typeof parsed.event !== 'object' || parsed.event === null) {
      this.#options.log.warn({ channel: this.#eventsChannel }, 'a notification is not a board event')
      return
    }
    // Written by our own services, which build it from this type.
    const notification = { boardId: parsed.board_id, event: parsed.event as BoardEvent }
    for (const listener of this.#eventListeners) this.#call(listener, notification)
  }

  /** An error in one listener must not affect the others. */
  #call<Value>(listener: Listener<Value>, value: Value): void {
    try {
      listener(value)
    } catch (error) {
      this.#options.log.error({ err: error }, 'a listener of notifications failed')
    }
  }
}
