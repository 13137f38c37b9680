// A node that cannot reach the database while others may is useless to people who could be on another one: it saves
// nothing, notices no access changes, and without the bus shows a different board. If no node reaches the database, no
// other is better, and people stay.
import type { Logger } from 'pino'

/** Without an answer for this long, the database counts as unavailable. */
const awayAfterMs = 6000
/** How long it may be unavailable to only this node. */
const strandedAfterMs = 6000
/** A silently dead connection must not hide that others work. */
const mostQuestions = 3

export interface StrandedOptions {
  log: Logger
  /** Resolves if the database answers. */
  askDatabase: () => Promise<unknown>
}

export class Stranded {
  readonly #options: StrandedOptions
  readonly #listeners = new Set<() => void>()
  /** Other nodes that recently reported reaching it. */
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

  /** Called about every second. @param isDeaf no node is heard, so the state of others is unknown. */
  tick(isDeaf: boolean, stoodStill: boolean): void {
    const now = performance.now()
    // A suspended process has not checked meanwhile.
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
      'this node cannot reach the database, but others may: its connections are closed so that they move there',
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
        () => undefined, // a missing answer is the result
      )
      .finally(() => this.#questions.delete(question))
    this.#questions.add(question)
  }
}
