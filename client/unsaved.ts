// What this user changed and the server has not confirmed, and what is left of it when the server will not have it.
import type * as Y from 'yjs'
import { elementMaps, elementOf, elementsOf, type SceneElement, sameElement } from '../shared/scene.ts'

/** Changes that the server did not take, as the whole drawing they were made in. */
export interface Kept {
  elements: SceneElement[]
  /** How many elements are not on the server as they are here. */
  changes: number
}

/** Of one session. Documents come and go; what was kept of one is compared with the next. */
export class Unsaved {
  readonly #ids = new Set<string>()
  /** What the user had when a document was thrown away, to be compared with what the server turns out to have. */
  #before: { elements: SceneElement[]; ids: Set<string> } | null = null

  /** How many elements wait for the server. */
  get size(): number {
    return this.#ids.size
  }

  /** Notes what changes in `doc` by transactions for which `isOurs`, and calls `noted`. Ends with the document. */
  observe(doc: Y.Doc, isOurs: (origin: unknown) => boolean, noted: () => void): void {
    elementMaps(doc).observeDeep((events, { origin }) => {
      if (!isOurs(origin)) return
      for (const event of events) {
        if (event.path.length > 0) this.#ids.add(String(event.path[0]))
        else for (const id of event.keys.keys()) this.#ids.add(id)
      }
      noted()
    })
  }

  /** The server has all of it. */
  confirm(): void {
    this.#ids.clear()
  }

  /** `doc` goes: remember what of it waits. */
  keep(doc: Y.Doc): void {
    if (this.#ids.size === 0) return
    const ids = new Set([...(this.#before?.ids ?? []), ...this.#ids])
    this.#before = { elements: elementsOf(doc), ids }
    this.#ids.clear()
  }

  /** As {@link keep}, of everything in `doc`, which is known to hold changes of an earlier visit. */
  keepAll(doc: Y.Doc): void {
    const elements = elementsOf(doc)
    this.#before = { elements, ids: new Set(elements.map(({ id }) => id)) }
  }

  /** What was kept and is not in `doc` (null: nothing is known to be); forgotten here. */
  takeKept(doc: Y.Doc | null): Kept | null {
    const before = this.#before
    this.#before = null
    if (before === null) return null
    const lost = before.elements.filter((element) => {
      if (!before.ids.has(element.id)) return false
      const there = doc === null ? null : elementOf(doc, element.id)
      return there === null ? element.isDeleted !== true : !sameElement(there, element)
    })
    if (lost.length === 0) return null
    return { elements: before.elements.filter(({ isDeleted }) => isDeleted !== true), changes: lost.length }
  }
}
