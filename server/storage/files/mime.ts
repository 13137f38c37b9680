// What kind of image some bytes are, told from the bytes: what an uploader says is never believed.

const ascii = (bytes: Uint8Array, from: number, to: number): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1', from, to)

/** The types a board may hold: what Excalidraw can place. null for everything else. */
export function imageTypeOf(bytes: Uint8Array): string | null {
  if (ascii(bytes, 0, 8) === '\x89PNG\r\n\x1a\n') return 'image/png'
  if (ascii(bytes, 0, 3) === '\xff\xd8\xff') return 'image/jpeg'
  if (/^GIF8[79]a/.test(ascii(bytes, 0, 6))) return 'image/gif'
  if (ascii(bytes, 0, 4) === 'RIFF' && ascii(bytes, 8, 12) === 'WEBP') return 'image/webp'
  if (/^ftypavi[fs]/.test(ascii(bytes, 4, 12))) return 'image/avif'
  if (ascii(bytes, 0, 2) === 'BM' && bytes.length > 26) return 'image/bmp'
  if (ascii(bytes, 0, 4) === '\0\0\x01\0') return 'image/x-icon'
  return isSvg(bytes) ? 'image/svg+xml' : null
}

/** An `svg` element first, behind nothing but declarations and comments; HTML that contains one is none. */
const isSvg = (bytes: Uint8Array): boolean => {
  let text = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.byteLength, 64 * 1024)).toString(
    'utf8',
  )
  text = text.replace(/^\uFEFF/, '')
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
