// Building blocks for the schemas of all bodies: texts, ids, timestamps, strict objects, list pages.
import { z } from 'zod'
import { levels } from '../levels.ts'

export const PermissionLevel = z.enum(levels).describe('view < comment < edit')
export type PermissionLevel = z.infer<typeof PermissionLevel>

/** Text that Postgres can hold: no NUL, no lone surrogate. */
export const text = (most: number, least = 0) =>
  z
    .string()
    .min(least)
    .max(most)
    .refine((value) => !value.includes('\u0000'), 'must not contain a NUL character')
    .refine((value) => value.isWellFormed(), 'must be well-formed Unicode')
/** For names and titles: with only blanks and invisible characters, a person or board would be invisible. */
export const trimmed = (most: number) =>
  text(most)
    .transform((value) => value.trim())
    .pipe(z.string().min(1).max(most))
    .refine((value) => value === '' || /[\p{L}\p{N}\p{P}\p{S}]/u.test(value), 'must hold something visible')

/**
 * Control characters, line separators, and marks that override the direction of text: with them a name could imitate
 * another one, or garble the text next to it.
 */
const disturbing = /[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/u
export const isOneName = (value: string): boolean => !disturbing.test(value)
export const noName =
  'must not hold control characters, line breaks or marks that change the direction of text'

/** A name or title, on one line and without direction marks. */
export const nameOf = (most: number) => trimmed(most).refine(isOneName, noName)

/** A strict object whose error lists the allowed keys, so that a misspelt one is obvious. */
export const strict = <Shape extends z.core.$ZodLooseShape>(shape: Shape) =>
  z.strictObject(shape, {
    error: (issue) =>
      issue.code === 'unrecognized_keys'
        ? `unknown key ${issue.keys.map((key) => JSON.stringify(key)).join(', ')}; expected ${Object.keys(shape).join(', ')}`
        : undefined,
  })

export const Timestamp = z.iso.datetime({
  offset: true,
  error: 'expected a moment with its offset, like 2026-01-31T12:00:00Z',
})
/** Normalised to lower case. */
export const Uuid = z.uuid().toLowerCase()
export const UserId = z.int().positive().max(2_147_483_647)

export const listOf = <Item extends z.ZodType>(item: Item) =>
  z.object({ items: z.array(item), next_cursor: z.string().nullable() })

export const limit = (most: number) =>
  z.coerce.number(`expected a whole number from 1 to ${most}`).int().min(1).max(most).default(50)
export const cursor = text(500).optional()

/** Parameters of every list: how many items, and where to start. */
export const PageQuery = strict({ limit: limit(200), cursor })
export type PageQuery = z.infer<typeof PageQuery>
