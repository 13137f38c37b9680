// What a room is given.
import type { Logger } from 'pino'
import type { Contested, Relayed } from './client-ids.ts'
import type { Clock } from './clock.ts'
import type { Connection } from './connection.ts'
import type { Counters } from './counters.ts'
import type { Cut, RoomLimits, TryOut, UpdateLog } from './ports.ts'
import type { Room } from './room.ts'

export interface RoomOptions {
  tryOut?: TryOut
  cut?: Cut
  boardId: string
  log: UpdateLog
  limits: RoomLimits
  clock: Clock
  logger: Logger
  counters: Counters
  /** The last connection left, or the room cannot go on: it is to be closed. */
  onDone: (room: Room) => void
  onLeft: (connection: Connection, code: number, reason: string) => void
  onRelayed: (by: Connection, relayed: readonly Relayed[]) => void
  onContested: (owner: Connection, contested: Contested) => void
}
