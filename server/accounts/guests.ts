// Guests: people who came in by a share link and gave a name. A guest session is a random token in a cookie, whose
// hash is stored; it slides 30 days with use and never lives longer than the links it holds.
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
/** Written when this much is won, not at every request. */
const worthWritingMs = dayMs / 24

export class Guests {
  readonly #db: Db
  readonly #cookies: CookieNames

  constructor(db: Db, cookies: CookieNames) {
    this.#db = db
    this.#cookies = cookies
  }

  /**
   * Makes a guest inside the caller's transaction (the exchange of a link, whose use it is written with).
   * @param guest.linkExpiresAt when the link ends that let it in; null never.
   * @returns the id and the value of a `Set-Cookie` header, the only place that ever holds the secret.
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

  /** A guest got another link: it may live as long as that one now. Inside the caller's transaction, after the use. */
  async extend(trx: Transaction<Tables>, guestId: string): Promise<void> {
    const guest = await guestById(trx, guestId)
    if (guest !== undefined) await setGuestExpiry(trx, guestId, slidTo(guest))
  }

  /** The guest of a `Cookie` header, null where there is none or it expired. Slides its expiry, once an hour at most. */
  async find(cookieHeader: string | undefined): Promise<GuestRow | null> {
    const token = cookieValue(cookieHeader, this.#cookies.guest)
    if (token === null) return null
    const guest = await guestByToken(this.#db, sha256Of(token))
    if (guest === undefined) return null
    const expiresAt = slidTo(guest)
    if (expiresAt.getTime() - guest.expires_at.getTime() > worthWritingMs) {
      // Done by the clock and not by anybody.
      await transactionAs(this.#db, systemActor, (trx) => setGuestExpiry(trx, guest.id, expiresAt))
    }
    return guest
  }

  /** Others see it from the next join on. @throws BoardroomError not_signed_in */
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
   * The guest of this browser leaves: their session ends, with its sockets, and nobody takes it up again.
   * @returns the `Set-Cookie` that takes the cookie away; null where there was none.
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
   * The cookie outlives the session it names, because the server's row decides, and a row that slides must not
   * depend on the browser having asked for a new cookie. 400 days are the most that browsers keep.
   */
  #cookieOf(token: string): string {
    return cookieOf(this.#cookies, this.#cookies.guest, token, 400 * 86_400)
  }
}

/** 30 days from now, or the end of its last link; where no link lives, where it is. */
const slidTo = ({ expires_at, links_end_at }: GuestRow): Date =>
  links_end_at === null ? expires_at : new Date(Math.min(Date.now() + slidesMs, Number(links_end_at)))
