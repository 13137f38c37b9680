// The content of a document, derived from its items. A server never learns whether a client uses a root as a map, an
// array, a text or XML: in a loaded Y.Doc every root is an untyped AbstractType with a map part and a list part.
import * as Y from 'yjs'

/** `array` also stands for a list whose items are XML: both are lists of values, and XML only prints otherwise. */
export type ListKind = 'text' | 'array' | 'xml'

/** Which parts of a root have content. Clients that disagree about its type can fill both. */
export interface RootParts {
  hasMap: boolean
  list: ListKind | null
}

/** Any shared type; its type parameter is the type of its events, which is irrelevant here. */
// biome-ignore lint/suspicious/noExplicitAny: the parameter is invariant in Yjs, so no narrower one takes every type
export type SharedType = Y.AbstractType<any>

/** A document with `state` applied. @throws Error if the bytes are not a Yjs v1 update. */
export const documentOf = (state: Uint8Array | null): Y.Doc => {
  const doc = new Y.Doc()
  if (state !== null) Y.applyUpdate(doc, state)
  return doc
}

/**
 * How many updates are applied per transaction. With many transactions, the time that Yjs spends after each adds up; in a
 * single one, joining values that a client added one by one gets expensive, which portions of 500 avoid.
 */
const updatesPerTransaction = 500

/** Applies many updates efficiently. */
export function applyAll(doc: Y.Doc, updates: readonly Uint8Array[]): void {
  for (let from = 0; from < updates.length; from += updatesPerTransaction) {
    doc.transact(() => {
      for (const update of updates.slice(from, from + updatesPerTransaction)) Y.applyUpdate(doc, update)
    })
  }
}

export const hasPending = (doc: Y.Doc): boolean =>
  doc.store.pendingStructs !== null || doc.store.pendingDs !== null

/** Reads items only: a root stays untyped, so that it can be opened afterwards as what it is. */
export function partsOf(root: SharedType): RootParts {
  let hasMap = false
  for (const item of root._map.values()) if (!item.deleted) hasMap = true
  let list: ListKind | null = null
  for (let item = root._start; item !== null; item = item.right) {
    if (item.deleted) continue
    const { content } = item
    if (
      content instanceof Y.ContentString ||
      content instanceof Y.ContentFormat ||
      content instanceof Y.ContentEmbed
    ) {
      return { hasMap, list: 'text' }
    }
    const isXml = content instanceof Y.ContentType && isXmlNode(content.type)
    list = isXml && list !== 'array' ? 'xml' : 'array'
  }
  return { hasMap, list }
}

const isXmlNode = (type: unknown): boolean =>
  type instanceof Y.XmlElement || type instanceof Y.XmlText || type instanceof Y.XmlHook

/**
 * The roots of a document as JSON: maps as objects, arrays as arrays, text and XML as strings; roots without content
 * are left out. Where clients disagree about a root its list is shown. Bytes become base64, big integers strings.
 */
export function jsonOf(state: Uint8Array): string {
  const doc = documentOf(state)
  const roots: Record<string, unknown> = Object.create(null)
  for (const [name, root] of [...doc.share]) {
    const { hasMap, list } = partsOf(root)
    if (list === 'text') roots[name] = doc.getText(name).toString()
    else if (list === 'xml') roots[name] = doc.getXmlFragment(name).toString()
    else if (list === 'array') roots[name] = doc.getArray(name).toJSON()
    else if (hasMap) roots[name] = doc.getMap(name).toJSON()
  }
  return JSON.stringify(roots, (_key, value: unknown) => {
    if (typeof value === 'bigint') return String(value)
    return value instanceof Uint8Array ? Buffer.from(value).toString('base64') : value
  })
}

/** Equal for values with equal content, shared types and formatting included, whatever ids and history they have. */
export function fingerprint(value: unknown): string {
  if (value instanceof Y.XmlHook) return `hook ${JSON.stringify(value.hookName)}${entries(value)}`
  if (value instanceof Y.Map) return `map${entries(value)}`
  if (value instanceof Y.Array) return `array[${value.toArray().map(fingerprint).join()}]`
  if (value instanceof Y.Text) {
    const kind = value instanceof Y.XmlText ? 'xmltext' : 'text'
    return `${kind}${fingerprint(value.toDelta())}${fingerprint(value.getAttributes())}`
  }
  if (value instanceof Y.XmlElement) {
    const children = value.toArray().map(fingerprint).join()
    return `<${JSON.stringify(value.nodeName)}${fingerprint(value.getAttributes())}[${children}]`
  }
  if (value instanceof Y.XmlFragment) return `fragment[${value.toArray().map(fingerprint).join()}]`
  if (value instanceof Uint8Array) return `bytes:${Buffer.from(value).toString('base64')}`
  if (Array.isArray(value)) return `[${value.map(fingerprint).join()}]`
  if (typeof value === 'object' && value !== null) return entries(new Map(Object.entries(value)))
  if (typeof value === 'string') return JSON.stringify(value)
  return `${typeof value}:${Object.is(value, -0) ? '-0' : String(value)}`
}

const entries = (map: { keys(): Iterable<string>; get(key: string): unknown }): string =>
  `{${[...map.keys()]
    .sort()
    .map((key) => `${JSON.stringify(key)}:${fingerprint(map.get(key))}`)
    .join()}}`
