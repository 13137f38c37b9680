// What the binding needs of Excalidraw, and what it does with the elements of it. Without DOM.
import { copyJson, isSharedKey, type SceneElement, sameJson } from '../shared/element.ts'
import { storedProperties } from '../shared/scene.ts'

/** An element as Excalidraw holds it: `version` grows with every change it makes, also in place. */
export interface CanvasElement extends SceneElement {
  version: number
  versionNonce: number
  updated: number
}

/** An Excalidraw, or in tests something that behaves like one. */
export interface Canvas {
  /** Everything on it, deleted elements included, in canvas order. */
  elements(): readonly CanvasElement[]
  /**
   * Replace everything, without a step in the user's own undo history.
   * @param moved ids of those that are on the canvas already, at another place and otherwise the same
   */
  show(elements: readonly CanvasElement[], moved: ReadonlySet<string>): void
  /** Excalidraw's restoreElements: fills what is missing, leaves out what it cannot draw. */
  restore(elements: readonly SceneElement[]): CanvasElement[]
  /** Elements in the user's hand (drawn, dragged, typed into): others' changes to them wait. */
  busy(): ReadonlySet<string>
  /** The element as others may have it; null while they may not (an image that is not uploaded yet). */
  shareable(element: CanvasElement): CanvasElement | null
  /** The text with the lines and the size that its `originalText` takes. */
  measured(text: SceneElement): SceneElement
}

/** What of an element is everybody's, in a copy that stays as it is when the canvas changes its own. */
export const copyProperties = (element: CanvasElement): Record<string, unknown> => {
  const properties = storedProperties(element)
  for (const key in properties) properties[key] = copyJson(properties[key])
  return properties
}

/** Restore in one go; where one element is too odd even for that, one by one without it. */
export const restoreEach = (canvas: Canvas, elements: SceneElement[]): CanvasElement[] => {
  const indices = new Map(elements.map(({ id, index }) => [id, index]))
  let restored: CanvasElement[]
  try {
    restored = canvas.restore(elements)
  } catch {
    restored = elements.flatMap((element) => {
      try {
        return canvas.restore([element])
      } catch {
        return [] // not drawable: everybody else's elements still are
      }
    })
  }
  // Restoring a few elements orders them among themselves only; their place in the drawing is the document's.
  for (const element of restored) element.index = indices.get(element.id) ?? element.index ?? null
  return restored
}

/** Where an element is, beside everything else that it is: changes while it is dragged. */
const placeKeys = new Set(['x', 'y', 'angle'])

/** Puts `element`, which is on the canvas, where `other` is, its copy in all but its place. */
export const moveTo = (element: CanvasElement, other: CanvasElement): CanvasElement => {
  const { x, y, angle, index, version, versionNonce, updated } = other
  return Object.assign(element, { x, y, angle, index, version, versionNonce, updated })
}

/** In what everybody has of an element, two states of it differ in nothing, in its place, or in something else. */
export const differenceOf = (before: CanvasElement, after: CanvasElement): 'none' | 'place' | 'other' => {
  let isMoved = false
  for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) {
    if (!isSharedKey(key) || sameJson(before[key], after[key])) continue
    if (!placeKeys.has(key))
      return sameJson(storedProperties(before), storedProperties(after)) ? 'none' : 'other'
    isMoved = true
  }
  return isMoved ? 'place' : 'none'
}
