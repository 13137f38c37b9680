// Excalidraw's undo restores the state before the user's step, whatever happened since. Here, if somebody else has
// changed a shape after that step, an undo keeps their change; a redo restores the user's own value. Without DOM.
import * as Y from 'yjs'
import { copyJson, sameJson } from '../shared/element.ts'
import { elementMaps } from '../shared/scene.ts'
import type { CanvasElement } from './canvas.ts'

type Properties = Record<string, unknown>

/** Excalidraw merges lists of bound elements itself, and every window repairs the order of the canvas. */
const isLeftAlone = (key: string): boolean => key === 'index' || key === 'boundElements'

/** Who wrote each property last, as far as undo needs to know. Grows with what was changed while the page is open. */
export class Authors {
  readonly #own = new Map<string, Properties>()
  readonly #theirs = new Map<string, Properties>()

  /** The user changed something directly or by a redo: not by an undo, which may restore a value by somebody else. */
  wrote(id: string, properties: Properties): void {
    remember(this.#own, id, properties)
  }

  /** Somebody else changed something, or the document was repaired. */
  heard(id: string, properties: Properties): void {
    remember(this.#theirs, id, properties)
  }

  /**
   * For properties where the document now holds other people's values instead of the user's: the user's own values.
   */
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

/** What a document event says about one element; null: it is not about the properties of an element. */
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

/** @param isWhole also whether it is deleted: a shape that somebody else deleted is never shown again by a step */
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
