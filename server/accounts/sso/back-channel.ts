// Back-channel logout: when somebody signs out at the provider, it sends us a signed token, and they are signed out here.
// https://openid.net/specs/openid-connect-backchannel-1_0.html#LogoutToken
import { errors, type JWTVerifyGetKey, jwtVerify } from 'jose'
import { z } from 'zod'
import { transactionAs } from '../../audit/actor.ts'
import { recordIn } from '../../audit/record-in.ts'
import type { Db } from '../../database/database.ts'
import { BoardroomError } from '../../errors.ts'
import type { Actor } from '../../principal.ts'
import { asymmetric } from '../foreign-tokens.ts'
import { deleteSessionsOfProvider } from '../session-queries.ts'
import { accountIdOf } from './admission.ts'
import { providerAway, SessionId } from './profile.ts'
import { noteLogout, userIdBySubject } from './queries.ts'

const event = 'http://schemas.openid.net/event/backchannel-logout'

const Claims = z
  .looseObject({
    sub: z.string().min(1).max(255).optional(),
    sid: SessionId.optional(),
    iat: z.number(),
    jti: z.string().min(1),
    events: z.looseObject({ [event]: z.looseObject({}) }),
    // An id token has one, and is not a logout token.
    nonce: z.undefined('expected no nonce').optional(),
  })
  .refine(({ sub, sid }) => sub !== undefined || sid !== undefined, 'expected sub, sid or both')

interface Issuer {
  issuer: string
  clientId: string
  keys: JWTVerifyGetKey
}

/** How old a token without `exp` may be, and how far the clocks may differ. */
const maxAgeS = 300
const clockSkewS = 60

/**
 * Ends the session that the token names, or all sessions of its person that had begun by then, so that a replayed token
 * ends nothing more. The response does not reveal whether there is such a person.
 * @returns how many ended. @throws BoardroomError invalid_request | issuer_unreachable
 */
export async function endByProvider(
  { db, schema }: { db: Db; schema: string },
  actor: Actor,
  from: Issuer,
  logoutToken: string,
): Promise<number> {
  const { sub, sid, iat } = await verified(from, logoutToken)
  // Includes the whole second in which it was issued: the claim is no more precise.
  const before = new Date((iat + 1) * 1000)
  return transactionAs(db, actor, async (trx) => {
    const accountId = sub === undefined ? null : accountIdOf(from.issuer, sub)
    // Also stops a sign-in that is in progress and has no session yet.
    await noteLogout(trx, schema, { session: sid ?? null, accountId, signedBefore: before })
    const userId = accountId === null ? null : await userIdBySubject(trx, accountId)
    // An unknown subject; `sid` alone is enough.
    if (sub !== undefined && userId === null) return 0
    const ended =
      sid !== undefined
        ? await deleteSessionsOfProvider(trx, { providerSession: sid, userId })
        : userId !== null
          ? await deleteSessionsOfProvider(trx, { begunBefore: before, userId })
          : []
    for (const { id, user_id } of ended)
      await recordIn(trx, {
        action: 'logout',
        actor,
        resourceType: 'session',
        resourceId: String(id),
        details: { user_id, by: 'single_sign_on', issuer: from.issuer },
      })
    return ended.length
  })
}

async function verified({ issuer, clientId, keys }: Issuer, token: string): Promise<z.infer<typeof Claims>> {
  try {
    const { payload } = await jwtVerify(token, keys, {
      issuer,
      audience: clientId,
      algorithms: asymmetric,
      clockTolerance: clockSkewS,
      maxTokenAge: maxAgeS,
    })
    return Claims.parse(payload)
  } catch (cause) {
    if (cause instanceof z.ZodError) throw noToken(cause.issues[0]?.message ?? 'claims', cause)
    if (cause instanceof errors.JWKSNoMatchingKey || cause instanceof errors.JWKSMultipleMatchingKeys)
      throw noToken('the provider publishes no such key', cause)
    const isAboutToken = /^ERR_J(WT|WS|OSE_(ALG|NOT))/.test(
      cause instanceof errors.JOSEError ? cause.code : '',
    )
    if (isAboutToken) throw noToken('its signature or its claims are wrong', cause)
    throw providerAway(cause)
  }
}

const noToken = (what: string, cause: unknown) =>
  new BoardroomError('invalid_request', `this is not a logout token of the provider: ${what}`, { cause })
