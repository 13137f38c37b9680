// Reads over HTTP are recorded once an hour per principal, board and route in this process.
import { type Actor, principalKey } from '../principal.ts'

const mostReads = 50_000
const windowMs = 60 * 60 * 1000

/** Remembers what was recorded within the hour. Bounded: the oldest is forgotten first, and then recorded again. */
export class RecentReads {
  readonly #recorded = new Map<string, { at: number; committed: Promise<void> }>()

  /**
   * Runs `write` unless it ran for this actor, board and route within the hour.
   * @returns once the row is committed, by whichever read; the next read retries a failed write.
   */
  once(
    read: { actor: Actor; boardId: string; route: string },
    now: number,
    write: () => Promise<void>,
  ): Promise<void> {
    const key = `${actorKey(read.actor)}|${read.boardId}|${read.route}`
    const known = this.#recorded.get(key)
    if (known && now - known.at < windowMs) return known.committed
    this.#recorded.delete(key)
    const committed = write()
    this.#recorded.set(key, { at: now, committed })
    committed.catch(() => this.#recorded.get(key)?.committed === committed && this.#recorded.delete(key))
    for (const oldest of this.#recorded.keys()) {
      if (this.#recorded.size <= mostReads) break
      this.#recorded.delete(oldest)
    }
    return committed
  }
}

/** Anonymous people are told apart by address and user agent here: their id is new for every request. */
const actorKey = (actor: Actor): string => {
  if (actor.userId !== null)
    return principalKey({ kind: 'user', userId: actor.userId, name: '', role: 'user' })
  if (actor.guestId !== null) return principalKey({ kind: 'guest', guestId: actor.guestId, name: '' })
  if (actor.agentId !== null) return principalKey({ kind: 'agent', agentId: actor.agentId, name: '' })
  return `${actor.kind}:${actor.ip}:${actor.userAgent}`
}
