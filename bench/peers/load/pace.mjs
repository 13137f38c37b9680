// Open-loop pacing: calls `fire(i)` for event i at its due time, however late the loop runs.
const now = () => performance.now()

/**
 * @param {number} count how many events
 * @param {number} perSecond
 * @param {(index: number, at: number) => void} fire
 * @returns {Promise<{seconds: number, worstLateMs: number}>}
 */
export function pace(count, perSecond, fire) {
  return new Promise((resolve) => {
    const startedAt = now()
    const gap = 1000 / perSecond
    let next = 0
    let worstLateMs = 0
    const step = () => {
      let at = now()
      while (next < count && startedAt + next * gap <= at) {
        worstLateMs = Math.max(worstLateMs, at - (startedAt + next * gap))
        fire(next++, at)
        if ((next & 15) === 0) at = now()
      }
      if (next < count) setTimeout(step, 1)
      else resolve({ seconds: (now() - startedAt) / 1000, worstLateMs })
    }
    step()
  })
}

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms))

/** Polls `done` until it is true, `limitMs` passes, or `progress` stops changing for `stallMs`. */
export async function waitUntil(done, { limitMs, stallMs = limitMs, progress = () => 0, everyMs = 10 }) {
  const startedAt = now()
  let last = progress()
  let changedAt = startedAt
  while (!done()) {
    await sleep(everyMs)
    const current = progress()
    if (current !== last) {
      last = current
      changedAt = now()
    }
    if (now() - startedAt > limitMs || now() - changedAt > stallMs) return false
  }
  return true
}
