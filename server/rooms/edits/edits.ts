// The road of updates through a room: they wait for the window, are judged one by one, each against the document
// with the one before it applied, all in one transaction; that emits one update, which is what everybody gets and
// what is stored.
import * as Y from 'yjs'
import { mayWrite } from '../../../shared/levels.ts'
import { validateUpdate } from '../../documents/validate/validate.ts'
import {
  defaultValidationLimits,
  type Shown,
  type ValidationLimits,
  type Verdict,
} from '../../documents/validate/verdict.ts'
import type { Clock } from '../clock.ts'
import type { Connection } from '../connection/connection.ts'
import type { Counters } from '../counters.ts'
import type { BoardDocument } from '../document.ts'
import { isEmptyUpdate } from '../messages.ts'
import type { Author, RoomLimits } from '../ports.ts'
import type { ClientIds, Contested, Relayed } from './client-ids.ts'
import type { DryRuns } from './dry-runs.ts'

export interface Edit {
  connection: Connection
  /** Of the connection's sync frames, from `Saved`. */
  count: number
  isStep2: boolean
  update: Uint8Array
  /** What came of trying it on a copy, once that was necessary. */
  trial?: 'passed' | 'failed' | 'impossible'
}

interface Problem {
  code: string
  message: string
}

type Outcome =
  /** `problem`: not all of it is on the board, and its sender has to know. */
  | { name: 'effective'; writesOf: Author[]; problem: Problem | null }
  | { name: 'without effect'; problem: Problem | null }
  | ({ name: 'refused'; kind: 'not kept' | 'violation' | 'contradicted' } & Problem)
  | { name: 'dropped' }

/** What a window changed. */
export interface Change {
  update: Uint8Array
  authors: Author[]
  /** Whose edits these all are; null where they are of several. Who wrote it all has it all. */
  soleWriter: Connection | null
}

/** What a window led to, edit by edit, and its change, null where nothing changed. */
export interface Judged {
  change: Change | null
  outcomes: { edit: Edit; outcome: Outcome }[]
  isFull: boolean
  /** Of the updates applied so far: the document counts them when the transaction ends. */
  appliedBytes: number
  /** What the edits took one by one, which is charged already. */
  judgedMs: number
}

export interface EditsOptions {
  document: BoardDocument
  clientIds: ClientIds
  limits: RoomLimits
  clock: Clock
  counters: Counters
  dryRuns: DryRuns
  /** Somebody brought in edits under client ids whose owners are away. */
  onRelayed: (by: Connection, relayed: readonly Relayed[]) => void
  /** An owner came back, and its edits are not those that somebody else brought in. */
  onContested: (owner: Connection, contested: Contested) => void
}

const withoutEffect: Outcome = { name: 'without effect', problem: null }
const dropped: Outcome = { name: 'dropped' }
const notEditor: Outcome = {
  name: 'refused',
  code: 'access_denied',
  message: 'this connection may not edit; its changes are not kept',
  kind: 'not kept',
}
const boardFull: Outcome = {
  name: 'refused',
  code: 'board_full',
  message: 'the board has reached its size limit; changes are not kept',
  kind: 'not kept',
}
const deletedMeanwhile: Problem = {
  code: 'update_relayed_deleted',
  message: 'while you were away somebody else brought in edits of yours, and some of them are deleted by now',
}

export class Edits {
  readonly #options: EditsOptions
  readonly #limits: ValidationLimits
  /** The edit being applied: named when Yjs throws. */
  current: Edit | null = null

  constructor(options: EditsOptions) {
    this.#options = options
    this.#limits = {
      ...defaultValidationLimits,
      maxNewClientsPerUpdate: options.limits.maxNewClientsPerUpdate,
    }
  }

  /** Whether judging these takes the document: what changes nothing, or may not, does not. */
  static needDocument(edits: readonly Edit[]): boolean {
    return edits.some(({ connection, update }) => mayWrite(connection.level) && !isEmptyUpdate(update))
  }

  /** @param doc null where `needDocument` says no. @throws what Yjs throws: the document is broken then. */
  judge(edits: readonly Edit[], doc: Y.Doc | null): Judged {
    const judged: Judged = { change: null, outcomes: [], isFull: false, appliedBytes: 0, judgedMs: 0 }
    const judgeAll = () => {
      for (const edit of edits) {
        if (this.#options.dryRuns.holds(edit)) continue
        const startedAt = this.#options.clock.now()
        const outcome = this.#judge(edit, doc, judged)
        const ms = this.#options.clock.now() - startedAt
        if (outcome !== null) judged.outcomes.push({ edit, outcome })
        judged.judgedMs += ms
        edit.connection.worked(ms)
      }
    }
    if (doc === null) {
      judgeAll()
      return judged
    }
    const startedAt = this.#options.clock.now()
    const update = this.#options.document.transact(doc, judgeAll)
    this.current = null
    this.#chargeTidying(judged, this.#options.clock.now() - startedAt)
    if (update === null) return judged
    const authors: Author[] = []
    const writers = new Set<Connection>()
    for (const { edit, outcome } of judged.outcomes) {
      if (outcome.name !== 'effective') continue
      authors.push(...outcome.writesOf)
      writers.add(edit.connection)
    }
    const [writer] = writers
    judged.change = {
      update,
      authors,
      soleWriter: writers.size === 1 && writer !== undefined ? writer : null,
    }
    return judged
  }

  /** What Yjs does when the transaction ends is work too, of those whose edits were applied. */
  #chargeTidying(judged: Judged, wholeMs: number): void {
    const effective = judged.outcomes.filter(({ outcome }) => outcome.name === 'effective')
    for (const { edit } of effective) edit.connection.worked((wholeMs - judged.judgedMs) / effective.length)
  }

  /** @returns null where the edit must be tried first, which has begun. */
  #judge(edit: Edit, doc: Y.Doc | null, judged: Judged): Outcome | null {
    const { connection, update } = edit
    const { clientIds, counters, document, limits, dryRuns } = this.#options
    // An honest viewer answers step 1, with nothing.
    if (isEmptyUpdate(update)) return withoutEffect
    if (!mayWrite(connection.level) || doc === null) {
      counters.refused_level++
      return judged.isFull || connection.reason === 'board_full' ? boardFull : notEditor
    }
    const inspected = validateUpdate(
      update,
      doc,
      (clientId, isKnown) => clientIds.judge(connection, clientId, isKnown),
      this.#limits,
      (clientId) => clientIds.unshown(connection.principalKey, clientId),
    )
    const verdict =
      inspected.outcome === 'ok' && inspected.suspects > 0 ? afterTrial(edit, inspected) : inspected
    if (verdict === null) {
      counters.tried++
      dryRuns.start(edit, inspected.outcome === 'ok' ? inspected.suspects : 0)
      return null
    }
    if (verdict.outcome !== 'ok') counters.rules[verdict.rule] = (counters.rules[verdict.rule] ?? 0) + 1
    if (verdict.outcome === 'reject') {
      counters.rejected++
      connection.log.info({ rule: verdict.rule, bytes: update.length }, 'update rejected')
      const { clientId } = verdict
      if (clientId !== undefined) this.#contested(connection, clientIds.contested(clientId, false))
      const kind = clientId === undefined ? 'violation' : 'contradicted'
      return { name: 'refused', code: `update_${verdict.rule}`, message: verdict.message, kind }
    }
    if (verdict.outcome === 'resync') {
      counters.resynced++
      connection.log.debug({ rule: verdict.rule, bytes: update.length }, 'update dropped for a full sync')
      return dropped
    }
    if (verdict.empty) return { name: 'without effect', problem: this.#shown(connection, verdict.shown) }
    if (!document.hasRoomFor(judged.appliedBytes + update.length, limits.maxBoardBytes)) {
      judged.isFull = true
      return boardFull
    }
    this.current = edit
    Y.applyUpdate(doc, update, connection)
    if (doc.store.pendingStructs !== null || doc.store.pendingDs !== null) {
      doc.store.pendingStructs = null
      doc.store.pendingDs = null
      connection.log.error({ bytes: update.length }, 'an update left something pending; dropped')
    }
    judged.appliedBytes += update.length
    counters.updates++
    const problem = this.#shown(connection, verdict.shown)
    const { authors, relayed } = clientIds.wrote(connection, verdict.writes)
    counters.relayed += relayed.length
    if (relayed.length > 0) this.#options.onRelayed(connection, relayed)
    return { name: 'effective', writesOf: authors, problem }
  }

  /** The owner of relayed edits has shown its own, which are on the board or were deleted there. */
  #shown(connection: Connection, shown: readonly Shown[]): Problem | null {
    if (shown.length === 0) return null
    this.#contested(connection, this.#options.clientIds.shown(connection, shown))
    return shown.some(({ isDeleted }) => isDeleted) ? deletedMeanwhile : null
  }

  #contested(owner: Connection, contested: readonly Contested[]): void {
    this.#options.counters.contested += contested.length
    for (const each of contested) this.#options.onContested(owner, each)
  }
}

/** @returns null where it was not tried yet. */
function afterTrial({ trial }: Edit, verdict: Verdict): Verdict | null {
  switch (trial) {
    case undefined:
      return null
    case 'passed':
      return verdict
    case 'failed':
      return { outcome: 'reject', rule: 'conflicts', message: 'too many structs claim the same places' }
    case 'impossible':
      return { outcome: 'resync', rule: 'untried' }
  }
}
