// Who may be mentioned in a comment: people who may open the board for a reason that its commenters may know. Responses
// reveal nothing about other people.
import type { MentionableResponse } from '../../shared/api/comments.ts'
import { searchKeyOf } from '../../shared/search-key.ts'
import type { BoardAccess } from '../boards/access.ts'
import type { Db } from '../database/database.ts'
import { BoardroomError } from '../errors.ts'
import type { Identity } from '../principal.ts'
import type { AccessSubject } from '../rooms/ports.ts'
import { type Candidate, candidates } from './people-queries.ts'

interface Deps {
  db: Db
  access: BoardAccess
}

/** The most candidates, before the access decision drops some. */
const mostCandidates = 200

const subjectOfPrincipal = (boardId: string, principal: string): AccessSubject => ({
  boardId,
  userId: principal.startsWith('user:') ? Number(principal.slice(5)) : null,
  guestId: principal.startsWith('guest:') ? principal.slice(6) : null,
  agentId: null,
  sessionId: null,
  maxLevel: null,
})

/** Those of `principals` who may currently open the board. */
export async function whoMayOpen(
  access: BoardAccess,
  boardId: string,
  principals: readonly string[],
): Promise<string[]> {
  const decisions = await access.decide(principals.map((principal) => subjectOfPrincipal(boardId, principal)))
  return principals.filter((_, index) => (decisions[index]?.level ?? null) !== null)
}

/** People whose name has a word starting with `q`, except the asker. */
export async function mentionablePeople(
  deps: Deps,
  identity: Identity,
  boardId: string,
  query: { q?: string | undefined; limit: number },
): Promise<MentionableResponse[]> {
  const wanted = searchKeyOf(query.q ?? '').trim()
  const rows = await candidates(deps.db, boardId, {
    // Guests do not see members of this server; people with an account may see their colleagues.
    withMembers: identity.principal.kind === 'user' && wanted !== '',
    ids: null,
    limit: 5000,
  })
  const own = identity.principal.kind === 'user' ? `user:${identity.principal.userId}` : null
  const matching = rows
    .filter(({ id, name }) => id !== own && beginsAWord(searchKeyOf(name), wanted))
    .slice(0, mostCandidates)
  const allowed = new Set(
    await whoMayOpen(
      deps.access,
      boardId,
      matching.map(({ id }) => id),
    ),
  )
  return matching.filter(({ id }) => allowed.has(id)).slice(0, query.limit)
}

const beginsAWord = (name: string, wanted: string): boolean =>
  wanted === '' ||
  name.startsWith(wanted) ||
  name.split(/[^\p{L}\p{N}]+/u).some((word) => word.startsWith(wanted))

/**
 * The people mentioned by a comment, with their names.
 * @throws BoardroomError invalid_request if one of them may not be mentioned here: unknown, or without access
 */
export async function mentionedPeople(
  deps: Deps,
  identity: Identity | null,
  boardId: string,
  ids: readonly string[],
): Promise<Candidate[]> {
  if (ids.length === 0) return []
  const rows = await candidates(deps.db, boardId, {
    withMembers: identity === null || identity.principal.kind === 'user',
    ids: [...ids],
    limit: ids.length,
  })
  const allowed = await whoMayOpen(
    deps.access,
    boardId,
    rows.map(({ id }) => id),
  )
  if (allowed.length < ids.length) {
    throw new BoardroomError(
      'invalid_request',
      'mentions: expected people who may open this board; GET …/mentionable lists them',
      {
        details: {
          in: 'json',
          issues: [{ path: 'mentions', message: 'nobody with this id may open this board' }],
        },
      },
    )
  }
  return rows
}
