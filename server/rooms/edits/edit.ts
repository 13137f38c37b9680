// One update on its way into a board, who sent it, and what came of it.
import type { Logger } from 'pino'
import type { Level } from '../../../shared/levels.ts'
import type { LevelReason } from '../../../shared/protocol.ts'
import type { ElementRights } from '../../documents/element-touches.ts'
import type { ConnectionSummary } from '../ports.ts'
import type { Writer } from './client-ids.ts'

export interface Edit {
  editor: Editor
  /** Of the editor's sync frames, from `Saved`. */
  count: number
  isStep2: boolean
  update: Uint8Array
  /** What came of trying it on a copy, once that was necessary. */
  trial?: 'passed' | 'failed' | 'impossible' | undefined
}

/** What its sender has to know of an edit that is not, or not all of it, on the board. */
export interface Problem {
  code: string
  message: string
}

export type Outcome =
  /** `problem`: not all of it is on the board. */
  | { name: 'effective'; problem: Problem | null }
  | { name: 'without effect'; problem: Problem | null }
  | ({ name: 'refused'; kind: 'not kept' | 'violation' | 'contradicted' } & Problem)
  /** It lacks something, or the board does: its sender is asked for everything. */
  | { name: 'dropped' }

/** Why an editor's socket is not read: storage has too much, the document is being built, an update is tried. */
export type EditHold = 'storage' | 'document' | 'trial'

/** Who sends edits, as far as edits need to know: a connection, or a test. */
export interface Editor extends Writer {
  readonly log: Logger
  readonly isOpen: boolean
  /** What edits of it that still wait may do; null: nothing. */
  readonly level: Level | null
  readonly reason: LevelReason | null
  /** Of an agent: what it may do to elements. null: whatever its level allows. */
  readonly elementRights: ElementRights | null
  hold(why: EditHold): void
  release(why: EditHold): void
  /** Judging and applying took this long. */
  worked(ms: number): void
  /** @param after the append with which everything that the edit rests on is committed. */
  learned(edit: Edit, outcome: Outcome, after: number): void
  /** Everything up to append number `committed` is committed. @returns whether something is still to be told. */
  progress(committed: number): boolean
  summary(): ConnectionSummary
}
