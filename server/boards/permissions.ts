// Permission rows: who was given which level on a board, one row a person and one for everyone.
import { z } from 'zod'
import type { BoardPermissionCreate, BoardPermissionResponse } from '../../shared/api.ts'
import { allows } from '../../shared/levels.ts'
import { transactionAs } from '../audit/actor.ts'
import { BoardroomError } from '../errors.ts'
import type { Actor } from '../principal.ts'
import { pageOf, positionOf } from '../routing/cursor.ts'
import type { BoardsDeps } from './deps.ts'
import {
  deletePermission,
  granteeById,
  granteesByEmail,
  granteesByExternalId,
  type PermissionRow,
  permissionById,
  permissionsOf,
  upsertPermission,
} from './permission-queries.ts'

type Deps = Pick<BoardsDeps, 'db' | 'publicBoards'>

/**
 * Gives somebody a level, or changes the one they have; live connections follow at once.
 * @throws BoardroomError not_found (nobody has that address or id) | conflict (deactivated, or several people) |
 * access_denied (more for everyone than the operator allows)
 */
export async function grantPermission(
  deps: Deps,
  actor: Actor,
  boardId: string,
  body: BoardPermissionCreate,
): Promise<{ permission: BoardPermissionResponse; isNew: boolean }> {
  const userId = await granteeOf(deps, body)
  if (userId === null) refuseTooPublic(deps, body.level)
  const { id, is_new } = await transactionAs(deps.db, actor, (trx) =>
    upsertPermission(trx, {
      board_id: boardId,
      user_id: userId,
      level: body.level,
      granted_by: actor.userId,
    }),
  )
  const row = await permissionById(deps.db, id)
  if (row === undefined)
    throw new BoardroomError('conflict', 'the permission was taken away at the same moment')
  return { permission: permissionResponse(row), isNew: is_new }
}

/** The user to give it to; null means everyone, and only a written null does. */
export async function granteeOf({ db }: Deps, body: BoardPermissionCreate): Promise<number | null> {
  if (body.user_id === null) return null
  const [field, found] =
    body.user_id !== undefined
      ? ['user_id', await granteeById(db, body.user_id)]
      : body.email !== undefined
        ? ['email', await granteesByEmail(db, body.email)]
        : ['external_id', await granteesByExternalId(db, body.external_id ?? '')]
  const [user, another] = found
  const details = { field }
  if (user === undefined) {
    throw new BoardroomError('not_found', `${field}: nobody here has it; invite them, or make a share link`, {
      details,
    })
  }
  if (another !== undefined) {
    throw new BoardroomError('conflict', `${field}: several people have it; use user_id`, { details })
  }
  if (!user.is_active)
    throw new BoardroomError('conflict', `${field}: this account is deactivated`, { details })
  return user.id
}

function refuseTooPublic({ publicBoards }: Deps, level: BoardPermissionCreate['level']): void {
  if (publicBoards !== 'off' && allows(publicBoards, level)) return
  throw new BoardroomError(
    'access_denied',
    publicBoards === 'off'
      ? 'this server gives nothing to everyone (BOARDROOM_PUBLIC_BOARDS=off)'
      : `this server gives everyone ${publicBoards} at most (BOARDROOM_PUBLIC_BOARDS)`,
    { details: { most: publicBoards === 'off' ? null : publicBoards } },
  )
}

/** @throws BoardroomError not_found */
export async function revokePermission(
  deps: Deps,
  actor: Actor,
  boardId: string,
  permissionId: number,
): Promise<void> {
  const wasThere = await transactionAs(deps.db, actor, (trx) => deletePermission(trx, boardId, permissionId))
  if (!wasThere) throw new BoardroomError('not_found', 'this board has no such permission')
}

/** @throws BoardroomError invalid_request (cursor) */
export async function listPermissions(
  deps: Deps,
  boardId: string,
  query: { limit: number; cursor?: string | undefined },
): Promise<{ items: BoardPermissionResponse[]; next_cursor: string | null }> {
  const question = ['permissions', boardId]
  const after = positionOf(question, query.cursor, { key: z.literal(''), id: z.string().regex(/^\d{1,9}$/) })
  const rows = await permissionsOf(deps.db, boardId, Number(after?.id ?? 0), query.limit + 1)
  const page = pageOf(question, rows, query.limit, (row) => ({ key: '', id: String(row.id) }))
  return { items: page.rows.map(permissionResponse), next_cursor: page.next_cursor }
}

const permissionResponse = (row: PermissionRow): BoardPermissionResponse => ({
  id: row.id,
  board_id: row.board_id,
  user_id: row.user_id,
  user_name: row.user_name,
  user_email: row.user_email,
  level: row.level,
  created_at: row.created_at.toISOString(),
  granted_by: row.granted_by,
})
