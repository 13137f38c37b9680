// Two people type in one text, which the document stores as one value: whoever writes second merges their change into
// what the first wrote, character by character, as Yjs does. Without DOM.
import { simpleDiffString } from 'lib0/diff'
import * as Y from 'yjs'

export const textKey = 'originalText'

/** The result for `base` when one person makes it `mine` and another `theirs`. */
export const mergeTexts = (base: string, mine: string, theirs: string): string => {
  if (theirs === base || theirs === mine) return mine
  if (mine === base) return theirs
  const start = new Y.Doc()
  start.getText().insert(0, base)
  const before = Y.encodeStateAsUpdate(start)
  const [first, second] = [theirs, mine].map((text, at) => {
    const doc = new Y.Doc()
    // Everybody who merges the same inputs gets the same result.
    doc.clientID = at + 1
    Y.applyUpdate(doc, before)
    change(doc.getText(), base, text)
    return doc
  }) as [Y.Doc, Y.Doc]
  Y.applyUpdate(first, Y.encodeStateAsUpdate(second))
  return first.getText().toString()
}

/** The part between the first and the last differing character. */
const change = (text: Y.Text, before: string, after: string): void => {
  const { index, remove, insert } = simpleDiffString(before, after)
  text.delete(index, remove)
  text.insert(index, insert)
}

interface Written {
  /** For a value in the document: who set it, and its clock. */
  at: string
  base: string
  text: string
}

/** What this window wrote into texts that others may have written into at the same time. */
export class OwnTexts {
  readonly #written = new Map<string, Written[]>()

  /** The document holds a text that this window has just written, replacing `base`. */
  wrote(map: Y.Map<unknown>, id: string, base: string): void {
    const item = itemOf(map)
    const text = map.get(textKey)
    if (item === null || typeof text !== 'string') return
    const written = this.#written.get(id) ?? []
    written.push({ at: at(item), base, text })
    this.#written.set(id, written.slice(-mostRemembered))
  }

  /**
   * The document holds somebody else's value.
   * @returns the merged text if they did not know what this window had written; otherwise null
   */
  lost(map: Y.Map<unknown>, id: string): string | null {
    const written = this.#written.get(id)
    const item = itemOf(map)
    const theirs = map.get(textKey)
    const last = written?.at(-1)
    if (written === undefined || last === undefined || item === null || typeof theirs !== 'string')
      return null
    this.#written.delete(id)
    if (at(item) === last.at) return null
    const knew = written.findLastIndex((one) => one.at === originOf(item))
    if (knew === written.length - 1) return null
    const base = written[knew + 1]?.base ?? last.base
    const merged = mergeTexts(base, last.text, theirs)
    return merged === theirs ? null : merged
  }
}

const mostRemembered = 200

/** Yjs stores every value of a map as an item, and knows which value its writer had seen. */
const itemOf = (map: Y.Map<unknown>): Y.Item | null => map._map.get(textKey) ?? null
const at = ({ id }: Y.Item): string => `${id.client}:${id.clock}`
const originOf = ({ origin }: Y.Item): string => (origin === null ? '' : `${origin.client}:${origin.clock}`)
