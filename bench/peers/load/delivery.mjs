// Counts which updates reached which receiver, and how long each took.
//
// An update is identified by its writer's Yjs clock range, so a server that merges several updates
// into one message gets credit for each of them.
import * as Y from 'yjs'
import { CLOCKS_PER_UPDATE } from './fixtures.mjs'
import { Histogram } from './histogram.mjs'
import { cursor, readVarUint } from './varint.mjs'

const MEMO_LIMIT = 8192

export class Delivery {
  /**
   * @param {object} options
   * @param {Map<number, number>} options.writerByClientId
   * @param {number[]} options.baseClocks clock of each writer before its first counted update
   * @param {number} options.updatesPerWriter
   * @param {number} options.receivers
   */
  constructor({ writerByClientId, baseClocks, updatesPerWriter, receivers }) {
    this.writerByClientId = writerByClientId
    this.baseClocks = baseClocks
    this.updatesPerWriter = updatesPerWriter
    this.writers = baseClocks.length
    this.sentAt = new Float64Array(this.writers * (updatesPerWriter + 1))
    this.reached = new Uint32Array(receivers * this.writers).fill(0)
    for (let r = 0; r < receivers; r++) this.reached.set(baseClocks, r * this.writers)
    this.latency = new Histogram()
    this.delivered = 0
    this.gaps = 0
    this.mergedFrames = 0
    this.lastAt = 0
    this.memo = new Map()
  }

  sent(writer, n, at) {
    this.sentAt[writer * (this.updatesPerWriter + 1) + n] = at
  }

  /** Reads the clock ranges in an update and credits them to `receiver`, unless it wrote them. */
  receive(receiver, ownWriter, buf, start, end, now) {
    cursor.pos = start
    const sections = readVarUint(buf)
    if (sections === 0) return
    const structs = readVarUint(buf)
    if (sections === 1 && structs === CLOCKS_PER_UPDATE) {
      const writer = this.writerByClientId.get(readVarUint(buf))
      if (writer === undefined || writer === ownWriter) return
      const from = readVarUint(buf)
      this.credit(receiver, writer, from, from + structs, now)
      return
    }
    const ranges = this.ranges(buf, start, end)
    this.mergedFrames++
    for (let i = 0; i < ranges.length; i += 3) {
      if (ranges[i] !== ownWriter) this.credit(receiver, ranges[i], ranges[i + 1], ranges[i + 2], now)
    }
  }

  /** [writer, from, to, …] of a merged update; the same bytes go to many receivers, so memoised. */
  ranges(buf, start, end) {
    const key = buf.latin1Slice(start, end)
    let ranges = this.memo.get(key)
    if (ranges === undefined) {
      const meta = Y.parseUpdateMeta(buf.subarray(start, end))
      ranges = []
      for (const [clientId, to] of meta.to) {
        const writer = this.writerByClientId.get(clientId)
        if (writer !== undefined) ranges.push(writer, meta.from.get(clientId), to)
      }
      if (this.memo.size >= MEMO_LIMIT) this.memo.clear()
      this.memo.set(key, ranges)
    }
    return ranges
  }

  credit(receiver, writer, from, to, now) {
    const index = receiver * this.writers + writer
    const before = this.reached[index]
    if (to <= before) return
    if (from > before) this.gaps++
    this.reached[index] = to
    const base = this.baseClocks[writer]
    const first = (before - base) / CLOCKS_PER_UPDATE + 1
    const last = (to - base) / CLOCKS_PER_UPDATE
    const row = writer * (this.updatesPerWriter + 1)
    for (let n = first; n <= last; n++) this.latency.add(now - this.sentAt[row + n])
    this.delivered += last - first + 1
    this.lastAt = now
  }
}
