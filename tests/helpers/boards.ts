// Rows that tests of boards start from, written straight into the tables.
import { createHash, randomBytes } from 'node:crypto'
import type { Identity, Role } from '../../server/accounts/principal.ts'
import type { Db } from '../../server/database/database.ts'
import type { NewRow } from '../../server/database/tables.ts'
import type { Level } from '../../shared/levels.ts'

let count = 0

/** @returns the new user's id. */
export async function addUser(db: Db, values: Partial<NewRow<'users'>> = {}): Promise<number> {
  count += 1
  const name = values.name ?? `Person ${count}`
  const email = `person-${count}@example.org`
  const row = await db
    .insertInto('users')
    .values({ name, email, ...values })
    .returning('id')
    .executeTakeFirstOrThrow()
  return row.id
}

export async function addBoard(
  db: Db,
  ownerId: number,
  values: Partial<NewRow<'boards'>> = {},
): Promise<string> {
  const row = await db
    .insertInto('boards')
    .values({ owner_id: ownerId, title: 'A board', created_by: ownerId, ...values })
    .returning('id')
    .executeTakeFirstOrThrow()
  return row.id
}

export const addPermission = (db: Db, boardId: string, userId: number | null, level: Level) =>
  db.insertInto('board_permissions').values({ board_id: boardId, user_id: userId, level }).execute()

export async function addGuest(db: Db, values: Partial<NewRow<'guests'>> = {}): Promise<string> {
  const row = await db
    .insertInto('guests')
    .values({
      name: 'Gus',
      token_sha256: randomBytes(32),
      expires_at: new Date(Date.now() + 3_600_000),
      ...values,
    })
    .returning('id')
    .executeTakeFirstOrThrow()
  return row.id
}

export async function addSession(
  db: Db,
  userId: number,
  expiresAt = new Date(Date.now() + 3_600_000),
): Promise<string> {
  const row = await db
    .insertInto('sessions')
    .values({ user_id: userId, token: randomBytes(16).toString('hex'), expires_at: expiresAt })
    .returning('id')
    .executeTakeFirstOrThrow()
  return String(row.id)
}

/** @returns the link's id; its token is `token` where one is told. */
export async function addLink(
  db: Db,
  boardId: string,
  createdBy: number,
  values: Partial<NewRow<'share_links'>> & { token?: string } = {},
): Promise<string> {
  const { token, ...rest } = values
  const row = await db
    .insertInto('share_links')
    .values({
      board_id: boardId,
      level: 'view',
      token_sha256: token === undefined ? randomBytes(32) : createHash('sha256').update(token).digest(),
      created_by: createdBy,
      ...rest,
    })
    .returning('id')
    .executeTakeFirstOrThrow()
  return row.id
}

export const addUse = (
  db: Db,
  linkId: string,
  who: { userId: number } | { guestId: string },
  revokedAt: Date | null = null,
) =>
  db
    .insertInto('share_link_uses')
    .values({
      link_id: linkId,
      user_id: 'userId' in who ? who.userId : null,
      guest_id: 'guestId' in who ? who.guestId : null,
      name: 'Somebody',
      revoked_at: revokedAt,
    })
    .execute()

/** How a signed-in user asks. */
export const userIdentity = (userId: number, role: Role = 'user', name = 'Somebody'): Identity => ({
  principal: { kind: 'user', userId, name, role },
  via: 'session',
  sessionId: null,
  boardId: null,
  maxLevel: null,
})

export const guestIdentity = (guestId: string, name = 'Gus'): Identity => ({
  principal: { kind: 'guest', guestId, name },
  via: 'guest',
  sessionId: null,
  boardId: null,
  maxLevel: null,
})

export const anonymousIdentity: Identity = {
  principal: { kind: 'anonymous', id: '00000000-0000-4000-8000-000000000000' },
  via: 'anonymous',
  sessionId: null,
  boardId: null,
  maxLevel: null,
}
