// Another node's updates to one board: which have arrived, which are committed, and which are missing here.
import type { Author, SideRows } from '../ports.ts'
import type { BoardMessage } from './messages.ts'

/** If a node's last commit is this much older than our own first read of the log, that read included it. */
const marginMs = 2000

type UpdateMessage = Extract<BoardMessage, { kind: 'update' }>
type NumberedMessage = Extract<BoardMessage, { kind: 'update' | 'committed' | 'state' }>

/** An update that is applied here, but not yet known to be committed. */
interface Unconfirmed {
  seq: number
  update: Uint8Array
  authors: readonly Author[]
  sideRows: SideRows | null
  receivedAt: number
  resolve: () => void
  reject: (error: unknown) => void
}

export class Peer {
  /** Seats taken on that node. */
  writers = 0
  /** The highest number that it has used so far. */
  #seq: number
  /** It has committed everything up to this number. */
  #committed = 0
  /** Some of the numbers up to this one are missing here; 0 if none. */
  #missing: number
  readonly #unconfirmed: Unconfirmed[] = []

  /**
   * @param first the first numbered message received from the node; what it wrote before is in the log, or will be.
   * @param openForMs for how long the board has been open here.
   */
  constructor(first: NumberedMessage, openForMs: number) {
    this.#seq = first.kind === 'update' ? first.seq - 1 : first.seq
    const wasQuiet =
      first.kind === 'state' && first.seq === first.committed && first.quietMs > openForMs + marginMs
    this.#missing = wasQuiet ? 0 : this.#seq
  }

  get committed(): number {
    return this.#committed
  }

  get isMissingUpdates(): boolean {
    return this.#missing > 0
  }

  /** Whether everything that is missing can be read from the log by now. */
  get isMissingCommitted(): boolean {
    return this.#missing <= this.#committed
  }

  /** Whether every update up to `seq` has arrived, and none after it exists. */
  isCompleteAt(seq: number | undefined): boolean {
    return this.#missing === 0 && this.#seq === seq
  }

  /** Notes the number of an update. @returns false if it has arrived before. */
  arrived(seq: number): boolean {
    if (seq <= this.#seq) return false
    if (seq > this.#seq + 1) this.#missing = seq - 1
    this.#seq = seq
    return true
  }

  /** Resolves once the update is committed, by whichever node; null if it already is. */
  whenCommitted(
    { seq, committed, update, authors, sideRows = null }: UpdateMessage,
    receivedAt: number,
  ): Promise<void> | null {
    if (seq <= committed) return null
    const whenCommitted = new Promise<void>((resolve, reject) => {
      this.#unconfirmed.push({ seq, update, authors, sideRows, receivedAt, resolve, reject })
    })
    whenCommitted.catch(() => undefined) // handled by those that await it
    return whenCommitted
  }

  /** The node has sent updates up to `seq` and committed those up to `committed`. */
  progress({ seq, committed }: { seq: number; committed: number }): void {
    if (seq > this.#seq) {
      this.#missing = seq
      this.#seq = seq
    }
    if (committed <= this.#committed) return
    this.#committed = committed
    while (this.#unconfirmed[0] !== undefined && this.#unconfirmed[0].seq <= committed)
      this.#unconfirmed.shift()?.resolve()
  }

  /** Removes and returns the oldest unconfirmed update, if it was received before a moment. */
  takeUnconfirmed(receivedBefore = Number.POSITIVE_INFINITY): Unconfirmed | null {
    const [oldest] = this.#unconfirmed
    if (oldest === undefined || oldest.receivedAt >= receivedBefore) return null
    this.#unconfirmed.shift()
    return oldest
  }

  /** The log was read when it contained everything up to `committed`. @returns whether nothing is missing any more. */
  readUpTo(committed: number): boolean {
    if (this.#missing <= committed) this.#missing = 0
    return this.#missing === 0
  }
}
