// Joins a snapshot and the following log into one update at the byte level, to open a board that was not folded. Building
// its document would take ten times as long. Overwritten content stays in the result, as in the log.

import { ContentRef, readContent } from './validate/content.ts'
import { Refused, UpdateReader } from './validate/update-reader.ts'
import { defaultValidationLimits } from './validate/verdict.ts'
import { varUintBytes, writeVarUint } from './var-uint.ts'

const originBit = 0x80
const rightOriginBit = 0x40
const parentSubBit = 0x20
const contentBits = 0x1f

/** How many bytes are read per turn, in about a millisecond. */
const bytesOfATurn = 128 * 1024

/** These bytes were validated when they arrived. */
const limits = { ...defaultValidationLimits, maxKeyBytes: Number.POSITIVE_INFINITY }

/** The structs of one client: how many, up to which clock, and their bytes. */
interface Part {
  from: number
  to: number
  count: number
  bytes: Uint8Array[]
}

/** Deleted clocks, from (inclusive) to (exclusive). */
type Range = [from: number, to: number]

/** Thrown if the updates cannot be joined at the byte level. */
class NotPlain extends Error {}

/**
 * @param updates Yjs v1, in the log's order.
 * @returns Yjs v1, complete on its own. Null if the updates do not simply follow each other or dependencies are
 *   missing; then a document has to be built.
 */
export async function joinedByBytes(updates: readonly Uint8Array[]): Promise<Uint8Array | null> {
  const joining = new Joining()
  try {
    for (const update of updates) await joining.add(update)
    return joining.result()
  } catch (error) {
    if (error instanceof NotPlain || error instanceof Refused) return null
    throw error
  }
}

class Joining {
  readonly #parts = new Map<number, Part>()
  readonly #deleted = new Map<number, Range[]>()
  /** By client, the clock required by dependencies. */
  readonly #needed = new Map<number, number>()
  /** For the current update. */
  #turnEndsAt = bytesOfATurn

  async add(update: Uint8Array): Promise<void> {
    const reader = new UpdateReader(update)
    for (let clients = reader.readVarUint(); clients > 0; clients--) await this.#addClient(reader)
    for (let clients = reader.readVarUint(); clients > 0; clients--) {
      const client = reader.readVarUint()
      const ranges = this.#deleted.get(client) ?? []
      this.#deleted.set(client, ranges)
      for (let count = reader.readVarUint(); count > 0; count--) {
        const from = reader.readVarUint()
        ranges.push([from, from + reader.readVarUint()])
      }
      if (this.#isTurnOver(reader)) await this.#nextTurn(reader)
    }
    if (reader.bytesLeft > 0) throw new NotPlain()
    this.#turnEndsAt -= update.length
  }

  result(): Uint8Array {
    for (const [client, clock] of this.#needed) if (clock > this.#reached(client)) throw new NotPlain()
    const pieces: Uint8Array[] = [numbers([this.#parts.size])]
    // The order that Yjs uses.
    for (const [client, { from, count, bytes }] of [...this.#parts].sort(([a], [b]) => b - a))
      pieces.push(numbers([count, client, from]), ...bytes)
    pieces.push(numbers([this.#deleted.size]))
    for (const [client, ranges] of [...this.#deleted].sort(([a], [b]) => b - a)) {
      const merged = mergedRanges(ranges)
      if ((merged.at(-1)?.[1] ?? 0) > this.#reached(client)) throw new NotPlain()
      pieces.push(
        numbers([client, merged.length]),
        numbers(merged.flatMap(([from, to]) => [from, to - from])),
      )
    }
    return Buffer.concat(pieces)
  }

  #reached(client: number): number {
    return this.#parts.get(client)?.to ?? 0
  }

  async #addClient(reader: UpdateReader): Promise<void> {
    const count = reader.readVarUint()
    const client = reader.readVarUint()
    let clock = reader.readVarUint()
    if (clock !== this.#reached(client)) throw new NotPlain()
    const part = this.#parts.get(client) ?? { from: clock, to: clock, count: 0, bytes: [] }
    this.#parts.set(client, part)
    const start = reader.position
    for (let i = 0; i < count; i++) {
      clock += this.#readStruct(reader)
      if (this.#isTurnOver(reader)) await this.#nextTurn(reader)
    }
    part.to = clock
    part.count += count
    part.bytes.push(reader.bytes.subarray(start, reader.position))
  }

  #isTurnOver(reader: UpdateReader): boolean {
    return reader.position >= this.#turnEndsAt
  }

  async #nextTurn(reader: UpdateReader): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve))
    this.#turnEndsAt = reader.position + bytesOfATurn
  }

  /** @returns its length in clocks. */
  #readStruct(reader: UpdateReader): number {
    const info = reader.readByte()
    const ref = info & contentBits
    if (ref === ContentRef.skip) throw new NotPlain()
    if (ref === ContentRef.gc) return reader.readVarUint()
    if ((info & originBit) !== 0) this.#readId(reader)
    if ((info & rightOriginBit) !== 0) this.#readId(reader)
    if ((info & (originBit | rightOriginBit)) === 0) {
      if (reader.readVarUint() === 1) reader.skip(reader.readVarUint())
      else this.#readId(reader)
      if ((info & parentSubBit) !== 0) reader.skip(reader.readVarUint())
    }
    return readContent(reader, ref, limits)
  }

  #readId(reader: UpdateReader): void {
    const client = reader.readVarUint()
    const clock = reader.readVarUint()
    if (clock >= this.#reached(client) && clock >= (this.#needed.get(client) ?? 0))
      this.#needed.set(client, clock + 1)
  }
}

function mergedRanges(ranges: Range[]): Range[] {
  const merged: Range[] = []
  for (const [from, to] of ranges.sort(([a], [b]) => a - b)) {
    const last = merged.at(-1)
    if (last !== undefined && from <= last[1]) last[1] = Math.max(last[1], to)
    else merged.push([from, to])
  }
  return merged
}

function numbers(values: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(values.reduce((sum, value) => sum + varUintBytes(value), 0))
  let at = 0
  for (const value of values) at = writeVarUint(bytes, at, value)
  return bytes
}
