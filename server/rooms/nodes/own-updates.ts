// The updates that this node commits to one board: their numbers, and up to which number everything is committed.
import type { Clock } from '../clock.ts'
import type { Author, SideRows } from '../ports.ts'

export interface OwnUpdate {
  seq: number
  update: Uint8Array
  authors: readonly Author[]
  sideRows: SideRows | null
}

export class OwnUpdates {
  readonly #clock: Clock
  readonly #onCommitted: () => void
  #seq = 0
  #committed = 0
  #announced = 0
  #committedAt: number
  /** Numbers that were committed before an earlier one. */
  readonly #committedEarly = new Set<number>()
  /** In the order of their numbers. */
  #uncommitted: OwnUpdate[] = []

  /** @param onCommitted called once per commit, however many updates it contains. */
  constructor(clock: Clock, onCommitted: () => void) {
    this.#clock = clock
    this.#onCommitted = onCommitted
    this.#committedAt = clock.now()
  }

  /** The highest number used so far. */
  get seq(): number {
    return this.#seq
  }

  /** Everything up to this number is committed. */
  get committed(): number {
    return this.#committed
  }

  get uncommitted(): readonly OwnUpdate[] {
    return this.#uncommitted
  }

  /** Milliseconds since the last commit. */
  get quietMs(): number {
    return this.#clock.now() - this.#committedAt
  }

  add(
    update: Uint8Array,
    { authors, sideRows }: { authors: readonly Author[]; sideRows: SideRows | null },
    appended: Promise<void>,
  ): OwnUpdate {
    const own = { seq: this.number(appended), update, authors, sideRows }
    this.#uncommitted.push(own)
    return own
  }

  /** Assigns the next number to an update that is committed once `appended` resolves. */
  number(appended: Promise<void>): number {
    const seq = ++this.#seq
    appended
      .then(() => this.#wasCommitted(seq))
      // One turn later, so that all updates of a transaction are announced in one message.
      .then(
        () => this.#announce(),
        () => undefined, // the room ends because of it
      )
    return seq
  }

  #wasCommitted(seq: number): void {
    this.#committedEarly.add(seq)
    while (this.#committedEarly.delete(this.#committed + 1)) this.#committed++
    while (this.#uncommitted[0] !== undefined && this.#uncommitted[0].seq <= this.#committed)
      this.#uncommitted.shift()
  }

  #announce(): void {
    if (this.#announced === this.#committed) return
    this.#announced = this.#committed
    this.#committedAt = this.#clock.now()
    this.#onCommitted()
  }
}
