// Excalidraw's undo puts back what its user's step found, whatever happened since. Of a shape that somebody else has
// changed after that step, an undo leaves what they did; a redo gives one's own value again. Without DOM.
import * as Y from 'yjs'
import { copyJson, sameJson } from '../shared/element.ts'
import { elementMaps } from '../shared/scene.ts'
import type { CanvasElement } from './canvas.ts'

type Properties = Record<string, unknown>

/** Excalidraw merges lists of what is bound by itself, and the order of the canvas is repaired in every window. */
const isLeftAlone = (key: string): boolean => key === 'index' || key === 'boundElements'

/** Who wrote which property last, as far as an undo must know. Grows with what was changed while the page is open. */
export class Authors {
  readonly #own = new Map<string, Properties>()
  readonly #theirs = new Map<string, Properties>()

  /** The user changed something by hand or by a redo: not by an undo, which gives back what may be of others. */
  wrote(id: string, properties: Properties): void {
    remember(this.#own, id, properties)
  }

  /** Somebody else changed something, or the document was mended. */
  heard(id: string, properties: Properties): void {
    remember(this.#theirs, id, properties)
  }

  /** What the document holds of others where the user's own value was before, as that own value. */
  overtaken(doc: Y.Doc): Map<string, Properties> {
    const maps = elementMaps(doc) as Y.Map<Y.Map<unknown>>
    const overtaken = new Map<string, Properties>()
    for (const [id, own] of this.#own) {
      const theirs = this.#theirs.get(id)
      const now = maps.get(id)
      if (theirs === undefined || now === undefined) continue
      for (const key in own) {
        if (!(key in theirs) || isLeftAlone(key) || sameJson(own[key], theirs[key])) continue
        if (sameJson(now.get(key), theirs[key])) remember(overtaken, id, { [key]: own[key] })
      }
    }
    return overtaken
  }
}

const remember = (all: Map<string, Properties>, id: string, properties: Properties): void => {
  const known = all.get(id)
  if (known === undefined) all.set(id, { ...properties })
  else Object.assign(known, properties)
}

/** What an event of the document says about one element; null: not about the properties of one. */
export const remoteProperties = (
  event: Y.YEvent<Y.AbstractType<unknown>>,
): { id: string; properties: Properties } | null => {
  if (event.path.length !== 1 || !(event.target instanceof Y.Map)) return null
  const { target } = event
  return {
    id: String(event.path[0]),
    properties: Object.fromEntries([...event.keys.keys()].map((key) => [key, target.get(key)])),
  }
}

/** @param isWhole also whether it is deleted: a shape that somebody else deleted is never shown for the sake of a step */
export const withProperties = (
  element: CanvasElement,
  properties: Properties | undefined,
  isWhole = false,
): CanvasElement => {
  if (properties === undefined) return element
  const { geo, isDeleted, ...others } = properties
  return {
    ...element,
    ...(copyJson(others) as Properties),
    ...(copyJson(geo ?? {}) as Properties),
    ...(isWhole && isDeleted !== undefined ? { isDeleted: isDeleted === true } : {}),
    version: element.version + 1,
    versionNonce: Math.floor(Math.random() * 2 ** 31),
  }
}
