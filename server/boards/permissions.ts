// Permission rows: who was given which level on a board, one row a person and one for everyone.
import { z } from 'zod'
import type { BoardPermissionCreate, BoardPermissionResponse } from '../../shared/api.ts'
import { allows } from '../../shared/levels.ts'
import { foreignUser } from '../accounts/users.ts'
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
  shareBoard,
  upsertInvitation,
  upsertPermission,
} from './permission-queries.ts'

type Deps = Pick<BoardsDeps, 'db' | 'publicBoards'>

/** Who gives: what they may know of others decides whom they can name, and how. */
export interface Granter {
  userId: number | null
  /** Administrators and the embedding program know who there is. */
  knowsEverybody: boolean
  /** A user of an embedding app, who knows its other users by the app's own ids. */
  knowsExternalIds?: boolean
  /** Whose external ids are meant; anybody's by default. */
  issuer?: string
  /** A service key: names everybody by their ids, sees no addresses, and its own users before their first visit. */
  namesAnybody?: boolean
}

export const everybodyKnown: Granter = { userId: null, knowsEverybody: true }

/**
 * Gives somebody a level, or changes the one they have; live connections follow at once. By address it is an
 * invitation, answered alike whether there is an account or not.
 * @throws BoardroomError not_found (nobody has that id) | conflict (deactivated, or several people) |
 * access_denied (more for everyone than the operator allows; somebody whom the granter does not know by an id)
 */
export async function grantPermission(
  deps: Deps,
  actor: Actor,
  granter: Granter,
  boardId: string,
  body: BoardPermissionCreate,
): Promise<{ permission: BoardPermissionResponse; isNew: boolean }> {
  const { level } = body
  const { email } = body
  const grantee = email !== undefined && !granter.knowsEverybody ? null : await granteeOf(deps, granter, body)
  if (grantee === null && body.user_id === null) refuseTooPublic(deps, level)
  const { id, is_new } = await transactionAs(deps.db, actor, (trx) =>
    email !== undefined && grantee === null
      ? upsertInvitation(trx, { board_id: boardId, email, level, granted_by: actor.userId })
      : upsertPermission(trx, { board_id: boardId, user_id: grantee, level, granted_by: actor.userId }),
  )
  const row = await permissionById(deps.db, boardId, id)
  if (row === undefined)
    throw new BoardroomError('conflict', 'the permission was taken away at the same moment')
  return { permission: permissionResponse(row, granter), isNew: is_new }
}

/**
 * The user to give it to; null means everyone, and only a written null does, or an address that nobody has.
 * @throws BoardroomError as {@link grantPermission}
 */
export async function granteeOf(
  { db }: Pick<Deps, 'db'>,
  granter: Granter,
  body: Pick<BoardPermissionCreate, 'user_id' | 'email' | 'external_id'>,
): Promise<number | null> {
  if (body.user_id === null) return null
  const [field, found] =
    body.user_id !== undefined
      ? ['user_id', await granteeById(db, body.user_id)]
      : body.email !== undefined
        ? ['email', await granteesByEmail(db, body.email)]
        : ['external_id', await granteesByExternalId(db, body.external_id ?? '', granter.issuer)]
  const [user, another] = found
  const details = { field }
  const { issuer, namesAnybody = false } = granter
  if (user === undefined && body.external_id !== undefined && namesAnybody && issuer !== undefined)
    return (await foreignUser(db, { externalId: body.external_id, issuer, name: body.external_id })).id
  const isTheirApps = field === 'external_id' && granter.knowsExternalIds === true
  const mayName = granter.knowsEverybody || isTheirApps || (field === 'user_id' && namesAnybody)
  if (!mayName) {
    const knows =
      user !== undefined && granter.userId !== null && (await shareBoard(db, granter.userId, user.id))
    // The same for somebody who is not there: ids are not to be tried one after the other.
    if (!knows || another !== undefined) {
      throw new BoardroomError(
        'access_denied',
        `${field}: for people who share a board with you; invite others to a board by their address`,
        { details },
      )
    }
  }
  if (user === undefined && body.email !== undefined) return null
  if (user === undefined)
    throw new BoardroomError('not_found', `${field}: there is no such account`, { details })
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
  granter: Granter,
  boardId: string,
  query: { limit: number; cursor?: string | undefined },
): Promise<{ items: BoardPermissionResponse[]; next_cursor: string | null }> {
  const question = ['permissions', boardId]
  const after = positionOf(question, query.cursor, { key: z.literal(''), id: z.string().regex(/^\d{1,9}$/) })
  const rows = await permissionsOf(deps.db, boardId, Number(after?.id ?? 0), query.limit + 1)
  const page = pageOf(question, rows, query.limit, (row) => ({ key: '', id: String(row.id) }))
  return { items: page.rows.map((row) => permissionResponse(row, granter)), next_cursor: page.next_cursor }
}

const permissionResponse = (row: PermissionRow, granter: Granter): BoardPermissionResponse => ({
  id: row.id,
  board_id: row.board_id,
  kind: row.kind,
  user_id: row.user_id,
  user_name: row.user_name,
  // An address is shown to the person who typed it, and to those who may see every address.
  user_email: row.kind === 'invitation' || granter.knowsEverybody ? row.user_email : null,
  level: row.level,
  created_at: row.created_at.toISOString(),
  granted_by: row.granted_by,
})
