// Finds where a log removes much of a board, and the state before that. It only looks at the roots, so it works for any
// client's document; an element with `isDeleted: true` counts as removed. Pure; runs in the worker thread.
import * as Y from 'yjs'
import { elementsRoot } from '../../shared/scene.ts'
import { applyAll, documentOf, partsOf, type SharedType } from './content.ts'

/** "Much" means a fifth of a root's content and at least this many; or all of it, if it had a few. */
const leastEntries = 5
const leastCharacters = 100
const share = 1 / 5
const fewestOfAll = 3
/** Removals within this time count as one. */
const oneGoMs = 60_000
/** A log is examined in at most this many steps: one update each, if it has no more. */
const mostSteps = 2000
const mostStates = 5

export interface FormerState {
  /** Yjs v1. */
  state: Uint8Array
  /** The time of the state, ms since 1970. */
  at: number
}

interface Count {
  entries: number
  isText: boolean
}

/** The recent history of a root: the highest count, and the last step that still had it. */
interface Course {
  peak: Count
  peakStep: number
  peakAt: number
  /** Whether the peak was already recorded; reset when the count exceeds it or nothing was removed for a while. */
  isTaken: boolean
}

/**
 * The states just before much was removed at once, oldest first; at most five, those with the most content.
 * @param times of the updates, ms since 1970, in their order
 */
export function statesBeforeRemovals(
  snapshot: Uint8Array | null,
  updates: readonly Uint8Array[],
  times: readonly number[],
): FormerState[] {
  const perStep = Math.max(1, Math.ceil(updates.length / mostSteps))
  const doc = documentOf(snapshot)
  const courses = new Map<string, Course>()
  const wanted = new Map<number, { entries: number; at: number }>()
  let touched = new Set<SharedType>()
  doc.on('afterTransaction', ({ changed }: Y.Transaction) => {
    for (const [type, keys] of changed) {
      if (type._item === null) touched.add(type)
      // An element is deleted and restored through its own property.
      else if (keys.has('isDeleted') && type._item.parent instanceof Y.AbstractType)
        touched.add(type._item.parent as SharedType)
    }
  })
  for (const [name, root] of doc.share) {
    const peak = countOf(name, root)
    courses.set(name, { peak, peakStep: 0, peakAt: times[0] ?? 0, isTaken: false })
  }
  for (let step = 0; step * perStep < updates.length; step++) {
    const from = step * perStep
    touched = new Set()
    applyAll(doc, updates.slice(from, from + perStep))
    const at = times[from] ?? 0
    for (const [name, root] of doc.share) {
      if (!touched.has(root)) continue
      const course = courses.get(name)
      const count = countOf(name, root)
      const risen = { peak: count, peakStep: step + 1, peakAt: at, isTaken: false }
      if (course === undefined || count.entries >= course.peak.entries) {
        courses.set(name, risen)
        continue
      }
      if (!course.isTaken && isMuch(course.peak, count)) {
        wanted.set(course.peakStep, { entries: course.peak.entries, at })
        courses.set(name, { ...course, isTaken: true, peakAt: at })
      } else if (at - course.peakAt > oneGoMs) courses.set(name, risen)
    }
  }
  const chosen = [...wanted].sort(([, a], [, b]) => b.entries - a.entries).slice(0, mostStates)
  return statesAt(
    snapshot,
    updates,
    chosen.sort(([a], [b]) => a - b).map(([step, { at }]) => ({ end: step * perStep, at })),
  )
}

/**
 * Whether that much can have been removed at any time, judged from the final document. Most logs remove little, and
 * examining every step is most of the cost of folding.
 */
export function mayHaveLostMuch(doc: Y.Doc): boolean {
  for (const [name, root] of doc.share) if (lostAtMost(name, root) >= fewestOfAll) return true
  return false
}

/** Entries that are, or may have been, removed: overwritten ones may have been deleted before. */
function lostAtMost(name: string, root: SharedType): number {
  let lost = 0
  for (const item of root._map.values()) {
    const wasThereBefore = item.left !== null
    if (item.deleted || wasThereBefore || (name === elementsRoot && mayHaveBeenDeletedElement(item))) lost++
  }
  for (let item = root._start; item !== null; item = item.right) if (item.deleted) lost += item.length
  return lost
}

const mayHaveBeenDeletedElement = (item: Y.Item): boolean => {
  if (isDeletedElement(item)) return true
  const flag = item.content instanceof Y.ContentType ? item.content.type._map.get('isDeleted') : undefined
  return flag !== undefined && flag.left !== null
}

function isMuch(before: Count, after: Count): boolean {
  const gone = before.entries - after.entries
  const least = before.isText ? leastCharacters : leastEntries
  if (gone >= least && gone >= before.entries * share) return true
  return after.entries === 0 && gone >= (before.isText ? leastCharacters : fewestOfAll)
}

function countOf(name: string, root: SharedType): Count {
  let entries = root._length
  for (const item of root._map.values()) {
    if (!item.deleted && !(name === elementsRoot && isDeletedElement(item))) entries++
  }
  return { entries, isText: root._length > 0 && partsOf(root).list === 'text' }
}

/** An element is a shared map or, for other clients, a plain value. */
const isDeletedElement = (item: Y.Item): boolean => {
  if (!(item.content instanceof Y.ContentType)) {
    const value: unknown = item.content.getContent().at(-1)
    return typeof value === 'object' && value !== null && 'isDeleted' in value && value.isDeleted === true
  }
  const flag = item.content.type._map.get('isDeleted')
  return flag !== undefined && !flag.deleted && flag.content.getContent().at(-1) === true
}

/** @param places how many of the updates each state includes, in ascending order */
function statesAt(
  snapshot: Uint8Array | null,
  updates: readonly Uint8Array[],
  places: readonly { end: number; at: number }[],
): FormerState[] {
  if (places.length === 0) return []
  const doc = documentOf(snapshot)
  let from = 0
  return places.map(({ end, at }) => {
    applyAll(doc, updates.slice(from, end))
    from = end
    return { state: Y.encodeStateAsUpdate(doc), at }
  })
}
