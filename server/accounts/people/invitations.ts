// Invitations: a link that creates one account. They work without a mail server; if there is one, they are mailed too.
// An invitation never grants more than its creator could grant now.
import { z } from 'zod'
import type {
  InvitationAccept,
  InvitationCreate,
  InvitationPreview,
  InvitationResponse,
} from '../../../shared/api/people.ts'
import { transactionAs } from '../../audit/actor.ts'
import type { Db } from '../../database/database.ts'
import { BoardroomError } from '../../errors.ts'
import type { Actor } from '../../principal.ts'
import { pageOf, positionOf } from '../../routing/cursor.ts'
import { userIdByEmail } from '../queries.ts'
import { newSecret, sha256Of } from '../secret.ts'
import { addUser, prepareUser } from '../users.ts'
import type { PeopleDeps } from './deps.ts'
import {
  acceptInvitationRow,
  type InvitationRow,
  insertInvitation,
  invitationById,
  invitationByToken,
  lockInvitation,
  newestInvitations,
  revokeInvitationRow,
} from './invitation-queries.ts'
import { reaches } from './people.ts'
import { lockUsers } from './queries.ts'

/**
 * @param url of this server, without a trailing slash
 * @throws BoardroomError access_denied (a role above the asker's) | conflict (an account with this address exists)
 */
export async function createInvitation(
  deps: PeopleDeps,
  actor: Actor,
  { askerId, url }: { askerId: number; url: string },
  body: InvitationCreate,
): Promise<InvitationResponse> {
  const { db } = deps
  const email = body.email?.toLowerCase() ?? null
  if (email !== null && (await userIdByEmail(db, email)) !== null) {
    throw new BoardroomError('conflict', 'email: an account with this address already exists')
  }
  const { secret, sha256 } = newSecret()
  const { id } = await transactionAs(db, actor, async (trx) => {
    const [asker] = await lockUsers(trx, [askerId])
    if (asker === undefined || !asker.is_active || !reaches(asker.role, body.role)) {
      throw new BoardroomError('access_denied', 'role: you cannot invite somebody to a role above your own')
    }
    return insertInvitation(trx, {
      email,
      role: body.role,
      token_sha256: sha256,
      created_by: askerId,
      expires_at: new Date(Date.now() + body.expires_in * 1000),
    })
  })
  const row = await required(db, id)
  const link = `${url}/invite#${secret}`
  const mailed = body.send && email !== null && (await mailInvitation(deps, row, email, link))
  return { ...invitationResponse(row), url: link, mailed }
}

/** @returns false if there is no mail server or it refused the mail; the link then has to be passed on by hand */
async function mailInvitation(
  { mailer, log }: PeopleDeps,
  { id, created_by_name, expires_at }: InvitationRow,
  to: string,
  link: string,
): Promise<boolean> {
  if (mailer === null) return false
  const text = [
    `${created_by_name ?? 'An administrator'} invites you to draw together on Boardroom.`,
    'Open this link to choose your name and password:',
    '',
    link,
    '',
    `It works once, until ${expires_at.toISOString().slice(0, 16).replace('T', ' ')} UTC. If you did not expect an invitation, ignore this mail.`,
  ]
  try {
    await mailer.send({ to, subject: 'Your invitation to Boardroom', text: text.join('\n') })
    return true
  } catch (error) {
    log.warn({ err: error, invitationId: id }, 'invitation not mailed')
    return false
  }
}

export async function listInvitations(
  db: Db,
  { limit, cursor }: { limit: number; cursor?: string | undefined },
): Promise<{ items: InvitationResponse[]; next_cursor: string | null }> {
  const question = ['invitations']
  const before = positionOf(question, cursor, { key: z.iso.datetime(), id: z.uuid() })
  const position = before === null ? null : { at: new Date(before.key), id: before.id }
  const rows = await newestInvitations(db, position, limit + 1)
  const page = pageOf(question, rows, limit, (row) => ({ key: row.created_at.toISOString(), id: row.id }))
  return { items: page.rows.map(invitationResponse), next_cursor: page.next_cursor }
}

/** Revokes it. @throws BoardroomError not_found | conflict (already accepted) */
export async function revokeInvitation(db: Db, actor: Actor, id: string): Promise<void> {
  const row = await required(db, id)
  if (row.accepted_at !== null) {
    throw new BoardroomError(
      'conflict',
      'this invitation was already accepted; deactivate the account instead',
    )
  }
  await transactionAs(db, actor, (trx) => revokeInvitationRow(trx, id))
}

/** The details shown on the page of an invitation. @throws BoardroomError link_not_valid */
export async function previewInvitation(db: Db, token: string): Promise<InvitationPreview> {
  const { email, role, created_by_name, expires_at } = openOrRefuse(
    await invitationByToken(db, sha256Of(token)),
  )
  return {
    ...{ email, role },
    invited_by: created_by_name ?? 'An administrator',
    expires_at: expires_at.toISOString(),
  }
}

/**
 * Creates the account, once.
 * @returns the address to sign in with.
 * @throws BoardroomError link_not_valid | invalid_request | conflict (the address is taken)
 */
export async function acceptInvitation(
  db: Db,
  actor: Actor,
  { token, name, email, password }: InvitationAccept,
): Promise<string> {
  const hash = sha256Of(token)
  const invitation = openOrRefuse(await invitationByToken(db, hash))
  if (invitation.email === null && email === undefined) {
    throw new BoardroomError('invalid_request', 'email: this invitation names no address; enter yours')
  }
  if (invitation.email !== null && email !== undefined && email.toLowerCase() !== invitation.email) {
    throw new BoardroomError('invalid_request', 'email: this invitation is for another address')
  }
  const address = invitation.email ?? email ?? ''
  const user = await prepareUser({
    name,
    email: address,
    password,
    role: invitation.role,
    // The inviter vouches for an address they entered; nobody vouches for one entered by the invited person.
    email_verified: invitation.email !== null,
  })
  await transactionAs(db, actor, async (trx) => {
    await lockInvitation(trx, hash)
    const { id } = openOrRefuse(await invitationByToken(trx, hash))
    const row = await addUser(trx, user)
    await acceptInvitationRow(trx, id, row.id)
  })
  return user.email
}

/** The same error for all invalid links, so that guessing reveals nothing. */
function openOrRefuse(row: InvitationRow | undefined): InvitationRow {
  const isGood =
    row !== undefined &&
    stateOf(row) === 'open' &&
    row.inviter_is_active === true &&
    row.inviter_role !== null &&
    reaches(row.inviter_role, row.role)
  if (isGood) return row
  throw new BoardroomError(
    'link_not_valid',
    'this invitation is unknown, used, withdrawn or expired; ask for a new one',
  )
}

const stateOf = (row: InvitationRow): InvitationResponse['state'] => {
  if (row.accepted_at !== null) return 'accepted'
  if (row.revoked_at !== null) return 'revoked'
  return row.expires_at.getTime() <= Date.now() ? 'expired' : 'open'
}

async function required(db: Db, id: string): Promise<InvitationRow> {
  const row = await invitationById(db, id)
  if (row === undefined) throw new BoardroomError('not_found', 'there is no such invitation')
  return row
}

const invitationResponse = (row: InvitationRow): InvitationResponse => ({
  id: row.id,
  url: null,
  email: row.email,
  role: row.role,
  state: stateOf(row),
  created_by: row.created_by,
  created_by_name: row.created_by_name,
  created_at: row.created_at.toISOString(),
  expires_at: row.expires_at.toISOString(),
  accepted_at: row.accepted_at?.toISOString() ?? null,
  accepted_by: row.accepted_by,
  mailed: false,
})
