// Moderation: makes a board view only for everybody except the chosen speakers. It is stored in rows rather than in the
// room, so that it applies on every node, after a restart, and in the trail; open connections are updated as after any
// change of access.
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
 * Speakers are named by one of their connections, because the moderator sees connections; all windows of that person may
 * write. The list replaces the previous one, so people who have left cannot remain speakers.
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
      throw new BoardroomError(
        'not_found',
        'speakers: one of these people has left; reload the list of connections',
        {
          details: { connection_id: id },
        },
      )
    }
    const { userId, guestId } = subject
    if (userId === null && guestId === null) {
      throw new BoardroomError(
        'conflict',
        'speakers: an anonymous visitor cannot be a speaker; ask them to use a share link or to sign in',
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

/** Shows this place to everybody on the board. */
export const summon = (deps: Deps, actor: Actor, boardId: string, view: Summon): Promise<void> =>
  transactionAs(deps.db, actor, async (trx) => {
    await notifyEvent(trx, deps.schema, boardId, { type: 'summon', by: actor.name ?? '', ...view })
  })
