// Rate limits by address: a bounded number of token buckets in memory. rate-limiter-flexible keeps a timer and an entry
// for every key it ever saw, so the owner of a /48 could fill the memory.
import type { Config } from '../config.ts'

interface Bucket {
  tokens: number
  /** The time at which `tokens` was correct, in ms. */
  at: number
}

/** 100,000 buckets are about 10 MB. */
const mostKeys = 100_000

/**
 * `limit` tries per `windowMs` for every key, refilled evenly; the first `limit` may come at once. Above `mostKeys`
 * keys, the least recently used one is forgotten, which costs an attacker more addresses than it gains tries.
 */
export class RateLimit {
  readonly #limit: number
  readonly #windowMs: number
  readonly #mostKeys: number
  readonly #now: () => number
  /** In order of last use. */
  readonly #buckets = new Map<string, Bucket>()
  #onChange: ((change: 'taken' | 'given back', key: string) => void) | null = null

  constructor(options: { limit: number; windowMs: number; mostKeys?: number; now?: () => number }) {
    this.#limit = options.limit
    this.#windowMs = options.windowMs
    this.#mostKeys = options.mostKeys ?? mostKeys
    this.#now = options.now ?? (() => performance.now())
  }

  /** Takes one try. @returns false, without taking any, if none is left. */
  take(key: string): boolean {
    const bucket = this.#bucketOf(key)
    if (bucket.tokens < 1) return false
    bucket.tokens -= 1
    this.#onChange?.('taken', key)
    return true
  }

  /**
   * Gives back a try that succeeded. Password attempts take a try first and give it back, because a thousand concurrent
   * ones would all pass a check made before any has failed. Where guessing is hopeless (256 random bits), check
   * `retryAfterMs` and take a try on failure, so that a class of thirty can join at the same moment.
   */
  giveBack(key: string): void {
    const bucket = this.#bucketOf(key)
    bucket.tokens = Math.min(this.#limit, bucket.tokens + 1)
    this.#onChange?.('given back', key)
  }

  /** Milliseconds until `take` would succeed; 0 if it would now. */
  retryAfterMs(key: string): number {
    const { tokens } = this.#bucketOf(key)
    return tokens >= 1 ? 0 : Math.ceil(((1 - tokens) * this.#windowMs) / this.#limit)
  }

  /** Reports each try made here, so that other processes count it too. */
  onChange(listener: (change: 'taken' | 'given back', key: string) => void): void {
    this.#onChange = listener
  }

  /** Another process counted a try, or gave it back. */
  heard(key: string, isBack: boolean): void {
    const bucket = this.#bucketOf(key)
    bucket.tokens = isBack ? Math.min(this.#limit, bucket.tokens + 1) : Math.max(0, bucket.tokens - 1)
  }

  /** The number of remembered keys. */
  get size(): number {
    return this.#buckets.size
  }

  #bucketOf(key: string): Bucket {
    const now = this.#now()
    const bucket = this.#buckets.get(key) ?? { tokens: this.#limit, at: now }
    bucket.tokens = Math.min(this.#limit, bucket.tokens + ((now - bucket.at) * this.#limit) / this.#windowMs)
    bucket.at = now
    this.#buckets.delete(key)
    this.#buckets.set(key, bucket)
    if (this.#buckets.size > this.#mostKeys) {
      for (const oldest of this.#buckets.keys()) {
        this.#buckets.delete(oldest)
        break
      }
    }
    return bucket
  }
}

/** The limits counted by address (`addressKey`), one set per process; separate, so that reaching one does not affect another. */
export interface RateLimits {
  /** Every join. */
  joins: RateLimit
  /** Refused joins: taken on refusal, by the known principal or else by address. */
  failedJoins: RateLimit
  /** Unknown links and wrong link passwords. A genuine link that has ended uses up nothing. */
  failedLinks: RateLimit
  /** Guests created by share links. */
  newGuests: RateLimit
  /** Failed sign-ins and wrong set-up secrets. */
  failedSignIns: RateLimit
  /** Mails for a lost password, by the address of the requester. */
  mailsAsked: RateLimit
  /** Name changes by guest: each is a row in the trail, and guests may be strangers. */
  renames: RateLimit
  /** Comments: by person, or by address for anonymous people. */
  comments: RateLimit
  /** Requests to /mcp, by agent. */
  agentCalls: RateLimit
}

export const rateLimits = (
  config: Pick<
    Config,
    | 'joinsPerSecondPerIp'
    | 'failedJoinsPerMinutePerIp'
    | 'failedGuessesPerMinutePerIp'
    | 'newGuestsPerMinutePerIp'
    | 'commentsPerMinute'
    | 'agentCallsPerMinute'
  >,
): RateLimits => ({
  joins: new RateLimit({ limit: config.joinsPerSecondPerIp, windowMs: 1000 }),
  failedJoins: new RateLimit({ limit: config.failedJoinsPerMinutePerIp, windowMs: 60_000 }),
  failedLinks: new RateLimit({ limit: config.failedGuessesPerMinutePerIp, windowMs: 60_000 }),
  newGuests: new RateLimit({ limit: config.newGuestsPerMinutePerIp, windowMs: 60_000 }),
  failedSignIns: new RateLimit({ limit: config.failedGuessesPerMinutePerIp, windowMs: 60_000 }),
  mailsAsked: new RateLimit({ limit: config.failedGuessesPerMinutePerIp, windowMs: 15 * 60_000 }),
  renames: new RateLimit({ limit: 10, windowMs: 60_000 }),
  comments: new RateLimit({ limit: config.commentsPerMinute, windowMs: 60_000 }),
  agentCalls: new RateLimit({ limit: config.agentCallsPerMinute, windowMs: 60_000 }),
})
