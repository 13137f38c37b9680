// Decompresses the output of lz-string's compressToBase64, as found in Obsidian notes. The library has no limit on
// the size of its output, and a small file may expand to a very large text: hence our own.

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'

/** @returns null if it is corrupt, or longer than `mostChars`. */
export const unpackLz = (packed: string, mostChars: number): string | null => {
  const values = [...packed.replace(/=+$/, '')].map((char) => alphabet.indexOf(char))
  if (values.length === 0 || values.includes(-1)) return null
  let at = 0
  let mask = 32
  /** Least significant bit first, six per character. */
  const bits = (count: number): number => {
    let result = 0
    for (let bit = 0; bit < count; bit++) {
      if (at >= values.length) return -1
      if (((values[at] ?? 0) & mask) !== 0) result += 2 ** bit
      mask >>= 1
      if (mask === 0) {
        mask = 32
        at++
      }
    }
    return result
  }
  const char = (kind: number): string | null => {
    const code = bits(kind === 0 ? 8 : 16)
    return code < 0 ? null : String.fromCharCode(code)
  }

  const first = bits(2)
  if (first === 2) return ''
  const start = first < 0 ? null : char(first)
  if (start === null) return null
  // 0 to 2 are control codes: an 8-bit character, a 16-bit one, the end.
  const words: string[] = ['', '', '', start]
  const pieces = [start]
  let length = start.length
  let before = start
  let width = 3
  let left = 4
  for (;;) {
    let code = bits(width)
    if (code < 0) return null
    if (code === 2) return pieces.join('')
    if (code < 2) {
      const next = char(code)
      if (next === null) return null
      code = words.push(next) - 1
      if (--left === 0) left = 2 ** width++
    }
    const word = code < words.length ? words[code] : code === words.length ? before + before.charAt(0) : null
    if (word === null || word === undefined || word === '') return null
    length += word.length
    if (length > mostChars) return null
    pieces.push(word)
    words.push(before + word.charAt(0))
    before = word
    if (--left === 0) left = 2 ** width++
  }
}
