// Reads the v1 encoding of updates (lib0 varints, strings, bytes), never beyond the end of the update: `ws` passes slices of
// shared buffers, which may also contain the bytes of others.
import { isAscii, isUtf8 } from 'node:buffer'
import type { RejectRule, ValidationLimits } from './verdict.ts'

/** Why an update is refused; thrown while reading, and turned into a verdict by the caller. */
export class Refused extends Error {
  readonly rule: RejectRule

  constructor(rule: RejectRule, message: string) {
    super(message)
    this.name = 'Refused'
    this.rule = rule
  }
}

/** From this length on, the native functions of node:buffer are faster than a loop, although they need a view. */
const nativeScanBytes = 96

/** A cursor over one update. Decodes only what a rule needs. */
export class UpdateReader {
  readonly bytes: Uint8Array
  readonly end: number
  position = 0

  constructor(bytes: Uint8Array) {
    this.bytes = bytes
    this.end = bytes.length
  }

  get bytesLeft(): number {
    return this.end - this.position
  }

  readByte(): number {
    if (this.position >= this.end) throw truncated()
    return this.bytes[this.position++]!
  }

  /** At most 2^53-1 in at most 8 bytes. */
  readVarUint(): number {
    const { bytes, end } = this
    if (this.position >= end) throw truncated()
    let byte = bytes[this.position++]!
    if (byte < 128) return byte
    let value = byte & 127
    let factor = 128
    for (let length = 2; length <= 8; length++) {
      if (this.position >= end) throw truncated()
      byte = bytes[this.position++]!
      value += (byte & 127) * factor
      if (byte < 128) {
        if (value > Number.MAX_SAFE_INTEGER) break
        return value
      }
      factor *= 128
    }
    throw new Refused('varint', 'a number is larger than 2^53-1')
  }

  /** Skips a signed varint (6 bits in its first byte), with the same limit as unsigned ones. */
  skipVarInt(): void {
    for (let length = 1; length <= 8; length++) if (this.readByte() < 128) return
    throw new Refused('varint', 'a number is larger than 2^53-1')
  }

  /**
   * The number of following entries of at least `bytesEach` each; not more than fit into the remaining bytes.
   */
  readCount(bytesEach: number): number {
    const count = this.readVarUint()
    if (count * bytesEach > this.end - this.position)
      throw new Refused('count', 'a count is too large for the bytes that follow')
    return count
  }

  skip(length: number): void {
    if (length > this.end - this.position) throw truncated()
    this.position += length
  }

  /** Skips a length-prefixed string. @returns its length in UTF-16 units, which Yjs counts as clocks. */
  skipString(): number {
    const length = this.readVarUint()
    const from = this.position
    this.skip(length)
    return utf16Length(this.bytes, from, this.position)
  }

  /**
   * Skips a length-prefixed string of at most `maxBytes` that is used as a key.
   * @param forbidden a key that is not allowed, in ASCII.
   * @returns the position of its first byte.
   */
  skipKey(maxBytes: number, forbidden: string, rule: RejectRule = 'key'): number {
    const length = this.readVarUint()
    const from = this.position
    if (length > maxBytes) throw new Refused(rule, `a name has ${length} bytes; ${maxBytes} are allowed`)
    this.skip(length)
    utf16Length(this.bytes, from, this.position)
    if (length === forbidden.length && isAt(this.bytes, from, forbidden)) throw forbiddenKey(forbidden)
    return from
  }

  /** The text between two positions, which was skipped as a valid string before. */
  text(from: number, to: number): string {
    if (to - from > 32) return utf8.decode(this.bytes.subarray(from, to))
    let text = ''
    for (let i = from; i < to; i++) {
      const byte = this.bytes[i]!
      if (byte > 127) return utf8.decode(this.bytes.subarray(from, to))
      text += String.fromCharCode(byte)
    }
    return text
  }
}

/** The clock after `length` clocks starting at `clock`. @throws Refused length | clock */
export function endOf(
  clock: number,
  length: number,
  { minClocks, maxClock }: Pick<ValidationLimits, 'minClocks' | 'maxClock'>,
): number {
  if (length < minClocks)
    throw new Refused('length', `a struct or a range has ${length} clocks; ${minClocks} is the least`)
  const end = clock + length
  if (end > maxClock) throw clockTooLarge(maxClock)
  return end
}

export const clockTooLarge = (maxClock: number): Refused =>
  new Refused('clock', `a clock is larger than ${maxClock}`)

// With the options of lib0, so that both see the same key: a byte order mark is content.
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

const truncated = (): Refused => new Refused('truncated', 'the update ends in the middle of a value')

export const forbiddenKey = (key: string): Refused => new Refused('key', `the key ${key} is not allowed`)

/** Whether the bytes starting at `from` are an ASCII word. */
function isAt(bytes: Uint8Array, from: number, word: string): boolean {
  for (let i = 0; i < word.length; i++) if (bytes[from + i] !== word.charCodeAt(i)) return false
  return true
}

/** @throws Refused utf8 if the bytes are not well-formed, for which Yjs would throw in the middle of the update. */
function utf16Length(bytes: Uint8Array, from: number, to: number): number {
  if (to - from >= nativeScanBytes) {
    const view = bytes.subarray(from, to)
    if (isAscii(view)) return to - from
    if (!isUtf8(view)) throw invalidUtf8()
    let units = 0
    // Every byte that is not a continuation starts a character; characters of 4 bytes are surrogate pairs.
    for (let i = from; i < to; i++) {
      const byte = bytes[i]!
      if ((byte & 0xc0) !== 0x80) units += byte >= 0xf0 ? 2 : 1
    }
    return units
  }
  let i = from
  while (i < to && bytes[i]! < 128) i++
  if (i === to) return to - from
  if (!isUtf8(bytes.subarray(i, to))) throw invalidUtf8()
  let units = i - from
  for (; i < to; i++) {
    const byte = bytes[i]!
    if ((byte & 0xc0) !== 0x80) units += byte >= 0xf0 ? 2 : 1
  }
  return units
}

const invalidUtf8 = (): Refused => new Refused('utf8', 'a string is not valid UTF-8')
