// The parts of the HTTP API for people and the instance.
import type { InstanceConnection, InstanceLink, InstanceResponse } from '../shared/api/instance.ts'
import type {
  InvitationCreate,
  InvitationPreview,
  InvitationResponse,
  PasswordResetResponse,
  SignInOptions,
  UserHoldings,
  UserListQuery,
  UserResponse,
  UserUpdate,
  UserUpdateResponse,
} from '../shared/api/people.ts'
import type { RecoveryCodes, TwoFactorSetUp } from '../shared/api/two-factor.ts'
import type { MeResponse, SessionResponse } from '../shared/api.ts'
import { done, json, type Page, query } from './api.ts'

export const signInOptions = () => json<SignInOptions>('GET', '/auth/options')
/** @returns whether a second factor is required now. */
export const signIn = async (body: { email: string; password: string }): Promise<boolean> =>
  (await json<{ twoFactorRedirect?: boolean }>('POST', '/auth/sign-in/email', { body })).twoFactorRedirect ===
  true
export const verifyCode = (code: string, isRecovery: boolean) =>
  done('POST', `/auth/two-factor/${isRecovery ? 'verify-backup-code' : 'verify-totp'}`, { body: { code } })
export const beginTwoFactor = (password: string) =>
  json<TwoFactorSetUp>('POST', '/auth/two-factor/enable', { body: { password } })
export const endTwoFactor = (password: string) =>
  done('POST', '/auth/two-factor/disable', { body: { password } })
export const newRecoveryCodes = (password: string) =>
  json<RecoveryCodes>('POST', '/auth/two-factor/generate-backup-codes', { body: { password } })

export const rename = (name: string) => json<MeResponse>('PATCH', '/me', { body: { name } })
export const changePassword = (currentPassword: string, newPassword: string) =>
  done('POST', '/auth/change-password', { body: { currentPassword, newPassword } })
export const ownSessions = () => json<Page<SessionResponse>>('GET', '/me/sessions')
export const endSession = (id: number) => done('DELETE', `/me/sessions/${id}`)
export const endOtherSessions = () => done('DELETE', '/me/sessions')
export const mailSettings = () => json<{ comments: boolean; server_mails: boolean }>('GET', '/me/mail')
export const setMail = (comments: boolean) => done('PUT', '/me/mail', { body: { comments } })

export const previewInvitation = (token: string) =>
  json<InvitationPreview>('POST', '/invitations/preview', { body: { token } })
export const acceptInvitation = (body: { token: string; name: string; email?: string; password: string }) =>
  done('POST', '/invitations/accept', { body })
export const previewPasswordLink = (token: string) =>
  json<{ email: string | null }>('POST', '/password-resets/preview', { body: { token } })
export const setPasswordByLink = (token: string, password: string) =>
  done('POST', '/password-resets/use', { body: { token, password } })
export const askPasswordLink = (email: string) => done('POST', '/password-resets', { body: { email } })

export const listUsers = (asked: Partial<UserListQuery>) =>
  json<Page<UserResponse>>('GET', `/users${query(asked)}`)
/** For choosing one; a server with thousands shows the first two thousand. */
export async function everyActiveUser(): Promise<UserResponse[]> {
  const found: UserResponse[] = []
  let cursor: string | undefined
  do {
    const page = await listUsers({ active: 'true', limit: 200, ...(cursor === undefined ? {} : { cursor }) })
    found.push(...page.items)
    cursor = page.next_cursor ?? undefined
  } while (cursor !== undefined && found.length < 2000)
  return found.sort((a, b) => a.name.localeCompare(b.name))
}
export const updateUser = (id: number, body: UserUpdate) =>
  json<UserUpdateResponse>('PATCH', `/users/${id}`, { body })
export const holdings = (id: number) => json<UserHoldings>('GET', `/users/${id}/holdings`)
export const endSessionsOf = (id: number) => done('DELETE', `/users/${id}/sessions`)
export const removeTwoFactor = (id: number) => done('DELETE', `/users/${id}/two-factor`)
export const passwordLink = (id: number) => json<PasswordResetResponse>('POST', `/users/${id}/password-reset`)
export const listInvitations = (cursor?: string) =>
  json<Page<InvitationResponse>>('GET', `/invitations${query({ cursor })}`)
export const invite = (body: Partial<InvitationCreate>) =>
  json<InvitationResponse>('POST', '/invitations', { body })
export const withdrawInvitation = (id: string) => done('DELETE', `/invitations/${id}`)

export const instance = () => json<InstanceResponse>('GET', '/instance')
export const everyConnection = () => json<Page<InstanceConnection>>('GET', '/connections')
export const everyLink = (cursor?: string) =>
  json<Page<InstanceLink>>('GET', `/share-links${query({ cursor })}`)
