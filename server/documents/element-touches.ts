// Which elements of the bundled canvas an update touches, and how, determined before it is applied. For principals with
// limited rights on elements. Everything that is not an element of that canvas counts as foreign.
import * as Y from 'yjs'
import { readElement } from '../../shared/element.ts'
import { elementsRoot } from '../../shared/scene.ts'
import { type ElementProperties, elementItem, propertiesAt } from './element-properties.ts'

/** The kind of change. Restoring counts as creating; so does any change of an element that is not drawable yet. */
export type ElementAct = 'create' | 'update' | 'delete'

export type ElementRights = Readonly<Record<ElementAct, boolean>>

export interface Touches {
  elements: ReadonlyMap<string, ReadonlySet<ElementAct>>
  /** Whether it touches anything that is not an element. */
  isForeign: boolean
}

/** A sentence about the first of `touches` that `rights` do not allow; null if all are allowed. */
export function refusedTouch(touches: Touches, rights: ElementRights): string | null {
  if (rights.create && rights.update && rights.delete) return null
  if (touches.isForeign)
    return 'this is not an element of the canvas; writing it requires can_create, can_update and can_delete'
  for (const acts of touches.elements.values())
    for (const act of acts) if (!rights[act]) return sentences[act]
  return null
}

const sentences: Record<ElementAct, string> = {
  create: 'this agent may not add elements: it lacks can_create; the edit is not kept',
  update: 'this agent may not change elements that exist: it lacks can_update; the edit is not kept',
  delete: 'this agent may not delete elements: it lacks can_delete; the edit is not kept',
}

/** The location of a struct: its root, element and property. */
interface Place {
  root: string
  /** Key in the root; null in a list. */
  element: string | null
  /** Key in the element; null if the struct is the element itself. */
  property: string | null
  depth: number
}

/** A struct inside something deleted: it has no effect. */
const gone = 'gone'

/**
 * @param update v1, already validated by validateUpdate against the current `doc`.
 * @param doc never changed, root types included.
 */
export const touchesOf = (update: Uint8Array, doc: Y.Doc): Touches => new Reading(update, doc).run()

class Reading {
  readonly #doc: Y.Doc
  readonly #ds: ReturnType<typeof Y.decodeUpdate>['ds']
  readonly #fresh: Y.Item[] = []
  readonly #byClient = new Map<number, Y.Item[]>()
  readonly #places = new Map<Y.Item, Place | typeof gone>()
  readonly #rootNames = new Map<unknown, string>()
  readonly #elements = new Map<string, Set<ElementAct>>()
  readonly #before = new Map<string, ElementProperties | null>()
  /** What is overwritten: `element` and `element property`. Deleting the previous value is part of that. */
  readonly #written = new Set<string>()
  #isForeign = false

  constructor(update: Uint8Array, doc: Y.Doc) {
    this.#doc = doc
    const { structs, ds } = Y.decodeUpdate(update)
    this.#ds = ds
    for (const struct of structs) {
      if (!(struct instanceof Y.Item)) continue
      const { client, clock } = struct.id
      if (clock + struct.length <= Y.getState(doc.store, client)) continue
      this.#fresh.push(struct)
      const own = this.#byClient.get(client)
      if (own === undefined) this.#byClient.set(client, [struct])
      else own.push(struct)
    }
    for (const [name, root] of doc.share) this.#rootNames.set(root, name)
  }

  run(): Touches {
    for (const item of this.#fresh) this.#write(item)
    for (const [client, ranges] of this.#ds.clients)
      for (const { clock, len } of ranges) this.#delete(client, clock, clock + len)
    return { elements: this.#elements, isForeign: this.#isForeign }
  }

  #write(item: Y.Item): void {
    const place = this.#placeOf(item)
    if (place === gone) return
    const { root, element, property } = place
    if (root !== elementsRoot || element === null) {
      this.#isForeign = true
      return
    }
    this.#written.add(nameOf(element, property))
    const before = this.#propertiesOf(element)
    const isGone = item.content instanceof Y.ContentDeleted
    if (property === null) {
      if (before === null) {
        if (!isGone) this.#touch(element, 'create')
        return
      }
      this.#touch(element, 'delete')
      if (!isGone) this.#touch(element, 'update')
    } else if (before !== null) this.#change(element, place, before, isGone ? undefined : lastValueOf(item))
  }

  /** For existing elements. */
  #change(element: string, { property, depth }: Place, before: ElementProperties, value: unknown): void {
    if (!isDrawable(element, before)) this.#touch(element, 'create')
    else if (property !== 'isDeleted' || depth > 1) this.#touch(element, 'update')
    else if (value === true) this.#touch(element, before.isDeleted === true ? 'update' : 'delete')
    else this.#touch(element, before.isDeleted === true ? 'create' : 'update')
  }

  #delete(client: number, from: number, to: number): void {
    const { store } = this.#doc
    const structs = store.clients.get(client)
    const end = Math.min(to, Y.getState(store, client))
    if (structs === undefined || from >= end) return
    for (let at = Y.findIndexSS(structs, from); at < structs.length; at++) {
      const struct = structs[at]
      if (struct === undefined || struct.id.clock >= end) return
      if (!(struct instanceof Y.Item) || struct.deleted) continue
      this.#remove(struct)
    }
  }

  #remove(item: Y.Item): void {
    const place = this.#placeOf(item)
    if (place === gone) return
    const { root, element, property } = place
    if (root !== elementsRoot || element === null) {
      this.#isForeign = true
      return
    }
    if (this.#written.has(nameOf(element, property))) return
    const before = this.#propertiesOf(element)
    if (before === null) return
    if (property === null) this.#touch(element, 'delete')
    // Deleting an element deletes everything in it.
    else if (!this.#isDeletedHere(element)) this.#change(element, place, before, undefined)
  }

  /** Whether the update deletes or replaces the element as a whole. */
  #isDeletedHere(element: string): boolean {
    if (this.#written.has(nameOf(element, null))) return true
    const item = elementItem(this.#doc, element)
    if (item === null) return true
    const ranges = this.#ds.clients.get(item.id.client) ?? []
    return ranges.some(({ clock, len }) => clock <= item.id.clock && item.id.clock < clock + len)
  }

  #touch(element: string, act: ElementAct): void {
    const acts = this.#elements.get(element)
    if (acts === undefined) this.#elements.set(element, new Set([act]))
    else acts.add(act)
  }

  #propertiesOf(element: string): ElementProperties | null {
    let properties = this.#before.get(element)
    if (properties === undefined) {
      properties = propertiesAt(this.#doc, element)
      this.#before.set(element, properties)
    }
    return properties
  }

  /** Follows neighbours and parents without recursion: a text is a chain of thousands of neighbours. */
  #placeOf(item: Y.Item): Place | typeof gone {
    const chain: { item: Y.Item; isChild: boolean; key: string | null }[] = []
    let current = item
    let place: Place | typeof gone | undefined
    while (place === undefined) {
      place = this.#places.get(current)
      if (place !== undefined) break
      const { parent } = current
      if (typeof parent === 'string') place = this.#inRoot(parent, current.parentSub)
      else if (parent instanceof Y.AbstractType && parent._item === null)
        place = this.#inRoot(this.#rootNames.get(parent) ?? '', current.parentSub)
      else {
        const isNeighbour = parent === null
        const id = isNeighbour
          ? (current.origin ?? current.rightOrigin)
          : parent instanceof Y.AbstractType
            ? (parent._item?.id ?? null)
            : (parent as Y.ID) // the remaining one of three possible kinds of parent
        const next = id === null ? null : this.#find(id)
        if (next === null || (!isNeighbour && next.deleted && this.#isStored(next))) place = gone
        else {
          chain.push({ item: current, isChild: !isNeighbour, key: current.parentSub })
          current = next
          continue
        }
      }
      this.#places.set(current, place)
    }
    for (const step of chain.reverse()) {
      if (place !== gone && step.isChild)
        place = {
          ...place,
          depth: place.depth + 1,
          property: place.depth === 0 ? (step.key ?? '') : place.property,
        }
      this.#places.set(step.item, place)
    }
    return place
  }

  #inRoot(root: string, element: string | null): Place {
    return { root, element, property: null, depth: 0 }
  }

  #isStored(item: Y.Item): boolean {
    return item.id.clock < Y.getState(this.#doc.store, item.id.client)
  }

  #find({ client, clock }: Y.ID): Y.Item | null {
    if (clock < Y.getState(this.#doc.store, client)) {
      const stored: unknown = Y.getItem(this.#doc.store, Y.createID(client, clock))
      return stored instanceof Y.Item ? stored : null
    }
    const own = this.#byClient.get(client) ?? []
    let low = 0
    let high = own.length - 1
    while (low <= high) {
      const middle = (low + high) >> 1
      const item = own[middle]
      if (item === undefined) return null
      if (clock < item.id.clock) high = middle - 1
      else if (clock >= item.id.clock + item.length) low = middle + 1
      else return item
    }
    return null
  }
}

const nameOf = (element: string, property: string | null): string => JSON.stringify([element, property])

const isDrawable = (id: string, properties: ElementProperties): boolean => {
  const { geo, ...rest } = properties
  const geometry = typeof geo === 'object' && geo !== null ? geo : {}
  return readElement({ ...rest, ...geometry, id }) !== null
}

const lastValueOf = ({ content }: Y.Item): unknown => {
  const values = content.getContent()
  return values[values.length - 1]
}
