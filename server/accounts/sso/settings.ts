// The settings of single sign-on, validated together.
import type { Config } from '../../config.ts'
import { BoardroomError } from '../../errors.ts'
import type { Role } from '../../principal.ts'
import { providerId } from './queries.ts'

/** The callback path, below `/api/auth`. */
export const callbackPath = `/callback/${providerId}`

export interface SsoSettings {
  issuer: string
  clientId: string
  clientSecret: string
  /** The name on the button. */
  name: string
  scopes: readonly string[]
  groupsClaim: string
  /** Empty: the provider does not assign roles. */
  roles: readonly { role: Role; group: string }[]
  accounts: Config['oidcAccounts']
}

/** @returns null if no provider is set. @throws BoardroomError invalid_config if settings contradict each other */
export function ssoSettings(config: Config): SsoSettings | null {
  const { oidcIssuer: issuer, oidcClientId: clientId, oidcClientSecret: clientSecret } = config
  if (issuer === undefined || clientId === undefined || clientSecret === undefined) {
    if (issuer !== undefined || clientId !== undefined || clientSecret !== undefined) {
      throw wrong(
        'set BOARDROOM_OIDC_ISSUER, BOARDROOM_OIDC_CLIENT_ID and BOARDROOM_OIDC_CLIENT_SECRET, or none of them',
      )
    }
    if (config.passwords === 'off') {
      throw wrong('BOARDROOM_PASSWORDS=off: nobody could sign in; set BOARDROOM_OIDC_ISSUER as well')
    }
    return null
  }
  const roles = config.oidcRoles.map((pair) => {
    const equals = pair.indexOf('=')
    return { role: pair.slice(0, equals) as Role, group: pair.slice(equals + 1).trim() } // config.ts checked it
  })
  if (config.oidcAccounts === 'groups' && roles.length === 0) {
    throw wrong('BOARDROOM_OIDC_ACCOUNTS=groups: name the groups in BOARDROOM_OIDC_ROLES')
  }
  return {
    ...{ issuer, clientId, clientSecret, roles },
    name: config.oidcName,
    scopes: config.oidcScopes,
    groupsClaim: config.oidcGroupsClaim,
    accounts: config.oidcAccounts,
  }
}

const wrong = (message: string) => new BoardroomError('invalid_config', message)
