// The parts opened so far, so that closing, or a failed start, closes them all in reverse order.
import type { Logger } from 'pino'

/** A part that takes longer than this to close is held up by something, which is logged. */
const longMs = 5000

export class OpenedParts {
  readonly #parts: { name: string; close: () => unknown }[] = []

  /** @param name for the log, if closing takes long or fails. */
  add(name: string, close: () => unknown): void {
    this.#parts.push({ name, close })
  }

  /** Closes every part, even if one fails. @throws the first failure, at the end. */
  async close(log: Logger): Promise<void> {
    const failures: unknown[] = []
    for (let part = this.#parts.pop(); part !== undefined; part = this.#parts.pop())
      try {
        await closing(part.name, log, part.close)
      } catch (error) {
        log.error({ err: error, part: part.name }, 'a part failed to close')
        failures.push(error)
      }
    if (failures.length > 0) throw failures[0]
  }
}

/** Logs which part closing is waiting for. */
export async function closing(part: string, log: Logger, close: () => unknown): Promise<void> {
  const late = setTimeout(() => log.warn({ part }, 'still closing'), longMs)
  try {
    await close()
  } finally {
    clearTimeout(late)
  }
}
