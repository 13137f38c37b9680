// Exchanging the secret of a share link, and possibly its password, for access. Guessing reveals nothing: unknown,
// expired, revoked, suspended and used-up links all get the same error.
import type {
  ShareLinkExchange,
  ShareLinkExchangeResponse,
  ShareLinkPreviewResponse,
} from '../../shared/api.ts'
import { sha256Of } from '../accounts/secret.ts'
import { becomeActor, transactionAs } from '../audit/actor.ts'
import { BoardroomError } from '../errors.ts'
import { type Actor, actorOf, type Identity } from '../principal.ts'
import { subjectOf } from './access.ts'
import type { BoardsDeps } from './deps.ts'
import type { LinkPasswords } from './link-password.ts'
import {
  countUse,
  hasGuests,
  heldUse,
  insertUse,
  linkByToken,
  type ShareLinkRow,
} from './share-link-queries.ts'
import { stateOf } from './share-links.ts'

type Deps = Pick<
  BoardsDeps,
  'db' | 'access' | 'audit' | 'guests' | 'failedGuesses' | 'newGuests' | 'limits' | 'makeTicket'
> & {
  passwords: LinkPasswords
}
type Person = { userId: number } | { guestId: string }

/**
 * Adds the link to the asker's links. An anonymous asker becomes a guest. Somebody who already has the link is let in
 * again without a password and is not counted again.
 * @param address the key that failed guesses are counted by.
 * @returns the result, and the `Set-Cookie` of a new guest.
 * @throws BoardroomError link_not_valid | link_password_needed (`details.wrong`: a wrong one was given) | too_many_requests |
 * access_denied (agents)
 */
export async function exchangeShareLink(
  deps: Deps,
  identity: Identity,
  actor: Actor,
  address: string,
  body: ShareLinkExchange,
): Promise<{ answer: ShareLinkExchangeResponse; cookie: string | null }> {
  if (identity.principal.kind === 'agent') {
    throw new BoardroomError('access_denied', 'agents need grants and cannot use share links')
  }
  const person = identity.boardId === null ? personOf(identity) : null // a ticket is anonymous except on its board
  const link = await linkByToken(deps.db, sha256Of(body.token))
  const use = link !== undefined && person !== null ? await heldUse(deps.db, link.id, person) : undefined
  const holdsIt = use !== undefined && use.revoked_at === null
  if (link === undefined || !letsIn(link, holdsIt) || (use !== undefined && !holdsIt)) {
    return refuse(deps, actor, address, link)
  }
  if (link.password_hash !== null && !holdsIt) await checkPassword(deps, actor, address, link, body.password)

  if (person === null) refuseCrowd(deps, address)
  const entered = await enter(deps, actor, identity, person, link, body.name)
  if (entered === null) return refuse(deps, actor, address, link)
  const decision = await deps.access.decideOne(subjectOf(entered.identity, link.board_id))
  const level = decision.level ?? decision.awaitsConsent?.level ?? null
  if (level === null) return refuse(deps, actor, address, link)
  const ticket = await deps.makeTicket(entered.identity, link.board_id)
  const { principal } = entered.identity
  return {
    answer: {
      board_id: link.board_id,
      level,
      name: principal.kind === 'anonymous' ? 'Guest' : principal.name,
      ticket,
    },
    cookie: entered.cookie,
  }
}

/**
 * What the link would do for the asker; it does not count as a use.
 * @throws BoardroomError link_not_valid | too_many_requests
 */
export async function previewShareLink(
  deps: Deps,
  identity: Identity,
  actor: Actor,
  address: string,
  token: string,
): Promise<ShareLinkPreviewResponse> {
  const person = identity.boardId === null ? personOf(identity) : null
  const link = await linkByToken(deps.db, sha256Of(token))
  const use = link !== undefined && person !== null ? await heldUse(deps.db, link.id, person) : undefined
  const holdsIt = use !== undefined && use.revoked_at === null
  if (link === undefined || !letsIn(link, holdsIt) || (use !== undefined && !holdsIt))
    return refuse(deps, actor, address, link)
  return {
    board_id: link.board_id,
    level: link.level,
    needs_password: link.password_hash !== null && !holdsIt,
    needs_name: person === null,
  }
}

const personOf = ({ principal }: Identity): Person | null =>
  principal.kind === 'user'
    ? { userId: principal.userId }
    : principal.kind === 'guest'
      ? { guestId: principal.guestId }
      : null

/** A used-up link lets nobody new in; people who already have it keep access. */
const letsIn = (link: ShareLinkRow, holdsIt: boolean): boolean => {
  const state = stateOf(link)
  return state === 'active' || (state === 'used_up' && holdsIt)
}

/** Records the use, counts it and, if needed, creates the guest in one transaction; null if the link is used up. */
async function enter(
  deps: Deps,
  actor: Actor,
  identity: Identity,
  known: Person | null,
  link: ShareLinkRow,
  name = 'Guest',
): Promise<{ identity: Identity; cookie: string | null } | null> {
  const full = Symbol('the link is used up')
  return transactionAs(deps.db, actor, async (trx) => {
    let entered: { identity: Identity; cookie: string | null } = { identity, cookie: null }
    let person = known
    if (person === null) {
      if (await hasGuests(trx, link.id, deps.limits.maxGuestsPerLink))
        throw crowded(deps.limits.maxGuestsPerLink)
      const { guestId, cookie } = await deps.guests.create(trx, { name, linkExpiresAt: link.expires_at })
      person = { guestId }
      entered = { identity: guest(guestId, name), cookie }
      await becomeActor(trx, actorOf(entered.identity, actor.ip, actor.userAgent))
    }
    const { principal } = entered.identity
    const isNew = await insertUse(
      trx,
      link.id,
      person,
      principal.kind === 'anonymous' ? name : principal.name,
    )
    if (isNew && !(await countUse(trx, link.id))) throw full
    if (isNew && known !== null && 'guestId' in known) await deps.guests.extend(trx, known.guestId)
    return entered
  }).catch((error: unknown) => {
    if (error === full) return null
    throw error
  })
}

const guest = (guestId: string, name: string): Identity => ({
  principal: { kind: 'guest', guestId, name },
  via: 'guest',
  sessionId: null,
  boardId: null,
  maxLevel: null,
})

/** Guests are rows, so one holder of a link must not create hundreds. */
function refuseCrowd({ newGuests }: Deps, address: string): void {
  if (newGuests.take(address)) return
  throw new BoardroomError(
    'too_many_requests',
    'too many new guests from your address; existing guests can continue, others should try again in a minute',
    {
      details: {
        limit: 'new_guests_per_address',
        retry_after_seconds: Math.ceil(newGuests.retryAfterMs(address) / 1000),
      },
    },
  )
}

const crowded = (most: number): BoardroomError =>
  new BoardroomError('conflict', `this link has reached its limit of ${most} guests; ask for a new link`, {
    details: { limit: 'guests_per_link', max_guests: most },
  })

const tooMany = (waitMs: number): BoardroomError =>
  new BoardroomError(
    'too_many_requests',
    'too many wrong links or passwords from your address; try again later',
    {
      details: { retry_after_seconds: Math.ceil(waitMs / 1000) },
    },
  )

async function refuse(
  deps: Deps,
  actor: Actor,
  address: string,
  link: ShareLinkRow | undefined,
): Promise<never> {
  // A correct secret, even of an expired link, is not a guess, so others behind the same address are not locked out by
  // somebody's attempts. Even a thousand parallel guesses cannot find a secret of 256 bits.
  if (link === undefined && !deps.failedGuesses.take(address))
    throw tooMany(deps.failedGuesses.retryAfterMs(address))
  await deps.audit.record({
    action: 'access_denied',
    actor,
    boardId: link?.board_id ?? null,
    linkId: link?.id ?? null,
    details: { reason: link === undefined ? 'unknown_link' : 'link_not_valid' },
  })
  throw new BoardroomError(
    'link_not_valid',
    'this link is not valid: it is unknown, expired, revoked or used up; ask for a new one',
  )
}

/** Takes a try first and gives it back, because a thousand parallel guesses would all pass a check made beforehand. */
async function checkPassword(
  deps: Deps,
  actor: Actor,
  address: string,
  link: ShareLinkRow,
  password: string | undefined,
): Promise<void> {
  if (password === undefined) {
    throw new BoardroomError('link_password_needed', 'this link requires a password', {
      details: { wrong: false },
    })
  }
  if (!deps.failedGuesses.take(address)) throw tooMany(deps.failedGuesses.retryAfterMs(address))
  if (await deps.passwords.matches(password, link.password_hash ?? '')) {
    deps.failedGuesses.giveBack(address)
    return
  }
  await deps.audit.record({
    action: 'access_denied',
    actor,
    boardId: link.board_id,
    linkId: link.id,
    details: { reason: 'wrong_link_password' },
  })
  throw new BoardroomError('link_password_needed', 'the password is wrong', {
    details: { wrong: true },
  })
}
