// Whether a document has an element, and its position, for pins.
import * as Y from 'yjs'
import type { Box } from '../../shared/anchor.ts'
import { documentOf, partsOf, type SharedType } from './content.ts'

export interface FoundElement {
  /** Deleted elements exist too, because undo can restore them. */
  isThere: boolean
  /** null if unknown. */
  box: Box | null
}

/**
 * The element `id`: a key in any root map, or the `id` of an entry in any root array, whatever the canvas calls its
 * elements. A document with only texts has none.
 */
export function findElement(state: Uint8Array, id: string): FoundElement {
  const doc = documentOf(state)
  for (const [name, root] of [...doc.share]) {
    const { hasMap, list } = partsOf(root as SharedType)
    if (hasMap && doc.getMap(name).has(id)) return { isThere: true, box: boxOf(doc.getMap(name).get(id)) }
    if (list !== 'array') continue
    for (const entry of doc.getArray(name)) {
      if (propertyOf(entry, 'id') === id) return { isThere: true, box: boxOf(entry) }
    }
  }
  return { isThere: false, box: null }
}

function boxOf(element: unknown): Box | null {
  // Geometry may be packed into one value. @see shared/scene.ts
  const packed = propertyOf(element, 'geo')
  const [x, y, width, height, angle] = ['x', 'y', 'width', 'height', 'angle'].map(
    (key) => propertyOf(packed, key) ?? propertyOf(element, key),
  )
  if (!isNumber(x) || !isNumber(y)) return null
  return {
    x,
    y,
    width: isNumber(width) ? width : 0,
    height: isNumber(height) ? height : 0,
    angle: isNumber(angle) ? angle : 0,
  }
}

const isNumber = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value)

function propertyOf(value: unknown, key: string): unknown {
  if (value instanceof Y.Map) return value.get(key)
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined
  return (value as Record<string, unknown>)[key] // an own property, as checked
}
