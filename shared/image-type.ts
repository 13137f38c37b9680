// The type of an image, detected from its bytes: what an uploader or a file claims is never trusted.

const latin = (bytes: Uint8Array, from: number, to: number): string =>
  String.fromCharCode(...bytes.subarray(from, to))

/** The types a board may hold: those that Excalidraw can place. null for everything else. */
export const imageTypeOf = (bytes: Uint8Array): string | null => {
  if (latin(bytes, 0, 8) === '\x89PNG\r\n\x1a\n') return 'image/png'
  if (latin(bytes, 0, 3) === '\xff\xd8\xff') return 'image/jpeg'
  if (/^GIF8[79]a/.test(latin(bytes, 0, 6))) return 'image/gif'
  if (latin(bytes, 0, 4) === 'RIFF' && latin(bytes, 8, 12) === 'WEBP') return 'image/webp'
  if (/^ftypavi[fs]/.test(latin(bytes, 4, 12))) return 'image/avif'
  if (latin(bytes, 0, 2) === 'BM' && bytes.length > 26) return 'image/bmp'
  if (latin(bytes, 0, 4) === '\0\0\x01\0') return 'image/x-icon'
  return isSvg(bytes) ? 'image/svg+xml' : null
}

/**
 * The first element must be `svg`, preceded only by declarations and comments; HTML that contains one is not an SVG.
 */
const isSvg = (bytes: Uint8Array): boolean => {
  let text = new TextDecoder().decode(bytes.subarray(0, 64 * 1024))
  for (;;) {
    const rest = text
      .trimStart()
      .replace(/^<\?xml[^>]*\?>/, '')
      .replace(/^<!--[\s\S]*?-->/, '')
      .replace(/^<!DOCTYPE\s+svg[^>[]*>/i, '')
    if (rest === text) return /^<(svg:)?svg[\s>/]/.test(text)
    text = rest
  }
}
