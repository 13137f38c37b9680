// Creating, renaming, moving, handing over, sharing and deleting folders. Their permissions add to the rights on the
// boards in them; triggers record and announce every change.
//
//   who                    may
//   any permission         see the folder, and open its boards at that level
//   permission edit        add boards, remove their own, create subfolders
//   owner (also of an ancestor), administrators   everything: rename, move, share, delete
import { z } from 'zod'
import type {
  FolderCreate,
  FolderPermissionResponse,
  FolderResponse,
  FolderUpdate,
} from '../../../shared/api/folders.ts'
import { allows, type Level } from '../../../shared/levels.ts'
import { transactionAs } from '../../audit/actor.ts'
import type { Db } from '../../database/database.ts'
import { BoardroomError } from '../../errors.ts'
import type { Actor, Identity } from '../../principal.ts'
import { pageOf, positionOf } from '../../routing/cursor.ts'
import type { BoardsDeps } from '../deps.ts'
import { granteeById } from '../permission-queries.ts'
import {
  countFoldersOf,
  deleteFolderPermission,
  deleteFolderRow,
  emptyInto,
  type FolderPermissionRow,
  type FolderRow,
  folderFor,
  folderPermissionById,
  folderPermissionsOf,
  foldersFor,
  insertFolder,
  setFolder,
  upsertFolderPermission,
} from './queries.ts'

type Deps = Pick<BoardsDeps, 'db' | 'publicBoards'>

const maxFoldersPerUser = 1000
const maxListed = 5000

/** A signed-in account: only accounts have folders. @throws BoardroomError not_signed_in | access_denied */
export function folderUser(identity: Identity): { userId: number; administers: boolean } {
  const { principal } = identity
  if (identity.boardId !== null)
    throw new BoardroomError('access_denied', 'a ticket opens its own board only')
  if (principal.kind !== 'user')
    throw new BoardroomError('not_signed_in', 'sign in with an account to use folders')
  return { userId: principal.userId, administers: principal.role !== 'user' }
}

type Asker = ReturnType<typeof folderUser>

interface Rights {
  level: Level | null
  manages: boolean
}

const rightsOf = (folder: FolderRow, { administers }: Asker): Rights => {
  const manages = folder.owns || administers
  return { level: manages ? 'edit' : folder.given, manages }
}

/**
 * A folder on which the asker has at least `needed`; `manage`: owns or administers it.
 * @throws BoardroomError not_found (missing or invisible) | access_denied
 */
export async function requireFolder(
  db: Db,
  asker: Asker,
  folderId: string,
  needed: Level | 'manage',
): Promise<FolderRow & Rights> {
  const folder = await folderFor(db, folderId, asker.userId)
  const rights = folder === undefined ? { level: null, manages: false } : rightsOf(folder, asker)
  if (folder === undefined || rights.level === null)
    throw new BoardroomError('not_found', 'there is no such folder')
  if (needed === 'manage' ? !rights.manages : !allows(rights.level, needed)) {
    throw new BoardroomError(
      'access_denied',
      needed === 'manage'
        ? 'only the owner of this folder or an administrator may do this'
        : `this requires the level ${needed} on the folder; you have ${rights.level}`,
    )
  }
  return { ...folder, ...rights }
}

/** @returns the new folder's id. @throws BoardroomError not_found (parent) | access_denied | conflict (limits) */
export async function createFolder(
  deps: Deps,
  actor: Actor,
  asker: Asker,
  { name, parent_id = null }: FolderCreate,
): Promise<string> {
  if (parent_id !== null) await requireFolder(deps.db, asker, parent_id, 'edit')
  if ((await countFoldersOf(deps.db, asker.userId)) >= maxFoldersPerUser) {
    throw new BoardroomError(
      'conflict',
      `one person may have at most ${maxFoldersPerUser} folders; delete some first`,
    )
  }
  return tellingRules(() =>
    transactionAs(deps.db, actor, (trx) =>
      insertFolder(trx, { name, parent_id, owner_id: asker.userId, updated_by: asker.userId }),
    ),
  )
}

/** @throws BoardroomError not_found | access_denied | invalid_request (owner_id) | conflict (into itself, too deep) */
export async function updateFolder(
  deps: Deps,
  actor: Actor,
  asker: Asker,
  folderId: string,
  change: FolderUpdate,
): Promise<void> {
  await requireFolder(deps.db, asker, folderId, 'manage')
  if (change.parent_id != null) await requireFolder(deps.db, asker, change.parent_id, 'edit')
  if (change.owner_id !== undefined && !asker.administers) {
    throw new BoardroomError('access_denied', 'only an administrator can give a folder to somebody else')
  }
  if (change.owner_id !== undefined) {
    const [user] = await granteeById(deps.db, change.owner_id)
    if (user === undefined || !user.is_active)
      throw new BoardroomError('invalid_request', 'owner_id: expected the id of an active account')
  }
  await tellingRules(() =>
    transactionAs(deps.db, actor, (trx) => setFolder(trx, folderId, change, actor.userId)),
  )
}

/** Its content moves to the parent folder; its boards lose the rights that only this folder granted. */
export async function deleteFolder(deps: Deps, actor: Actor, asker: Asker, folderId: string): Promise<void> {
  const folder = await requireFolder(deps.db, asker, folderId, 'manage')
  await transactionAs(deps.db, actor, async (trx) => {
    await emptyInto(trx, folderId, folder.parent_id)
    await deleteFolderRow(trx, folderId)
  })
}

/** Readable errors for what the schema refuses. */
async function tellingRules<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work()
  } catch (error) {
    const constraint = (error as { constraint?: unknown }).constraint // of pg's DatabaseError
    if (constraint === 'folders_no_ring')
      throw new BoardroomError('conflict', 'a folder cannot be moved into itself or a folder inside it')
    if (constraint === 'folders_path_check')
      throw new BoardroomError('conflict', 'folders can be nested at most 10 deep')
    throw error
  }
}

export async function readFolder(deps: Deps, asker: Asker, folderId: string): Promise<FolderResponse> {
  return folderResponse(await requireFolder(deps.db, asker, folderId, 'view'), asker)
}

/** All of the asker's folders at once, because a tree is shown as a whole. @param all every folder, for administrators */
export async function listFolders(
  deps: Deps,
  asker: Asker,
  all: boolean,
): Promise<{ items: FolderResponse[]; next_cursor: null }> {
  if (all && !asker.administers)
    throw new BoardroomError('access_denied', 'only administrators can see every folder')
  const rows = await foldersFor(deps.db, asker.userId, all, maxListed)
  return { items: rows.map((row) => folderResponse(row, asker)), next_cursor: null }
}

const folderResponse = (folder: FolderRow, asker: Asker): FolderResponse => {
  const { level, manages } = rightsOf(folder, asker)
  return {
    id: folder.id,
    parent_id: folder.sees_parent || asker.administers ? folder.parent_id : null,
    name: folder.name,
    owner_id: folder.owner_id,
    owner_name: folder.owner_name,
    created_at: folder.created_at.toISOString(),
    updated_at: folder.updated_at.toISOString(),
    level: level ?? 'view',
    may_manage: manages,
  }
}

/** @throws BoardroomError access_denied (a higher level for everyone than the operator allows) | conflict */
export async function grantFolderPermission(
  deps: Deps,
  actor: Actor,
  folderId: string,
  grant: { userId: number | null; level: Level },
): Promise<{ permission: FolderPermissionResponse; isNew: boolean }> {
  const { publicBoards } = deps
  if (grant.userId === null && (publicBoards === 'off' || !allows(publicBoards, grant.level))) {
    throw new BoardroomError(
      'access_denied',
      publicBoards === 'off'
        ? 'this server does not allow access for everyone (BOARDROOM_PUBLIC_BOARDS=off)'
        : `this server allows at most ${publicBoards} for everyone (BOARDROOM_PUBLIC_BOARDS)`,
    )
  }
  const { id, is_new } = await transactionAs(deps.db, actor, (trx) =>
    upsertFolderPermission(trx, {
      folder_id: folderId,
      user_id: grant.userId,
      level: grant.level,
      granted_by: actor.userId,
    }),
  )
  const row = await folderPermissionById(deps.db, id)
  if (row === undefined) throw new BoardroomError('conflict', 'the permission was revoked at the same moment')
  return { permission: permissionResponse(row), isNew: is_new }
}

/** @throws BoardroomError not_found */
export async function revokeFolderPermission(
  deps: Deps,
  actor: Actor,
  folderId: string,
  permissionId: number,
): Promise<void> {
  const wasThere = await transactionAs(deps.db, actor, (trx) =>
    deleteFolderPermission(trx, folderId, permissionId),
  )
  if (!wasThere) throw new BoardroomError('not_found', 'this folder has no such permission')
}

export async function listFolderPermissions(
  deps: Deps,
  folderId: string,
  query: { limit: number; cursor?: string | undefined },
): Promise<{ items: FolderPermissionResponse[]; next_cursor: string | null }> {
  const question = ['folder permissions', folderId]
  const after = positionOf(question, query.cursor, { key: z.literal(''), id: z.string().regex(/^\d{1,9}$/) })
  const rows = await folderPermissionsOf(deps.db, folderId, Number(after?.id ?? 0), query.limit + 1)
  const page = pageOf(question, rows, query.limit, (row) => ({ key: '', id: String(row.id) }))
  return { items: page.rows.map(permissionResponse), next_cursor: page.next_cursor }
}

const permissionResponse = (row: FolderPermissionRow): FolderPermissionResponse => ({
  id: row.id,
  folder_id: row.folder_id,
  user_id: row.user_id,
  user_name: row.user_name,
  level: row.level,
  created_at: row.created_at.toISOString(),
  granted_by: row.granted_by,
})
