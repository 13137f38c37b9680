// What this user changed and the server has not confirmed, and what remains of it if the server refuses it.
import * as Y from 'yjs'
import { elementMaps, elementOf, elementsOf, type SceneElement, sameElement } from '../shared/scene.ts'
import { textKey } from './text-merge.ts'

/** Changes that the server did not accept, as the whole drawing in which they were made. */
export interface Kept {
  elements: SceneElement[]
  /** How many elements differ from those on the server. */
  changes: number
}

/** One per session. Documents come and go; what was kept of one is compared with the next. */
export class Unsaved {
  readonly #ids = new Set<string>()
  /**
   * The texts among these in which the user wrote, as they were then: people who delete one have not seen the words,
   * so the words restore it.
   */
  readonly #texts = new Map<string, Record<string, unknown>>()
  /** The server has confirmed something that was written in the document. */
  #isAuthor = false
  /** The user's elements from a discarded document, to be compared with what the server turns out to have. */
  #before: { elements: SceneElement[]; ids: Set<string> } | null = null

  /** How many elements are waiting for the server. */
  get size(): number {
    return this.#ids.size
  }

  /**
   * Records what the user changes in `doc`, and calls `noted`. Ends with the document.
   * @param whose the origin of a transaction: made on this page, stored on the device in an earlier visit, or
   * somebody else's
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
    // Then it is being sent, and nobody mistakes the last saved state for everything.
    doc.on('afterAllTransactions', () => {
      if (!isNews) return
      isNews = false
      noted()
    })
  }

  /**
   * A text that somebody else deletes while the user's words are waiting reappears. The binding decides about what
   * the page writes.
   */
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
   * Whether the server's document is the one that `doc` was synced with: it knows at least one of the clients that
   * wrote what is here. @param server what the server has, as a state vector
   */
  isPartOf(server: ReadonlyMap<number, number>, doc: Y.Doc): boolean {
    const authors = [...Y.decodeStateVector(Y.encodeStateVector(doc)).keys()]
    const known = authors.filter((clientId) => clientId !== doc.clientID || this.#isAuthor)
    return server.size === 0 || known.length === 0 || known.some((clientId) => server.has(clientId))
  }

  /** `doc` is discarded: remember its waiting changes. @param beside changes that wait and are not even in it */
  keep(doc: Y.Doc, beside: readonly SceneElement[]): void {
    if (this.#ids.size === 0 && beside.length === 0) return
    const ids = new Set([...(this.#before?.ids ?? []), ...this.#ids, ...beside.map(({ id }) => id)])
    this.#before = { elements: [...elementsOf(doc), ...beside], ids }
    this.#ids.clear()
    this.#texts.clear()
  }

  /** Like {@link keep}, for everything in `doc`, which is known to contain changes from an earlier visit. */
  keepAll(doc: Y.Doc): void {
    const elements = elementsOf(doc)
    this.#before = { elements, ids: new Set(elements.map(({ id }) => id)) }
  }

  /** Kept changes that are missing from `doc` (null: nothing is known to be missing); forgotten here. */
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
