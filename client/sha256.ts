// SHA-256 of bytes, as lower-case hex. Pages on a plain-http LAN address have no crypto.subtle; there it is computed
// in JavaScript.

const byScript = async (bytes: Uint8Array): Promise<Uint8Array> =>
  (await import('@noble/hashes/sha2.js')).sha256(bytes)

export const sha256 = async (bytes: Uint8Array<ArrayBuffer>): Promise<string> => {
  const digest: Uint8Array =
    globalThis.crypto?.subtle === undefined
      ? await byScript(bytes)
      : new Uint8Array(await crypto.subtle.digest('SHA-256', bytes))
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('')
}
