// What this user changed and the server has not confirmed, and what is left of it when the server will not have it.
import * as Y from 'yjs'
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
  /** The server has confirmed something that was written in the document. */
  #isAuthor = false
  /** What the user had when a document was thrown away, to be compared with what the server turns out to have. */
  #before: { elements: SceneElement[]; ids: Set<string> } | null = null

  /** How many elements wait for the server. */
  get size(): number {
    return this.#ids.size
  }

  /** Notes what changes in `doc` by transactions for which `isOurs`, and calls `noted`. Ends with the document. */
  observe(doc: Y.Doc, isOurs: (origin: unknown) => boolean, noted: () => void): void {
    this.#isAuthor = false
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
    if (this.#ids.size > 0) this.#isAuthor = true
    this.#ids.clear()
  }

  /**
   * Whether the document that the server has is the one that `doc` was synced with: it knows at least one of those
   * who wrote what is here. @param server what the server has, as a state vector
   */
  isPartOf(server: ReadonlyMap<number, number>, doc: Y.Doc): boolean {
    const authors = [...Y.decodeStateVector(Y.encodeStateVector(doc)).keys()]
    const known = authors.filter((clientId) => clientId !== doc.clientID || this.#isAuthor)
    return server.size === 0 || known.length === 0 || known.some((clientId) => server.has(clientId))
  }

  /** `doc` goes: remember what of it waits. @param beside what waits and is not even in it */
  keep(doc: Y.Doc, beside: readonly SceneElement[]): void {
    if (this.#ids.size === 0 && beside.length === 0) return
    const ids = new Set([...(this.#before?.ids ?? []), ...this.#ids, ...beside.map(({ id }) => id)])
    this.#before = { elements: [...elementsOf(doc), ...beside], ids }
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
