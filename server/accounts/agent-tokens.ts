// The token that identifies an agent: shown once, stored as a hash, valid until the agent is stopped.
import { newSecret, type Secret } from './secret.ts'

const prefix = 'bra_'
const shape = /^bra_[A-Za-z0-9_-]{43}$/

/** A new token: 32 random bytes after a prefix that secret scanners can look for. */
export const newAgentToken = (): Secret => newSecret(prefix)

/** Whether a bearer token, or a value in place of a ticket, claims to be an agent's. */
export const looksLikeAgentToken = (token: string): boolean => token.startsWith(prefix)

/** Whether it has the form of an agent token, genuine or not. */
export const isAgentToken = (token: string): boolean => shape.test(token)
