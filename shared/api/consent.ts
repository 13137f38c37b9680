// Consent over HTTP: the texts that people must accept before they join, and what they accepted.
import { z } from 'zod'
import { strict, Timestamp, text, trimmed, UserId, Uuid } from './fields.ts'

const Version = trimmed(50)
const Category = text(50, 1).regex(
  /^[a-z0-9][a-z0-9_.-]*$/i,
  'expected a name like analytics or third_party: letters, digits, _ . -',
)
const Categories = z
  .array(Category)
  .max(50)
  .transform((names) => [...new Set(names)])

export const ConsentCreate = strict({
  consent_version: Version,
  privacy_policy_version: Version,
  consent_categories: Categories.default([]),
  board_id: Uuid.optional().describe('for a text that a board requires; omitted: the text of the instance'),
}).meta({ id: 'ConsentCreate' })
export type ConsentCreate = z.infer<typeof ConsentCreate>

export const ConsentTextCreate = strict({
  text: text(200_000, 1).refine((value) => value.trim() !== '', 'must hold something visible'),
  consent_version: Version,
  privacy_policy_version: Version,
  required_categories: Categories.default([]),
  optional_categories: Categories.default([]),
}).meta({ id: 'ConsentTextCreate' })
export type ConsentTextCreate = z.infer<typeof ConsentTextCreate>

export const ConsentRecord = z
  .object({
    id: Uuid,
    board_id: Uuid.nullable().describe('null: the text of the instance'),
    user_id: UserId.nullable(),
    guest_id: Uuid.nullable(),
    consent_version: z.string(),
    privacy_policy_version: z.string(),
    consent_categories: z.array(z.string()),
    accepted_at: Timestamp,
    withdrawn_at: Timestamp.nullable(),
    ip_address: z.string().nullable(),
    user_agent: z.string().nullable(),
    created_at: Timestamp,
  })
  .meta({ id: 'ConsentRecord' })
export type ConsentRecord = z.infer<typeof ConsentRecord>

export const ConsentAsked = z
  .object({
    board_id: Uuid.nullable().describe('null: required by the instance'),
    board_title: z.string().nullable(),
    consent_version: z.string(),
    privacy_policy_version: z.string(),
    text: z.string().describe('to be shown as plain text'),
    required_categories: z.array(z.string()),
    optional_categories: z
      .array(z.string())
      .describe('neither of the two: any names are accepted and stored'),
    given: z.boolean().describe('whether the requester has a valid record for exactly this version'),
  })
  .meta({ id: 'ConsentAsked' })
export type ConsentAsked = z.infer<typeof ConsentAsked>

export const ConsentResponse = z
  .object({
    required: z.boolean().describe('true while the requester has not accepted a required text'),
    consent_version: z.string().nullable().describe('of the text of the instance; null if it requires none'),
    privacy_policy_version: z.string().nullable(),
    asked: z.array(ConsentAsked).describe('the text of the instance first, then the text of the board'),
    given: z.array(ConsentRecord).describe('of the requester, newest first, at most 200'),
  })
  .meta({ id: 'ConsentResponse' })
export type ConsentResponse = z.infer<typeof ConsentResponse>

export const ConsentTextResponse = ConsentAsked.omit({ given: true, board_title: true })
  .extend({ created_at: Timestamp, ended_at: Timestamp.nullable() })
  .meta({ id: 'ConsentTextResponse' })
export type ConsentTextResponse = z.infer<typeof ConsentTextResponse>
