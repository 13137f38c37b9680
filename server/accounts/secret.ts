// Secrets that are shown once: 32 random bytes. Only a hash is stored, and 256 random bits do not need a slow one. In
// links the secret is in the fragment, which no log, referrer or preview bot ever sees.
import { createHash, randomBytes } from 'node:crypto'

export interface Secret {
  secret: string
  /** The stored hash. */
  sha256: Buffer
}

/** @param prefix tells us, and secret scanners, what kind it is. */
export function newSecret(prefix = ''): Secret {
  const secret = prefix + randomBytes(32).toString('base64url')
  return { secret, sha256: sha256Of(secret) }
}

export const sha256Of = (secret: string): Buffer => createHash('sha256').update(secret).digest()
