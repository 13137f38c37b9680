// The SQL of folders, one function per question.
import { sql, type Transaction } from 'kysely'
import type { Level } from '../../../shared/levels.ts'
import type { Db } from '../../database/database.ts'
import type { NewRow, Row, Tables } from '../../database/tables.ts'

type Trx = Transaction<Tables>

export interface FolderRow extends Row<'folders'> {
  owner_name: string
  /** The asker's highest permission on the folder or an ancestor; null if there is none. */
  given: Level | null
  /** Whether the asker owns it or an ancestor. */
  owns: boolean
  /** Whether the asker may see the parent folder. */
  sees_parent: boolean
}

const rankOf = sql`case p.level when 'edit' then 3 when 'comment' then 2 else 1 end`

/** A user's rights from the folders in `path`, as columns. Permissions for everyone count for accounts. */
const rights = (path: ReturnType<typeof sql>, userId: number) => sql`
  (select p.level from ${sql.table('folder_permissions')} p
    where p.folder_id = any (${path}) and (p.user_id = ${userId} or p.user_id is null) order by ${rankOf} desc limit 1)`
const owns = (path: ReturnType<typeof sql>, userId: number) => sql`
  exists (select from ${sql.table('folders')} a where a.id = any (${path}) and a.owner_id = ${userId})`

const columns = (userId: number) => sql`
  f.*, o.name as owner_name, ${rights(sql`f.path`, userId)} as given, ${owns(sql`f.path`, userId)} as owns,
  f.parent_id is not null and (${owns(sql`f.path[1:cardinality(f.path) - 1]`, userId)}
    or ${rights(sql`f.path[1:cardinality(f.path) - 1]`, userId)} is not null) as sees_parent`

/** A folder with the rights of `userId` on it; undefined if there is none. */
export async function folderFor(db: Db, folderId: string, userId: number): Promise<FolderRow | undefined> {
  const { rows } = await sql<FolderRow>`
    select ${columns(userId)} from ${sql.table('folders')} f join ${sql.table('users')} o on o.id = f.owner_id
    where f.id = ${folderId}`.execute(db)
  return rows[0]
}

/**
 * Every folder that the user owns, has a permission on, or reaches through an ancestor; with `all`, every folder. By
 * name. Served by the indexes folders (owner_id), folder_permissions (user_id, folder_id), folders by path.
 */
export async function foldersFor(db: Db, userId: number, all: boolean, limit: number): Promise<FolderRow[]> {
  const reached = sql`
    select f2.id from ${sql.table('folders')} f2 where f2.path && (
      select coalesce(array_agg(top.id), '{}') from (
        select id from ${sql.table('folders')} where owner_id = ${userId}
        union
        select folder_id from ${sql.table('folder_permissions')} where user_id = ${userId}
      ) top)`
  const { rows } = await sql<FolderRow>`
    select ${columns(userId)} from ${sql.table('folders')} f join ${sql.table('users')} o on o.id = f.owner_id
    ${all ? sql`` : sql`where f.id in (${reached})`}
    order by lower(f.name), f.id limit ${limit}`.execute(db)
  return rows
}

export const insertFolder = async (trx: Trx, folder: Omit<NewRow<'folders'>, 'path'>): Promise<string> => {
  const { rows } = await sql<{ id: string }>`
    insert into ${sql.table('folders')} (parent_id, path, owner_id, name, created_by, updated_by)
    values (${folder.parent_id}, '{}', ${folder.owner_id}, ${folder.name}, ${folder.owner_id}, ${folder.owner_id})
    returning id`.execute(trx)
  return rows[0]?.id ?? ''
}

export const setFolder = (
  trx: Trx,
  folderId: string,
  change: { name?: string | undefined; parent_id?: string | null | undefined; owner_id?: number | undefined },
  by: number | null,
) =>
  trx
    .updateTable('folders')
    .set({ ...change, updated_at: sql<Date>`now()`, updated_by: by })
    .where('id', '=', folderId)
    .execute()

/** Moves the folder's content to `parentId`, so that nothing is lost with it. */
export async function emptyInto(trx: Trx, folderId: string, parentId: string | null): Promise<void> {
  await trx.updateTable('boards').set({ folder_id: parentId }).where('folder_id', '=', folderId).execute()
  await trx.updateTable('folders').set({ parent_id: parentId }).where('parent_id', '=', folderId).execute()
}

export const deleteFolderRow = (trx: Trx, folderId: string) =>
  trx.deleteFrom('folders').where('id', '=', folderId).execute()

export const countFoldersOf = async (db: Db, userId: number): Promise<number> => {
  const row = await db
    .selectFrom('folders')
    .select((eb) => eb.fn.countAll<string>().as('count'))
    .where('owner_id', '=', userId)
    .executeTakeFirstOrThrow()
  return Number(row.count)
}

export type FolderPermissionRow = Row<'folder_permissions'> & { user_name: string | null }

const permissions = (db: Db) =>
  db
    .selectFrom('folder_permissions as p')
    .leftJoin('users as u', 'u.id', 'p.user_id')
    .selectAll('p')
    .select('u.name as user_name')

export const folderPermissionsOf = (
  db: Db,
  folderId: string,
  afterId: number,
  limit: number,
): Promise<FolderPermissionRow[]> =>
  permissions(db)
    .where('p.folder_id', '=', folderId)
    .where('p.id', '>', afterId)
    .orderBy('p.id')
    .limit(limit)
    .execute()

export const folderPermissionById = (db: Db, id: number): Promise<FolderPermissionRow | undefined> =>
  permissions(db).where('p.id', '=', id).executeTakeFirst()

export const upsertFolderPermission = (
  trx: Trx,
  permission: NewRow<'folder_permissions'>,
): Promise<{ id: number; is_new: boolean }> =>
  trx
    .insertInto('folder_permissions')
    .values(permission)
    .onConflict((conflict) =>
      conflict
        .constraint('folder_permissions_one_row')
        .doUpdateSet({ level: permission.level, granted_by: permission.granted_by ?? null }),
    )
    // A row that this transaction inserted has no deleting transaction (xmax).
    .returning(['id', sql<boolean>`xmax = 0`.as('is_new')])
    .executeTakeFirstOrThrow()

/** @returns whether it existed. */
export const deleteFolderPermission = async (trx: Trx, folderId: string, id: number): Promise<boolean> => {
  const { numDeletedRows } = await trx
    .deleteFrom('folder_permissions')
    .where('id', '=', id)
    .where('folder_id', '=', folderId)
    .executeTakeFirst()
  return numDeletedRows > 0n
}
