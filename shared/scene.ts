// The document of a canvas board: root map `elements`, one Y.Map per element, geometry packed under `geo`, every
// other property under its own key, so that if two people move and recolour one element at the same time, both
// changes are kept. An element is deleted if it has `isDeleted: true`; an element that is merely absent somewhere is
// not deleted.
import * as Y from 'yjs'
import {
  copyJson,
  geometryKeys,
  isGeometryKey,
  isSharedKey,
  readElement,
  type SceneElement,
  sameJson,
} from './element.ts'

export { readDrawing, readScene } from './drawing.ts'
export type { SceneElement } from './element.ts'

/** A scene as Excalidraw reads and writes it in files. */
export interface Scene {
  type: 'excalidraw'
  version: 2
  source: string
  elements: SceneElement[]
  appState: Record<string, unknown>
  /** Always empty: images are files of the board, referenced by `fileId`. */
  files: Record<string, never>
}

/** The changes to one element: `geo` as a whole, other properties by name; undefined removes a property. */
export interface ElementChange {
  id: string
  properties: Record<string, unknown>
}

export const elementsRoot = 'elements'
const geometryKey = 'geo'

export const elementMaps = (doc: Y.Doc): Y.Map<unknown> => doc.getMap(elementsRoot)

/** Canvas order: by index, then by id, which also resolves equal indices everywhere. */
export const byIndex = (a: SceneElement, b: SceneElement): number => {
  const left = a.index ?? ''
  const right = b.index ?? ''
  if (left !== right) return left < right ? -1 : 1
  return a.id < b.id ? -1 : a.id > b.id ? 1 : 0
}

/** The element stored under `id`, null if there is none or if the value cannot be an element. */
export const elementOf = (doc: Y.Doc, id: string): SceneElement | null => {
  const map = elementMaps(doc).get(id)
  if (!(map instanceof Y.Map)) return null
  const raw: Record<string, unknown> = {}
  let geo: unknown
  map.forEach((value: unknown, key: string) => {
    if (key === geometryKey) geo = value
    else if (!(value instanceof Y.AbstractType) && key !== '__proto__') raw[key] = value
  })
  if (typeof geo === 'object' && !(geo instanceof Y.AbstractType)) Object.assign(raw, geo)
  raw.id = id
  return readElement(raw)
}

/** All elements, including deleted ones, in canvas order. Values that cannot be an element are skipped. */
export const elementsOf = (doc: Y.Doc): SceneElement[] => {
  const elements: SceneElement[] = []
  for (const id of elementMaps(doc).keys()) {
    const element = elementOf(doc, id)
    if (element !== null) elements.push(element)
  }
  return elements.sort(byIndex)
}

/** The drawing as a file: without deleted elements, in canvas order. */
export const sceneOf = (doc: Y.Doc): Scene => ({
  type: 'excalidraw',
  version: 2,
  source: 'boardroom',
  elements: elementsOf(doc).filter((element) => element.isDeleted !== true),
  appState: { viewBackgroundColor: '#ffffff' },
  files: {},
})

/** Whether two elements are equal in their shared properties, ignoring those local to each client. */
export const sameElement = (a: SceneElement, b: SceneElement): boolean =>
  sameJson(storedProperties(a), storedProperties(b))

/** The stored form of an element: shared properties, geometry packed. */
export const storedProperties = (element: SceneElement): Record<string, unknown> => {
  const properties: Record<string, unknown> = {}
  const geo: Record<string, unknown> = {}
  for (const key of geometryKeys) if (element[key] !== undefined) geo[key] = element[key]
  for (const key in element) {
    if (key !== 'id' && element[key] !== undefined && isSharedKey(key) && !isGeometryKey(key))
      properties[key] = element[key]
  }
  // Excalidraw creates shapes with null here and restores them with an empty list: without one form they would never
  // be equal.
  if (properties.boundElements === null) properties.boundElements = []
  properties[geometryKey] = geo
  return properties
}

/**
 * The changes that turn `before` into `after`; null if there are none. The difference is taken from what the writer
 * last saw, not from the document, which keeps changes that the writer has not seen yet.
 */
export const changeOf = (before: SceneElement | null, after: SceneElement): ElementChange | null => {
  const next = storedProperties(after)
  if (before === null) return { id: after.id, properties: next }
  const previous = storedProperties(before)
  const properties: Record<string, unknown> = {}
  for (const key in next) if (!sameJson(previous[key], next[key])) properties[key] = next[key]
  for (const key in previous) if (!(key in next)) properties[key] = undefined
  return Object.keys(properties).length === 0 ? null : { id: after.id, properties }
}

/**
 * Writes changes in one transaction; a value that is already there is not written again. A change to an element that
 * the document does not contain is written only if it is complete (has a type): otherwise nobody could draw it.
 */
export const writeChanges = (doc: Y.Doc, changes: readonly ElementChange[], origin?: unknown): void => {
  if (changes.length === 0) return
  doc.transact(() => {
    const maps = elementMaps(doc)
    for (const { id, properties } of changes) {
      let map = maps.get(id)
      if (!(map instanceof Y.Map)) {
        if (typeof properties.type !== 'string') continue
        map = new Y.Map()
        maps.set(id, map)
      }
      // Narrowed by the lines above; instanceof does not know the type parameter.
      writeProperties(map as Y.Map<unknown>, properties)
    }
  }, origin)
}

const writeProperties = (map: Y.Map<unknown>, properties: Record<string, unknown>): void => {
  for (const key in properties) {
    const value = properties[key]
    if (value === undefined) {
      if (map.has(key)) map.delete(key)
    } else if (!sameJson(map.get(key), value)) {
      // Yjs keeps the object it is given: this is a copy, so that a canvas that mutates its elements cannot change
      // the document.
      map.set(key, copyJson(value))
    }
  }
}

/**
 * Makes the document contain `elements` as given; other elements stay. Properties that an element does not name stay
 * too.
 */
export const writeElements = (doc: Y.Doc, elements: readonly SceneElement[], origin?: unknown): void =>
  writeChanges(
    doc,
    elements.map((element) => ({ id: element.id, properties: storedProperties(element) })),
    origin,
  )
