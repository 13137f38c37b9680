// What a start has opened, part by part, so that a stop or a failed start closes all of it in the reverse order.
import type { Logger } from 'pino'

/** Nothing that closes takes this long, unless something else holds it up. */
const longMs = 5000

export class OpenedParts {
  readonly #parts: { name: string; close: () => unknown }[] = []

  /** @param name as the log says it where closing takes long or fails. */
  add(name: string, close: () => unknown): void {
    this.#parts.push({ name, close })
  }

  /** Closes every part, though another fails. @throws the first failure, at the end. */
  async close(log: Logger): Promise<void> {
    const failures: unknown[] = []
    for (let part = this.#parts.pop(); part !== undefined; part = this.#parts.pop())
      try {
        await closing(part.name, log, part.close)
      } catch (error) {
        log.error({ err: error, part: part.name }, 'a part did not close')
        failures.push(error)
      }
    if (failures.length > 0) throw failures[0]
  }
}

/** Says which part it is that a stop waits for, while it waits. */
export async function closing(part: string, log: Logger, close: () => unknown): Promise<void> {
  const late = setTimeout(() => log.warn({ part }, 'still closing'), longMs)
  try {
    await close()
  } finally {
    clearTimeout(late)
  }
}
