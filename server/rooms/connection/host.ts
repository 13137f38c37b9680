// What a connection needs from its room.
import type { Edit } from '../edits/edit.ts'
import type { AccessDecision } from '../ports.ts'

/** @typeParam Member the type of the connection, which the room knows and the rest of this folder need not. */
export interface Host<Member> {
  edit(edit: Edit): void
  /** Answers sync step 1. */
  answer(member: Member, stateVector: Uint8Array): void
  /** Sends sync step 1. */
  ask(member: Member): void
  /** @returns false if the bytes are not an awareness update. */
  presence(member: Member, update: Uint8Array): boolean
  /** Sends the presence of everyone. */
  sendEveryone(member: Member): void
  /** Sends what the connection missed. */
  catchUp(member: Member, missed: { since: Uint8Array | null; presence: boolean }): void
  /** There is a new decision about its access. */
  decided(member: Member, decision: AccessDecision): void
  /** It has been silent for too long, or has sent a message again. */
  awayChanged(member: Member): void
  /** It has ended. Others are affected only after the current turn. */
  left(member: Member): void
}
