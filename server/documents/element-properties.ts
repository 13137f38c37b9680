// Reads single elements of the bundled canvas without giving the root a type, because the server never learns its type
// from clients, and compares two readings.
import * as Y from 'yjs'
import { sameJson } from '../../shared/element.ts'
import { elementsRoot } from '../../shared/scene.ts'

/** As stored: geometry under `geo`. */
export type ElementProperties = Record<string, unknown>

/** The current struct under an element's key, whether it is an element or not. */
export function elementItem(doc: Y.Doc, id: string): Y.Item | null {
  const item = doc.share.get(elementsRoot)?._map.get(id)
  return item === undefined || item.deleted ? null : item
}

/** null if there is nothing; an empty object if it is not an element. */
export function propertiesAt(doc: Y.Doc, id: string): ElementProperties | null {
  const item = elementItem(doc, id)
  if (item === null) return null
  const properties: ElementProperties = {}
  const { content } = item
  if (!(content instanceof Y.ContentType) || !(content.type instanceof Y.Map)) return properties
  const map: Y.Map<unknown> = content.type
  map.forEach((value, key) => {
    if (!(value instanceof Y.AbstractType) && !(value instanceof Uint8Array) && key !== '__proto__')
      properties[key] = value
  })
  return properties
}

/** What was done to one element. */
export interface ElementEdit {
  elementId: string
  change: 'created' | 'updated' | 'deleted' | 'restored'
  /** Only the properties that differ; an added or removed one appears on one side only. */
  oldValues: ElementProperties
  newValues: ElementProperties
}

/** The change between two readings of an element; null if there is none. */
export function editBetween(
  elementId: string,
  before: ElementProperties | null,
  after: ElementProperties | null,
): ElementEdit | null {
  const oldValues: ElementProperties = {}
  const newValues: ElementProperties = {}
  for (const key of new Set([...Object.keys(before ?? {}), ...Object.keys(after ?? {})])) {
    const old = before?.[key]
    const value = after?.[key]
    if (sameJson(old, value)) continue
    if (old !== undefined) oldValues[key] = old
    if (value !== undefined) newValues[key] = value
  }
  const wasThere = before !== null && before.isDeleted !== true
  const isThere = after !== null && after.isDeleted !== true
  if (Object.keys(oldValues).length === 0 && Object.keys(newValues).length === 0) return null
  const change =
    before === null ? 'created' : wasThere === isThere ? 'updated' : isThere ? 'restored' : 'deleted'
  return { elementId, change, oldValues, newValues }
}

/** Merges two edits of one element: from before the first to after the second. */
export function joinedEdit(first: ElementEdit, second: ElementEdit): ElementEdit {
  const oldValues = { ...first.oldValues }
  const newValues = { ...first.newValues }
  for (const key of new Set([...Object.keys(second.oldValues), ...Object.keys(second.newValues)])) {
    const isKnown = key in first.oldValues || key in first.newValues
    if (!isKnown && key in second.oldValues) oldValues[key] = second.oldValues[key]
    if (key in second.newValues) newValues[key] = second.newValues[key]
    else delete newValues[key]
  }
  const change = first.change === 'created' || second.change === 'updated' ? first.change : second.change
  return { elementId: first.elementId, change, oldValues, newValues }
}
