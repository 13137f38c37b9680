// What the log is given.
import type { Logger } from 'pino'
import type { Database } from '../../database/database.ts'
import type { CommitSpacing } from './commit-pace.ts'

/** Who folds logs, told how they grow. @see Compaction */
export interface LogKeeper {
  opened(boardId: string, size: { rows: number; bytes: number; snapshotBytes: number }): void
  grew(boardId: string, rows: number, bytes: number): void
  idle(boardId: string): void
}

export interface UpdateLogOptions {
  database: Database
  log: Logger
  keeper: LogKeeper
  /** What agents did was committed. */
  onAgentEdits?: () => void
  maxCommitBytes?: number
  /** Default: 10 to 250 ms, 60 ms are a pause. */
  commitSpacing?: Partial<CommitSpacing>
  /** After the first failed commit; it doubles up to 2 s. */
  firstRetryMs?: number
  /** A commit without an answer for so long is given up and tried again: writing an edit twice does no harm. */
  commitTimeoutMs?: number
}
