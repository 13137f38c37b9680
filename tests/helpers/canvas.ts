// An Excalidraw without a screen, for tests of the binding in Node: it keeps a scene, mutates its elements in place
// with a growing version, and gives elements whose indices collide a new order, as the real one does.
import { generateNKeysBetween } from 'fractional-indexing'
import { type Canvas, type CanvasElement, moveTo } from '../../client/canvas.ts'
import type { Clock } from '../../shared/client/clock.ts'
import type { SceneElement } from '../../shared/element.ts'

export class FakeCanvas implements Canvas {
  #elements: CanvasElement[] = []
  readonly inHand = new Set<string>()
  readonly unshared = new Set<string>()
  /** How often everything was replaced. */
  shows = 0
  onChange: () => void = () => {}
  /** Ids that this canvas cannot restore, as a malformed element makes Excalidraw throw. */
  readonly unrestorable = new Set<string>()

  elements = () => this.#elements
  busy = () => this.inHand
  shareable = (element: CanvasElement) => (this.unshared.has(element.id) ? null : element)

  show(elements: readonly CanvasElement[], moved: ReadonlySet<string>): void {
    this.shows++
    const had = new Map(this.#elements.map((element) => [element.id, element]))
    this.#elements = elements.map((element) => {
      const own = moved.has(element.id) ? had.get(element.id) : undefined
      return own === undefined ? element : moveTo(own, element)
    })
    repairIndices(this.#elements)
    this.onChange()
  }

  restore(elements: readonly SceneElement[]): CanvasElement[] {
    return elements.map((element) => {
      if (this.unrestorable.has(element.id)) throw new Error('cannot be drawn')
      return { version: 1, versionNonce: 0, updated: 0, ...structuredClone(element) }
    })
  }

  /** The user puts something new at `position` of the order. */
  draw(element: SceneElement, position = this.#elements.length): void {
    const drawn = { version: 1, versionNonce: 0, updated: 0, isDeleted: false, ...element, index: null }
    this.#elements = this.#elements.toSpliced(position, 0, drawn)
    repairIndices(this.#elements)
    this.onChange()
  }

  /** The user changes something, in place, as Excalidraw's mutateElement does. */
  change(id: string, properties: Record<string, unknown>): void {
    const element = this.find(id)
    if (element === undefined) return
    Object.assign(element, properties)
    element.version++
    this.onChange()
  }

  /** The user puts something at another place of the order. */
  reorder(id: string, position: number): void {
    const element = this.find(id)
    if (element === undefined) return
    const others = this.#elements.filter((other) => other !== element)
    element.index = null
    element.version++
    this.#elements = others.toSpliced(position, 0, element)
    repairIndices(this.#elements)
    this.onChange()
  }

  /** What an Excalidraw that is still loading does to a scene set too early. */
  wipe(): void {
    this.#elements = []
    this.onChange()
  }

  find = (id: string) => this.#elements.find((element) => element.id === id)
}

/** Elements whose index does not follow from the one before get new ones, in place. */
const repairIndices = (elements: CanvasElement[]): void => {
  let lower: string | null = null
  for (let at = 0; at < elements.length; ) {
    const index: string | null | undefined = elements[at]?.index
    if (typeof index === 'string' && (lower === null || index > lower)) {
      lower = index
      at++
      continue
    }
    let end = at
    let upper: string | null = null
    for (; end < elements.length; end++) {
      const next = elements[end]?.index
      if (typeof next === 'string' && (lower === null || next > lower)) {
        upper = next
        break
      }
    }
    for (const key of generateNKeysBetween(lower, upper, end - at)) {
      const element = elements[at++]
      if (element === undefined) break
      element.index = key
      element.version++
      lower = key
    }
  }
}

/** Time that stands still until it is moved. */
export class HandClock implements Clock {
  #now = 0
  readonly #calls = new Set<{ at: number; call: () => void }>()

  now = () => this.#now

  after(delayMs: number, call: () => void): () => void {
    const entry = { at: this.#now + delayMs, call }
    this.#calls.add(entry)
    return () => this.#calls.delete(entry)
  }

  advance(milliseconds: number): void {
    const end = this.#now + milliseconds
    for (;;) {
      const next = [...this.#calls].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0]
      if (next === undefined) break
      this.#calls.delete(next)
      this.#now = Math.max(this.#now, next.at)
      next.call()
    }
    this.#now = end
  }

  get waiting(): number {
    return this.#calls.size
  }
}
