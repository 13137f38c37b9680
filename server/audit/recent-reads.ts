// Reads over HTTP are recorded once an hour for each principal, board and route of this process.
import { type Actor, principalKey } from '../principal.ts'

const mostReads = 50_000
const windowMs = 60 * 60 * 1000

/** Remembers what was recorded within the hour. Bounded: the oldest is forgotten first, and recorded again. */
export class RecentReads {
  readonly #recorded = new Map<string, { at: number; committed: Promise<void> }>()

  /**
   * Runs `write` unless it ran for this actor, board and route within the hour.
   * @returns once the row is committed, whichever read wrote it; a write that fails is tried again by the next read.
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

/** Nobody known is somebody by address and program here: a fresh id for every request would record every request. */
const actorKey = (actor: Actor): string => {
  if (actor.userId !== null)
    return principalKey({ kind: 'user', userId: actor.userId, name: '', role: 'user' })
  if (actor.guestId !== null) return principalKey({ kind: 'guest', guestId: actor.guestId, name: '' })
  if (actor.agentId !== null) return principalKey({ kind: 'agent', agentId: actor.agentId, name: '' })
  return `${actor.kind}:${actor.ip}:${actor.userAgent}`
}
