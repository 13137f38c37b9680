// Second factors over HTTP.
import { z } from 'zod'
import { strict, text } from './fields.ts'

export const TwoFactorPassword = strict({ password: text(1000, 1).describe('your own, again') }).meta({
  id: 'TwoFactorPassword',
})

export const TwoFactorCode = strict({ code: text(100, 1) }).meta({ id: 'TwoFactorCode' })

export const TwoFactorSetUp = z
  .object({
    totp_uri: z.string().describe('otpauth://…'),
    secret: z.string().describe('the same, for typing'),
    recovery_codes: z.array(z.string()).describe('each can be used once, if the app is lost'),
  })
  .meta({ id: 'TwoFactorSetUp' })
export type TwoFactorSetUp = z.infer<typeof TwoFactorSetUp>

export const RecoveryCodes = z.object({ recovery_codes: z.array(z.string()) }).meta({ id: 'RecoveryCodes' })
export type RecoveryCodes = z.infer<typeof RecoveryCodes>
