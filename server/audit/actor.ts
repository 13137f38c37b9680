// A service opens a transaction `as` an actor and changes rows; triggers write the audit rows. A change without an actor
// counts as made by hand (`sql`).
import { type Kysely, sql, type Transaction } from 'kysely'
import type { Mark } from '../database/marked-writes.ts'
import type { Tables } from '../database/tables.ts'
import type { Actor } from '../principal.ts'

/** The value of the setting `app.actor` that the audit triggers read. */
const settingOf = (actor: Actor): string =>
  JSON.stringify({
    kind: actor.kind,
    user_id: actor.userId,
    guest_id: actor.guestId,
    agent_id: actor.agentId,
    name: actor.name,
    session_id: actor.sessionId,
    ip: actor.ip,
    user_agent: actor.userAgent,
  })

/** A transaction whose changes the trail attributes to `actor`. */
export const transactionAs = <Result>(
  db: Kysely<Tables>,
  actor: Actor,
  work: (trx: Transaction<Tables>) => Promise<Result>,
): Promise<Result> =>
  db.transaction().execute(async (trx) => {
    await becomeActor(trx, actor)
    return work(trx)
  })

/** Attributes further changes in the transaction to `actor`, for example when an anonymous person became a guest. */
export const becomeActor = async (trx: Transaction<Tables>, actor: Actor): Promise<void> => {
  await sql`select set_config('app.actor', ${settingOf(actor)}, true)`.execute(trx)
}

/**
 * Sets no actor and marks that the caller records these writes itself: a sign-in, a second factor. A change of sessions,
 * guests, passwords or second factors with neither this mark nor an actor was made by hand.
 */
export const recordedApart: Mark = { name: 'app.recorded', value: 'apart' }

/** A transaction with such writes. */
export const transactionRecordedApart = <Result>(
  db: Kysely<Tables>,
  work: (trx: Transaction<Tables>) => Promise<Result>,
): Promise<Result> =>
  db.transaction().execute(async (trx) => {
    await sql`select set_config(${recordedApart.name}, ${recordedApart.value}, true)`.execute(trx)
    return work(trx)
  })
