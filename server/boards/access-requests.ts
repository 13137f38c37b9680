// Access requests: somebody who cannot open a board, or needs a higher level, asks for it, and the people who manage the
// board grant a level or decline. Requests for non-existent boards get the same response, so that it does not reveal which
// boards exist.
import { randomBytes } from 'node:crypto'
import { z } from 'zod'
import type {
  AccessRequestAnswer,
  AccessRequestCreate,
  AccessRequestResponse,
  OwnAccessRequest,
} from '../../shared/api/folders.ts'
import { allows, type Level } from '../../shared/levels.ts'
import { transactionAs } from '../audit/actor.ts'
import { BoardroomError } from '../errors.ts'
import type { Actor, Identity } from '../principal.ts'
import { pageOf, positionOf } from '../routing/cursor.ts'
import { subjectOf } from './access.ts'
import {
  type AccessRequestRow,
  type Asker,
  guestNameOf,
  lastRequestBy,
  lockRequest,
  openRequestsBy,
  requestById,
  requestsOf,
  setAnswer,
  upsertRequest,
} from './access-request-queries.ts'
import { notifyEvent } from './board-queries.ts'
import type { BoardsDeps } from './deps.ts'
import { upsertPermission } from './permission-queries.ts'
import { insertLink, insertUse } from './share-link-queries.ts'

type Deps = Pick<BoardsDeps, 'db' | 'schema' | 'access'>

const maxOpenRequests = 20

/** @throws BoardroomError not_signed_in (nobody known) | access_denied (agents, tickets) | conflict */
export async function requestAccess(
  deps: Deps,
  identity: Identity,
  actor: Actor,
  boardId: string,
  body: AccessRequestCreate,
): Promise<void> {
  const { principal } = identity
  if (principal.kind === 'anonymous')
    throw new BoardroomError('not_signed_in', 'sign in or open a share link to request access')
  if (principal.kind === 'agent' || identity.boardId !== null)
    throw new BoardroomError('access_denied', 'only people who are signed in can request access')
  const asker = askerOf(identity) ?? { userId: null, guestId: null }
  const { level } = await deps.access.decideOne(subjectOf(identity, boardId))
  if (allows(level, body.level))
    throw new BoardroomError('conflict', `you already have the level ${level} on this board`)
  // Guests know only the boards that they were given a link to, so they cannot request others.
  if (asker.guestId !== null && level === null) return
  if ((await openRequestsBy(deps.db, asker)) >= maxOpenRequests) {
    throw new BoardroomError(
      'conflict',
      `you have ${maxOpenRequests} open requests; wait for answers before you request more`,
    )
  }
  await transactionAs(deps.db, actor, async (trx) => {
    const id = await upsertRequest(trx, boardId, asker, { level: body.level, message: body.message ?? null })
    if (id !== null)
      await notifyEvent(trx, deps.schema, boardId, { type: 'access_request', change: 'created' })
  })
}

/**
 * Whether somebody who waits may come in by now. It is asked again and again, and tells nobody more than trying to
 * come in would, so it is not in the trail: the trail has the request, the answer, and the coming in.
 */
export async function ownRequest(deps: Deps, identity: Identity, boardId: string): Promise<OwnAccessRequest> {
  const { level } = await deps.access.decideOne(subjectOf(identity, boardId))
  const asker = askerOf(identity)
  const last = asker === null ? undefined : await lastRequestBy(deps.db, boardId, asker)
  return { level, declined: last !== undefined && last.answered_at !== null && last.answer_level === null }
}

const askerOf = ({ principal }: Identity): Asker | null => {
  switch (principal.kind) {
    case 'user':
      return { userId: principal.userId, guestId: null }
    case 'guest':
      return { userId: null, guestId: principal.guestId }
    default:
      return null
  }
}

/** @throws BoardroomError invalid_request (cursor) */
export async function listRequests(
  deps: Deps,
  boardId: string,
  query: { answered: boolean; limit: number; cursor?: string | undefined },
): Promise<{ items: AccessRequestResponse[]; next_cursor: string | null }> {
  const question = ['requests', boardId, query.answered]
  const after = positionOf(question, query.cursor, { key: z.literal(''), id: z.string().regex(/^\d{1,9}$/) })
  const rows = await requestsOf(deps.db, boardId, query.answered, Number(after?.id ?? 0), query.limit + 1)
  const page = pageOf(question, rows, query.limit, (row) => ({ key: '', id: String(row.id) }))
  return { items: page.rows.map(requestResponse), next_cursor: page.next_cursor }
}

/**
 * Grants a level, or declines. An account gets a permission; a guest, who cannot have one, gets a share link that nobody
 * else can open, which can be revoked like any other.
 * @throws BoardroomError not_found | conflict (already answered)
 */
export async function answerRequest(
  deps: Deps,
  actor: Actor,
  boardId: string,
  requestId: number,
  { level }: AccessRequestAnswer,
): Promise<AccessRequestResponse> {
  await transactionAs(deps.db, actor, async (trx) => {
    const request = await lockRequest(trx, boardId, requestId)
    if (request === undefined) throw new BoardroomError('not_found', 'this board has no such request')
    if (request.answered_at !== null)
      throw new BoardroomError(
        'conflict',
        'this request was already answered; change the level in the share dialog',
      )
    await setAnswer(trx, requestId, level, actor.userId)
    if (level !== null && request.user_id !== null) {
      await upsertPermission(trx, {
        board_id: boardId,
        user_id: request.user_id,
        level,
        granted_by: actor.userId,
      })
    }
    if (level !== null && request.guest_id !== null)
      await linkFor(trx, actor, boardId, request.guest_id, level)
    await notifyEvent(trx, deps.schema, boardId, { type: 'access_request', change: 'answered' })
  })
  const answered = await requestById(deps.db, boardId, requestId)
  if (answered === undefined) throw new BoardroomError('not_found', 'this board has no such request')
  return requestResponse(answered)
}

async function linkFor(
  trx: Parameters<typeof insertLink>[0],
  actor: Actor,
  boardId: string,
  guestId: string,
  level: Level,
): Promise<void> {
  const name = await guestNameOf(trx, guestId)
  const linkId = await insertLink(trx, {
    board_id: boardId,
    level,
    token_sha256: randomBytes(32), // the hash of a secret that nobody knows
    label: `for ${name}`.slice(0, 100),
    max_uses: 1,
    uses: 1,
    created_by: actor.userId,
  })
  await insertUse(trx, linkId, { guestId }, name)
}

const requestResponse = (row: AccessRequestRow): AccessRequestResponse => ({
  id: row.id,
  board_id: row.board_id,
  principal: row.user_id === null ? `guest:${row.guest_id}` : `user:${row.user_id}`,
  name: row.name,
  level: row.level,
  message: row.message,
  created_at: row.created_at.toISOString(),
  answered_at: row.answered_at?.toISOString() ?? null,
  answer_level: row.answer_level,
})
