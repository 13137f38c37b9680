// Suggests the nearest known word for one that was mistyped.

/** `; did you mean --port?`, or nothing if no candidate is similar. */
export function didYouMean(word: string, candidates: string[], prefix = ''): string {
  const { candidate, distance } = nearest(word, candidates)
  return distance <= Math.max(2, word.length / 2) ? `; did you mean ${prefix}${candidate}?` : ''
}

/** The candidate with the smallest edit distance. */
function nearest(word: string, candidates: string[]): { candidate: string; distance: number } {
  const distance = (a: string, b: string): number => {
    let row = Array.from({ length: b.length + 1 }, (_, i) => i)
    for (let i = 1; i <= a.length; i++) {
      const next = [i]
      for (let j = 1; j <= b.length; j++) {
        next[j] = Math.min(
          (row[j] ?? 0) + 1,
          (next[j - 1] ?? 0) + 1,
          (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1),
        )
      }
      row = next
    }
    return row[b.length] ?? Number.POSITIVE_INFINITY
  }
  return candidates
    .map((candidate) => ({ candidate, distance: distance(word, candidate) }))
    .reduce((best, next) => (next.distance < best.distance ? next : best), {
      candidate: '',
      distance: Number.POSITIVE_INFINITY,
    })
}
