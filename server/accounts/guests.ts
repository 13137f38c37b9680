// Guests: people who came in through a share link and gave a name. A guest session is a random token in a cookie, whose
// hash is stored; it is extended to 30 days with each use, but never beyond the guest's links.
import type { Transaction } from 'kysely'
import { transactionAs } from '../audit/actor.ts'
import { recordIn } from '../audit/record-in.ts'
import type { Db } from '../database/database.ts'
import type { Tables } from '../database/tables.ts'
import { BoardroomError } from '../errors.ts'
import { type Actor, systemActor } from '../principal.ts'
import { type CookieNames, cookieOf, cookieValue } from './cookies.ts'
import {
  endGuest,
  type GuestRow,
  guestById,
  guestByToken,
  insertGuest,
  setGuestExpiry,
  setGuestName,
} from './guest-queries.ts'
import { newSecret, sha256Of } from './secret.ts'

const dayMs = 86_400_000
const slidesMs = 30 * dayMs
/** The expiry is updated only when it would move by this much, not on every request. */
const worthWritingMs = dayMs / 24

export class Guests {
  readonly #db: Db
  readonly #cookies: CookieNames

  constructor(db: Db, cookies: CookieNames) {
    this.#db = db
    this.#cookies = cookies
  }

  /**
   * Creates a guest inside the caller's transaction, which also records the use of the link.
   * @param guest.linkExpiresAt when the guest's link expires; null: never.
   * @returns the id and the value of a `Set-Cookie` header, the only place that ever contains the secret.
   */
  async create(
    trx: Transaction<Tables>,
    guest: { name: string; linkExpiresAt: Date | null },
  ): Promise<{ guestId: string; cookie: string }> {
    const { secret, sha256 } = newSecret()
    const slid = new Date(Date.now() + slidesMs)
    const { linkExpiresAt } = guest
    const guestId = await insertGuest(trx, {
      name: guest.name,
      token_sha256: sha256,
      expires_at: linkExpiresAt !== null && linkExpiresAt < slid ? linkExpiresAt : slid,
    })
    return { guestId, cookie: this.#cookieOf(secret) }
  }

  /** Extends a guest who received another link to that link's expiry. Inside the caller's transaction, after the use. */
  async extend(trx: Transaction<Tables>, guestId: string): Promise<void> {
    const guest = await guestById(trx, guestId)
    if (guest !== undefined) await setGuestExpiry(trx, guestId, slidTo(guest))
  }

  /** The guest of a `Cookie` header; null if there is none or it has expired. Extends its expiry, at most once an hour. */
  async find(cookieHeader: string | undefined): Promise<GuestRow | null> {
    const token = cookieValue(cookieHeader, this.#cookies.guest)
    if (token === null) return null
    const guest = await guestByToken(this.#db, sha256Of(token))
    if (guest === undefined) return null
    const expiresAt = slidTo(guest)
    if (expiresAt.getTime() - guest.expires_at.getTime() > worthWritingMs) {
      // No actor: this happens automatically.
      await transactionAs(this.#db, systemActor, (trx) => setGuestExpiry(trx, guest.id, expiresAt))
    }
    return guest
  }

  /** Renames the guest; others see it from the next join on. @throws BoardroomError not_signed_in */
  async rename(actor: Actor, guestId: string, name: string): Promise<void> {
    await transactionAs(this.#db, actor, async (trx) => {
      const guest = await guestById(trx, guestId)
      if (guest === undefined) throw new BoardroomError('not_signed_in', 'this guest has left')
      if (guest.name === name) return
      await setGuestName(trx, guestId, name)
      await recordIn(trx, {
        action: 'update',
        category: 'account',
        actor,
        resourceType: 'guest',
        resourceId: guestId,
        oldValues: { name: guest.name },
        newValues: { name },
      })
    })
  }

  /**
   * Ends this browser's guest session for good, with its sockets.
   * @returns the `Set-Cookie` that deletes the cookie; null if there was none.
   */
  async leave(actor: Actor, cookieHeader: string | undefined): Promise<string | null> {
    const token = cookieValue(cookieHeader, this.#cookies.guest)
    if (token === null) return null
    const guest = await guestByToken(this.#db, sha256Of(token))
    if (guest !== undefined) {
      await transactionAs(this.#db, actor, async (trx) => {
        await endGuest(trx, guest.id)
        await recordIn(trx, { action: 'logout', actor, resourceType: 'guest', resourceId: guest.id })
      })
    }
    return cookieOf(this.#cookies, this.#cookies.guest, '', 0)
  }

  /**
   * The cookie outlives the session it names, because the row decides, and extending it must not depend on the browser
   * receiving a new cookie. Browsers keep cookies for 400 days at most.
   */
  #cookieOf(token: string): string {
    return cookieOf(this.#cookies, this.#cookies.guest, token, 400 * 86_400)
  }
}

/** 30 days from now or the end of the last link, whichever is earlier; unchanged if no link is valid. */
const slidTo = ({ expires_at, links_end_at }: GuestRow): Date =>
  links_end_at === null ? expires_at : new Date(Math.min(Date.now() + slidesMs, Number(links_end_at)))
