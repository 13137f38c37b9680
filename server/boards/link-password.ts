// Passwords of share links: hashed with scrypt, a few at a time, because each takes 16 MiB and 50 ms of a core.
import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto'
import { BoardroomError } from '../errors.ts'

const cost = { N: 2 ** 14, r: 8, p: 1 }
const hashBytes = 32

/** At most two at once, and no longer a queue than can be handled within seconds. */
const mostAtOnce = 2
const mostWaiting = 50

/** Hashes and checks passwords; one per process, so that guesses cannot use all cores. */
export class LinkPasswords {
  #running = 0
  readonly #waiting: (() => void)[] = []

  /** @returns `scrypt$N$r$p$salt$hash`. @throws BoardroomError too_many_requests */
  async hash(password: string): Promise<string> {
    const salt = randomBytes(16)
    const hash = await this.#derive(password, salt, cost)
    return ['scrypt', cost.N, cost.r, cost.p, salt.toString('base64url'), hash.toString('base64url')].join(
      '$',
    )
  }

  /** @throws BoardroomError too_many_requests */
  async matches(password: string, stored: string): Promise<boolean> {
    const [scheme, N, r, p, salt, hash] = stored.split('$')
    if (scheme !== 'scrypt' || salt === undefined || hash === undefined) return false
    const expected = Buffer.from(hash, 'base64url')
    const parameters = { N: Number(N), r: Number(r), p: Number(p) }
    const actual = await this.#derive(password, Buffer.from(salt, 'base64url'), parameters)
    return actual.length === expected.length && timingSafeEqual(actual, expected)
  }

  async #derive(password: string, salt: Buffer, parameters: typeof cost): Promise<Buffer> {
    await this.#begin()
    try {
      return await new Promise((resolve, reject) => {
        // Normalised, because some keyboards send é as one character and others as two.
        scrypt(
          password.normalize('NFKC'),
          salt,
          hashBytes,
          { ...parameters, maxmem: 64 * 1024 * 1024 },
          (error, key) => (error === null ? resolve(key) : reject(error)),
        )
      })
    } finally {
      this.#running -= 1
      this.#waiting.shift()?.()
    }
  }

  async #begin(): Promise<void> {
    if (this.#running >= mostAtOnce) {
      if (this.#waiting.length >= mostWaiting) {
        throw new BoardroomError(
          'too_many_requests',
          'too many passwords are being checked; try again in a moment',
        )
      }
      await new Promise<void>((resolve) => this.#waiting.push(resolve))
    }
    this.#running += 1
  }
}
