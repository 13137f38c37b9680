// Moderation: in one step everybody may only look, and some are handed the pen. Rows and not room state, so that it
// holds on every node, after a restart, and in the trail; live connections follow like after any change of access.
import type { Moderation, ModerationResponse, Summon } from '../../shared/api/folders.ts'
import { transactionAs } from '../audit/actor.ts'
import { BoardroomError } from '../errors.ts'
import type { Actor } from '../principal.ts'
import { notifyEvent } from './board-queries.ts'
import type { BoardsDeps } from './deps.ts'
import { moderationOf, type Speaker, setModeration, setSpeakers, speakersOf } from './moderation-queries.ts'

type Deps = Pick<BoardsDeps, 'db' | 'schema' | 'connections'>

/** @throws BoardroomError not_found */
export async function readModeration(deps: Pick<Deps, 'db'>, boardId: string): Promise<ModerationResponse> {
  const mode = await moderationOf(deps.db, boardId)
  if (mode === undefined) throw new BoardroomError('not_found', 'there is no such board')
  const speakers = await speakersOf(deps.db, boardId)
  return {
    mode,
    speakers: speakers.map(({ user_id, guest_id, name }) => ({
      principal: user_id === null ? `guest:${guest_id}` : `user:${user_id}`,
      name,
    })),
  }
}

/**
 * Speakers are named by a connection of theirs, because those are who is in; all windows of that person may write.
 * Whoever spoke before and is gone stays a speaker only if they are still here to be named: the list replaces.
 * @throws BoardroomError not_found (a connection that has left) | conflict (an anonymous visitor)
 */
export async function moderate(
  deps: Deps,
  actor: Actor,
  boardId: string,
  { mode, speakers }: Moderation,
): Promise<ModerationResponse> {
  const people = mode === 'open' ? [] : await peopleOf(deps, boardId, speakers)
  await transactionAs(deps.db, actor, async (trx) => {
    await setSpeakers(trx, boardId, people, actor.userId)
    await setModeration(trx, boardId, mode)
    await notifyEvent(trx, deps.schema, boardId, { type: 'moderation', mode })
  })
  return readModeration(deps, boardId)
}

async function peopleOf(
  { connections }: Deps,
  boardId: string,
  connectionIds: readonly string[],
): Promise<Speaker[]> {
  const connected = await connections.connectionsOf(boardId)
  const here = new Map(connected.map((connection) => [connection.connectionId, connection.subject]))
  const people = new Map<string, Speaker>()
  for (const id of connectionIds) {
    const subject = here.get(id)
    if (subject === undefined) {
      throw new BoardroomError('not_found', 'speakers: one of these people has left; ask who is here again', {
        details: { connection_id: id },
      })
    }
    const { userId, guestId } = subject
    if (userId === null && guestId === null) {
      throw new BoardroomError(
        'conflict',
        'speakers: somebody anonymous cannot be given the pen; ask them to come by a share link or to sign in',
        { details: { connection_id: id } },
      )
    }
    people.set(userId === null ? `guest:${guestId}` : `user:${userId}`, {
      userId,
      guestId: userId === null ? guestId : null,
    })
  }
  return [...people.values()]
}

/** Everybody on the board is shown this place. */
export const summon = (deps: Deps, actor: Actor, boardId: string, view: Summon): Promise<void> =>
  transactionAs(deps.db, actor, async (trx) => {
    await notifyEvent(trx, deps.schema, boardId, { type: 'summon', by: actor.name ?? '', ...view })
  })
