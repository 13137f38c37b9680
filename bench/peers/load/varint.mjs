// In-place reading of lib0 variable-length unsigned integers, without allocating a decoder.
// `cursor.pos` is where the next read starts.
export const cursor = { pos: 0 }

export function readVarUint(buf) {
  let pos = cursor.pos
  let byte = buf[pos++]
  let value = byte & 0x7f
  let factor = 128
  while (byte >= 0x80) {
    byte = buf[pos++]
    value += (byte & 0x7f) * factor
    factor *= 128
  }
  cursor.pos = pos
  return value
}
