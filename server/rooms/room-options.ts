// The options of a room.
import type { Logger } from 'pino'
import type { Clock } from './clock.ts'
import type { Connection } from './connection/connection.ts'
import type { Counters } from './counters.ts'
import type { Contested, Relayed } from './edits/client-ids.ts'
import type { Editor } from './edits/edit.ts'
import type { LargeAnswers } from './large-answers.ts'
import type { BoardLink } from './nodes/board-link.ts'
import type { Cut, DryRun, RoomLimits, UpdateLog } from './ports.ts'

export interface RoomOptions {
  dryRun?: DryRun
  cut?: Cut
  boardId: string
  /** The link to the board on other nodes, if there are any. */
  link?: BoardLink | undefined
  log: UpdateLog
  limits: RoomLimits
  clock: Clock
  /** Shared by all rooms of the process. */
  answers: LargeAnswers
  logger: Logger
  counters: Counters
  /** The last connection left, or the room cannot continue: close it. */
  onDone: () => void
  onLeft: (connection: Connection) => void
  onRelayed: (by: Editor, relayed: readonly Relayed[]) => void
  onContested: (owner: Editor, contested: Contested) => void
}
