// Comments that are not on the server yet, in the order in which they were written. They are stored on the device and
// survive a reload; each has an id by which the server writes it once, however often it is sent.
import type { Anchor, Place } from '../../shared/api/comments.ts'

export interface Waiting {
  /** Also its `client_id`. */
  id: string
  /** The thread it replies to; the `id` of an earlier entry if that thread is waiting too; null starts a thread. */
  threadId: string | null
  anchor: Anchor | null
  place: Place | null
  body: string
  mentions: { id: string; name: string }[]
  writtenAt: string
  /** Why the server refuses it; null: it has not refused it. */
  refused: string | null
}

/** localStorage of the page, or a stand-in. */
export type Shelf = Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>

export class CommentOutbox {
  readonly #shelf: Shelf
  readonly #key: string
  #entries: Waiting[]

  /** @param key identifies the user and the board: another person on this device finds nothing. */
  constructor(shelf: Shelf, key: string) {
    this.#shelf = shelf
    this.#key = key
    this.#entries = parsed(shelf.getItem(key))
  }

  get entries(): readonly Waiting[] {
    return this.#entries
  }

  /** The next one to send: refused entries, and replies in a refused thread, wait for a decision. */
  get next(): Waiting | undefined {
    const refused = new Set<string>()
    for (const entry of this.#entries) {
      if (entry.refused !== null || (entry.threadId !== null && refused.has(entry.threadId)))
        refused.add(entry.id)
      else return entry
    }
    return undefined
  }

  add(entry: Waiting): void {
    this.#set([...this.#entries, entry])
  }

  /** It is on the server; replies that wait for its thread get the thread's real id. */
  sent(id: string, threadId: string): void {
    this.#set(
      this.#entries
        .filter((entry) => entry.id !== id)
        .map((entry) => (entry.threadId === id ? { ...entry, threadId } : entry)),
    )
  }

  change(id: string, change: Partial<Waiting>): void {
    this.#set(this.#entries.map((entry) => (entry.id === id ? { ...entry, ...change } : entry)))
  }

  /** Together with the replies that wait for it. */
  discard(id: string): void {
    this.#set(this.#entries.filter((entry) => entry.id !== id && entry.threadId !== id))
  }

  #set(entries: Waiting[]): void {
    this.#entries = entries
    try {
      if (entries.length === 0) this.#shelf.removeItem(this.#key)
      else this.#shelf.setItem(this.#key, JSON.stringify(entries))
    } catch {
      // No space on the device: it is kept here until the page is closed.
    }
  }
}

function parsed(text: string | null): Waiting[] {
  try {
    const entries: unknown = JSON.parse(text ?? '[]')
    return Array.isArray(entries) ? entries.filter(isWaiting) : []
  } catch {
    return [] // not written by us
  }
}

const isWaiting = (entry: unknown): entry is Waiting =>
  typeof entry === 'object' &&
  entry !== null &&
  'id' in entry &&
  typeof entry.id === 'string' &&
  'body' in entry &&
  typeof entry.body === 'string' &&
  'mentions' in entry &&
  Array.isArray(entry.mentions)
