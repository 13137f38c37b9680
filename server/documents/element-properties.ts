// What is kept of single elements of the bundled canvas, read without giving the root a type: a server never learns what
// its clients call it. And what changed between two readings.
import * as Y from 'yjs'
import { sameJson } from '../../shared/element.ts'
import { elementsRoot } from '../../shared/scene.ts'

/** As stored: geometry under `geo`. */
export type ElementProperties = Record<string, unknown>

/** The living struct that holds an element, or whatever else stands under its key. */
export function elementItem(doc: Y.Doc, id: string): Y.Item | null {
  const item = doc.share.get(elementsRoot)?._map.get(id)
  return item === undefined || item.deleted ? null : item
}

/** null where there is nothing; an empty object where what is there is no element. */
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
  /** Only the properties that differ; one that was or is missing stands on the other side alone. */
  oldValues: ElementProperties
  newValues: ElementProperties
}

/** What led from one reading of an element to another; null where nothing did. */
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

/** Two edits of one element as one: from before the first to after the second. */
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
