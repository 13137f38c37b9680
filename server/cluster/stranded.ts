// A node that does not reach the database while others may is no use to anybody who could be on another one: it
// saves nothing, hears of no change of permission, and without the bus shows a board that the others do not. Where
// nobody reaches the database there is nowhere better to be, and people stay.
import type { Logger } from 'pino'

/** Without an answer for so long, it is away. */
const awayAfterMs = 6000
/** So long it may be away from this node alone. */
const strandedAfterMs = 6000
/** A connection that is dead and does not say so must not hide that others work. */
const mostQuestions = 3

export interface StrandedOptions {
  log: Logger
  /** Resolves where the database answers. */
  askDatabase: () => Promise<unknown>
}

export class Stranded {
  readonly #options: StrandedOptions
  readonly #listeners = new Set<() => void>()
  /** Other nodes that said of late that they reach it. */
  readonly #better = new Set<string>()
  readonly #questions = new Set<Promise<void>>()
  #answeredAt = performance.now()
  #since: number | null = null
  #isStranded = false

  constructor(options: StrandedOptions) {
    this.#options = options
  }

  get reachesDatabase(): boolean {
    return performance.now() - this.#answeredAt < awayAfterMs
  }

  get isStranded(): boolean {
    return this.#isStranded
  }

  onStranded(listener: () => void): void {
    this.#listeners.add(listener)
  }

  heard(nodeId: string, reachesDatabase: boolean): void {
    if (reachesDatabase) this.#better.add(nodeId)
    else this.#better.delete(nodeId)
  }

  gone(nodeId: string): void {
    this.#better.delete(nodeId)
  }

  /** About every second. @param isDeaf nobody is heard, so that nobody knows what others have. */
  tick(isDeaf: boolean, stoodStill: boolean): void {
    const now = performance.now()
    // Whoever was stopped has not asked meanwhile.
    if (stoodStill) this.#answeredAt = now
    this.#ask()
    if (this.reachesDatabase || !(isDeaf || this.#better.size > 0)) {
      this.#since = null
      this.#isStranded = false
      return
    }
    this.#since ??= now
    if (this.#isStranded || now - this.#since < strandedAfterMs) return
    this.#isStranded = true
    this.#options.log.error(
      'this node does not reach the database, and others may: its people are sent there',
    )
    for (const listener of this.#listeners) listener()
  }

  async close(): Promise<void> {
    await Promise.all(this.#questions)
  }

  #ask(): void {
    if (this.#questions.size >= mostQuestions) return
    const question: Promise<void> = this.#options
      .askDatabase()
      .then(
        () => {
          this.#answeredAt = performance.now()
        },
        () => undefined, // that it does not answer is what is to be known
      )
      .finally(() => this.#questions.delete(question))
    this.#questions.add(question)
  }
}
