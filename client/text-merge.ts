// Two people type in one text, which the document keeps as one value: whoever writes second puts their change into what
// the first wrote, character by character, as Yjs does. Without DOM.
import { simpleDiffString } from 'lib0/diff'
import * as Y from 'yjs'

export const textKey = 'originalText'

/** What comes of `base` when one makes it `mine` and another `theirs`. */
export const mergeTexts = (base: string, mine: string, theirs: string): string => {
  if (theirs === base || theirs === mine) return mine
  if (mine === base) return theirs
  const start = new Y.Doc()
  start.getText().insert(0, base)
  const before = Y.encodeStateAsUpdate(start)
  const [first, second] = [theirs, mine].map((text, at) => {
    const doc = new Y.Doc()
    // Everybody who merges the same comes to the same.
    doc.clientID = at + 1
    Y.applyUpdate(doc, before)
    change(doc.getText(), base, text)
    return doc
  }) as [Y.Doc, Y.Doc]
  Y.applyUpdate(first, Y.encodeStateAsUpdate(second))
  return first.getText().toString()
}

const mostCompared = 4_000_000

/** Only the characters that are other ones are taken out and put in. */
const change = (text: Y.Text, before: string, after: string): void => {
  const { index, remove, insert } = simpleDiffString(before, after)
  if (remove === 0 || insert.length === 0 || remove * insert.length > mostCompared) {
    text.delete(index, remove)
    text.insert(index, insert)
    return
  }
  const words = (part: string) => part.match(/\s+|[^\s]+/g) ?? []
  let at = index
  for (const { isKept, removed, inserted } of compare(
    words(before.slice(index, index + remove)),
    words(insert),
  )) {
    if (isKept !== '') at += isKept.length
    if (removed !== '') text.delete(at, removed.length)
    if (inserted !== '') text.insert(at, inserted)
    at += inserted.length
  }
}

interface Step {
  isKept: string
  removed: string
  inserted: string
}

/** The longest list of words that both have stays. */
const compare = (before: readonly string[], after: readonly string[]): Step[] => {
  const longest = Array.from({ length: before.length + 1 }, () => new Uint32Array(after.length + 1))
  const at = (i: number, j: number): number => longest[i]?.[j] ?? 0
  for (let i = before.length - 1; i >= 0; i--) {
    for (let j = after.length - 1; j >= 0; j--) {
      const row = longest[i]
      if (row !== undefined)
        row[j] = before[i] === after[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1))
    }
  }
  const steps: Step[] = []
  const step = (change: Partial<Step>) => steps.push({ isKept: '', removed: '', inserted: '', ...change })
  let i = 0
  let j = 0
  while (i < before.length || j < after.length) {
    if (i < before.length && before[i] === after[j]) {
      step({ isKept: before[i] ?? '' })
      i++
      j++
    } else if (j >= after.length || (i < before.length && at(i + 1, j) >= at(i, j + 1))) {
      step({ removed: before[i] ?? '' })
      i++
    } else {
      step({ inserted: after[j] ?? '' })
      j++
    }
  }
  return steps
}

interface Written {
  /** Of the value in the document: who set it, and the how manieth thing of theirs it is. */
  at: string
  base: string
  text: string
}

/** What this window wrote into texts while others may have written into them, too. */
export class OwnTexts {
  readonly #written = new Map<string, Written[]>()

  /** The document holds a text that this window has just put there, in the place of `base`. */
  wrote(map: Y.Map<unknown>, id: string, base: string): void {
    const item = itemOf(map)
    const text = map.get(textKey)
    if (item === null || typeof text !== 'string') return
    const written = this.#written.get(id) ?? []
    written.push({ at: at(item), base, text })
    this.#written.set(id, written.slice(-mostRemembered))
  }

  /**
   * Somebody else's value stands in the document.
   * @returns what the text should be, where they did not know what this window had written; else null
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

/** Yjs keeps every value of a map as an item, and knows which one its writer had seen. */
const itemOf = (map: Y.Map<unknown>): Y.Item | null => map._map.get(textKey) ?? null
const at = ({ id }: Y.Item): string => `${id.client}:${id.clock}`
const originOf = ({ origin }: Y.Item): string => (origin === null ? '' : `${origin.client}:${origin.clock}`)
