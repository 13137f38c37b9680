// An update on its way into a board, its sender, and its outcome.
import type { Logger } from 'pino'
import type { Level } from '../../../shared/levels.ts'
import type { LevelReason } from '../../../shared/protocol.ts'
import type { ElementRights } from '../../documents/element-touches.ts'
import type { ConnectionSummary } from '../ports.ts'
import type { Writer } from './client-ids.ts'

export interface Edit {
  editor: Editor
  /** Its number among the editor's sync frames. @see Saved */
  count: number
  isStep2: boolean
  update: Uint8Array
  /** The result of its dry run, if it needed one. */
  trial?: 'passed' | 'failed' | 'impossible' | undefined
}

/** Tells the sender that an edit is not on the board, or only in part. */
export interface Problem {
  code: string
  message: string
}

export type Outcome =
  /** `problem`: only part of it is on the board. */
  | { name: 'effective'; problem: Problem | null }
  | { name: 'without effect'; problem: Problem | null }
  | ({ name: 'refused'; kind: 'not kept' | 'violation' | 'contradicted' } & Problem)
  /** Either side lacks something that it depends on: the sender is asked for everything. */
  | { name: 'dropped' }

/** Why an editor's socket is not read: too much is unsaved, the document is being built, or an update is in a dry run. */
export type EditHold = 'storage' | 'document' | 'trial'

/** The sender of edits, as edits see it: a connection, or a test. */
export interface Editor extends Writer {
  readonly log: Logger
  readonly isOpen: boolean
  /** The level that applies to its waiting edits; null: none. */
  readonly level: Level | null
  readonly reason: LevelReason | null
  /** What an agent may do to elements; null: everything that its level allows. */
  readonly elementRights: ElementRights | null
  hold(why: EditHold): void
  release(why: EditHold): void
  /** Validating and applying its edit took this long. */
  worked(ms: number): void
  /** @param after the append after which everything that the edit depends on is committed. */
  learned(edit: Edit, outcome: Outcome, after: number): void
  /** Everything up to append number `committed` is committed. @returns whether there is still something to report. */
  progress(committed: number): boolean
  summary(): ConnectionSummary
}
