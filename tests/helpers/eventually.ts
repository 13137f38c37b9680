// Waiting for what comes by itself, without sleeping longer than needed.
import { setTimeout as delay } from 'node:timers/promises'

/**
 * Asks again until `check` neither throws nor answers false, null or undefined.
 * The first answer counts: ask for what was not so before, or it may be an old one.
 * @param withinMs how long to be patient, and no promise of anybody's: long, because machines that test are busy.
 * @returns the last answer. @throws the last error, or one that names `check`, after `withinMs`.
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
