// What the user of an open board must know, and who is told when it changes.
import type { Level } from '../shared/levels.ts'
import type { Hello, Notice } from '../shared/protocol.ts'
import type { Kept } from './unsaved.ts'

export type Sync =
  /** Not synced yet since the page was opened. */
  | { name: 'connecting' }
  /** Here, and not on the canvas yet. */
  | { name: 'opening' }
  | { name: 'saved' }
  | { name: 'saving' }
  /** `changes`: how many elements wait here for the server. `isKept`: on this device, and not in this page alone. */
  | { name: 'offline'; changes: number; isKept: boolean }

export interface SessionState {
  /** Null until the server said hello. Stays during an outage. */
  hello: Hello | null
  level: Level | null
  mayManage: boolean
  /** The document has been synced once: there is something to show. */
  isReady: boolean
  sync: Sync
  /** The server's last word: no way back without a new session. */
  ended: { code: number; reason: string } | null
  /** Until the user decides. */
  kept: Kept | null
  notice: Notice | null
}

/** The current state, replaced as a whole by each change. */
export class ObservedState {
  readonly #listeners = new Set<() => void>()
  #value: SessionState = {
    hello: null,
    level: null,
    mayManage: false,
    isReady: false,
    sync: { name: 'connecting' },
    ended: null,
    kept: null,
    notice: null,
  }

  get value(): SessionState {
    return this.#value
  }

  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** A `sync` that says the same as before is no change. */
  set(change: Partial<SessionState>): void {
    const keys = Object.keys(change) as (keyof SessionState)[] // keys of Partial<SessionState> are its keys
    const { sync } = this.#value
    if (keys.every((key) => key === 'sync' && JSON.stringify(change.sync) === JSON.stringify(sync))) return
    this.#value = { ...this.#value, ...change }
    for (const listener of [...this.#listeners]) listener()
  }
}
