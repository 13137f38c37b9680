// Who may open a board and why, who is connected, and disconnecting somebody.
import { z } from 'zod'
import type { AccessResponse, ConnectionResponse } from '../../shared/api.ts'
import { allows, capLevel, type Level } from '../../shared/levels.ts'
import { transactionAs } from '../audit/actor.ts'
import { BoardroomError } from '../errors.ts'
import type { Actor } from '../principal.ts'
import type { AccessSubject } from '../rooms/ports.ts'
import { pageOf, positionOf } from '../routing/cursor.ts'
import type { BoardsDeps } from './deps.ts'
import { type PersonRow, peopleOf } from './people-queries.ts'
import { deletePermissionsOf } from './permission-queries.ts'
import { revokeUses } from './share-link-queries.ts'

/**
 * Everyone, members, users, agents and guests who may open the board, each with their reasons. A person's level comes
 * from the access decision; people without one (deactivated, expired) are left out.
 * @param showsAddresses for administrators; others see only names.
 * @throws BoardroomError invalid_request (cursor)
 */
export async function listAccess(
  deps: Pick<BoardsDeps, 'db' | 'access' | 'publicBoards'>,
  boardId: string,
  query: { limit: number; cursor?: string | undefined },
  showsAddresses: boolean,
): Promise<AccessResponse> {
  const question = ['access', boardId]
  const after = positionOf(question, query.cursor, {
    key: z.string().regex(/^[0-4]$/),
    id: z.string().max(40),
  })
  const rows = await peopleOf(deps.db, boardId, after, query.limit + 1)
  const page = pageOf(question, rows, query.limit, (row) => ({ key: String(row.rank), id: row.key }))
  const decisions = await deps.access.decide(page.rows.map((row) => subjectOfPerson(row, boardId)))
  const items = page.rows.flatMap((row, index) => {
    const reasons = reasonsOf(row, deps.publicBoards)
    const decision = decisions[index]
    const isGroup = row.kind === 'everyone' || row.kind === 'members'
    const level = isGroup
      ? highest(reasons.map((reason) => reason.level))
      : (decision?.level ?? decision?.awaitsConsent?.level ?? null)
    if (level === null) return []
    return [
      {
        principal: {
          kind: row.kind,
          id: publicId(row),
          name: groupNames[row.kind] ?? row.name,
          email: showsAddresses ? row.email : null,
        },
        level,
        may_manage: !isGroup && decision?.mayManage === true,
        reasons,
      },
    ]
  })
  return { items, next_cursor: page.next_cursor }
}

const groupNames: Partial<Record<PersonRow['kind'], string>> = {
  everyone: 'Everyone',
  members: 'Everyone with an account',
}

const subjectOfPerson = (row: PersonRow, boardId: string): AccessSubject => ({
  boardId,
  userId: row.user_id,
  guestId: row.guest_id,
  agentId: row.agent_id,
  sessionId: null,
  maxLevel: null,
})

function publicId(row: PersonRow): string | null {
  if (row.user_id !== null) return `user:${row.user_id}`
  if (row.guest_id !== null) return `guest:${row.guest_id}`
  return row.agent_id === null ? null : `agent:${row.agent_id}`
}

/** Ignores access that the operator does not allow. */
const reasonsOf = (row: PersonRow, publicBoards: BoardsDeps['publicBoards']): PersonRow['reasons'] =>
  row.reasons.flatMap((reason) => {
    if (reason.reason !== 'public' && !(reason.reason === 'folder' && row.kind === 'everyone'))
      return [reason]
    return publicBoards === 'off' ? [] : [{ ...reason, level: capLevel(reason.level, publicBoards) }]
  })

const highest = (all: readonly Level[]): Level | null =>
  all.reduce<Level | null>((best, level) => (allows(best, level) ? best : level), null)

/** Who is connected, longest first, and why each of them has access. */
export async function listConnections(
  deps: Pick<BoardsDeps, 'access' | 'connections'>,
  boardId: string,
): Promise<ConnectionResponse[]> {
  const here = await deps.connections.connectionsOf(boardId)
  const decisions = await deps.access.decide(here.map((connection) => connection.subject))
  return here
    .map(
      (connection, index): ConnectionResponse => ({
        id: connection.connectionId,
        principal: connection.principal,
        level: connection.level,
        reason: decisions[index]?.reason ?? 'none',
        link_id: decisions[index]?.linkId ?? null,
        ip_address: connection.ip,
        user_agent: connection.userAgent,
        connected_at: connection.joinedAt.toISOString(),
      }),
    )
    .sort((a, b) => Date.parse(a.connected_at) - Date.parse(b.connected_at))
}

/**
 * Disconnects somebody: first revokes the access they have through links of the board, so that they cannot reconnect
 * with those; people with other reasons for access still can.
 * @throws BoardroomError not_found
 */
export async function disconnect(
  deps: Pick<BoardsDeps, 'db' | 'access' | 'connections'>,
  actor: Actor,
  boardId: string,
  connectionId: string,
): Promise<void> {
  const here = await deps.connections.connectionsOf(boardId)
  const connection = here.find((one) => one.connectionId === connectionId)
  if (connection === undefined) {
    throw new BoardroomError('not_found', 'this connection is not (or no longer) on this board')
  }
  const { userId, guestId } = connection.subject
  const [decision] = userId === null ? [] : await deps.access.decide([connection.subject])
  const person =
    guestId !== null ? { guestId } : userId !== null && decision?.reason === 'link' ? { userId } : null
  if (person !== null) await transactionAs(deps.db, actor, (trx) => revokeUses(trx, boardId, person))
  await deps.connections.disconnect(connectionId)
}

/**
 * Revokes one person's access to the board: their own permission, and access through its links, whether they are
 * connected or not. Their connections end if nothing else gives them access.
 * @param principal `user:7` or `guest:<uuid>`.
 * @throws BoardroomError not_found if there is nothing to revoke
 */
export async function removePerson(
  deps: Pick<BoardsDeps, 'db'>,
  actor: Actor,
  boardId: string,
  principal: string,
): Promise<void> {
  const [kind, id = ''] = principal.split(':')
  const person = kind === 'guest' ? { guestId: id } : { userId: Number(id) }
  const removed = await transactionAs(deps.db, actor, async (trx) => {
    const uses = await revokeUses(trx, boardId, person)
    const permissions = 'userId' in person ? await deletePermissionsOf(trx, boardId, person.userId) : 0
    return uses + permissions
  })
  if (removed === 0)
    throw new BoardroomError('not_found', 'this person has no permission or share link on this board')
}
