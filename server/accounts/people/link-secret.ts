// The secret of a link for one person: 32 random bytes, shown once, of which the hash is stored. It stands in the
// fragment of the link, which reaches no log and no referrer.
import { createHash, randomBytes } from 'node:crypto'

export const newLinkSecret = (): { secret: string; sha256: Buffer } => {
  const secret = randomBytes(32).toString('base64url')
  return { secret, sha256: sha256Of(secret) }
}

export const sha256Of = (secret: string): Buffer => createHash('sha256').update(secret).digest()
