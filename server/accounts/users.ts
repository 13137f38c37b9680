// Creating, promoting and deactivating users. Every change is a transaction attributed to an actor; triggers write the
// trail and notify the open sockets. Once there was an active sysadmin, there always is one.

import type { Transaction } from 'kysely'
import { z } from 'zod'
import { isOneName, noName } from '../../shared/api/fields.ts'
import { transactionAs } from '../audit/actor.ts'
import type { Db } from '../database/database.ts'
import type { Tables } from '../database/tables.ts'
import { BoardroomError } from '../errors.ts'
import { type Actor, type Role, systemActor } from '../principal.ts'
import { hashPassword, passwordLength, refuseGuessable } from './passwords.ts'
import {
  adoptLinks,
  allUsers,
  foreignUserRow,
  handOverBoards,
  insertForeignUser,
  insertPassword,
  insertUser,
  liveLinksOf,
  lockSysadmins,
  lockUserByEmail,
  lockUserById,
  setUserActive,
  setUserName,
  setUserRole,
  type UserRow,
} from './queries.ts'
import { deleteSessions } from './session-queries.ts'

export const systemEmail = 'system@boardroom.invalid'

/** The issuer of users for whom the embedder's `authenticate` gives none. */
const embedderIssuer = 'embedder'

/** The issuer of the accounts that service keys act as; no other users can have it. */
export const serviceIssuer = 'boardroom:service'

const storable = (text: string) => !text.includes('\u0000') && text.isWellFormed()

const Email = z
  .email()
  .max(254)
  .transform((value) => value.toLowerCase())
export const Password = z
  .string()
  .min(passwordLength.least, `expected a password of at least ${passwordLength.least} characters`)
  .max(passwordLength.most, `expected a password of at most ${passwordLength.most} characters`)
const PersonName = z
  .string()
  .refine(storable, 'must be well-formed text without NUL characters')
  .transform((value) => value.trim())
  .refine((value) => characters(value).length >= 2, 'expected at least 2 characters')
  .refine((value) => characters(value).length <= 100, 'expected at most 100 characters')
  .refine(isOneName, noName)

const NewUser = z.strictObject({
  email: Email,
  name: PersonName,
  password: Password,
  role: z.enum(['sysadmin', 'admin', 'user']).default('user'),
  /** Whether the creator of the account vouches for the address; people who sign themselves up do not. */
  email_verified: z.boolean().default(true),
})
export type NewUser = z.input<typeof NewUser>

/**
 * Creates a user who signs in with a password.
 * @throws BoardroomError invalid_request (naming what is wrong) | conflict (the e-mail is taken)
 */
export async function createUser(db: Db, actor: Actor, user: NewUser): Promise<UserRow> {
  const ready = await prepareUser(user)
  return transactionAs(db, actor, (trx) => addUser(trx, ready))
}

/** The slow part of creating a user (hashing the password), done before a transaction is opened. */
export async function prepareUser(user: NewUser): Promise<ReadyUser> {
  const parsed = NewUser.safeParse(user)
  if (!parsed.success) {
    const problems = parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`)
    throw new BoardroomError('invalid_request', problems.join('; '))
  }
  const { password, ...rest } = parsed.data
  await refuseGuessable(password, [rest.name, rest.email, rest.email.split('@')[0] ?? ''])
  return { ...rest, passwordHash: await hashPassword(password) }
}
export interface ReadyUser {
  email: string
  name: string
  role: Role
  email_verified: boolean
  passwordHash: string
}

/** The same inside the caller's transaction, with the result of `prepareUser`. @throws BoardroomError conflict */
export async function addUser(trx: Transaction<Tables>, user: ReadyUser): Promise<UserRow> {
  const { passwordHash, ...columns } = user
  try {
    const row = await insertUser(trx, columns)
    await insertPassword(trx, row.id, passwordHash)
    return row
  } catch (error) {
    if (!isViolationOf(error, 'users_email')) throw error
    throw new BoardroomError('conflict', 'an account with this e-mail address already exists', {
      cause: error,
    })
  }
}

/** Everybody, including foreign users and the system actor, in order of creation. */
export const listUsers = (db: Db): Promise<UserRow[]> => allUsers(db)

/** Identifies an account by address or id. */
export type Whose = string | number

/**
 * Changes somebody's role.
 * @throws BoardroomError not_found | conflict (the last active sysadmin; the system actor)
 */
export const setRole = (db: Db, actor: Actor, whose: Whose, role: Role): Promise<UserRow> =>
  transactionAs(db, actor, (trx) => changeRole(trx, whose, role))

/** The same inside the caller's transaction. */
export async function changeRole(trx: Transaction<Tables>, whose: Whose, role: Role): Promise<UserRow> {
  const sysadmins = await lockSysadmins(trx)
  const user = await changeableUser(trx, whose)
  if (user.issuer === serviceIssuer) {
    throw new BoardroomError(
      'conflict',
      'the role of an account that service keys act as cannot be changed; create another account',
    )
  }
  if (role !== 'sysadmin') refuseTheLast(sysadmins, user)
  await setUserRole(trx, user.id, role)
  return { ...user, role }
}

export interface Disabled {
  user: UserRow
  /** What was handed over to `transferTo`. */
  boards: number
  links: number
  sessions: number
  /** Links that were valid until now and no longer give access, because nobody took them over. */
  stoppedLinks: { id: string; board_id: string; label: string | null }[]
}

/**
 * Deactivates somebody: signs them out everywhere, closes their sockets and stops their links, unless `transferTo` takes
 * over boards and links. Boards without a new owner remain accessible to administrators.
 * @throws BoardroomError not_found | conflict (the last active sysadmin; the system actor; transferTo cannot take over)
 */
export const disableUser = (
  db: Db,
  actor: Actor,
  whose: Whose,
  options: { transferTo?: Whose | undefined } = {},
): Promise<Disabled> => transactionAs(db, actor, (trx) => deactivate(trx, whose, options.transferTo))

/** The same inside the caller's transaction. */
export async function deactivate(
  trx: Transaction<Tables>,
  whose: Whose,
  transferTo: Whose | undefined,
): Promise<Disabled> {
  const sysadmins = await lockSysadmins(trx)
  const user = await changeableUser(trx, whose)
  refuseTheLast(sysadmins, user)
  const heir = transferTo === undefined ? null : await heirOf(trx, user, transferTo)
  const boards = heir === null ? 0 : await handOverBoards(trx, user.id, heir.id)
  const links = heir === null ? 0 : await adoptLinks(trx, user.id, heir.id)
  const stoppedLinks = heir === null ? await liveLinksOf(trx, user.id) : []
  await setUserActive(trx, user.id, false)
  const sessions = (await deleteSessions(trx, user.id)).length
  return { user: { ...user, is_active: false }, boards, links, sessions, stoppedLinks }
}

/** @throws BoardroomError conflict (named elsewhere) */
export const renameOneself = (db: Db, actor: Actor, userId: number, name: string): Promise<void> =>
  transactionAs(db, actor, async (trx) => {
    const user = await changeableUser(trx, userId)
    if (user.issuer !== null) {
      throw new BoardroomError('conflict', 'your name comes from the application that you sign in with')
    }
    if (user.name !== name) await setUserName(trx, userId, name)
  })

/** A user of the embedder, as given by its `authenticate` or a service key. */
export interface ForeignUser {
  /** The embedder's id for this person. */
  externalId: string
  name: string
  /** The directory that the id belongs to. */
  issuer?: string | undefined
}

const ForeignUserShape = z.object({
  externalId: z.string().min(1).max(255).refine(storable),
  name: z.string(),
  issuer: z
    .string()
    .min(1)
    .max(255)
    .refine(storable)
    .refine((issuer) => issuer !== serviceIssuer)
    .default(embedderIssuer),
})

/**
 * The row of a foreign user, created on first use and renamed when the name changes there.
 * @throws BoardroomError internal if the embedder's result is not a user.
 */
export async function foreignUser(db: Db, user: ForeignUser): Promise<UserRow> {
  const parsed = ForeignUserShape.safeParse(user)
  if (!parsed.success) {
    const fields = parsed.error.issues.map(({ path }) => path.join('.')).join(', ')
    throw new BoardroomError(
      'internal',
      `expected {externalId, name, issuer?} of a foreign user; wrong: ${fields}`,
    )
  }
  const { externalId, issuer } = parsed.data
  return foreignRow(db, { externalId, issuer, name: nameThatFits(parsed.data.name) })
}

/** The account that the service keys of `issuer` act as; created with the first key. */
export const serviceAccount = (db: Db, issuer: string): Promise<UserRow> =>
  foreignRow(db, { externalId: issuer, issuer: serviceIssuer, name: nameThatFits(issuer) })

async function foreignRow(
  db: Db,
  { externalId, issuer, name }: { externalId: string; issuer: string; name: string },
): Promise<UserRow> {
  const known = await foreignUserRow(db, issuer, externalId)
  if (known?.name === name) return known
  await transactionAs(db, systemActor, (trx) =>
    known === undefined
      ? insertForeignUser(trx, { issuer, external_id: externalId, name })
      : setUserName(trx, known.id, name),
  )
  const row = await foreignUserRow(db, issuer, externalId)
  if (row === undefined)
    throw new BoardroomError('conflict', 'the user was removed while it was being created')
  return row
}

/** Makes a foreign name fit our rules: 2 to 100 characters. */
export function nameThatFits(name: string): string {
  // Control characters and directional marks would let a name imitate another or disturb the text next to it.
  const storableName = name
    .toWellFormed()
    .replaceAll(/[\p{Cc}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu, '')
    .trim()
  const fitting = characters(storableName).slice(0, 100).join('').trim()
  return characters(fitting).length >= 2 ? fitting : `User ${fitting}`.trim()
}

/** Counts characters like Postgres: an emoji is one. */
const characters = (text: string): string[] => Array.from(text)

/** Locked. @throws BoardroomError not_found | conflict (the system actor) */
export async function changeableUser(trx: Transaction<Tables>, whose: Whose): Promise<UserRow> {
  const byId = typeof whose === 'number'
  const user = byId ? await lockUserById(trx, whose) : await lockUserByEmail(trx, whose)
  if (user === undefined) {
    throw new BoardroomError(
      'not_found',
      byId ? 'there is no such user' : 'no user has this e-mail address; list them with: boardroom user list',
    )
  }
  if (user.email === systemEmail) throw new BoardroomError('conflict', 'the system actor cannot be changed')
  return user
}

async function heirOf(trx: Transaction<Tables>, user: UserRow, whose: Whose): Promise<UserRow> {
  const heir = await changeableUser(trx, whose)
  if (heir.id === user.id || !heir.is_active) {
    throw new BoardroomError('conflict', 'boards can only be handed over to another active user')
  }
  return heir
}

function refuseTheLast(sysadmins: readonly number[], user: UserRow): void {
  if (sysadmins.length === 1 && sysadmins[0] === user.id) {
    throw new BoardroomError(
      'conflict',
      'this is the last active sysadmin; give somebody else this role first',
    )
  }
}

export const isViolationOf = (error: unknown, constraint: string): boolean =>
  error instanceof Error && 'constraint' in error && error.constraint === constraint
