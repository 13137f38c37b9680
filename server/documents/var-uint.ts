// Variable-length unsigned integers as in lib0, up to 2^53 - 1: seven bits per byte, lowest first.

/** @returns the number of bytes that `value` takes. */
export function varUintBytes(value: number): number {
  let bytes = 1
  for (let rest = value; rest >= 128; rest = Math.floor(rest / 128)) bytes++
  return bytes
}

/** @returns the position after it. */
export function writeVarUint(target: Uint8Array, at: number, value: number): number {
  let rest = value
  let position = at
  while (rest >= 128) {
    target[position++] = (rest % 128) | 128
    rest = Math.floor(rest / 128)
  }
  target[position++] = rest
  return position
}
