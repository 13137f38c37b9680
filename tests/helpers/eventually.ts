// Waits for a condition, without sleeping longer than needed.
import { setTimeout as delay } from 'node:timers/promises'

/**
 * Calls `check` again until it neither throws nor returns false, null or undefined. The first such result counts:
 * check for something that was not true before, or it may be an old state.
 * @param withinMs how long to wait; not a promise about the software: it is long because test machines are busy.
 * @returns the last result. @throws the last error, or one that names `check`, after `withinMs`.
 */
export async function eventually<Answer>(
  check: () => Answer | Promise<Answer>,
  { withinMs = 30_000, everyMs = 10 }: { withinMs?: number; everyMs?: number } = {},
): Promise<Exclude<NonNullable<Answer>, false>> {
  const deadline = performance.now() + withinMs
  for (;;) {
    let problem: unknown
    try {
      const answer = await check()
      // The compiler cannot narrow a type parameter by comparisons.
      if (answer !== false && answer !== null && answer !== undefined)
        return answer as Exclude<NonNullable<Answer>, false>
      problem = new Error(`still ${answer} after ${withinMs} ms: ${check.toString()}`)
    } catch (error) {
      problem = error
    }
    if (performance.now() > deadline) throw problem
    await delay(everyMs)
  }
}
