// The SQL of moderation: who may write while the board is view only for everybody else.
import type { Transaction } from 'kysely'
import type { Db } from '../database/database.ts'
import type { Tables } from '../database/tables.ts'

type Trx = Transaction<Tables>

export interface Speaker {
  userId: number | null
  guestId: string | null
}

export interface SpeakerRow {
  user_id: number | null
  guest_id: string | null
  name: string
}

export const speakersOf = async (db: Db, boardId: string): Promise<SpeakerRow[]> => {
  const rows = await db
    .selectFrom('board_speakers as s')
    .leftJoin('users as u', 'u.id', 's.user_id')
    .leftJoin('guests as g', 'g.id', 's.guest_id')
    .select(['s.user_id', 's.guest_id', 'u.name as user_name', 'g.name as guest_name'])
    .where('s.board_id', '=', boardId)
    .orderBy('s.id')
    .execute()
  return rows.map(({ user_id, guest_id, user_name, guest_name }) => ({
    user_id,
    guest_id,
    name: user_name ?? guest_name ?? '',
  }))
}

export const moderationOf = async (db: Db, boardId: string): Promise<'open' | 'view_only' | undefined> => {
  const row = await db.selectFrom('boards').select('moderation').where('id', '=', boardId).executeTakeFirst()
  return row?.moderation
}

export const setModeration = (trx: Trx, boardId: string, moderation: 'open' | 'view_only') =>
  trx
    .updateTable('boards')
    .set({ moderation })
    .where('id', '=', boardId)
    .where('moderation', '<>', moderation)
    .execute()

/** Replaces the speakers; existing ones are not touched, and so not recorded again. */
export async function setSpeakers(
  trx: Trx,
  boardId: string,
  speakers: readonly Speaker[],
  by: number | null,
): Promise<void> {
  const users = speakers.flatMap(({ userId }) => userId ?? [])
  const guests = speakers.flatMap(({ guestId }) => guestId ?? [])
  let gone = trx.deleteFrom('board_speakers').where('board_id', '=', boardId)
  if (users.length > 0)
    gone = gone.where((eb) => eb.or([eb('user_id', 'is', null), eb('user_id', 'not in', users)]))
  if (guests.length > 0)
    gone = gone.where((eb) => eb.or([eb('guest_id', 'is', null), eb('guest_id', 'not in', guests)]))
  if (users.length === 0)
    gone = gone.where((eb) => eb.or([eb('user_id', 'is not', null), eb('guest_id', 'is not', null)]))
  await gone.execute()
  if (speakers.length === 0) return
  await trx
    .insertInto('board_speakers')
    .values(
      speakers.map(({ userId, guestId }) => ({
        board_id: boardId,
        user_id: userId,
        guest_id: guestId,
        created_by: by,
      })),
    )
    .onConflict((conflict) => conflict.constraint('board_speakers_once').doNothing())
    .execute()
}
