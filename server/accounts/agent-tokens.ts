// The token by which an agent proves who it is: shown once, kept as a hash, good until the agent is stopped.
import { newSecret, type Secret } from './secret.ts'

const prefix = 'bra_'
const shape = /^bra_[A-Za-z0-9_-]{43}$/

/** A new token: 32 random bytes behind a prefix that scanners of leaked secrets can look for. */
export const newAgentToken = (): Secret => newSecret(prefix)

/** Whether a bearer token, or what stands where a ticket does, claims to be an agent's. */
export const looksLikeAgentToken = (token: string): boolean => token.startsWith(prefix)

/** Whether it is one, genuine or not. */
export const isAgentToken = (token: string): boolean => shape.test(token)
