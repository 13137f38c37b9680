// Excalidraw <-> Y.Doc. The canvas is one scene that its user changes at will; the document is shared. The binding
// remembers what the canvas held when the two last agreed (the shadow), writes what the user has changed since then,
// and shows what others changed. Deletion is only ever `isDeleted: true`: an element that is absent from the canvas,
// which Excalidraw may wipe while it loads, is not deleted. Without DOM; all dependencies are passed in.
import type * as Y from 'yjs'
import type { Clock } from '../shared/client/clock.ts'
import { copyJson, type SceneElement, sameJson } from '../shared/element.ts'
import {
  byIndex,
  type ElementChange,
  elementMaps,
  elementOf,
  elementsOf,
  storedProperties,
  writeChanges,
} from '../shared/scene.ts'
import { mendings, strayIds } from './at-rest.ts'
import { type Canvas, type CanvasElement, copyProperties, differenceOf, restoreEach } from './canvas.ts'
import { rejoinArrows } from './rejoin-arrows.ts'
import { mergeTexts, OwnTexts, textKey } from './text-merge.ts'
import { Authors, remoteProperties, withProperties } from './undo.ts'

export interface BindingOptions {
  doc: Y.Doc
  canvas: Canvas
  clock: Clock
  mayWrite: boolean
  /** Changes are waiting to be written, or no longer are. */
  onPending(isPending: boolean): void
}

interface Agreed {
  /** The canvas' version of the element at that time; -1: compare it again. */
  version: number
  properties: Record<string, unknown>
}

/** Writes are batched for this long: three frames of a drag in one update. */
const writeDelayMs = 50
/**
 * Element writes per second. A drag of thousands becomes fewer, larger updates instead of freezing other people's
 * windows.
 */
const writesPerSecond = 3000
const showDelayMs = 16
const busyRetryMs = 250
/** The canvas and the document are compared after at most this long without activity. */
const restMs = 1000
/** Origin of repairs to the document that are nobody's own edits. */
const mendingOrigin = 'mending'

/** Created when document and canvas are both loaded; `stop()` removes its observer and timers. */
export class Binding {
  readonly #options: BindingOptions
  readonly #agreed = new Map<string, Agreed>()
  readonly #remote = new Set<string>()
  readonly #observer: Parameters<Y.Map<unknown>['observeDeep']>[0]
  #mayWrite: boolean
  #cancelWrite: (() => void) | null = null
  #cancelShow: (() => void) | null = null
  #cancelRest: (() => void) | null = null
  /** Elements that were shown again while idle and are still missing: this canvas cannot draw them. */
  readonly #undrawable = new Set<string>()
  readonly #authors = new Authors()
  readonly #texts = new OwnTexts()
  /** Texts in which somebody else overwrote, at the same moment, what was written here. */
  readonly #lostTexts = new Map<string, string>()
  /** The current change of the canvas is an undo. */
  #isUndoing = false
  #nextWriteAt = 0
  #nextShowAt = 0
  #isShowing = false

  constructor(options: BindingOptions) {
    this.#options = options
    this.#mayWrite = options.mayWrite
    this.#observer = (events, transaction) => {
      if (transaction.origin === this) return
      for (const event of events) {
        const heard = remoteProperties(event)
        if (heard !== null) this.#hear(heard.id, heard.properties)
        if (event.path.length === 0) for (const id of event.keys.keys()) this.#remote.add(id)
        else this.#remote.add(String(event.path[0]))
      }
      this.#undrawable.clear()
      this.#showSoon(showDelayMs)
    }
  }

  /** Show the document, and nothing else, from now on. */
  start(): void {
    const { doc, canvas } = this.#options
    elementMaps(doc).observeDeep(this.#observer)
    const wanted = elementsOf(doc)
    const ids = new Set(wanted.map(({ id }) => id))
    this.#show(
      wanted,
      ids,
      canvas.elements().filter(({ id }) => ids.has(id)),
    )
  }

  stop(): void {
    elementMaps(this.#options.doc).unobserveDeep(this.#observer)
    this.#cancelWrite?.()
    this.#cancelShow?.()
    this.#cancelRest?.()
    this.#cancelWrite = null
    this.#cancelShow = null
    this.#cancelRest = null
  }

  /** False: read-only. Changes that are not written yet stay on the canvas until the document overwrites them. */
  setMayWrite(mayWrite: boolean): void {
    this.#mayWrite = mayWrite
    if (mayWrite) return
    this.#cancelWrite?.()
    this.#cancelWrite = null
    this.#options.onPending(false)
  }

  /** Excalidraw reports that something may have changed; called on every render, so it must cost next to nothing. */
  canvasChanged(): void {
    if (this.#isShowing) return
    this.#restSoon()
    if (this.#remote.size > 0) this.#showSoon(showDelayMs)
    if (!this.#mayWrite || this.#cancelWrite !== null || !this.#hasChanges()) return
    const delay = Math.max(writeDelayMs, this.#nextWriteAt - this.#options.clock.now())
    this.#cancelWrite = this.#options.clock.after(delay, () => this.flush())
    this.#options.onPending(true)
  }

  /** Writes what the user changed, now: at pointer-up, before the page closes, before showing what others did. */
  flush(): void {
    const wasPending = this.#cancelWrite !== null
    this.#cancelWrite?.()
    this.#cancelWrite = null
    if (this.#mayWrite) {
      let weight = 0
      const changes: ElementChange[] = []
      for (const element of this.#options.canvas.elements()) {
        const change = this.#changeOf(element)
        if (change === null) continue
        changes.push(change)
        weight += 1 + (Array.isArray(element.points) ? element.points.length / 10 : 0)
      }
      this.#write(changes)
      this.#nextWriteAt = this.#options.clock.now() + (weight * 1000) / writesPerSecond
    }
    if (wasPending) this.#options.onPending(false)
  }

  /**
   * One step of the canvas' own undo. What others changed after that step is kept.
   * @param press makes the canvas undo, before it returns
   * @returns whether the user's step was visible, contained only others' changes, or changed no element
   */
  undo(press: () => void): 'seen' | 'kept' | 'none' {
    const { doc, canvas } = this.#options
    if (!this.#mayWrite || canvas.busy().size > 0) {
      press()
      return 'seen'
    }
    this.#cancelShow?.()
    this.#cancelShow = null
    this.#showRemote()
    const overtaken = this.#authors.overtaken(doc)
    const before = new Map(canvas.elements().map((element) => [element.id, element.version]))
    // While the canvas reads it, the user's own value is in place: a redo will return to it.
    if (overtaken.size > 0) this.#showAs((element) => withProperties(element, overtaken.get(element.id)))
    const own = new Map(canvas.elements().map((element) => [element.id, copyProperties(element)]))
    press()
    let isKept = false
    let isSeen = false
    for (const element of canvas.elements()) {
      if (element.version === before.get(element.id)) continue
      const was = own.get(element.id)
      const now = storedProperties(element)
      for (const key of new Set([...Object.keys(now), ...Object.keys(was ?? {})])) {
        if (was !== undefined && sameJson(was[key], now[key])) continue
        if (key in (overtaken.get(element.id) ?? {})) isKept = true
        else if (element.isDeleted !== true || was?.isDeleted !== true) isSeen = true
      }
    }
    if (overtaken.size > 0) this.#showAs((element) => this.#asTheirs(element, overtaken.get(element.id)))
    this.#isUndoing = true
    this.flush()
    this.#isUndoing = false
    return isSeen ? 'seen' : isKept ? 'kept' : 'none'
  }

  /** Elements that the user made and others may not see yet: images whose files are not stored. */
  unshared(): CanvasElement[] {
    const { canvas } = this.#options
    return canvas
      .elements()
      .filter(
        (element) =>
          !this.#agreed.has(element.id) &&
          this.#isWorthSharing(element) &&
          canvas.shareable(element) === null,
      )
  }

  #hear(id: string, properties: Record<string, unknown>): void {
    this.#authors.heard(id, properties)
    if (!(textKey in properties) || !this.#mayWrite) return
    const merged = this.#texts.lost(elementMaps(this.#options.doc).get(id) as Y.Map<unknown>, id)
    if (merged !== null) this.#lostTexts.set(id, merged)
  }

  /** Only the change is written into a text that somebody else has changed meanwhile, not the whole text. */
  #write(changes: ElementChange[]): void {
    const { doc } = this.#options
    const bases = new Map<string, string>()
    for (const { id, properties } of changes) {
      const text = properties[textKey]
      const inDocument = elementOf(doc, id)?.[textKey]
      if (typeof text === 'string' && typeof inDocument === 'string') bases.set(id, inDocument)
    }
    writeChanges(doc, changes, this)
    for (const [id, base] of bases) this.#texts.wrote(elementMaps(doc).get(id) as Y.Map<unknown>, id, base)
  }

  /** The text to write: merged with what others wrote since the canvas last agreed with the document. */
  #mergedText(element: SceneElement, base: unknown): Record<string, unknown> | null {
    const theirs = elementOf(this.#options.doc, element.id)?.[textKey]
    const mine = element[textKey]
    if (typeof theirs !== 'string' || typeof mine !== 'string' || typeof base !== 'string') return null
    const merged = mergeTexts(base, mine, theirs)
    return merged === mine ? null : this.#textProperties(element, merged)
  }

  #textProperties(element: SceneElement, merged: string): Record<string, unknown> {
    const measured = this.#options.canvas.measured({ ...element, [textKey]: merged })
    const { text, originalText, geo } = storedProperties(measured)
    return { text, originalText, geo }
  }

  #writeLostTexts(): void {
    const { doc } = this.#options
    const lost = [...this.#lostTexts]
    this.#lostTexts.clear()
    if (!this.#mayWrite) return
    const changes = lost.flatMap(([id, merged]) => {
      const element = elementOf(doc, id)
      return element === null ? [] : { id, properties: this.#textProperties(element, merged) }
    })
    this.#write(changes)
  }

  #asTheirs(element: CanvasElement, overtaken: Record<string, unknown> | undefined): CanvasElement {
    if (overtaken === undefined) return element
    const now = elementMaps(this.#options.doc).get(element.id) as Y.Map<unknown>
    return withProperties(
      element,
      Object.fromEntries(Object.keys(overtaken).map((key) => [key, now.get(key)])),
      true,
    )
  }

  #showAs(change: (element: CanvasElement) => CanvasElement): void {
    const { canvas } = this.#options
    this.#isShowing = true
    try {
      canvas.show(canvas.elements().map(change), new Set())
    } finally {
      this.#isShowing = false
    }
  }

  #restSoon(): void {
    this.#cancelRest ??= this.#options.clock.after(restMs, () => {
      this.#cancelRest = null
      this.#rest()
    })
  }

  /**
   * The user is idle: make the canvas match the document, and remove references to deleted elements from the
   * document.
   */
  #rest(): void {
    const { doc, canvas } = this.#options
    if (canvas.busy().size > 0 || this.#remote.size > 0) {
      this.#restSoon()
      return
    }
    this.flush()
    const isAgreed = (element: CanvasElement) => this.#agreed.get(element.id)?.version === element.version
    const stray = strayIds(doc, canvas.elements(), this.#mayWrite ? null : isAgreed).filter(
      (id) => !this.#undrawable.has(id),
    )
    for (const id of stray) this.#remote.add(id)
    if (stray.length > 0) {
      this.#showRemote()
      for (const id of strayIds(doc, canvas.elements(), null)) this.#undrawable.add(id)
    }
    if (this.#mayWrite) writeChanges(doc, mendings(doc, canvas.elements()), mendingOrigin)
  }

  #hasChanges(): boolean {
    for (const element of this.#options.canvas.elements()) {
      const agreed = this.#agreed.get(element.id)
      if (agreed === undefined ? this.#isWorthSharing(element) : agreed.version !== element.version)
        return true
    }
    return false
  }

  #changeOf(canvasElement: CanvasElement): ElementChange | null {
    const agreed = this.#agreed.get(canvasElement.id)
    if (agreed?.version === canvasElement.version) return null
    if (agreed === undefined && !this.#isWorthSharing(canvasElement)) return null
    const element = this.#shareable(canvasElement, agreed)
    if (element === null) return null
    const properties: Record<string, unknown> = {}
    const next = storedProperties(element)
    for (const key in next) {
      // A copy: Excalidraw may later mutate its own, and the comparison would see no difference.
      if (agreed === undefined || !sameJson(agreed.properties[key], next[key]))
        properties[key] = copyJson(next[key])
    }
    if (agreed !== undefined)
      for (const key in agreed.properties) if (!(key in next)) properties[key] = undefined
    this.#agreed.set(element.id, {
      version: canvasElement.version,
      properties: { ...agreed?.properties, ...properties },
    })
    if (Object.keys(properties).length === 0) return null
    // Words typed into a text that somebody else has deleted meanwhile restore it.
    if (!this.#isUndoing && agreed !== undefined && textKey in properties && element.isDeleted !== true) {
      const there = elementOf(this.#options.doc, element.id)
      if (there === null) Object.assign(properties, copyJson(next))
      else if (there.isDeleted === true) properties.isDeleted = false
    }
    if (!this.#isUndoing) this.#authors.wrote(element.id, properties)
    const merged = textKey in properties ? this.#mergedText(element, agreed?.properties[textKey]) : null
    if (merged !== null) {
      // From now on it also belongs to somebody else: no undo removes it.
      this.#authors.heard(element.id, merged)
      Object.assign(properties, merged)
      this.#remote.add(element.id)
      this.#showSoon(showDelayMs)
    }
    return { id: element.id, properties }
  }

  /**
   * An image that the document already has may be changed with or without its file: whoever added it will upload it.
   */
  #shareable(element: CanvasElement, agreed: Agreed | undefined): CanvasElement | null {
    if (agreed === undefined || element.type !== 'image' || element.fileId !== agreed.properties.fileId)
      return this.#options.canvas.shareable(element)
    return { ...element, status: agreed.properties.status }
  }

  /**
   * A click that drew nothing, or something that was created and deleted within one batch, is not worth sending to
   * others.
   */
  #isWorthSharing(element: CanvasElement): boolean {
    if (element.isDeleted === true || element.type === 'selection') return false
    if (Array.isArray(element.points)) return element.points.length > 1 || element.type === 'freedraw'
    return element.type === 'text' ? element.text !== '' : element.width !== 0 || element.height !== 0
  }

  #agree(element: CanvasElement): void {
    this.#agreed.set(element.id, { version: element.version, properties: copyProperties(element) })
  }

  #showSoon(delayMs: number): void {
    if (this.#cancelShow !== null) return
    const { clock } = this.#options
    this.#cancelShow = clock.after(Math.max(delayMs, this.#nextShowAt - clock.now()), () => {
      this.#cancelShow = null
      this.#showRemote()
    })
  }

  #showRemote(): void {
    const { doc, canvas, clock } = this.#options
    // The user's own changes first: what others changed is then applied to a canvas that is already written.
    this.flush()
    this.#writeLostTexts()
    const busy = canvas.busy()
    const ids = new Set([...this.#remote].filter((id) => !busy.has(id)))
    for (const id of ids) this.#remote.delete(id)
    const startedAt = clock.now()
    if (ids.size > 0) {
      const inDocument = [...ids].flatMap((id) => elementOf(doc, id) ?? [])
      this.#show(inDocument, ids, canvas.elements())
    }
    // Excalidraw draws it later, which takes longer: the delay of a timer measures the full cost. Half of the time is
    // reserved for the user, however fast the others are.
    this.#cancelShow = clock.after(showDelayMs, () => {
      this.#cancelShow = null
      this.#nextShowAt = clock.now() + (clock.now() - startedAt - showDelayMs)
      if (this.#remote.size === 0) return
      const inHand = canvas.busy()
      this.#showSoon([...this.#remote].every((id) => inHand.has(id)) ? busyRetryMs : 0)
    })
  }

  /**
   * Updates the canvas from the document for `ids`, whose elements are `inDocument`; of the rest, keeps `kept` on it.
   */
  #show(inDocument: SceneElement[], ids: ReadonlySet<string>, kept: readonly CanvasElement[]): void {
    const { canvas } = this.#options
    const had = new Map(canvas.elements().map((element) => [element.id, element]))
    const next = new Map(kept.map((element) => [element.id, element]))
    let isChanged = next.size !== had.size
    const shown: CanvasElement[] = []
    const moved = new Set<string>()
    for (const element of this.#wanted(inDocument, ids, had)) {
      const before = had.get(element.id)
      const difference = before === undefined ? 'other' : differenceOf(before, element)
      if (before !== undefined && difference === 'none') {
        this.#agree(before)
        continue
      }
      if (difference === 'place') moved.add(element.id)
      element.version = Math.max(before?.version ?? 0, this.#agreed.get(element.id)?.version ?? 0) + 1
      element.versionNonce = Math.floor(Math.random() * 2 ** 31)
      element.updated = Date.now()
      next.set(element.id, element)
      this.#agree(element)
      shown.push(element)
      isChanged = true
    }
    if (!isChanged) return
    if (this.#mayWrite) for (const id of rejoinArrows(shown, next)) moved.delete(id)
    this.#isShowing = true
    try {
      canvas.show([...next.values()].sort(byIndex), moved)
    } finally {
      this.#isShowing = false
    }
    // If two elements were put in the same place, Excalidraw changes their order in place: this is written like a
    // change by the user. Everybody computes the same order from the same document, so it converges.
    this.canvasChanged()
  }

  /** The document's elements as the canvas would hold them; deleted if the document no longer has them. */
  #wanted(
    inDocument: SceneElement[],
    ids: ReadonlySet<string>,
    had: ReadonlyMap<string, CanvasElement>,
  ): CanvasElement[] {
    const wanted = restoreEach(this.#options.canvas, inDocument)
    const found = new Set(wanted.map(({ id }) => id))
    for (const id of ids) {
      const before = had.get(id)
      if (!found.has(id) && before !== undefined && before.isDeleted !== true)
        wanted.push({ ...before, isDeleted: true })
    }
    return wanted
  }
}
