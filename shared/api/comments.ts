// Threads, their comments, and notifications over HTTP.
import { z } from 'zod'
import { maxCommentLength } from '../comments.ts'
import { cursor, limit, strict, Timestamp, text, Uuid } from './fields.ts'

/** People mentioned in one comment. */
const maxMentions = 20

const coordinate = z.number('expected a number').min(-1e9).max(1e9)

export const Anchor = strict({
  x: coordinate,
  y: coordinate,
  element_id: text(200, 1).optional().describe('the element it is pinned to, which the pin follows'),
})
  .describe('a point in board coordinates, as it was when the thread began')
  .meta({ id: 'Anchor' })
export type Anchor = z.infer<typeof Anchor>

const share = z.number().min(-10).max(10)
export const Place = strict({ x: share, y: share })
  .describe(
    'the place on the element, as fractions of its width and height from its top left, before rotation',
  )
  .meta({ id: 'Place' })
export type Place = z.infer<typeof Place>

/** Stored as typed: markup is plain text. A comment of only blanks and invisible characters would be invisible. */
const Body = text(maxCommentLength, 1).refine(
  (value) => /[\p{L}\p{N}\p{P}\p{S}]/u.test(value),
  'must hold something visible',
)
const ClientId = text(100, 1).describe(
  'your own id for it: a repeated request writes nothing again and gets the first result',
)
const MentionId = z
  .string()
  .regex(
    /^(user:\d{1,9}|guest:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})$/,
    'expected user:7 or guest:<uuid>',
  )
const Mentions = z
  .array(MentionId)
  .max(maxMentions)
  .transform((ids) => [...new Set(ids)])
  .describe('people to notify, who may open the board; write their names into the body as @Name')

export const ThreadCreate = strict({
  anchor: Anchor,
  place: Place.optional().describe('with element_id; computed from x and y if omitted'),
  body: Body,
  mentions: Mentions.optional(),
  client_id: ClientId.optional(),
})
  .refine(({ anchor, place }) => place === undefined || anchor.element_id !== undefined, {
    message: 'needs anchor.element_id',
    path: ['place'],
  })
  .meta({ id: 'ThreadCreate' })
export type ThreadCreate = z.infer<typeof ThreadCreate>

export const ThreadUpdate = strict({ resolved: z.boolean() }).meta({ id: 'ThreadUpdate' })
export type ThreadUpdate = z.infer<typeof ThreadUpdate>

export const CommentCreate = strict({
  body: Body,
  mentions: Mentions.optional(),
  client_id: ClientId.optional(),
}).meta({ id: 'CommentCreate' })
export type CommentCreate = z.infer<typeof CommentCreate>

export const CommentUpdate = strict({ body: Body, mentions: Mentions.optional() }).meta({
  id: 'CommentUpdate',
})
export type CommentUpdate = z.infer<typeof CommentUpdate>

const flag = z.enum(['true', 'false'])
export const ThreadListQuery = strict({
  open: flag.optional().describe('true: not resolved; false: resolved'),
  unread: flag.optional().describe('true: with comments by others that the requester has not read'),
  mine: flag.optional().describe('true: begun by the requester, with a comment by them, or mentioning them'),
  comments: z.coerce
    .number('expected a whole number from 1 to 100')
    .int()
    .min(1)
    .max(100)
    .default(50)
    .describe('how many comments of each thread to include, oldest first'),
  limit: limit(200),
  cursor,
})
export type ThreadListQuery = z.infer<typeof ThreadListQuery>

export const CommentResponse = z
  .object({
    id: Uuid,
    thread_id: Uuid,
    author: z.string().describe('user:7, guest:<uuid>, agent:<uuid>, anonymous:<uuid>'),
    author_name: z.string(),
    author_label: z.string().nullable().describe('of the share link that a guest used'),
    body: z.string().describe('as typed, to be shown as text; empty once deleted'),
    mentions: z.array(z.object({ id: z.string(), name: z.string() })),
    client_id: z.string().nullable().describe('only for its author'),
    created_at: Timestamp,
    edited_at: Timestamp.nullable(),
    deleted_at: Timestamp.nullable(),
    deleted_by: z.string().nullable(),
    deleted_by_name: z.string().nullable(),
  })
  .meta({ id: 'CommentResponse' })
export type CommentResponse = z.infer<typeof CommentResponse>

export const ThreadResponse = z
  .object({
    id: Uuid,
    board_id: Uuid,
    anchor: Anchor,
    place: Place.nullable(),
    created_by: z.string(),
    created_by_name: z.string(),
    client_id: z.string().nullable().describe('only for its author'),
    created_at: Timestamp,
    resolved: z.boolean(),
    resolved_at: Timestamp.nullable(),
    resolved_by: z.string().nullable(),
    resolved_by_name: z.string().nullable(),
    comment_count: z.int().describe('without deleted ones'),
    last_comment_at: Timestamp,
    unread_count: z.int().describe('comments by others that the requester has not read'),
    mine: z.boolean().describe('begun by the requester, with a comment by them, or mentioning them'),
    comments: z.array(CommentResponse).describe('oldest first'),
    comments_cursor: z.string().nullable().describe('for GET …/threads/{id}/comments, if there are more'),
  })
  .meta({ id: 'ThreadResponse' })
export type ThreadResponse = z.infer<typeof ThreadResponse>

export const MentionableQuery = strict({
  q: text(100).optional().describe('the beginning of a word of the name'),
  limit: limit(50),
})
export const MentionableResponse = z
  .object({ id: z.string().describe('user:7 or guest:<uuid>'), name: z.string() })
  .meta({ id: 'MentionableResponse' })
export type MentionableResponse = z.infer<typeof MentionableResponse>

export const NotificationQuery = strict({
  unread: flag.optional().describe('true: not read yet'),
  limit: limit(100),
  cursor,
})
export const NotificationResponse = z
  .object({
    id: z.string(),
    kind: z.enum(['mention', 'reply']),
    board_id: Uuid,
    board_title: z.string(),
    thread_id: Uuid,
    comment_id: Uuid,
    author_name: z.string(),
    excerpt: z.string().describe('the beginning of the comment; empty once deleted'),
    created_at: Timestamp,
    read_at: Timestamp.nullable(),
  })
  .meta({ id: 'NotificationResponse' })
export type NotificationResponse = z.infer<typeof NotificationResponse>

export const NotificationsRead = strict({
  ids: z
    .array(z.string().regex(/^\d{1,18}$/))
    .max(200)
    .optional()
    .describe('omitted: all'),
}).meta({ id: 'NotificationsRead' })

export const MailChoice = strict({
  comments: z.boolean().describe('whether mentions and replies are sent by mail, if the server sends mail'),
}).meta({ id: 'MailChoice' })
export const MailChoiceResponse = z
  .object({ comments: z.boolean(), server_mails: z.boolean() })
  .meta({ id: 'MailChoiceResponse' })
