// Skips and checks the contents of structs and measures their length in clocks. Yjs decodes them while it reads the update,
// so anything that would make its decoders throw or recurse deeply is refused here.
import { forbiddenKey, Refused, type UpdateReader } from './update-reader.ts'
import type { ValidationLimits } from './verdict.ts'

/** Content references of the v1 encoding, the low five bits of a struct's info byte. */
export const ContentRef = {
  gc: 0,
  deleted: 1,
  json: 2,
  binary: 3,
  string: 4,
  embed: 5,
  format: 6,
  type: 7,
  any: 8,
  document: 9,
  skip: 10,
} as const

const TypeRef = { xmlElement: 3, xmlHook: 5, last: 6 } as const

/**
 * Skips one item's content.
 * @returns its length in clocks, which may be 0; the caller refuses that.
 * @throws Refused
 */
export function readContent(reader: UpdateReader, ref: number, limits: ValidationLimits): number {
  switch (ref) {
    case ContentRef.string:
      return reader.skipString()
    case ContentRef.any: {
      const count = reader.readCount(1)
      for (let i = 0; i < count; i++) skipAny(reader, limits, limits.maxValueNesting)
      return count
    }
    case ContentRef.type: {
      const type = reader.readVarUint()
      if (type > TypeRef.last) throw new Refused('type', `type ${type} is unknown`)
      if (type === TypeRef.xmlElement || type === TypeRef.xmlHook)
        reader.skipKey(limits.maxKeyBytes, limits.forbiddenKey)
      return 1
    }
    case ContentRef.deleted:
      return reader.readVarUint()
    case ContentRef.binary:
      reader.skip(reader.readVarUint())
      return 1
    case ContentRef.json: {
      const count = reader.readCount(1)
      for (let i = 0; i < count; i++) skipJson(reader, limits, true)
      return count
    }
    case ContentRef.embed:
      skipJson(reader, limits, false)
      return 1
    case ContentRef.format:
      reader.skipKey(limits.maxKeyBytes, limits.forbiddenKey)
      skipJson(reader, limits, false)
      return 1
    case ContentRef.document:
      throw new Refused('subdocument', 'subdocuments are not supported')
    default:
      throw new Refused('info', `content kind ${ref} is unknown`)
  }
}

/** One value in lib0's `any` encoding. `depth`: levels of nesting still allowed. */
function skipAny(reader: UpdateReader, limits: ValidationLimits, depth: number): void {
  switch (reader.readByte()) {
    case 127: // undefined
    case 126: // null
    case 121: // false
    case 120: // true
      return
    case 125: // integer
      reader.skipVarInt()
      return
    case 124: // float32
      reader.skip(4)
      return
    case 123: // float64
    case 122: // bigint
      reader.skip(8)
      return
    case 119:
      reader.skipString()
      return
    case 118: {
      if (depth === 0) throw tooDeep(limits)
      const count = reader.readCount(2)
      for (let i = 0; i < count; i++) {
        reader.skipKey(Number.POSITIVE_INFINITY, limits.forbiddenKey)
        skipAny(reader, limits, depth - 1)
      }
      return
    }
    case 117: {
      if (depth === 0) throw tooDeep(limits)
      const count = reader.readCount(1)
      for (let i = 0; i < count; i++) skipAny(reader, limits, depth - 1)
      return
    }
    case 116: // bytes
      reader.skip(reader.readVarUint())
      return
    default:
      throw new Refused('value', 'a value has an unknown type')
  }
}

/** A string that Yjs passes to `JSON.parse`. In arrays of the old JSON content, `undefined` is also allowed. */
function skipJson(reader: UpdateReader, limits: ValidationLimits, allowUndefined: boolean): void {
  const length = reader.readVarUint()
  const from = reader.position
  reader.skip(length)
  const to = reader.position
  // Checked before parsing, so that no deep value is built.
  const suspicious = jsonStructure(reader.bytes, from, to, limits)
  let value: unknown
  try {
    const text = reader.text(from, to)
    if (allowUndefined && text === 'undefined') return
    value = JSON.parse(text)
  } catch (cause) {
    throw new Refused(cause instanceof SyntaxError ? 'json' : 'utf8', 'a value is not valid JSON')
  }
  if (suspicious) refuseKey(value, limits.forbiddenKey)
}

/** @returns whether the text may contain the forbidden key, literally or with escapes. @throws Refused nesting */
function jsonStructure(bytes: Uint8Array, from: number, to: number, limits: ValidationLimits): boolean {
  const first = limits.forbiddenKey.charCodeAt(0)
  const second = limits.forbiddenKey.charCodeAt(1)
  let depth = 0
  let inString = false
  let suspicious = false
  for (let i = from; i < to; i++) {
    const byte = bytes[i]!
    if (inString) {
      if (byte === 0x5c /* \ */) {
        suspicious ||= bytes[i + 1] === 0x75 /* u */
        i++
      } else if (byte === 0x22 /* " */) inString = false
      else if (byte === first) suspicious ||= bytes[i + 1] === second
    } else if (byte === 0x22) inString = true
    else if (byte === 0x5b /* [ */ || byte === 0x7b /* { */) {
      if (++depth > limits.maxValueNesting) throw tooDeep(limits)
    } else if (byte === 0x5d /* ] */ || byte === 0x7d /* } */) depth--
  }
  return suspicious
}

function refuseKey(value: unknown, key: string): void {
  if (typeof value !== 'object' || value === null) return
  if (Object.hasOwn(value, key)) throw forbiddenKey(key)
  for (const inner of Object.values(value)) refuseKey(inner, key)
}

const tooDeep = (limits: ValidationLimits): Refused =>
  new Refused('nesting', `a value is nested more than ${limits.maxValueNesting} deep`)
