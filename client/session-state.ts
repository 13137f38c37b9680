// What the user of an open board must know, and who is notified when it changes.
import type { Level } from '../shared/levels.ts'
import type { Hello, Notice } from '../shared/protocol.ts'
import type { Kept } from './unsaved.ts'

export type Sync =
  /** Not synced yet since the page was opened. */
  | { name: 'connecting' }
  /** Received, but not on the canvas yet. */
  | { name: 'opening' }
  | { name: 'saved' }
  | { name: 'saving' }
  /**
   * `changes`: how many elements are waiting for the server. `isKept`: stored on this device, not only in this page.
   */
  | { name: 'offline'; changes: number; isKept: boolean }

export interface SessionState {
  /** Null until the server's hello. Stays during an outage. */
  hello: Hello | null
  level: Level | null
  mayManage: boolean
  /** The document has been synced once: there is something to show. */
  isReady: boolean
  sync: Sync
  /** The server's final decision: only a new session can return. */
  ended: { code: number; reason: string } | null
  /** Until the user decides. */
  kept: Kept | null
  notice: Notice | null
}

/** The current state, replaced as a whole with each change. */
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

  /** A `sync` equal to the previous one is no change. */
  set(change: Partial<SessionState>): void {
    const keys = Object.keys(change) as (keyof SessionState)[] // keys of Partial<SessionState> are its keys
    const { sync } = this.#value
    if (keys.every((key) => key === 'sync' && JSON.stringify(change.sync) === JSON.stringify(sync))) return
    this.#value = { ...this.#value, ...change }
    for (const listener of [...this.#listeners]) listener()
  }
}
