// Images in files: data URLs in many spellings. The type of an image is detected from its content.

/** The content of a data URL; null for any other text, or one longer than `mostBytes`. */
export const bytesOfDataUrl = (url: string, mostBytes = Number.POSITIVE_INFINITY): Uint8Array | null => {
  if (!/^data:/i.test(url)) return null
  const comma = endOfHead(url)
  if (comma === -1 || (url.length - comma) * 0.7 > mostBytes * 3) return null
  const isBase64 = /;\s*base64\s*$/i.test(url.slice(0, comma))
  const content = url.slice(comma + 1)
  try {
    const bytes = isBase64 ? fromBase64(content) : new TextEncoder().encode(percentDecoded(content))
    return bytes.length > mostBytes ? null : bytes
  } catch {
    return null // neither base64 nor percent-encoded: not an image, and the element shows its placeholder
  }
}

/** The comma that ends the head; commas in a quoted parameter do not. */
const endOfHead = (url: string): number => {
  let isQuoted = false
  for (let at = 5; at < url.length; at++) {
    const char = url[at]
    if (char === '"') isQuoted = !isQuoted
    else if (char === ',' && !isQuoted) return at
  }
  return url.indexOf(',')
}

/** A stray percent sign stands for itself, as in browsers. */
const percentDecoded = (text: string): string => decodeURIComponent(text.replace(/%(?![0-9a-f]{2})/gi, '%25'))

/** Line breaks, percent encoding, the URL alphabet and missing padding all occur in files. */
const fromBase64 = (text: string): Uint8Array => {
  const plain = (text.includes('%') ? percentDecoded(text) : text)
    .replace(/\s+/g, '')
    .replace(/-/g, '+')
    .replace(/_/g, '/')
    // The content ends where the padding begins.
    .replace(/=.*$/, '')
  // A surplus character carries no data, and other decoders ignore it.
  const binary = atob(plain.length % 4 === 1 ? plain.slice(0, -1) : plain)
  const bytes = new Uint8Array(binary.length)
  for (let at = 0; at < binary.length; at++) bytes[at] = binary.charCodeAt(at)
  return bytes
}

/** The decoded base64, each byte as one character; null if it is not base64. */
export const base64Text = (text: string): string | null => {
  try {
    return atob(text.replace(/\s+/g, ''))
  } catch {
    return null
  }
}
