// Checks canvas and document while the user is idle: finds what the canvas lost or invented, and references that
// concurrent edits left pointing at deleted elements. Without DOM.
import * as Y from 'yjs'
import { mendingOf } from '../shared/references.ts'
import { changeOf, type ElementChange, elementMaps, elementOf } from '../shared/scene.ts'
import type { CanvasElement } from './canvas.ts'

/**
 * Ids for which the canvas differs from the document. Whatever replaced the canvas content, a dropped file or a bug,
 * the missing elements must not stay hidden from the user.
 * @param isShownAsAgreed whether the canvas holds this element as it was last written or shown; called only for
 * differing elements
 */
export const strayIds = (
  doc: Y.Doc,
  elements: readonly CanvasElement[],
  isShownAsAgreed: ((element: CanvasElement) => boolean) | null,
): string[] => {
  const maps = elementMaps(doc)
  const shown = new Set(elements.map(({ id }) => id))
  const stray: string[] = []
  for (const id of maps.keys()) if (!shown.has(id) && elementOf(doc, id)?.isDeleted === false) stray.push(id)
  if (isShownAsAgreed === null) return stray
  for (const element of elements) {
    const isMadeUp = !maps.has(element.id) && element.isDeleted !== true
    if (isMadeUp || (maps.has(element.id) && !isShownAsAgreed(element))) stray.push(element.id)
  }
  return stray
}

const mendedKeys = ['containerId', 'frameId', 'startBinding', 'endBinding'] as const

/**
 * The changes after which nothing refers to a deleted shape. Only the document decides, so that all windows arrive at
 * the same result, however many of them write it. An element that the document has never contained may still be on
 * its way, and counts as present.
 */
export const mendings = (doc: Y.Doc, elements: readonly CanvasElement[]): ElementChange[] => {
  const maps = elementMaps(doc)
  const isGone = (id: unknown): boolean => {
    if (typeof id !== 'string') return false
    const map = maps.get(id)
    // Clients of other apps take shapes out: of these, the document knows that they were there.
    return map instanceof Y.Map ? map.get('isDeleted') === true : maps._map.get(id)?.deleted === true
  }
  const find = (id: string) => ({ id, type: 'any', isDeleted: isGone(id) })
  return elements.flatMap((onCanvas) => {
    if (onCanvas.isDeleted === true || !pointsAt(onCanvas).some(isGone)) return []
    const element = elementOf(doc, onCanvas.id)
    const mending = element === null || element.isDeleted === true ? null : mendingOf(element, find)
    if (element === null || mending === null) return []
    const after = { ...element }
    for (const key of mendedKeys) if (key in mending) after[key] = mending[key]
    return changeOf(element, after) ?? []
  })
}

const pointsAt = (element: CanvasElement): unknown[] => [
  element.containerId,
  element.frameId,
  // Bindings are objects with an elementId, or null; validated with the rest of the element.
  (element.startBinding as { elementId?: unknown } | null | undefined)?.elementId,
  (element.endBinding as { elementId?: unknown } | null | undefined)?.elementId,
]
