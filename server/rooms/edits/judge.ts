// Decides about each update of a window. They are validated and applied one by one in a single transaction, so that the
// next is validated against the result of the one before. The transaction emits one update, which is sent and stored.
import type * as Y from 'yjs'
import { mayWrite } from '../../../shared/levels.ts'
import { refusedTouch, touchesOf } from '../../documents/element-touches.ts'
import { validateUpdate } from '../../documents/validate/validate.ts'
import {
  defaultValidationLimits,
  type Shown,
  type ValidationLimits,
  type Verdict,
} from '../../documents/validate/verdict.ts'
import type { Clock } from '../clock.ts'
import type { Counters } from '../counters.ts'
import type { BoardDocument } from '../document.ts'
import { isEmptyUpdate } from '../messages.ts'
import type { AgentEdits, Author, RoomLimits } from '../ports.ts'
import { agentEdits, readingsOf } from './agent-edits.ts'
import type { ClientIds, Contested, Relayed } from './client-ids.ts'
import type { DryRuns } from './dry-runs.ts'
import type { Edit, Editor, Outcome, Problem } from './edit.ts'
import { emptyPlaces } from './empty-place.ts'

/** What a window changed. */
export interface Change {
  update: Uint8Array
  authors: Author[]
  byAgents: AgentEdits[]
  /** The only editor in this window, which already has all of it; null if there are several. */
  soleWriter: Editor | null
}

/** The outcome of each edit of a window, and the change; null if nothing changed. */
export interface Judged {
  change: Change | null
  outcomes: { edit: Edit; outcome: Outcome }[]
  isFull: boolean
}

export interface JudgeOptions {
  document: BoardDocument
  clientIds: ClientIds
  limits: RoomLimits
  clock: Clock
  counters: Counters
  dryRuns: DryRuns
  /** An editor sent edits under client ids whose owners are away. */
  onRelayed: (by: Editor, relayed: readonly Relayed[]) => void
  /** An owner came back with other edits than those sent in its place. */
  onContested: (owner: Editor, contested: Contested) => void
}

/** A window while its edits are judged. */
interface Window extends Judged {
  /** The size of the updates applied so far, which the document only counts when the transaction ends. */
  appliedBytes: number
  authors: Author[]
  byAgents: AgentEdits[]
  /** The time that is already charged to the editors. */
  judgedMs: number
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
  message: 'while you were away, somebody else sent edits of yours, and some of them have been deleted since',
}

export class Judge {
  readonly #options: JudgeOptions
  readonly #limits: ValidationLimits
  /** The edit being applied, which is logged if Yjs throws. */
  current: Edit | null = null

  constructor(options: JudgeOptions) {
    this.#options = options
    this.#limits = {
      ...defaultValidationLimits,
      ...options.limits.inspection?.update,
      maxNewClientsPerUpdate: options.limits.maxNewClientsPerUpdate,
    }
  }

  /** Whether the document is needed. It is not for edits that change nothing, or that may not. */
  static needsDocument(edits: readonly Edit[]): boolean {
    return edits.some(({ editor, update }) => mayWrite(editor.level) && !isEmptyUpdate(update))
  }

  /** @param doc null if `needsDocument` is false. @throws errors of Yjs; the document is unusable then. */
  judge(edits: readonly Edit[], doc: Y.Doc | null): Judged {
    const { clock, document } = this.#options
    const window: Window = {
      change: null,
      outcomes: [],
      isFull: false,
      appliedBytes: 0,
      authors: [],
      byAgents: [],
      judgedMs: 0,
    }
    if (doc === null) {
      this.#judgeAll(edits, null, window)
      return window
    }
    const startedAt = clock.now()
    const update = document.transact(doc, () => this.#judgeAll(edits, doc, window))
    this.current = null
    const writers = new Set<Editor>()
    for (const { edit, outcome } of window.outcomes)
      if (outcome.name === 'effective') writers.add(edit.editor)
    this.#chargeCleanUp(window, clock.now() - startedAt)
    if (update === null) return window
    const [writer] = writers
    const soleWriter = writers.size === 1 && writer !== undefined ? writer : null
    window.change = { update, authors: window.authors, byAgents: window.byAgents, soleWriter }
    return window
  }

  #judgeAll(edits: readonly Edit[], doc: Y.Doc | null, window: Window): void {
    const { clock, dryRuns } = this.#options
    for (const edit of edits) {
      if (dryRuns.holds(edit)) continue
      const startedAt = clock.now()
      const outcome = this.#judge(edit, doc, window)
      const ms = clock.now() - startedAt
      if (outcome !== null) window.outcomes.push({ edit, outcome })
      window.judgedMs += ms
      edit.editor.worked(ms)
    }
  }

  /** Yjs also works at the end of the transaction: that time is shared by those whose edits were applied. */
  #chargeCleanUp({ outcomes, judgedMs }: Window, wholeMs: number): void {
    const effective = outcomes.filter(({ outcome }) => outcome.name === 'effective')
    for (const { edit } of effective) edit.editor.worked((wholeMs - judgedMs) / effective.length)
  }

  /** @returns null if the edit needs a dry run first, which has started. */
  #judge(edit: Edit, doc: Y.Doc | null, window: Window): Outcome | null {
    const { editor, update } = edit
    const { counters, document, limits, dryRuns } = this.#options
    // Viewers answer sync step 1 too, with an empty update.
    if (isEmptyUpdate(update)) return withoutEffect
    if (!mayWrite(editor.level) || doc === null) {
      counters.refused_level++
      return window.isFull || editor.reason === 'board_full' ? boardFull : notEditor
    }
    const inspected = this.#inspect(edit, doc)
    const verdict =
      inspected.outcome === 'ok' && inspected.suspects > 0 ? afterTrial(edit, inspected) : inspected
    if (verdict === null) {
      counters.tried++
      dryRuns.start(edit, inspected.outcome === 'ok' ? inspected.suspects : 0)
      return null
    }
    if (verdict.outcome !== 'ok') return this.#refusal(edit, verdict)
    if (verdict.empty) return { name: 'without effect', problem: this.#shown(editor, verdict.shown) }
    if (!document.hasRoomFor(window.appliedBytes + update.length, limits.maxBoardBytes)) {
      window.isFull = true
      return boardFull
    }
    this.current = edit
    const touches = editor.elementRights === null ? null : touchesOf(update, doc)
    const refused =
      touches === null || editor.elementRights === null ? null : refusedTouch(touches, editor.elementRights)
    if (refused !== null) return this.#keptEmpty(editor, doc, verdict, { refused, window })
    const before = touches === null ? null : readingsOf(touches, doc)
    if (document.apply(doc, update) === 'incomplete')
      editor.log.error({ bytes: update.length }, 'an update depended on missing edits; that part was dropped')
    window.appliedBytes += update.length
    counters.updates++
    const { agentId } = editor.summary().subject
    if (before !== null && agentId !== null) window.byAgents.push(...agentEdits(agentId, before, doc))
    const problem = this.#shown(editor, verdict.shown)
    window.authors.push(...this.#wrote(editor, verdict))
    return { name: 'effective', problem }
  }

  /** Refuses an edit of an agent, but fills its clocks, so that later edits of the agent can still be applied. */
  #keptEmpty(
    editor: Editor,
    doc: Y.Doc,
    verdict: Extract<Verdict, { outcome: 'ok' }>,
    { refused, window }: { refused: string; window: Window },
  ): Outcome {
    const { counters, document } = this.#options
    counters.refused_level++
    const empty = emptyPlaces(verdict.writes)
    if (empty !== null) {
      document.apply(doc, empty)
      window.appliedBytes += empty.length
      window.authors.push(...this.#wrote(editor, verdict))
    }
    return { name: 'refused', code: 'access_denied', message: refused, kind: 'not kept' }
  }

  #inspect({ editor, update }: Edit, doc: Y.Doc): Verdict {
    const { clientIds } = this.#options
    let fresh = 0
    return validateUpdate(
      update,
      doc,
      (clientId, isKnown) => clientIds.judge(editor, clientId, isKnown ? null : fresh++),
      this.#limits,
      (clientId) => clientIds.unshown(editor.principalKey, clientId),
    )
  }

  #refusal({ editor, update }: Edit, verdict: Exclude<Verdict, { outcome: 'ok' }>): Outcome {
    const { counters, clientIds } = this.#options
    const { rule } = verdict
    counters.rules[rule] = (counters.rules[rule] ?? 0) + 1
    if (verdict.outcome === 'resync') {
      counters.resynced++
      editor.log.debug({ rule, bytes: update.length }, 'update dropped for a full sync')
      return dropped
    }
    counters.rejected++
    editor.log.info({ rule, bytes: update.length }, 'update rejected')
    const { clientId, message } = verdict
    const refused = { name: 'refused', code: `update_${rule}`, message } as const
    if (clientId !== undefined) {
      this.#contested(editor, clientIds.contested(clientId, false))
      return { ...refused, kind: 'contradicted' }
    }
    // A board with too many client ids is not the fault of the newest one.
    return { ...refused, kind: rule === 'board_client_ids' ? 'not kept' : 'violation' }
  }

  #wrote(editor: Editor, { writes }: Extract<Verdict, { outcome: 'ok' }>): Author[] {
    const { clientIds, counters, onRelayed } = this.#options
    const { authors, relayed } = clientIds.wrote(editor, writes)
    counters.relayed += relayed.length
    if (relayed.length > 0) onRelayed(editor, relayed)
    return authors
  }

  /** The owner of relayed edits has shown its own, which are the same; some may be deleted on the board by now. */
  #shown(editor: Editor, shown: readonly Shown[]): Problem | null {
    if (shown.length === 0) return null
    this.#contested(editor, this.#options.clientIds.shown(editor, shown))
    return shown.some(({ isDeleted }) => isDeleted) ? deletedMeanwhile : null
  }

  #contested(owner: Editor, contested: readonly Contested[]): void {
    this.#options.counters.contested += contested.length
    for (const each of contested) this.#options.onContested(owner, each)
  }
}

/** @returns null if there was no dry run yet. */
function afterTrial({ trial }: Edit, verdict: Verdict): Verdict | null {
  switch (trial) {
    case undefined:
      return null
    case 'passed':
      return verdict
    case 'failed':
      return {
        outcome: 'reject',
        rule: 'conflicts',
        message: 'too many structs are inserted at the same places',
      }
    case 'impossible':
      return { outcome: 'resync', rule: 'untried' }
  }
}
