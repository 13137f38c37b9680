// Who else is here, where their pointers are and what they are editing: awareness states, as the canvas shows them.
// Without DOM.

import type { Awareness } from 'y-protocols/awareness'
import type { Clock } from '../shared/client/clock.ts'
import type { Hello } from '../shared/protocol.ts'
import { appTexts } from './texts/app.ts'

/** A part of a scene, in its coordinates. */
export type Viewport = readonly [left: number, top: number, right: number, bottom: number]

export interface Pointer {
  x: number
  y: number
  tool: 'pointer' | 'laser'
}

/** What one client sends the others. The server adds `principal`: who the connection really is. */
export interface PresenceState {
  /** For other apps on the board, which look for a name here; this client trusts only `principal`. */
  user: { name: string }
  pointer: Pointer | null
  button: 'up' | 'down'
  selection: string[]
  /** The text that is being typed into. */
  editing: string | null
  viewport: Viewport | null
  isIdle: boolean
  /** Asks for the pen, if the board is set to view only. */
  hand: boolean
}

export interface Person {
  /** Key of the connection: one person with two windows has two of these. */
  clientId: number
  /** Stable for the person; determines the colour. */
  id: string
  name: string
  isGuest: boolean
  pointer: Pointer | null
  button: 'up' | 'down'
  selection: string[]
  editing: string | null
  viewport: Viewport | null
  isIdle: boolean
  hasHandUp: boolean
}

const pointerDelayMs = 33
const mostSelected = 200

/** What we send the others; at most 30 times a second. `close()` when the page closes. */
export class OwnPresence {
  readonly #awareness: Awareness
  readonly #clock: Clock
  #state: PresenceState
  #cancel: (() => void) | null = null
  #lastAt = Number.NEGATIVE_INFINITY

  constructor(awareness: Awareness, clock: Clock, { principal }: Hello) {
    this.#awareness = awareness
    this.#clock = clock
    this.#state = {
      user: { name: principal.name },
      pointer: null,
      button: 'up',
      selection: [],
      editing: null,
      viewport: null,
      isIdle: false,
      hand: false,
    }
    this.#send()
  }

  update(change: Partial<Omit<PresenceState, 'user'>>): void {
    if (change.selection !== undefined) change.selection = change.selection.slice(0, mostSelected)
    this.#state = { ...this.#state, ...change }
    if (this.#cancel !== null) return
    const wait = this.#lastAt + pointerDelayMs - this.#clock.now()
    if (wait <= 0) this.#send()
    else this.#cancel = this.#clock.after(wait, () => this.#send())
  }

  close(): void {
    this.#cancel?.()
    this.#cancel = null
  }

  #send(): void {
    this.#cancel = null
    this.#lastAt = this.#clock.now()
    this.#awareness.setLocalState({ ...this.#state })
  }
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null
const isNumber = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value)

/** Everybody else, in a stable order. The states come from other people's clients: malformed ones are left out. */
export const peopleOf = (awareness: Awareness): Person[] => {
  const people: Person[] = []
  for (const [clientId, state] of awareness.getStates()) {
    if (clientId === awareness.clientID || !isObject(state)) continue
    const user = isObject(state.principal) ? state.principal : {}
    const name =
      typeof user.name === 'string' && user.name !== '' ? user.name.slice(0, 100) : appTexts.somebody
    const isGuest = user.kind === 'guest' || user.kind === 'anonymous'
    people.push({
      clientId,
      id: typeof user.id === 'string' ? user.id.slice(0, 100) : `client:${clientId}`,
      name: isGuest ? appTexts.guestName(name) : user.kind === 'agent' ? appTexts.agentName(name) : name,
      isGuest,
      pointer: readPointer(state.pointer),
      button: state.button === 'down' ? 'down' : 'up',
      selection: Array.isArray(state.selection)
        ? state.selection.filter((id) => typeof id === 'string').slice(0, mostSelected)
        : [],
      editing: typeof state.editing === 'string' ? state.editing.slice(0, 100) : null,
      viewport: readViewport(state.viewport),
      isIdle: state.isIdle === true,
      hasHandUp: state.hand === true,
    })
  }
  return people.sort((a, b) => a.clientId - b.clientId)
}

const colors = 37

/**
 * A key for each of these people, from which Excalidraw derives a colour: one of 37, by a hash, which two of five
 * people share about half of the time. These keys differ as long as there are colours left, and are the same in every
 * window.
 */
export const colorKeysOf = (ids: readonly string[]): Map<string, string> => {
  const keys = new Map<string, string>()
  const taken = new Set<number>()
  for (const id of [...new Set(ids)].sort()) {
    let wanted = 0
    for (const char of id) wanted = (wanted * 31 + char.charCodeAt(0)) % (colors * 1000)
    let at = wanted % colors
    while (taken.size % colors !== 0 && taken.has(at + colors * Math.floor(taken.size / colors)))
      at = (at + 1) % colors
    const round = Math.floor(taken.size / colors)
    taken.add(at + colors * round)
    // The hash of a single letter is the letter itself.
    keys.set(id, String.fromCharCode(colors * (3 + round) + at))
  }
  return keys
}

const readPointer = (value: unknown): Pointer | null =>
  isObject(value) && isNumber(value.x) && isNumber(value.y)
    ? { x: value.x, y: value.y, tool: value.tool === 'laser' ? 'laser' : 'pointer' }
    : null

const readViewport = (value: unknown): Viewport | null => {
  if (!Array.isArray(value) || value.length !== 4 || !value.every(isNumber)) return null
  const [left, top, right, bottom] = value as [number, number, number, number] // four numbers, checked by the line above
  return right > left && bottom > top ? [left, top, right, bottom] : null
}
