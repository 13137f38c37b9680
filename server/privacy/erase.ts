// Erasing a person from every table and from the trail, whose chain still verifies. What they drew and wrote stays, under
// "Erased person".

import { requireReach } from '../accounts/people/people.ts'
import { deactivate } from '../accounts/users.ts'
import { transactionAs } from '../audit/actor.ts'
import { eraseAudit } from '../audit/retention-queries.ts'
import { eraseNames } from '../comments/export-queries.ts'
import type { Db } from '../database/database.ts'
import { BoardroomError } from '../errors.ts'
import type { Actor } from '../principal.ts'
import {
  agentsOf,
  eraseAddress,
  eraseConsents,
  eraseFromWebhooks,
  eraseGuest,
  eraseLabels,
  eraseMentions,
  eraseUser,
} from './erase-queries.ts'
import { guestSubject, type Subject, type SubjectRow, userSubject } from './queries.ts'

const uuid = /^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/i

export const subjectOf = ({ user_id, guest_id }: SubjectRow): Subject =>
  user_id === null ? { guestId: guest_id ?? '' } : { userId: user_id }

/**
 * Finds the person named by an e-mail address, `user:7`, or `guest:<uuid>`.
 * @throws BoardroomError not_found
 */
export async function personNamed(db: Db, word: string): Promise<SubjectRow> {
  const userId = /^user:(\d{1,9})$/.exec(word)?.[1]
  const guestId = /^guest:(.+)$/.exec(word)?.[1]
  const found =
    userId !== undefined
      ? await userSubject(db, { id: Number(userId) })
      : guestId !== undefined
        ? uuid.test(guestId)
          ? await guestSubject(db, guestId)
          : undefined
        : await userSubject(db, { email: word })
  if (found !== undefined) return found
  throw new BoardroomError(
    'not_found',
    'no such person; expected the e-mail address of an account, user:7, or guest:<id>',
  )
}

export interface Erased {
  /** The rows of the trail whose personal values were removed. */
  rows: number
  /** The boards that were handed over. */
  boards: number
}

/**
 * Removes a person from every table and from the trail, and ends their sessions and sockets. Atomic and idempotent.
 * @param options.askerId the requesting administrator; omitted for oneself and for the operator.
 * @param options.transferTo the new owner of their boards; otherwise the boards stay with the erased account.
 * @throws BoardroomError conflict (the last sysadmin, the system) | access_denied (above the asker's role, or the
 *   database role may not erase)
 */
export async function erasePerson(
  deps: { db: Db; schema: string },
  actor: Actor,
  who: SubjectRow,
  options: {
    askerId?: number | undefined
    transferTo?: string | undefined
    onProgress?: (step: string) => void
  } = {},
): Promise<Erased> {
  const { db, schema } = deps
  const subject = subjectOf(who)
  const progress = options.onProgress ?? (() => undefined)
  try {
    return await transactionAs(db, actor, async (trx) => {
      let boards = 0
      if ('userId' in subject) {
        if (options.askerId !== undefined) await requireReach(trx, options.askerId, subject.userId)
        await eraseLabels(trx, subject.userId)
        await eraseAddress(trx, subject.userId)
      }
      progress('the trail')
      // First before links and address change, because rows are found by them; then again, for the audit rows of the change itself.
      const before = await eraseAudit(trx, schema, subject)
      if ('userId' in subject) {
        progress('ending sessions and handing over boards')
        boards = (await deactivate(trx, subject.userId, options.transferTo)).boards
      }
      progress('comments, consents, links')
      await eraseFromWebhooks(trx, subject)
      await eraseMentions(trx, subject)
      if ('userId' in subject)
        for (const agent of await agentsOf(trx, subject.userId)) await eraseNames(trx, agent)
      await eraseNames(trx, 'userId' in subject ? `user:${subject.userId}` : `guest:${subject.guestId}`)
      await eraseConsents(trx, subject)
      progress('the account')
      if ('userId' in subject) await eraseUser(trx, subject.userId)
      else await eraseGuest(trx, subject.guestId)
      const rows = before + (await eraseAudit(trx, schema, subject))
      return { rows, boards }
    })
  } catch (error) {
    if ((error as { code?: string }).code !== '42501') throw error // a field that pg adds to its errors
    throw new BoardroomError(
      'access_denied',
      'the database role of this server is not allowed to erase; run boardroom person erase with the DATABASE_URL of the tables’ owner',
      { cause: error },
    )
  }
}
