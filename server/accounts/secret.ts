// What proves who somebody is and is shown once: 32 random bytes. Only the hash is stored; 256 random bits need no slow
// one. In links it stands in the fragment, which reaches no log, no referrer and no preview bot.
import { createHash, randomBytes } from 'node:crypto'

export interface Secret {
  secret: string
  /** What is stored of it. */
  sha256: Buffer
}

/** @param prefix by which scanners of leaked secrets, and we, know what kind it is. */
export function newSecret(prefix = ''): Secret {
  const secret = prefix + randomBytes(32).toString('base64url')
  return { secret, sha256: sha256Of(secret) }
}

export const sha256Of = (secret: string): Buffer => createHash('sha256').update(secret).digest()
