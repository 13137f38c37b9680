// Tells one client about its own edits: that they are saved, that they were refused, or that it must send everything; and
// decides when too many were refused or dropped.
import { CloseCode, encodeNotice, encodePermissionDenied, encodeSaved } from '../../../shared/protocol.ts'
import type { Clock } from '../clock.ts'
import type { Edit, Outcome } from '../edits/edit.ts'
import { frameOf } from '../frames.ts'
import { closing, type Ending } from './ending.ts'
import type { Outbox } from './outbox.ts'
import { Resync } from './resync.ts'
import { Saved } from './saved.ts'

const rejectionsWithinMs = 60_000
const mostRejections = 3
const deniedEveryMs = 10_000

export interface RepliesOptions {
  clock: Clock
  /** Supports frames 65 and 68; a stock client is told about refusals with the auth message. */
  ownProtocol: boolean
  outbox: Outbox
  /** Sends sync step 1. */
  ask: () => void
}

export class Replies {
  readonly #options: RepliesOptions
  readonly #saved: Saved
  readonly #resync: Resync
  #rejectedAt: readonly number[] = []
  #deniedAt = Number.NEGATIVE_INFINITY

  constructor(options: RepliesOptions) {
    const { clock, ownProtocol, outbox, ask } = options
    this.#options = options
    this.#saved = new Saved({
      saved: (count) => {
        if (ownProtocol) outbox.send(frameOf(encodeSaved(count)))
      },
      refused: (notice) => {
        if (ownProtocol) outbox.send(frameOf(encodeNotice(notice)))
        else this.#deny(notice.message)
      },
    })
    this.#resync = new Resync({ clock, ask })
  }

  /** An edit arrived. @returns its number. */
  receive(): number {
    return this.#saved.receive()
  }

  /** @returns how the connection ends because of it; null if it stays open. */
  learned({ count, isStep2 }: Edit, outcome: Outcome, after: number): Ending | null {
    switch (outcome.name) {
      case 'effective':
      case 'without effect':
        // Even without an effect, it may depend on edits that are not committed yet.
        if (outcome.problem === null) this.#saved.effective(count, after)
        else this.#saved.refused(count, after, outcome.problem)
        this.#resync.accepted()
        if (isStep2) this.#saved.answered(after)
        return null
      case 'refused':
        // Frames that waited for this answer are refused with it.
        if (isStep2) this.#saved.answered(after)
        this.#saved.refused(count, after, { code: outcome.code, message: outcome.message })
        return this.#endOfRefused(outcome)
      case 'dropped':
        this.#saved.dropped(count)
        return this.#resync.dropped()
          ? null
          : closing(CloseCode.busy, 'the client and the board could not be synchronized')
    }
  }

  /** Everything up to append number `committed` is committed. @returns whether there is still something to report. */
  progress(committed: number): boolean {
    this.#saved.progress(committed)
    return this.#saved.isWaiting
  }

  close(): void {
    this.#resync.close()
  }

  #endOfRefused({ kind, message }: Extract<Outcome, { name: 'refused' }>): Ending | null {
    switch (kind) {
      case 'not kept':
        return null
      case 'contradicted':
        // Its document and the board differ under one client id. A stock client cannot start with a new document.
        return this.#options.ownProtocol ? null : closing(CloseCode.protocolViolation, message)
      case 'violation': {
        // Honest clients never send this, so the third one ends the connection.
        const now = this.#options.clock.now()
        this.#rejectedAt = [...this.#rejectedAt.filter((at) => at > now - rejectionsWithinMs), now]
        if (this.#rejectedAt.length < mostRejections) return null
        return closing(CloseCode.protocolViolation, 'three updates in a minute were refused')
      }
    }
  }

  #deny(message: string): void {
    const now = this.#options.clock.now()
    if (now - this.#deniedAt < deniedEveryMs) return
    this.#deniedAt = now
    this.#options.outbox.send(frameOf(encodePermissionDenied(message)))
  }
}
