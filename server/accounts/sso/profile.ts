// The profile of a person at the provider: the claims of the id token, completed by userinfo. Better Auth has already
// checked the token (signature, issuer, audience, time, nonce).
import { decodeJwt, type JWTPayload } from 'jose'
import { z } from 'zod'
import { BoardroomError } from '../../errors.ts'

/** The parts of the provider's discovery document that are used here. */
export const Discovery = z.object({
  issuer: z.string(),
  authorization_endpoint: z.url(),
  token_endpoint: z.url(),
  jwks_uri: z.url(),
  userinfo_endpoint: z.url().optional(),
  token_endpoint_auth_methods_supported: z.array(z.string()).default(['client_secret_basic']),
})
export type Discovery = z.infer<typeof Discovery>

/** @see https://openid.net/specs/openid-connect-core-1_0.html#StandardClaims */
const Claims = z.looseObject({
  sub: z.string().min(1).max(255),
  email: z.email().max(254).optional().catch(undefined),
  // Some providers send booleans as strings.
  email_verified: z.union([z.boolean(), z.literal('true').transform(() => true)]).catch(false),
  name: z.string().optional().catch(undefined),
  preferred_username: z.string().optional().catch(undefined),
})

export const SessionId = z.string().min(1).max(255)

/** Also what Better Auth keeps of the response during the sign-in. */
export interface Profile {
  [claim: string]: unknown
  sub: string
  email: string | undefined
  emailVerified: boolean
  name: string
  groups: string[]
  /** The provider's id of its own session; null if it does not tell. */
  session: string | null
  /** When it made the id token. */
  signedAt: Date | null
}

/** Time-out of one request to the provider. */
export const providerTimeoutMs = 10_000

/** @throws BoardroomError access_denied (nothing usable) | issuer_unreachable */
export async function readProfile(
  tokens: { idToken?: string | undefined; accessToken?: string | undefined },
  discovery: Discovery,
  groupsClaim: string,
): Promise<Profile> {
  if (tokens.idToken === undefined) throw unusable('the provider sent no id token')
  const fromToken = decodeJwt(tokens.idToken)
  const userinfo = await readUserinfo(discovery, tokens.accessToken)
  // https://openid.net/specs/openid-connect-core-1_0.html#UserInfoResponse: otherwise it describes somebody else
  if (userinfo !== null && userinfo.sub !== fromToken.sub) throw unusable('userinfo describes somebody else')
  const claims = Claims.safeParse({ ...fromToken, ...userinfo })
  if (!claims.success) throw unusable('the provider sent no usable sub')
  const { sub, email, email_verified, name, preferred_username } = claims.data
  return {
    sub,
    email: email?.toLowerCase(),
    emailVerified: email_verified,
    name: name ?? preferred_username ?? email?.split('@')[0] ?? sub,
    groups: textsOf(claims.data[groupsClaim]),
    session: SessionId.safeParse(fromToken.sid).data ?? null,
    signedAt: fromToken.iat === undefined ? null : new Date(fromToken.iat * 1000),
  }
}

async function readUserinfo(
  { userinfo_endpoint: url }: Discovery,
  accessToken: string | undefined,
): Promise<JWTPayload | null> {
  if (url === undefined || accessToken === undefined) return null
  try {
    const answer = await fetch(url, {
      headers: { authorization: `Bearer ${accessToken}`, accept: 'application/json' },
      signal: AbortSignal.timeout(providerTimeoutMs),
      redirect: 'error',
    })
    if (!answer.ok) throw new Error(`userinfo answered ${answer.status}`)
    return z.record(z.string(), z.unknown()).parse(await answer.json())
  } catch (cause) {
    throw providerAway(cause)
  }
}

/** @throws BoardroomError issuer_unreachable */
export async function discover(issuer: string): Promise<Discovery> {
  try {
    const answer = await fetch(discoveryUrlOf(issuer), { signal: AbortSignal.timeout(providerTimeoutMs) })
    if (!answer.ok) throw new Error(`discovery answered ${answer.status}`)
    const found = Discovery.parse(await answer.json())
    // Otherwise one provider could impersonate another.
    if (found.issuer !== issuer)
      throw new Error(`expected the issuer ${issuer}, it calls itself ${found.issuer}`)
    return found
  } catch (cause) {
    throw providerAway(cause)
  }
}

export const discoveryUrlOf = (issuer: string): string =>
  `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`

const textsOf = (claim: unknown): string[] =>
  (Array.isArray(claim) ? claim : [claim]).filter((item): item is string => typeof item === 'string')

const unusable = (message: string) =>
  new BoardroomError('access_denied', message, { details: { reason: 'unusable' } })

export const providerAway = (cause: unknown): BoardroomError =>
  new BoardroomError('issuer_unreachable', 'the sign-in provider does not respond', { cause })
