// What the binding needs from Excalidraw, and what it does with its elements. Without DOM.
import { copyJson, isSharedKey, type SceneElement, sameJson } from '../shared/element.ts'
import { storedProperties } from '../shared/scene.ts'

/** An element as Excalidraw holds it: `version` increases with every change it makes, even in place. */
export interface CanvasElement extends SceneElement {
  version: number
  versionNonce: number
  updated: number
}

/** An Excalidraw, or a stand-in for one in tests. */
export interface Canvas {
  /** Everything on it, including deleted elements, in canvas order. */
  elements(): readonly CanvasElement[]
  /**
   * Replaces everything, without a step in the user's undo history.
   * @param moved ids of elements that are on the canvas already, in another place and otherwise unchanged
   */
  show(elements: readonly CanvasElement[], moved: ReadonlySet<string>): void
  /** Excalidraw's restoreElements: fills in what is missing, leaves out what it cannot draw. */
  restore(elements: readonly SceneElement[]): CanvasElement[]
  /** Elements that the user is drawing, dragging or typing into: others' changes to them wait. */
  busy(): ReadonlySet<string>
  /** The element in the form that others may see; null while they may not (an image that is not uploaded yet). */
  shareable(element: CanvasElement): CanvasElement | null
  /** The text with the line breaks and size that result from its `originalText`. */
  measured(text: SceneElement): SceneElement
}

/** The shared part of an element, as a copy that does not change with the canvas. */
export const copyProperties = (element: CanvasElement): Record<string, unknown> => {
  const properties = storedProperties(element)
  for (const key in properties) properties[key] = copyJson(properties[key])
  return properties
}

/** Restores all at once; if one element is too malformed even for that, one by one without it. */
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
        return [] // not drawable: the others still are
      }
    })
  }
  // Restoring a few elements orders them only among themselves; the document decides their place in the drawing.
  for (const element of restored) element.index = indices.get(element.id) ?? element.index ?? null
  return restored
}

/** The place of an element, apart from its other properties: changes during a drag. */
const placeKeys = new Set(['x', 'y', 'angle'])

/** Moves `element`, which is on the canvas, to the place of `other`, a copy that differs only in its place. */
export const moveTo = (element: CanvasElement, other: CanvasElement): CanvasElement => {
  const { x, y, angle, index, version, versionNonce, updated } = other
  return Object.assign(element, { x, y, angle, index, version, versionNonce, updated })
}

/** Compares the shared part of two states of an element: equal, different in place only, or different otherwise. */
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
