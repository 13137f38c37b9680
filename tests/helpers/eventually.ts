// Waiting for what comes by itself, without sleeping longer than needed.
import { setTimeout as delay } from 'node:timers/promises'

/**
 * Asks again until `check` neither throws nor answers false, null or undefined.
 * @returns the last answer. @throws the last error, or one that names `check`, after `withinMs` (default 5000).
 */
export async function eventually<Answer>(
  check: () => Answer | Promise<Answer>,
  { withinMs = 5000, everyMs = 10 }: { withinMs?: number; everyMs?: number } = {},
): Promise<Exclude<NonNullable<Answer>, false>> {
  const deadline = Date.now() + withinMs
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
    if (Date.now() > deadline) throw problem
    await delay(everyMs)
  }
}
