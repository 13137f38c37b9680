// Service keys: the credentials of another application's server. A key acts as the service account of its issuer, which
// owns the boards that it creates, and on behalf of the issuer's users. Only the SHA-256 of a key is stored, which is
// enough for 256 random bits.
import type {
  ServiceKeyCreate,
  ServiceKeyResponse,
  ServiceKeyRotate,
} from '../../../shared/api/service-keys.ts'
import { transactionAs } from '../../audit/actor.ts'
import type { Db } from '../../database/database.ts'
import { BoardroomError } from '../../errors.ts'
import type { Actor, Identity } from '../../principal.ts'
import { newSecret, sha256Of } from '../secret.ts'
import { serviceAccount, serviceIssuer } from '../users.ts'
import {
  allKeys,
  insertKey,
  keyBySecret,
  keyState,
  revokeKey,
  rotateKey,
  type ServiceKeyRow,
  touchKey,
} from './queries.ts'

const prefix = 'brk_'

/** Whether a bearer token claims to be a service key, genuine or not. */
export const looksLikeKey = (token: string): boolean => token.startsWith(prefix)

const newKey = () => {
  const { secret: key, sha256 } = newSecret(prefix)
  return { key, sha256, hint: `${key.slice(0, prefix.length + 6)}…` }
}

/**
 * Creates a key; this is the only time that it is known.
 * @throws BoardroomError invalid_request (the issuer is reserved, the expiry is in the past)
 */
export async function createKey(db: Db, actor: Actor, body: ServiceKeyCreate): Promise<ServiceKeyResponse> {
  if (body.issuer === serviceIssuer) {
    throw new BoardroomError('invalid_request', `issuer: ${serviceIssuer} is reserved; choose another name`)
  }
  const expiresAt = endOf(body.expires_at)
  const { key, sha256, hint } = newKey()
  await serviceAccount(db, body.issuer)
  const row = await transactionAs(db, actor, (trx) =>
    insertKey(trx, {
      name: body.name,
      issuer: body.issuer,
      scopes: [...new Set(body.scopes)],
      token_sha256: sha256,
      hint,
      created_by: actor.userId,
      expires_at: expiresAt ?? null,
    }),
  )
  return keyResponse(row, key)
}

/**
 * Gives the key a new secret; its tickets stay valid.
 * @throws BoardroomError not_found | conflict (revoked or expired; rotated already) | invalid_request (the expiry is in the past)
 */
export async function rotateServiceKey(
  db: Db,
  actor: Actor,
  id: string,
  body: ServiceKeyRotate,
): Promise<ServiceKeyResponse> {
  const expiresAt = endOf(body.expires_at)
  const { key, sha256, hint } = newKey()
  const change = { sha256, hint, overlapS: body.overlap_seconds, expiresAt }
  const row = await transactionAs(db, actor, (trx) => rotateKey(trx, id, change))
  if (row !== undefined) return keyResponse(row, key)
  const now = await keyState(db, id)
  if (now === undefined) throw new BoardroomError('not_found', 'there is no such service key')
  if (!now.lives) throw new BoardroomError('conflict', 'this key is revoked or has expired; create a new one')
  throw rotatedAlready(now.former_until)
}

/** Of two rotations, the second would end the secret that is in use everywhere, without its overlap. */
export const rotatedAlready = (formerUntil: Date | null): BoardroomError =>
  new BoardroomError(
    'conflict',
    'it was rotated already, and the previous secret is still valid; rotate it again later, or with overlap_seconds 0, which ends both secrets at once',
    { details: { former_until: formerUntil?.toISOString() ?? null } },
  )

/** Revokes the key; tickets and sockets created with it end. @throws BoardroomError not_found */
export async function revokeServiceKey(db: Db, actor: Actor, id: string): Promise<void> {
  const wasThere = await transactionAs(db, actor, (trx) => revokeKey(trx, id))
  if (!wasThere) throw new BoardroomError('not_found', 'there is no such service key')
}

/** Newest first, including invalid ones. */
export const listKeys = async (db: Db): Promise<ServiceKeyResponse[]> =>
  (await allKeys(db)).map((row) => keyResponse(row, null))

/** @throws BoardroomError not_signed_in for a key that is unknown, expired or revoked, or whose account is deactivated */
export async function identifyKey(db: Db, secret: string): Promise<Identity> {
  const row = await keyBySecret(db, sha256Of(secret))
  if (row === undefined) throw new BoardroomError('not_signed_in', 'this service key is unknown')
  if (!row.lives) throw new BoardroomError('not_signed_in', 'this service key has expired or was revoked')
  const account = await serviceAccount(db, row.issuer)
  if (!account.is_active) {
    throw new BoardroomError('not_signed_in', `the service account of ${row.issuer} is deactivated`)
  }
  await touchKey(db, row.id)
  return {
    principal: { kind: 'user', userId: account.id, name: row.name, role: account.role },
    via: 'key',
    sessionId: null,
    boardId: null,
    maxLevel: null,
    keyId: row.id,
    issuer: row.issuer,
    scopes: row.scopes,
  }
}

function endOf(expiresAt: string | null | undefined): Date | null | undefined {
  if (expiresAt === null || expiresAt === undefined) return expiresAt
  const end = new Date(expiresAt)
  if (end.getTime() <= Date.now()) {
    throw new BoardroomError('invalid_request', 'expires_at: expected a time in the future')
  }
  return end
}

const keyResponse = (row: ServiceKeyRow, key: string | null): ServiceKeyResponse => ({
  id: row.id,
  name: row.name,
  issuer: row.issuer,
  scopes: row.scopes,
  key,
  hint: row.hint,
  state: row.revoked_at !== null ? 'revoked' : isPast(row.expires_at) ? 'expired' : 'active',
  created_at: row.created_at.toISOString(),
  created_by: row.created_by,
  last_used_at: row.last_used_at?.toISOString() ?? null,
  expires_at: row.expires_at?.toISOString() ?? null,
  revoked_at: row.revoked_at?.toISOString() ?? null,
  rotated_at: row.rotated_at?.toISOString() ?? null,
  former_until: isPast(row.former_until) ? null : (row.former_until?.toISOString() ?? null),
})

const isPast = (moment: Date | null): boolean => moment !== null && moment.getTime() <= Date.now()
