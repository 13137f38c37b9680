// Tokens from another sign-in: JWTs of one issuer, verified with a shared secret or with the keys that it publishes. We
// decide which signature algorithms are accepted, never the token.
import {
  createRemoteJWKSet,
  decodeJwt,
  decodeProtectedHeader,
  errors,
  type JWTPayload,
  jwtVerify,
} from 'jose'
import type { Config } from '../config.ts'
import type { Db } from '../database/database.ts'
import { BoardroomError } from '../errors.ts'
import type { Identity } from '../principal.ts'
import { foreignUser, serviceIssuer } from './users.ts'

export interface ForeignTokens {
  /** Whether a bearer token claims to be from the issuer. Without `authenticate`, every JWT counts as one. */
  isTheirs(token: string, onlyByIssuer: boolean): boolean
  /** @throws BoardroomError not_signed_in, with the reason | issuer_unreachable */
  identify(token: string): Promise<Identity>
}

type Settings = Pick<
  Config,
  | 'jwtIssuer'
  | 'jwtAudience'
  | 'jwtJwksUrl'
  | 'jwtSecret'
  | 'jwtUserClaim'
  | 'jwtNameClaim'
  | 'jwtClockSkewSeconds'
>

const mostCharacters = 8192
/** Separate for a shared secret and for published keys: a public key must never be used as a secret. */
const symmetric = ['HS256', 'HS384', 'HS512']
export const asymmetric = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
]

/** How published keys are fetched. */
export interface JwksTimes {
  /** After this time a request is aborted together with its connection. */
  timeoutMs: number
  /** An unknown key id causes the keys to be fetched again at most this often. */
  cooldownMs: number
  /** After this time they are fetched again, and unusable if that fails, because a key may have been revoked. */
  maxAgeMs: number
}
const usual: JwksTimes = { timeoutMs: 5000, cooldownMs: 30_000, maxAgeMs: 600_000 }

/** @returns null if no issuer is set. @throws BoardroomError invalid_config if settings contradict each other */
export function foreignTokens(db: Db, settings: Settings, times: JwksTimes = usual): ForeignTokens | null {
  const { jwtIssuer: issuer, jwtAudience: audience, jwtJwksUrl: jwksUrl, jwtSecret: secret } = settings
  if (issuer === undefined) {
    if (jwksUrl === undefined && secret === undefined && audience.length === 0) return null
    throw new BoardroomError(
      'invalid_config',
      'BOARDROOM_JWT_ISSUER is required by the other BOARDROOM_JWT_… settings',
    )
  }
  if ((jwksUrl === undefined) === (secret === undefined)) {
    throw new BoardroomError(
      'invalid_config',
      'with BOARDROOM_JWT_ISSUER set exactly one of BOARDROOM_JWT_JWKS_URL and BOARDROOM_JWT_SECRET',
    )
  }
  if (jwksUrl !== undefined && audience.length === 0) {
    throw new BoardroomError(
      'invalid_config',
      'BOARDROOM_JWT_AUDIENCE: set it to the aud of your tokens; otherwise tokens that this issuer made for other applications would be accepted',
    )
  }
  if (issuer === serviceIssuer) {
    throw new BoardroomError('invalid_config', `BOARDROOM_JWT_ISSUER: ${serviceIssuer} is reserved`)
  }
  const algorithms = secret === undefined ? asymmetric : symmetric
  const options = {
    issuer,
    ...(audience.length === 0 ? {} : { audience: [...audience] }),
    algorithms,
    clockTolerance: settings.jwtClockSkewSeconds,
    requiredClaims: ['exp', settings.jwtUserClaim],
  }
  const bytes = secret === undefined ? null : new TextEncoder().encode(secret)
  const published =
    jwksUrl === undefined
      ? null
      : createRemoteJWKSet(new URL(jwksUrl), {
          timeoutDuration: times.timeoutMs,
          cooldownDuration: times.cooldownMs,
          cacheMaxAge: times.maxAgeMs,
        })

  const verify = async (token: string): Promise<JWTPayload> => {
    try {
      if (bytes !== null) return (await jwtVerify(token, bytes, options)).payload
      if (published !== null) return (await jwtVerify(token, published, options)).payload
    } catch (error) {
      throw refusalOf(error, algorithms)
    }
    throw new BoardroomError('internal', 'foreign tokens without a key')
  }

  return {
    isTheirs: (token, onlyByIssuer) => isJwt(token) && (!onlyByIssuer || claimsIssuer(token, issuer)),
    async identify(token) {
      if (token.length > mostCharacters) throw no(`this token is longer than ${mostCharacters} characters`)
      const payload = await verify(token)
      const externalId = textOf(payload[settings.jwtUserClaim])
      if (externalId === null || externalId.length > 255 || !externalId.isWellFormed()) {
        throw no(`expected a string of at most 255 characters in the claim ${settings.jwtUserClaim}`)
      }
      const name = textOf(payload[settings.jwtNameClaim]) ?? externalId
      const user = await foreignUser(db, { externalId, name, issuer })
      if (!user.is_active) throw no('this account is deactivated')
      return {
        principal: { kind: 'user', userId: user.id, name: user.name, role: user.role },
        via: 'jwt',
        sessionId: null,
        boardId: null,
        maxLevel: null,
        issuer,
      }
    },
  }
}

const no = (message: string, cause?: unknown) => new BoardroomError('not_signed_in', message, { cause })

/** The reason why a token is invalid, for its sender; without any of its content. */
function refusalOf(error: unknown, algorithms: readonly string[]): BoardroomError {
  if (error instanceof errors.JWTExpired) return no('this token has expired; get a new one', error)
  if (error instanceof errors.JWTClaimValidationFailed) {
    return error.claim === 'nbf'
      ? no('this token is not valid yet; check the clocks', error)
      : no(`the claim ${error.claim} of this token is missing or wrong`, error)
  }
  if (error instanceof errors.JOSEAlgNotAllowed) {
    return no(`expected a token signed with one of ${algorithms.join(', ')}`, error)
  }
  if (error instanceof errors.JWSSignatureVerificationFailed) {
    return no('the signature of this token is wrong', error)
  }
  if (error instanceof errors.JWKSNoMatchingKey) {
    return no('this token is signed with a key that its issuer does not publish', error)
  }
  if (error instanceof errors.JWKSMultipleMatchingKeys) {
    return no('this token does not name the key (kid) that signed it', error)
  }
  if (error instanceof errors.JWSInvalid || error instanceof errors.JWTInvalid) {
    return no('this is not a JSON Web Token', error)
  }
  if (error instanceof errors.JOSENotSupported) return no('this token uses an unsupported feature', error)
  // The remaining errors concern the keys: unreachable, too slow, not a key set, an unusable key.
  return new BoardroomError(
    'issuer_unreachable',
    'the keys of the issuer of this token cannot be read at the moment; try again soon',
    { cause: error },
  )
}

/** Whether it has three parts, of which the first names an algorithm. */
function isJwt(token: string): boolean {
  if (token.split('.').length !== 3) return false
  try {
    return decodeProtectedHeader(token).alg !== undefined
  } catch {
    return false // not a JWT, though it has two dots
  }
}

function claimsIssuer(token: string, issuer: string): boolean {
  try {
    return decodeJwt(token).iss === issuer
  } catch {
    return false // no claims in it
  }
}

/** Some issuers use numbers as ids. */
const textOf = (claim: unknown): string | null => {
  if (typeof claim === 'number' && Number.isSafeInteger(claim)) return String(claim)
  return typeof claim === 'string' && claim !== '' && !claim.includes('\u0000') ? claim : null
}
