// The bytes of awareness states: what the server adds to a state, and how an entry is encoded.
import { varUintBytes, writeVarUint } from '../../documents/var-uint.ts'
import type { Speaker } from './speaker.ts'

const closingBrace = 0x7d

/** The state of a removed entry. */
export const nullState = Buffer.from('null')

/** A state as others get it, with the server's `principal` and name in `user`; null if it is not a JSON object. */
export function signedState(raw: Buffer, { principal, suffix }: Speaker): Uint8Array | null {
  try {
    const state: unknown = JSON.parse(raw.toString())
    if (typeof state !== 'object' || state === null || Array.isArray(state)) return null
    const fields = state as Record<string, unknown> // an object; its fields are checked below
    const { user } = fields
    const hasUser = typeof user === 'object' && user !== null
    const isNamed = !hasUser || (user as Record<string, unknown>).name === principal.name
    // Usually the bytes stay as they are, and the principal is inserted before the closing brace.
    if (
      isNamed &&
      !('principal' in fields) &&
      !Object.hasOwn(fields, '__proto__') &&
      raw.at(-1) === closingBrace
    ) {
      const body = raw.subarray(0, -1)
      return Object.keys(fields).length === 0
        ? Buffer.from(`{${suffix.toString().slice(1)}`)
        : Buffer.concat([body, suffix])
    }
    Reflect.deleteProperty(fields, '__proto__')
    if (hasUser) fields.user = { ...user, name: principal.name }
    fields.principal = principal
    return Buffer.from(JSON.stringify(fields))
  } catch {
    return null // not JSON, or nested too deeply to be encoded again
  }
}

/** One entry of an awareness message. */
export function encodeEntry(clientId: number, clock: number, state: Uint8Array): Uint8Array {
  const length = varUintBytes(clientId) + varUintBytes(clock) + varUintBytes(state.length) + state.length
  const entry = Buffer.allocUnsafe(length)
  const at = writeVarUint(entry, writeVarUint(entry, writeVarUint(entry, 0, clientId), clock), state.length)
  entry.set(state, at)
  return entry
}
