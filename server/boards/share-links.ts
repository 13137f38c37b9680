// Creating, listing, changing and revoking share links, for managers of the board. exchange.ts has opening one.
import { z } from 'zod'
import type { ShareLinkCreate, ShareLinkResponse, ShareLinkUpdate } from '../../shared/api.ts'
import { newSecret } from '../accounts/secret.ts'
import { transactionAs } from '../audit/actor.ts'
import { BoardroomError } from '../errors.ts'
import type { Actor } from '../principal.ts'
import { pageOf, positionOf } from '../routing/cursor.ts'
import { boardById } from './board-queries.ts'
import type { BoardsDeps } from './deps.ts'
import type { LinkPasswords } from './link-password.ts'
import { insertLink, linkById, linksOf, type ShareLinkRow, setLink } from './share-link-queries.ts'

type Deps = Pick<BoardsDeps, 'db'> & { passwords: LinkPasswords }

/** The URL of the link. The secret is in the fragment, which no log, referrer or preview bot ever sees. */
export const shareLinkUrl = (boardUrl: string, token: string): string => `${boardUrl}#k=${token}`

/**
 * Creates a link. It never grants more than its creator may grant; the system creates links on behalf of the owner.
 * @returns the link, and the only copy of its secret.
 * @throws BoardroomError not_found | invalid_request (expires_at) | too_many_requests
 */
export async function createShareLink(
  deps: Deps,
  actor: Actor,
  boardId: string,
  body: ShareLinkCreate,
): Promise<{ link: ShareLinkResponse; token: string }> {
  refusePast(body.expires_at)
  const board = await boardById(deps.db, boardId)
  if (board === undefined) throw new BoardroomError('not_found', 'there is no such board')
  const { secret: token, sha256 } = newSecret()
  const passwordHash = body.password === undefined ? null : await deps.passwords.hash(body.password)
  const id = await transactionAs(deps.db, actor, (trx) =>
    insertLink(trx, {
      board_id: boardId,
      level: body.level,
      token_sha256: sha256,
      label: body.label ?? null,
      password_hash: passwordHash,
      expires_at: body.expires_at ?? null,
      max_uses: body.max_uses ?? null,
      created_by: actor.userId ?? board.owner_id,
    }),
  )
  return { link: await readShareLink(deps, boardId, id), token }
}

/** @throws BoardroomError not_found */
async function readShareLink(deps: Deps, boardId: string, linkId: string): Promise<ShareLinkResponse> {
  const row = await linkById(deps.db, boardId, linkId)
  if (row === undefined) throw new BoardroomError('not_found', 'this board has no such share link')
  return shareLinkResponse(row)
}

/** Newest first, including those that no longer work. @throws BoardroomError invalid_request (cursor) */
export async function listShareLinks(
  deps: Deps,
  boardId: string,
  query: { limit: number; cursor?: string | undefined },
): Promise<{ items: ShareLinkResponse[]; next_cursor: string | null }> {
  const question = ['share-links', boardId]
  const after = positionOf(question, query.cursor, { key: z.iso.datetime(), id: z.uuid() })
  const rows = await linksOf(deps.db, boardId, after, query.limit + 1)
  const page = pageOf(question, rows, query.limit, ({ key, id }) => ({ key, id }))
  return { items: page.rows.map(shareLinkResponse), next_cursor: page.next_cursor }
}

/**
 * Changes a link, with immediate effect for everybody who has it; a new password only applies to later uses.
 * @throws BoardroomError not_found | conflict (revoked) | invalid_request (expires_at) | too_many_requests
 */
export async function updateShareLink(
  deps: Deps,
  actor: Actor,
  boardId: string,
  linkId: string,
  body: ShareLinkUpdate,
): Promise<ShareLinkResponse> {
  refusePast(body.expires_at)
  const { password, ...rest } = body
  const secret =
    password === undefined
      ? {}
      : { password_hash: password === null ? null : await deps.passwords.hash(password) }
  const changed = await transactionAs(deps.db, actor, (trx) =>
    setLink(trx, boardId, linkId, { ...rest, ...secret }),
  )
  const link = await readShareLink(deps, boardId, linkId)
  if (!changed) throw new BoardroomError('conflict', 'this share link is revoked; create a new one')
  return link
}

/** Everybody who came in through it is disconnected at once. Idempotent. @throws BoardroomError not_found */
export async function revokeShareLink(
  deps: Deps,
  actor: Actor,
  boardId: string,
  linkId: string,
): Promise<void> {
  const revoked = await transactionAs(deps.db, actor, (trx) =>
    setLink(trx, boardId, linkId, { revoked_at: new Date() }),
  )
  if (!revoked) await readShareLink(deps, boardId, linkId)
}

function refusePast(expiresAt: string | null | undefined): void {
  if (expiresAt !== null && expiresAt !== undefined && Date.parse(expiresAt) <= Date.now()) {
    throw new BoardroomError('invalid_request', 'body: expires_at: expected a time in the future', {
      details: { in: 'json', issues: [{ path: 'expires_at', message: 'expected a time in the future' }] },
    })
  }
}

/** Whether it works, and if not, why. */
export function stateOf(link: ShareLinkRow): ShareLinkResponse['state'] {
  if (link.revoked_at !== null) return 'revoked'
  if (link.is_expired) return 'expired'
  if (!link.creator_may || link.board_deleted_at !== null) return 'suspended'
  return link.max_uses !== null && link.uses >= link.max_uses ? 'used_up' : 'active'
}

const shareLinkResponse = (link: ShareLinkRow): ShareLinkResponse => ({
  id: link.id,
  board_id: link.board_id,
  url: null,
  permission_level: link.level,
  is_public: link.board_is_public,
  label: link.label,
  has_password: link.password_hash !== null,
  expires_at: link.expires_at?.toISOString() ?? null,
  max_uses: link.max_uses,
  uses: link.uses,
  revoked_at: link.revoked_at?.toISOString() ?? null,
  created_by: link.created_by,
  created_at: link.created_at.toISOString(),
  last_used_at: link.last_used_at?.toISOString() ?? null,
  state: stateOf(link),
})
