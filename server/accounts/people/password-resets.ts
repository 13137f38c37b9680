// Resetting a lost password: an administrator or a mail provides a link that works once, within a day. Using it sets a new
// password and signs the person out everywhere; a second factor is still required.
import type { Transaction } from 'kysely'
import type { PasswordResetResponse, PasswordResetUse } from '../../../shared/api/people.ts'
import { transactionAs } from '../../audit/actor.ts'
import type { Db } from '../../database/database.ts'
import type { Tables } from '../../database/tables.ts'
import { BoardroomError } from '../../errors.ts'
import type { Actor } from '../../principal.ts'
import { recordPassword } from '../password-change.ts'
import { hashPassword, refuseGuessable } from '../passwords.ts'
import { insertPassword, passwordHashOf, setPassword, userById, userIdByEmail } from '../queries.ts'
import { newSecret, sha256Of } from '../secret.ts'
import { deleteSessions } from '../session-queries.ts'
import { changeableUser } from '../users.ts'
import type { PeopleDeps } from './deps.ts'
import { reaches, requireReach } from './people.ts'
import { lockUsers } from './queries.ts'
import { insertReset, lockGoodReset, peopleOfReset, spendReset } from './reset-queries.ts'

const goodForMs = 24 * 3_600_000

/** @throws BoardroomError not_found | access_denied (above the asker's role) | conflict (the account has no password here) */
export async function resetByAdministrator(
  deps: PeopleDeps,
  actor: Actor,
  { askerId, userId, url }: { askerId: number; userId: number; url: string },
): Promise<PasswordResetResponse> {
  const { secret, sha256 } = newSecret()
  const expires_at = new Date(Date.now() + goodForMs)
  const user = await transactionAs(deps.db, actor, async (trx) => {
    await requireReach(trx, askerId, userId)
    const row = await changeableUser(trx, userId)
    if (row.issuer !== null) {
      throw new BoardroomError('conflict', 'this account uses another sign-in and has no password here')
    }
    if (!row.is_active) throw new BoardroomError('conflict', 'this account is deactivated; activate it first')
    await insertReset(trx, { user_id: userId, token_sha256: sha256, created_by: askerId, expires_at })
    return row
  })
  const link = `${url}/reset#${secret}`
  const mailed = user.email !== null && (await mailReset(deps, user.email, link))
  return { url: link, expires_at: expires_at.toISOString(), mailed }
}

/**
 * Mails a link if there is an account with this address. It works in the background, so that neither the response nor
 * its timing reveals whether there is one.
 * @throws BoardroomError conflict if there is no mail server
 */
export function resetByMail(deps: PeopleDeps, actor: Actor, email: string, url: string): Promise<void> {
  if (deps.mailer === null) {
    throw new BoardroomError('conflict', 'this server sends no mail; ask an administrator for a link')
  }
  return mailLink(deps, actor, email, url).catch((error: unknown) =>
    deps.log.warn({ err: error }, 'password-reset link not mailed'),
  )
}

async function mailLink(deps: PeopleDeps, actor: Actor, email: string, url: string): Promise<void> {
  const { db } = deps
  const id = await userIdByEmail(db, email)
  const user = id === null ? undefined : await userById(db, id)
  if (user === undefined || !user.is_active || user.issuer !== null || user.email === null) return
  // People with only single sign-on cannot add a password by themselves; an administrator can give them a link.
  if ((await passwordHashOf(db, user.id)) === null) return
  const { secret, sha256 } = newSecret()
  const expires_at = new Date(Date.now() + goodForMs)
  await transactionAs(db, actor, (trx) =>
    insertReset(trx, { user_id: user.id, token_sha256: sha256, created_by: null, expires_at }),
  )
  await mailReset(deps, user.email, `${url}/reset#${secret}`)
}

async function mailReset({ mailer, log }: PeopleDeps, to: string, link: string): Promise<boolean> {
  if (mailer === null) return false
  const text = [
    'Somebody, probably you, asked to reset the password of your Boardroom account.',
    'Open this link to choose one:',
    '',
    link,
    '',
    'It works once, within a day. If you did not ask for it, ignore this mail: your password stays the same.',
  ]
  try {
    await mailer.send({ to, subject: 'Reset your Boardroom password', text: text.join('\n') })
    return true
  } catch (error) {
    log.warn({ err: error }, 'password-reset link not mailed')
    return false
  }
}

/**
 * The link of a secret, if it is valid and its creator could still create it. Users are locked before their links, in
 * the same order as when a link is created.
 */
async function openReset(trx: Transaction<Tables>, sha256: Buffer) {
  const people = await peopleOfReset(trx, sha256)
  if (people === undefined) return undefined
  const { user_id: userId, created_by: makerId } = people
  const rows = await lockUsers(trx, makerId === null ? [userId] : [userId, makerId])
  const user = rows.find(({ id }) => id === userId)
  const maker = rows.find(({ id }) => id === makerId)
  const isGivenStill =
    makerId === null || (user !== undefined && maker?.is_active === true && reaches(maker.role, user.role))
  return isGivenStill ? lockGoodReset(trx, sha256) : undefined
}

const linkOver = () =>
  new BoardroomError('link_not_valid', 'this link is unknown, used or expired; ask for a new one')

/** Whose password a link sets; does not use it up. @throws BoardroomError link_not_valid */
export const previewReset = (db: Db, token: string): Promise<{ email: string | null }> =>
  db.transaction().execute(async (trx) => {
    const reset = await openReset(trx, sha256Of(token))
    if (reset === undefined) throw linkOver()
    return { email: reset.email }
  })

/**
 * Sets the password and signs out everywhere.
 * @throws BoardroomError link_not_valid | invalid_request (easily guessed)
 */
export async function setPasswordByLink(
  { db }: { db: Db },
  actor: Actor,
  { token, password }: PasswordResetUse,
): Promise<{ email: string | null }> {
  await refuseGuessable(password, [])
  const hash = await hashPassword(password)
  return transactionAs(db, actor, async (trx) => {
    const reset = await openReset(trx, sha256Of(token))
    if (reset === undefined) throw linkOver()
    await refuseGuessable(password, [reset.name, reset.email ?? ''])
    await spendReset(trx, reset.id)
    if (!(await setPassword(trx, reset.user_id, hash))) await insertPassword(trx, reset.user_id, hash)
    const ended = await deleteSessions(trx, reset.user_id)
    await recordPassword(trx, actor, reset.user_id, { by: 'link', sessions_ended: ended.length })
    return { email: reset.email }
  })
}
