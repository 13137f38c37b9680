// The unsubscribe URL of an account. It is signed, so that it works without signing in, from any mail program, as long as
// the server's secret stays the same; it can do nothing else.
import { createHmac, timingSafeEqual } from 'node:crypto'

const signatureOf = (secret: string, userId: number): Buffer =>
  createHmac('sha256', secret).update(`boardroom mail stop ${userId}`).digest().subarray(0, 18)

export const stopTokenFor = (secret: string, userId: number): string =>
  `${userId}.${signatureOf(secret, userId).toString('base64url')}`

/** @returns whose mails it stops; null if it is not a token of this server. */
export function userOfStopToken(secret: string, token: string): number | null {
  const [, id, signature] = /^(\d{1,9})\.([\w-]{24})$/.exec(token) ?? []
  if (id === undefined || signature === undefined) return null
  const isOurs = timingSafeEqual(signatureOf(secret, Number(id)), Buffer.from(signature, 'base64url'))
  return isOurs ? Number(id) : null
}
