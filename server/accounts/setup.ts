// The first account: the person who opens the link that the server prints becomes sysadmin, once, and only while there is
// none. Only the hash of the link's secret is stored; the secret is in the fragment, which no log ever sees.
import { timingSafeEqual } from 'node:crypto'
import type { Transaction } from 'kysely'
import { transactionAs } from '../audit/actor.ts'
import type { Db } from '../database/database.ts'
import type { Tables } from '../database/tables.ts'
import { BoardroomError } from '../errors.ts'
import { type Actor, systemActor } from '../principal.ts'
import { hasSysadmin, type UserRow } from './queries.ts'
import { newSecret, sha256Of } from './secret.ts'
import { forgetOldSetupTokens, insertSetupToken, lockSetupTokens, useUpSetupTokens } from './setup-queries.ts'
import { addUser, type NewUser, prepareUser } from './users.ts'

/** How many links are valid at the same time: every start of every node prints its own. */
const mostLinks = 10

/** A new set-up link; null if there is an active sysadmin. @param publicUrl without a trailing slash */
export const setupLink = (db: Db, publicUrl: string): Promise<string | null> =>
  transactionAs(db, systemActor, async (trx) => {
    if (await hasSysadmin(trx)) return null
    const { secret, sha256 } = newSecret()
    await insertSetupToken(trx, sha256)
    await forgetOldSetupTokens(trx, mostLinks)
    return `${publicUrl}/setup#${secret}`
  })

/** @throws BoardroomError link_not_valid if {@link setUp} would refuse the secret. */
export const checkSetup = (db: Db, token: string): Promise<void> =>
  db.transaction().execute((trx) => requireGood(trx, token))

/**
 * Creates the first sysadmin.
 * @throws BoardroomError link_not_valid (unknown, used, or there is a sysadmin) | invalid_request | conflict
 */
export async function setUp(
  db: Db,
  actor: Actor,
  request: { token: string } & Pick<NewUser, 'name' | 'email' | 'password'>,
): Promise<UserRow> {
  const { token, ...person } = request
  const user = await prepareUser({ ...person, role: 'sysadmin' })
  return transactionAs(db, actor, async (trx) => {
    await requireGood(trx, token)
    const row = await addUser(trx, user)
    await useUpSetupTokens(trx, row.id)
    return row
  })
}

async function requireGood(trx: Transaction<Tables>, token: string): Promise<void> {
  // All valid links are locked and used up, so that of two people opening links at once, one finds none left.
  const links = await lockSetupTokens(trx)
  const hash = sha256Of(token)
  const isGood = links.some((link) => timingSafeEqual(link.token_sha256, hash))
  if (isGood && !(await hasSysadmin(trx))) return
  throw new BoardroomError(
    'link_not_valid',
    'this set-up link is unknown or used up; while there is no sysadmin, every start of the server prints a new one',
  )
}
