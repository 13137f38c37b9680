// What this user changed and the server has not confirmed, and what is left of it when the server will not have it.
import * as Y from 'yjs'
import { elementMaps, elementOf, elementsOf, type SceneElement, sameElement } from '../shared/scene.ts'
import { textKey } from './text-merge.ts'

/** Changes that the server did not take, as the whole drawing they were made in. */
export interface Kept {
  elements: SceneElement[]
  /** How many elements are not on the server as they are here. */
  changes: number
}

/** Of one session. Documents come and go; what was kept of one is compared with the next. */
export class Unsaved {
  readonly #ids = new Set<string>()
  /** Of these, texts in which the user wrote, as they were then: whoever deletes one has not seen the words, so they bring it back. */
  readonly #texts = new Map<string, Record<string, unknown>>()
  /** The server has confirmed something that was written in the document. */
  #isAuthor = false
  /** What the user had when a document was thrown away, to be compared with what the server turns out to have. */
  #before: { elements: SceneElement[]; ids: Set<string> } | null = null

  /** How many elements wait for the server. */
  get size(): number {
    return this.#ids.size
  }

  /**
   * Notes what the user changes in `doc`, and calls `noted`. Ends with the document.
   * @param whose of a transaction: made on this page, kept by the device from an earlier visit, or somebody else's
   */
  observe(doc: Y.Doc, whose: (origin: unknown) => 'page' | 'device' | 'other', noted: () => void): void {
    this.#isAuthor = false
    let isNews = false
    elementMaps(doc).observeDeep((events, { origin }) => {
      const by = whose(origin)
      if (by !== 'other') isNews = true
      for (const event of events) {
        if (event.path.length === 1 && this.#bringsBack(event, by)) isNews = true
        if (event.path.length === 0 && by === 'other') isNews = this.#bringsBackWhole(event, doc) || isNews
        if (by === 'other') continue
        if (event.path.length > 0) this.#ids.add(String(event.path[0]))
        else for (const id of event.keys.keys()) this.#ids.add(id)
      }
    })
    // Then it is on its way to the server, and nobody takes what was saved before for all there is.
    doc.on('afterAllTransactions', () => {
      if (!isNews) return
      isNews = false
      noted()
    })
  }

  /** A text that somebody else deletes while words of the user's wait is there again. What the page writes, the binding judges. */
  #bringsBack(
    { target, path, keys }: Y.YEvent<Y.AbstractType<unknown>>,
    by: 'page' | 'device' | 'other',
  ): boolean {
    if (!(target instanceof Y.Map)) return false
    const id = String(path[0])
    const isDeleted = target.get('isDeleted') === true
    if (by !== 'other') {
      if (isDeleted && keys.has('isDeleted')) this.#texts.delete(id)
      else if (keys.has(textKey) && (by === 'device' || !isDeleted)) this.#texts.set(id, target.toJSON())
    }
    if (by === 'page' || !isDeleted || !this.#texts.has(id)) return false
    this.#ids.add(id)
    target.set('isDeleted', false)
    return true
  }

  /** The same where a client of another app takes the text out of the document instead of marking it as deleted. */
  #bringsBackWhole({ keys }: Y.YEvent<Y.AbstractType<unknown>>, doc: Y.Doc): boolean {
    const gone = [...keys].flatMap(([id, { action }]) => {
      const text = action === 'delete' ? this.#texts.get(id) : undefined
      return text === undefined ? [] : [[id, { ...text, isDeleted: false }] as const]
    })
    for (const [id, text] of gone) elementMaps(doc).set(id, new Y.Map(Object.entries(text)))
    return gone.length > 0
  }

  /** The server has all of it. */
  confirm(): void {
    if (this.#ids.size > 0) this.#isAuthor = true
    this.#ids.clear()
    this.#texts.clear()
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
    this.#texts.clear()
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
