// What a connection is given, and what it asks of the room that it is in.
import type { Logger } from 'pino'
import type { Pending } from '../access/live-access.ts'
import type { Clock } from '../clock.ts'
import type { Counters } from '../counters.ts'
import type { Edit } from '../edits/edits.ts'
import type { AccessDecision, RoomLimits, Socket } from '../ports.ts'
import type { Connection } from './connection.ts'

export interface Host {
  edit(edit: Edit): void
  /** Answer sync step 1. */
  answer(connection: Connection, stateVector: Uint8Array): void
  /** Send sync step 1. */
  ask(connection: Connection): void
  /** @returns false where the bytes are no awareness update. */
  presence(connection: Connection, update: Uint8Array): boolean
  sendEveryone(connection: Connection): void
  /** Send what was missed. */
  catchUp(connection: Connection, missed: { since: Uint8Array | null; presence: boolean }): void
  decided(connection: Connection, decision: AccessDecision): void
  left(connection: Connection, code: number, reason: string): void
}

export interface ConnectionOptions {
  pending: Pending
  socket: Socket
  host: Host
  clock: Clock
  limits: RoomLimits
  counters: Counters
  log: Logger
  /** Grows from join to join. */
  age: number
}
