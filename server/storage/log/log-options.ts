// The options of the log.
import type { Logger } from 'pino'
import type { Database } from '../../database/database.ts'
import type { CommitSpacing } from './commit-pace.ts'

/** Folds logs, and is told how they grow. @see Compaction */
export interface LogKeeper {
  opened(boardId: string, size: { rows: number; bytes: number; snapshotBytes: number }): void
  grew(boardId: string, rows: number, bytes: number): void
  idle(boardId: string): void
}

export interface UpdateLogOptions {
  database: Database
  log: Logger
  keeper: LogKeeper
  /** Called after edits of agents were committed. */
  onAgentEdits?: () => void
  maxCommitBytes?: number
  /** Default: 10 to 250 ms between commits, with 60 ms as a pause. */
  commitSpacing?: Partial<CommitSpacing>
  /** The delay after the first failed commit; it doubles up to 2 s. */
  firstRetryMs?: number
  /** After this long without an answer, a commit is tried again: writing an edit twice does no harm. */
  commitTimeoutMs?: number
}
