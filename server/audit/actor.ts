// A service opens a transaction `as` an actor and changes its rows;
// the triggers write the audit rows. Without an actor a change counts as made by hand (`sql`).
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

/** One transaction whose changes the trail ascribes to `actor`. */
export const transactionAs = <Result>(
  db: Kysely<Tables>,
  actor: Actor,
  work: (trx: Transaction<Tables>) => Promise<Result>,
): Promise<Result> =>
  db.transaction().execute(async (trx) => {
    await becomeActor(trx, actor)
    return work(trx)
  })

/** From here on the transaction's changes are `actor`'s: somebody unknown became a guest, say. */
export const becomeActor = async (trx: Transaction<Tables>, actor: Actor): Promise<void> => {
  await sql`select set_config('app.actor', ${settingOf(actor)}, true)`.execute(trx)
}

/**
 * Names nobody and says that whoever asked for these writes records them by itself: a sign-in, a second factor. Of
 * sessions, guests, passwords and second factors what carries neither this nor an actor was typed by hand.
 */
export const recordedApart: Mark = { name: 'app.recorded', value: 'apart' }

/** One transaction of such writes. */
export const transactionRecordedApart = <Result>(
  db: Kysely<Tables>,
  work: (trx: Transaction<Tables>) => Promise<Result>,
): Promise<Result> =>
  db.transaction().execute(async (trx) => {
    await sql`select set_config(${recordedApart.name}, ${recordedApart.value}, true)`.execute(trx)
    return work(trx)
  })
