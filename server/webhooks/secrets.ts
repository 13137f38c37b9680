// Signing secrets of webhooks. Signing needs the secret itself, so it is stored encrypted with a key derived from the
// server's secret; a copy of the database alone is not enough to forge signatures.
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto'

const algorithm = 'aes-256-gcm'
const ivBytes = 12
const tagBytes = 16

export const webhookKeyOf = (serverSecret: string): Buffer =>
  Buffer.from(hkdfSync('sha256', serverSecret, '', 'boardroom webhooks v1', 32))

/** In the format of Standard Webhooks. */
export const newWebhookSecret = (): string => `whsec_${randomBytes(32).toString('base64')}`

export function encipher(key: Buffer, secret: string): Buffer {
  const iv = randomBytes(ivBytes)
  const cipher = createCipheriv(algorithm, key, iv)
  const text = Buffer.concat([cipher.update(secret, 'utf8'), cipher.final()])
  return Buffer.concat([iv, cipher.getAuthTag(), text])
}

/** @throws if it was encrypted with another key, because the server's secret has changed. */
export function decipher(key: Buffer, stored: Buffer): string {
  const decipherer = createDecipheriv(algorithm, key, stored.subarray(0, ivBytes))
  decipherer.setAuthTag(stored.subarray(ivBytes, ivBytes + tagBytes))
  return Buffer.concat([decipherer.update(stored.subarray(ivBytes + tagBytes)), decipherer.final()]).toString(
    'utf8',
  )
}
