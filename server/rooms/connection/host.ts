// What a connection asks of the room that it is in.
import type { Edit } from '../edits/edit.ts'
import type { AccessDecision } from '../ports.ts'

/** @typeParam Member the connection, which the room answers by its own means. */
export interface Host<Member> {
  edit(edit: Edit): void
  /** Answer sync step 1. */
  answer(member: Member, stateVector: Uint8Array): void
  /** Send sync step 1. */
  ask(member: Member): void
  /** @returns false where the bytes are no awareness update. */
  presence(member: Member, update: Uint8Array): boolean
  sendEveryone(member: Member): void
  /** Send what was missed. */
  catchUp(member: Member, missed: { since: Uint8Array | null; presence: boolean }): void
  /** Access was decided anew. */
  decided(member: Member, decision: AccessDecision): void
  /** It has been silent for too long, or it has spoken again. */
  awayChanged(member: Member): void
  /** It has ended. What that leads to for others happens after everything that is under way now. */
  left(member: Member): void
}
