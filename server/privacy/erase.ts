// Erasure: one person is nobody any more, in every table and in the trail, whose chain goes on to verify. What they drew
// and wrote stays, under "Erased person".

import { disableUser } from '../accounts/users.ts'
import { transactionAs } from '../audit/actor.ts'
import { eraseAudit } from '../audit/retention-queries.ts'
import { eraseNames } from '../comments/export-queries.ts'
import type { Db } from '../database/database.ts'
import { BoardroomError } from '../errors.ts'
import type { Actor } from '../principal.ts'
import {
  eraseConsents,
  eraseGuest,
  eraseMentions,
  eraseUser,
  guestSubject,
  isLastSysadmin,
  type Subject,
  type SubjectRow,
  userSubject,
} from './queries.ts'

const uuid = /^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/i

export const subjectOf = ({ user_id, guest_id }: SubjectRow): Subject =>
  user_id === null ? { guestId: guest_id ?? '' } : { userId: user_id }

/**
 * Whom a word names: an e-mail, `user:7`, `guest:<uuid>`.
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
    'there is nobody of this name; expected the e-mail of an account, user:7, or guest:<id>',
  )
}

export interface Erased {
  /** Rows of the trail that lost their personal values. */
  rows: number
  /** Boards that went to somebody else. */
  boards: number
}

/**
 * Takes a person out of every table and out of the trail; their sessions and sockets end. Done again, nothing changes.
 * @param options.transferTo whom their boards go to; else they keep an owner who is nobody.
 * @throws BoardroomError conflict (the last sysadmin, the system) | access_denied (the database role may not erase)
 */
export async function erasePerson(
  deps: { db: Db; schema: string },
  actor: Actor,
  who: SubjectRow,
  options: { transferTo?: string | undefined; onProgress?: (step: string) => void } = {},
): Promise<Erased> {
  const { db, schema } = deps
  const subject = subjectOf(who)
  const progress = options.onProgress ?? (() => undefined)
  let boards = 0
  if ('userId' in subject && who.email !== null) {
    progress('ending sessions and handing over boards')
    boards = (await disableUser(db, actor, who.email, { transferTo: options.transferTo })).boards
  }
  try {
    const rows = await transactionAs(db, actor, async (trx) => {
      if ('userId' in subject && (await isLastSysadmin(trx, subject.userId)))
        throw new BoardroomError('conflict', 'this is the last sysadmin; make somebody else one first')
      progress('the trail')
      // Before the address changes, by which failed sign-ins are found; and again, for the rows of the change itself.
      const before = await eraseAudit(trx, schema, subject)
      progress('comments, consents, links')
      await eraseMentions(trx, subject)
      await eraseNames(trx, 'userId' in subject ? `user:${subject.userId}` : `guest:${subject.guestId}`)
      await eraseConsents(trx, subject)
      progress('the account')
      if ('userId' in subject) await eraseUser(trx, subject.userId)
      else await eraseGuest(trx, subject.guestId)
      return before + (await eraseAudit(trx, schema, subject))
    })
    return { rows, boards }
  } catch (error) {
    if ((error as { code?: string }).code !== '42501') throw error // what pg adds to its errors
    throw new BoardroomError(
      'access_denied',
      'the database role of this server may not erase; run boardroom person erase with the DATABASE_URL of the tables’ owner',
      { cause: error },
    )
  }
}
