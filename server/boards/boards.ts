// Creating, changing, handing over, deleting, restoring, purging, duplicating and listing boards. Every change runs as
// its actor; database triggers record and announce it. The caller has already checked the actor's rights.
import { z } from 'zod'
import type { BoardCreate, BoardListQuery, BoardResponse, BoardUpdate } from '../../shared/api.ts'
import { transactionAs } from '../audit/actor.ts'
import { BoardroomError } from '../errors.ts'
import type { Actor, Identity } from '../principal.ts'
import type { AccessDecision } from '../rooms/ports.ts'
import { pageOf, positionOf } from '../routing/cursor.ts'
import { subjectOf } from './access.ts'
import { type BoardQuestion, collationFor, listBoardRows } from './board-list-queries.ts'
import {
  adoptLinks,
  type BoardRow,
  boardById,
  insertBoard,
  lockBoard,
  notifyEvent,
  ownsAtLeast,
  purgeBoardRow,
  setBoard,
  setDeleted,
  setTitleKey,
  systemUserId,
} from './board-queries.ts'
import type { BoardsDeps } from './deps.ts'
import { granteeById, upsertPermission } from './permission-queries.ts'
import { guardUnique } from './records/records.ts'
import { planBoard, writePlanned } from './templates/from-template.ts'

type Deps = Pick<BoardsDeps, 'db' | 'schema' | 'publicBoards' | 'limits'>
type CreateDeps = Deps & Pick<BoardsDeps, 'documents'>

/**
 * Creates a board that belongs to the actor (or the system actor). One from a template includes its drawing and record.
 * @returns its id. @throws BoardroomError not_signed_in | access_denied (guests and agents own nothing) | invalid_request |
 * not_found | conflict (template_id, variables, board_type)
 */
export async function createBoard(deps: CreateDeps, actor: Actor, body: BoardCreate): Promise<string> {
  refuseForbiddenPublishing(deps, body.is_public)
  const ownerId = await ownerFor(deps, actor)
  const planned = await planBoard(deps, body)
  const boardType = planned === null ? (body.board_type ?? null) : planned.boardType
  return guardUnique(() =>
    transactionAs(deps.db, actor, async (trx) => {
      await refuseTooMany(trx, deps, actor, ownerId)
      const id = await insertBoard(trx, {
        owner_id: ownerId,
        created_by: ownerId,
        updated_by: ownerId,
        ...(body.title === undefined ? {} : { title: body.title }),
        ...(body.is_public === undefined ? {} : { is_public: body.is_public }),
        ...(body.folder_id === undefined ? {} : { folder_id: body.folder_id }),
        ...(boardType === null ? {} : { board_type: boardType }),
      })
      if (body.title !== undefined) await setTitleKey(trx, id, body.title)
      if (planned !== null) await writePlanned(trx, deps, planned, id, ownerId)
      return id
    }),
  )
}

/** The system actor's boards are not limited. */
async function refuseTooMany(
  trx: Parameters<typeof lockBoard>[0],
  { limits }: Pick<Deps, 'limits'>,
  actor: Actor,
  ownerId: number,
): Promise<void> {
  if (actor.kind === 'system') return
  if (!(await ownsAtLeast(trx, ownerId, limits.maxBoardsPerUser))) return
  throw new BoardroomError(
    'conflict',
    `one account may own ${limits.maxBoardsPerUser} boards, including the trash; purge some or hand them over`,
    { details: { limit: 'boards_per_user', max_boards: limits.maxBoardsPerUser } },
  )
}

async function ownerFor(deps: Deps, actor: Actor): Promise<number> {
  if (actor.userId !== null) return actor.userId
  if (actor.kind === 'system') return systemUserId(deps.db)
  if (actor.kind === 'anonymous') throw new BoardroomError('not_signed_in', 'sign in to create boards')
  throw new BoardroomError('access_denied', 'only people with an account can own boards')
}

/**
 * Changes title, publication, members' level or owner. Handing over moves the valid links of the old owner to the new
 * one, and leaves an owner who hands over their own board at level edit.
 * @throws BoardroomError not_found | board_deleted | invalid_request (owner_id) | access_denied (publication)
 */
export async function updateBoard(
  deps: Deps,
  actor: Actor,
  boardId: string,
  change: BoardUpdate,
): Promise<void> {
  refuseForbiddenPublishing(deps, change.is_public)
  await transactionAs(deps.db, actor, (trx) =>
    changeBoard(trx, deps, { boardId, change, by: actor.userId, handedOverBy: actor.userId }),
  )
}

/**
 * The same inside the caller's transaction.
 * @param handedOverBy the previous owner, who stays at level edit; differs from `by` if the new owner accepts an offer.
 */
export async function changeBoard(
  trx: Parameters<typeof lockBoard>[0],
  deps: Pick<Deps, 'schema'>,
  asked: { boardId: string; change: BoardUpdate; by: number | null; handedOverBy: number | null },
): Promise<void> {
  const { boardId, change, by, handedOverBy } = asked
  const board = await lockBoard(trx, boardId)
  if (board === undefined) throw new BoardroomError('not_found', 'there is no such board')
  if (board.deleted_at !== null)
    throw new BoardroomError('board_deleted', 'this board is deleted; restore it first')
  const newOwner = change.owner_id
  if (newOwner !== undefined && newOwner !== board.owner_id) {
    const [user] = await granteeById(trx, newOwner)
    if (user === undefined || !user.is_active) {
      throw new BoardroomError('invalid_request', 'owner_id: expected the id of an active account')
    }
    await adoptLinks(trx, boardId, board.owner_id, newOwner)
    if (handedOverBy === board.owner_id) {
      await upsertPermission(trx, {
        board_id: boardId,
        user_id: board.owner_id,
        level: 'edit',
        granted_by: handedOverBy,
      })
    }
  }
  await setBoard(trx, boardId, change, by)
  if (change.title !== undefined && change.title !== board.title) {
    await setTitleKey(trx, boardId, change.title)
    await notifyEvent(trx, deps.schema, boardId, { type: 'title', title: change.title })
  }
  if (change.background !== undefined && change.background !== board.background)
    await notifyEvent(trx, deps.schema, boardId, { type: 'background', background: change.background })
}

function refuseForbiddenPublishing(deps: Deps, isPublic: boolean | undefined): void {
  if (isPublic === true && deps.publicBoards === 'off') {
    throw new BoardroomError(
      'access_denied',
      'this server has no public boards (BOARDROOM_PUBLIC_BOARDS=off)',
    )
  }
}

/** Moves it to the trash; live connections end with 4410. Idempotent. */
export const deleteBoard = (deps: Deps, actor: Actor, boardId: string): Promise<boolean> =>
  transactionAs(deps.db, actor, (trx) => setDeleted(trx, boardId, true, actor.userId))

/** Restores it from the trash, with everything as it was. */
export const restoreBoard = (deps: Deps, actor: Actor, boardId: string): Promise<boolean> =>
  transactionAs(deps.db, actor, (trx) => setDeleted(trx, boardId, false, actor.userId))

/**
 * Removes content, permissions, links and comments for good; the trail stays.
 * @throws BoardroomError conflict if the board is not in the trash
 */
export async function purgeBoard(deps: Deps, actor: Actor, boardId: string): Promise<void> {
  const purged = await transactionAs(deps.db, actor, (trx) => purgeBoardRow(trx, boardId))
  if (!purged) throw new BoardroomError('conflict', 'only a deleted board can be purged; delete it first')
}

/**
 * Creates a board owned by the actor with the same document, files and comments, but without permissions and links.
 * @returns the new board's id. @throws BoardroomError not_found | access_denied | not_signed_in
 */
export async function duplicateBoard(
  deps: Deps & Pick<BoardsDeps, 'copyDocument'>,
  actor: Actor,
  boardId: string,
): Promise<string> {
  const ownerId = await ownerFor(deps, actor)
  return transactionAs(deps.db, actor, async (trx) => {
    await refuseTooMany(trx, deps, actor, ownerId)
    const source = await boardById(trx, boardId)
    if (source === undefined) throw new BoardroomError('not_found', 'there is no such board')
    const id = await insertBoard(trx, {
      owner_id: ownerId,
      created_by: ownerId,
      updated_by: ownerId,
      title: copyTitle(source.title),
      background: source.background,
    })
    await deps.copyDocument(trx, boardId, id)
    return id
  })
}

/** `Plan` -> `Plan (copy)`, within 200 UTF-16 units and without splitting a character. */
const copyTitle = (title: string): string => {
  const suffix = ' (copy)'
  return (
    title
      .slice(0, 200 - suffix.length)
      .replace(/[\ud800-\udbff]$/, '')
      .trimEnd() + suffix
  )
}

/** @throws BoardroomError not_found */
export async function readBoard(
  deps: Pick<Deps, 'db'>,
  boardId: string,
  userId: number | null = null,
): Promise<BoardRow> {
  const board = await boardById(deps.db, boardId, userId)
  if (board === undefined) throw new BoardroomError('not_found', 'there is no such board')
  return board
}

const sortKey = {
  updated: z.iso.datetime(),
  created: z.iso.datetime(),
  opened: z.iso.datetime(),
  title: z.string().min(1).max(200),
}

/**
 * One page of the boards that the asker may open, or of the trash.
 * @throws BoardroomError not_signed_in | access_denied | invalid_request (cursor)
 */
export async function listBoards(
  deps: Pick<BoardsDeps, 'db' | 'access'>,
  identity: Identity,
  query: BoardListQuery,
  language = 'und',
): Promise<{ items: BoardResponse[]; next_cursor: string | null }> {
  const asked = questionOf(identity, query)
  const collation = query.sort === 'title' ? await collationFor(deps.db, language) : null
  const question = collation === null ? asked : { ...asked, collation }
  const after = positionOf(question, query.cursor, { key: sortKey[query.sort], id: z.uuid() })
  const rows = await listBoardRows(deps.db, asked, after, query.limit + 1, collation)
  const page = pageOf(question, rows, query.limit, (row) => ({ key: row.key, id: row.id }))
  const decisions = await deps.access.decide(page.rows.map((row) => subjectOf(identity, row.id)))
  const items = page.rows.flatMap((row, index) => {
    const decision = decisions[index]
    const visible =
      decision !== undefined && (query.deleted === 'true' ? decision.mayManage : decision.level !== null)
    return visible ? [boardResponse(row, decision)] : []
  })
  return { items, next_cursor: page.next_cursor }
}

function questionOf(identity: Identity, query: BoardListQuery): BoardQuestion {
  const { principal } = identity
  if (identity.boardId !== null)
    throw new BoardroomError('access_denied', 'a ticket opens its own board only')
  if (principal.kind !== 'user' && principal.kind !== 'guest') {
    throw new BoardroomError('not_signed_in', 'sign in or open a share link to see your boards')
  }
  const administers = principal.kind === 'user' && principal.role !== 'user'
  if (query.scope === 'instance' && !administers) {
    throw new BoardroomError('access_denied', 'only administrators can see every board')
  }
  return {
    userId: principal.kind === 'user' ? principal.userId : null,
    guestId: principal.kind === 'guest' ? principal.guestId : null,
    scope: query.scope,
    deleted: query.deleted === 'true',
    q: query.q,
    sort: query.sort,
    folder: query.folder,
    starred: query.starred === 'true',
  }
}

/** A board as the asker sees it. In the trash, the level is what managers will have after a restore. */
export const boardResponse = (
  board: BoardRow,
  decision: Pick<AccessDecision, 'level' | 'mayManage'>,
): BoardResponse => ({
  id: board.id,
  owner_id: board.owner_id,
  owner_name: board.owner_name,
  title: board.title,
  is_public: board.is_public,
  members_level: board.members_level,
  created_at: board.created_at.toISOString(),
  created_by: board.created_by,
  updated_at: board.updated_at.toISOString(),
  updated_by: board.updated_by,
  deleted_at: board.deleted_at?.toISOString() ?? null,
  folder_id: board.sees_folder ? board.folder_id : null,
  moderation: board.moderation,
  background: board.background,
  starred: board.starred,
  board_type: board.board_type,
  has_record: board.has_record,
  unread_threads: board.unread_threads,
  offered_to: decision.mayManage ? board.offered_to : null,
  level: decision.level ?? 'edit',
  may_manage: decision.mayManage,
})
