// The token by which an agent proves who it is: shown once, kept as a hash, good until the agent is stopped.
import { createHash, randomBytes } from 'node:crypto'

const prefix = 'bra_'
const shape = /^bra_[A-Za-z0-9_-]{43}$/

/** A new token: 32 random bytes behind a prefix that scanners of leaked secrets can look for. */
export const newAgentToken = (): string => prefix + randomBytes(32).toString('base64url')

export const agentTokenHash = (token: string): Buffer => createHash('sha256').update(token).digest()

/** Whether a bearer token, or what stands where a ticket does, claims to be an agent's. */
export const looksLikeAgentToken = (token: string): boolean => token.startsWith(prefix)

/** Whether it is one, genuine or not. */
export const isAgentToken = (token: string): boolean => shape.test(token)
