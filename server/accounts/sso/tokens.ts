// Exchanges a code for tokens. Better Auth's own request for this has no time-out.
import { authorizationCodeRequest, getOAuth2Tokens } from 'better-auth/oauth2'
import { type Discovery, providerAway, providerTimeoutMs } from './profile.ts'

/** @see https://openid.net/specs/openid-connect-core-1_0.html#ClientAuthentication */
export type ClientAuthentication = 'basic' | 'post'

/**
 * @throws BoardroomError issuer_unreachable (no response in time, or a 5xx status); Error if the provider refuses the
 *   code
 */
export async function tokensOf(
  client: { id: string; secret: string; authentication: ClientAuthentication },
  { token_endpoint: url }: Pick<Discovery, 'token_endpoint'>,
  given: { code: string; codeVerifier?: string | undefined; redirectURI: string },
): Promise<ReturnType<typeof getOAuth2Tokens>> {
  const { body, headers } = await authorizationCodeRequest({
    code: given.code,
    ...(given.codeVerifier === undefined ? {} : { codeVerifier: given.codeVerifier }),
    redirectURI: given.redirectURI,
    options: { clientId: client.id, clientSecret: client.secret, redirectURI: given.redirectURI },
    tokenEndpoint: url,
    authentication: client.authentication,
  })
  const answer = await fetch(url, {
    method: 'POST',
    body,
    headers,
    redirect: 'error',
    signal: AbortSignal.timeout(providerTimeoutMs),
  }).catch((cause: unknown) => {
    throw providerAway(cause)
  })
  if (answer.status >= 500) throw providerAway(new Error(`the token endpoint answered ${answer.status}`))
  if (!answer.ok) throw new Error(`the token endpoint answered ${answer.status}`)
  const tokens: unknown = await answer.json().catch((cause: unknown) => {
    throw providerAway(cause)
  })
  if (typeof tokens !== 'object' || tokens === null) throw new Error('the token endpoint answered no object')
  return getOAuth2Tokens(tokens)
}
