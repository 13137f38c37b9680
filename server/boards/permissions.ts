// Permissions: who has been granted which level on a board, with one row per person and one for everyone.
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

/** The granter: what they may know about others decides whom they can refer to, and how. */
export interface Granter {
  userId: number | null
  /** Administrators and the embedding program know everybody. */
  knowsEverybody: boolean
  /** A user of an embedding app, who knows its other users by the app's ids. */
  knowsExternalIds?: boolean
  /** The issuer of the external ids; any by default. */
  issuer?: string
  /** A service key: refers to everybody by id, sees no addresses, and can name its own users before their first visit. */
  namesAnybody?: boolean
}

export const everybodyKnown: Granter = { userId: null, knowsEverybody: true }

/**
 * Grants somebody a level, or changes it; open connections are updated at once. An address creates an invitation, with
 * the same result whether there is an account or not.
 * @throws BoardroomError not_found (nobody has that id) | conflict (deactivated, or several people) |
 * access_denied (a higher level for everyone than the operator allows; a person whom the granter may not refer to by id)
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
  if (row === undefined) throw new BoardroomError('conflict', 'the permission was revoked at the same moment')
  return { permission: permissionResponse(row, granter), isNew: is_new }
}

/**
 * The user to grant it to; null means everyone, which requires an explicit null, or an address that nobody has.
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
    // The same error for unknown ids, so that ids cannot be probed.
    if (!knows || another !== undefined) {
      throw new BoardroomError(
        'access_denied',
        `${field}: only for people who share a board with you; invite others by their address`,
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
      ? 'this server does not allow access for everyone (BOARDROOM_PUBLIC_BOARDS=off)'
      : `this server allows at most ${publicBoards} for everyone (BOARDROOM_PUBLIC_BOARDS)`,
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
  // An address is shown only to the person who typed it and to those who may see all addresses.
  user_email: row.kind === 'invitation' || granter.knowsEverybody ? row.user_email : null,
  level: row.level,
  created_at: row.created_at.toISOString(),
  granted_by: row.granted_by,
})
