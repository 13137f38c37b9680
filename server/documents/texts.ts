// Extracts the texts on a board for searching: from Excalidraw elements and any other schema that stores texts as Yjs
// texts or under the names that canvases commonly use.
import * as Y from 'yjs'
import { searchKeyOf } from '../../shared/search-key.ts'
import { partsOf, type SharedType } from './content.ts'

/** The most characters; of a board with more, only the beginning is searchable. */
const longestKey = 200_000
const names = ['text', 'name', 'title', 'label']

/** Deleted elements are not searchable. */
export function searchKeyIn(doc: Y.Doc): string {
  const texts: string[] = []
  let length = 0
  const add = (text: string): void => {
    if (length >= longestKey || text === '') return
    texts.push(text)
    length += text.length
  }
  const visit = (value: unknown): void => {
    if (length >= longestKey) return
    if (value instanceof Y.Text) add(value.toString())
    else if (value instanceof Y.Map) {
      if (value.get('isDeleted') === true) return
      for (const name of names) {
        const text = value.get(name)
        if (typeof text === 'string') add(text)
      }
      value.forEach(visit)
    } else if (value instanceof Y.Array) value.forEach(visit)
    else if (typeof value === 'object' && value !== null && !(value instanceof Uint8Array)) {
      const object = value as Record<string, unknown> // JSON inside a document
      if (object.isDeleted === true) return
      for (const name of names) if (typeof object[name] === 'string') add(object[name])
    }
  }
  for (const [name, root] of [...doc.share]) {
    const { hasMap, list } = partsOf(root as SharedType)
    if (list === 'text') add(doc.getText(name).toString())
    else if (list === 'array') visit(doc.getArray(name))
    else if (hasMap) visit(doc.getMap(name))
  }
  return searchKeyOf(texts.join('\n')).slice(0, longestKey)
}
