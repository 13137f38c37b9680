// Which parts of one list can stay to become another: the shortest edit script of Myers, on keys.

/** Replace `removed` entries from `at` (of the old list) by `inserted` entries from `from` (of the new list). */
export interface Run {
  at: number
  removed: number
  from: number
  inserted: number
}

/** Beyond so many differences the middle is replaced as a whole: the script costs time and memory by their square. */
const mostDifferences = 600

/**
 * The runs that turn `before` into `after`, in ascending order; what lies between them is equal.
 * @see E. W. Myers, An O(ND) Difference Algorithm and Its Variations (1986)
 */
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
  const whole = [{ at: start, removed, from: start, inserted }]
  if (removed === 0 || inserted === 0) return whole
  const trace = search(before.slice(start, beforeEnd), after.slice(start, afterEnd))
  if (trace === null) return whole
  return scriptOf(trace, removed, inserted).map(({ at, from, ...run }) => ({
    ...run,
    at: at + start,
    from: from + start,
  }))
}

/** For every number of differences, how far each diagonal was reached; null past the bound. */
function search(before: readonly string[], after: readonly string[]): Int32Array[] | null {
  const most = Math.min(before.length + after.length, mostDifferences)
  const reached = new Int32Array(2 * most + 3)
  const middle = most + 1
  const trace: Int32Array[] = []
  for (let differences = 0; differences <= most; differences++) {
    trace.push(reached.slice(middle - differences - 1, middle + differences + 2))
    for (let diagonal = -differences; diagonal <= differences; diagonal += 2) {
      let x = step(reached, middle + diagonal, diagonal, differences)
      while (x < before.length && x - diagonal < after.length && before[x] === after[x - diagonal]) x++
      reached[middle + diagonal] = x
      if (x >= before.length && x - diagonal >= after.length) return trace
    }
  }
  return null
}

/** Down (an insertion) from the diagonal above, or right (a removal) from the one below, whichever comes further. */
const step = (reached: Int32Array, place: number, diagonal: number, differences: number): number => {
  const above = reached[place + 1] ?? 0
  const below = reached[place - 1] ?? 0
  return diagonal === -differences || (diagonal !== differences && below < above) ? above : below + 1
}

function scriptOf(trace: Int32Array[], removed: number, inserted: number): Run[] {
  const runs: Run[] = []
  let x = removed
  let y = inserted
  for (let differences = trace.length - 1; differences > 0; differences--) {
    const reached = trace[differences] ?? new Int32Array()
    const diagonal = x - y
    const place = diagonal + differences + 1
    const above = reached[place + 1] ?? 0
    const below = reached[place - 1] ?? 0
    const isInsertion = diagonal === -differences || (diagonal !== differences && below < above)
    const fromX = isInsertion ? above : below
    const fromY = fromX - (isInsertion ? diagonal + 1 : diagonal - 1)
    const last = runs[0]
    const endX = isInsertion ? fromX : fromX + 1
    const endY = isInsertion ? fromY + 1 : fromY
    if (last !== undefined && last.at === endX && last.from === endY) {
      last.at = fromX
      last.from = fromY
      if (isInsertion) last.inserted++
      else last.removed++
    } else {
      runs.unshift({ at: fromX, removed: isInsertion ? 0 : 1, from: fromY, inserted: isInsertion ? 1 : 0 })
    }
    x = fromX
    y = fromY
  }
  return runs
}
