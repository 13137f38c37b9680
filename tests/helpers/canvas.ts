// An Excalidraw without a screen, for tests of the binding in Node: it holds a scene, mutates its elements in place
// with an increasing version, and reorders elements whose indices collide, as the real one does.
import { generateNKeysBetween } from 'fractional-indexing'
import { type Canvas, type CanvasElement, moveTo } from '../../client/canvas.ts'
import type { Clock } from '../../shared/client/clock.ts'
import type { SceneElement } from '../../shared/element.ts'

interface Noted {
  id: string
  from: Record<string, unknown>
  to: Record<string, unknown>
}
type Step = Noted[]
const unnoted = new Set(['version', 'versionNonce', 'updated', 'index'])
const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b)
const pick = (from: Record<string, unknown>, keys: readonly string[]): Record<string, unknown> =>
  structuredClone(Object.fromEntries(keys.map((key) => [key, from[key]])))

export class FakeCanvas implements Canvas {
  #elements: CanvasElement[] = []
  readonly #undo: Step[] = []
  readonly #redo: Step[] = []
  readonly inHand = new Set<string>()
  readonly unshared = new Set<string>()
  /** How often everything was replaced. */
  shows = 0
  onChange: () => void = () => {}
  /** Ids that this canvas cannot restore, as when a malformed element makes Excalidraw throw. */
  readonly unrestorable = new Set<string>()

  elements = () => this.#elements
  busy = () => this.inHand
  shareable = (element: CanvasElement) => (this.unshared.has(element.id) ? null : element)
  measured = (text: SceneElement) => ({
    ...text,
    text: text.originalText,
    width: String(text.originalText).length,
  })

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

  /** The user adds something new at `position` in the order. */
  draw(element: SceneElement, position = this.#elements.length): void {
    const drawn = { version: 1, versionNonce: 0, updated: 0, isDeleted: false, ...element, index: null }
    this.#elements = this.#elements.toSpliced(position, 0, drawn)
    repairIndices(this.#elements)
    this.onChange()
  }

  /** The user changes something, in place, like Excalidraw's mutateElement. */
  change(id: string, properties: Record<string, unknown>): void {
    const element = this.find(id)
    if (element === undefined) return
    Object.assign(element, properties)
    element.version++
    this.onChange()
  }

  /** The user moves something to another position in the order. */
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

  /**
   * A step of its history, from here until it ends: the states of elements before and after, as Excalidraw records
   * it.
   */
  step(work: () => void): void {
    const before = new Map(this.#elements.map((element) => [element.id, { ...element }]))
    work()
    const entry: Step = []
    for (const element of this.#elements) {
      const was: Record<string, unknown> = before.get(element.id) ?? { isDeleted: true }
      const keys = Object.keys(element).filter((key) => !unnoted.has(key) && !same(was[key], element[key]))
      const wasKeys = before.has(element.id) ? keys : ['isDeleted']
      if (keys.length > 0) entry.push({ id: element.id, from: pick(was, wasKeys), to: pick(element, keys) })
    }
    this.#undo.push(entry)
    this.#redo.length = 0
  }

  undo = (): void => this.#perform(this.#undo, this.#redo, 'from')
  redo = (): void => this.#perform(this.#redo, this.#undo, 'to')

  /** Steps without a visible effect are skipped; the state before a step is what the opposite step will restore. */
  #perform(stack: Step[], other: Step[], side: 'from' | 'to'): void {
    for (let entry = stack.pop(); entry !== undefined; entry = stack.pop()) {
      let isSeen = false
      const back: Step = []
      for (const noted of entry) {
        const element = this.find(noted.id)
        if (element === undefined) continue
        const next = noted[side]
        const found = pick(element, Object.keys(next))
        back.push({
          ...noted,
          [side === 'from' ? 'to' : 'from']: { ...noted[side === 'from' ? 'to' : 'from'], ...found },
        })
        if (same(found, next)) continue
        isSeen ||= element.isDeleted !== true || next.isDeleted === false
        Object.assign(element, structuredClone(next))
        element.version++
      }
      other.push(back)
      if (isSeen) break
    }
    this.onChange()
  }

  /** What an Excalidraw that is still loading does to a scene that was set too early. */
  wipe(): void {
    this.#elements = []
    this.onChange()
  }

  find = (id: string) => this.#elements.find((element) => element.id === id)
}

/** Elements whose index does not follow from the previous one get new indices, in place. */
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

/** Time that stands still until it is advanced. */
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
