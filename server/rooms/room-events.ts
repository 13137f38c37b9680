// Events (frame 67) for the connections of one room. The first join or leave is sent at the end of its turn; those that
// follow within a moment share one write per connection, because the writes are what costs.
import { type BoardEvent, encodeEvent } from '../../shared/protocol.ts'
import type { Clock, Timer } from './clock.ts'
import type { Connection } from './connection/connection.ts'
import { frameOf } from './frames.ts'

/** In larger rooms nobody is told who joins and leaves, because everybody would be told about everybody. */
const mostToldOfJoins = 50
/** Joins and leaves are sent at most this often. */
const joinsEveryMs = 100

export interface RoomEventsOptions {
  clock: Clock
  connections: ReadonlySet<Connection>
  /** Sends a join or leave to other nodes. */
  tellNodes: (event: BoardEvent) => void
  onFailure: (error: unknown) => void
}

export class RoomEvents {
  readonly #options: RoomEventsOptions
  /** Joins and leaves that are not sent yet. */
  #unsent: { event: BoardEvent; of: Connection | null }[] = []
  #nextAt = 0
  #timer: Timer | null = null

  constructor(options: RoomEventsOptions) {
    this.#options = options
  }

  /** Sends an event to every connection that supports it; texts that people wrote only to those that may read. */
  broadcast(event: BoardEvent): void {
    let whole: Buffer | null = null
    let bare: Buffer | null = null
    for (const connection of this.#options.connections) {
      if (!connection.ownProtocol) continue
      if (connection.mayRead) {
        whole ??= frameOf(encodeEvent(event))
        connection.outbox.send(whole)
      } else {
        bare ??= frameOf(encodeEvent(withoutTexts(event)))
        connection.outbox.send(bare)
      }
    }
  }

  /** A join or leave on another node. */
  remote(event: BoardEvent): void {
    if (this.#options.connections.size <= mostToldOfJoins) this.#queue(event, null)
  }

  /** Tells everybody else that a connection joined or left. */
  tell(event: BoardEvent, of: Connection): void {
    if (this.#options.connections.size > mostToldOfJoins) return
    this.#options.tellNodes(event)
    this.#queue(event, of)
  }

  close(): void {
    this.#timer?.cancel()
  }

  #queue(event: BoardEvent, of: Connection | null): void {
    const { clock } = this.#options
    if (this.#unsent.push({ event, of }) > 1) return
    const waitMs = this.#nextAt - clock.now()
    if (waitMs > 0) {
      this.#timer = clock.after(waitMs, () => this.#sendAll())
      return
    }
    queueMicrotask(() => {
      try {
        this.#sendAll()
      } catch (error) {
        this.#options.onFailure(error)
      }
    })
  }

  #sendAll(): void {
    const unsent = this.#unsent
    this.#unsent = []
    const frames = unsent.map(({ event }) => frameOf(encodeEvent(event)))
    const whole = Buffer.concat(frames)
    // A connection that joined in between is told only about later events.
    const place = new Map<Connection | null, number>(unsent.map(({ of }, at) => [of, at + 1]))
    for (const connection of this.#options.connections) {
      if (!connection.ownProtocol) continue
      const after = place.get(connection)
      const told = after === undefined ? whole : Buffer.concat(frames.slice(after))
      if (told.length === 0) continue
      connection.outbox.send(told)
      this.#nextAt = this.#options.clock.now() + joinsEveryMs
    }
  }
}

const withoutTexts = (event: BoardEvent): BoardEvent => {
  if (event.type !== 'comment') return event
  const { thread: _written, ...rest } = event
  return rest
}
