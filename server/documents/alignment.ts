// Which parts of one list can stay to become another: a shortest edit script, on keys.
import { diffArrays } from 'diff'

/** Replace `removed` entries from `at` (of the old list) by `inserted` entries from `from` (of the new list). */
export interface Run {
  at: number
  removed: number
  from: number
  inserted: number
}

/** Above this many differences the middle is replaced as a whole, because the script is quadratic in time and memory. */
const mostDifferences = 600

/** The runs that turn `before` into `after`, in ascending order; what lies between them is equal. */
export function runsBetween(before: readonly string[], after: readonly string[]): Run[] {
  let start = 0
  let beforeEnd = before.length
  let afterEnd = after.length
  while (start < beforeEnd && start < afterEnd && before[start] === after[start]) start++
  while (beforeEnd > start && afterEnd > start && before[beforeEnd - 1] === after[afterEnd - 1]) {
    beforeEnd--
    afterEnd--
  }
  const removed = beforeEnd - start
  const inserted = afterEnd - start
  if (removed === 0 && inserted === 0) return []
  const whole = { at: start, removed, from: start, inserted }
  if (removed === 0 || inserted === 0) return [whole]
  const changes = diffArrays(before.slice(start, beforeEnd), after.slice(start, afterEnd), {
    maxEditLength: mostDifferences,
  })
  if (changes === undefined) return [whole]
  const runs: Run[] = []
  let open: Run | null = null
  let at = start
  let from = start
  for (const { count, added, removed: isRemoval } of changes) {
    if (!added && !isRemoval) {
      at += count
      from += count
      open = null
      continue
    }
    if (open === null) {
      open = { at, removed: 0, from, inserted: 0 }
      runs.push(open)
    }
    if (added) {
      open.inserted += count
      from += count
    } else {
      open.removed += count
      at += count
    }
  }
  return runs
}
