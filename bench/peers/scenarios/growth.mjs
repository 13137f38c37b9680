// Growth: the cost of a delivery with 10 and with 1,000 rooms, at the same total number of edits per second, and on a
// board with a short and with a long history.
import { fill, untilQuiet } from '../load/board.mjs'
import { historyUpdates, stateOf } from '../load/fixtures.mjs'
import { runLoad } from '../load/load.mjs'
import { sleep } from '../load/pace.mjs'

export const variants = {
  'rooms-10': { rooms: 10, rate: 20 },
  'rooms-1000': { rooms: 1000, rate: 0.2 },
  'edits-1k': { history: 1000 },
  'edits-100k': { history: 100_000 },
  'edits-1m': { history: 1_000_000 },
}

const load = { clients: 2, writers: 1, verify: false }
const names = (prefix, count) => Array.from({ length: count }, (_, i) => `${prefix}-${i}`)
export const rooms = ({ rooms: count = 1 }) => [...names('warm', count), ...names('grown', count)]

export async function run(target, { rooms: count, rate, history }) {
  if (history !== undefined) {
    for (const [room, edits] of [
      ['warm-0', Math.min(history, 100_000)],
      ['grown-0', history],
    ]) {
      const client = await fill(target, room, edits > 100_000 ? longHistory(edits) : shortHistory(edits))
      client.close()
    }
    await folded(target)
    await runLoad(target, { ...load, room: 'warm', clients: 11, rate: 60, seconds: 1 })
    await folded(target)
    return runLoad(target, { ...load, room: 'grown', clients: 11, rate: 30, seconds: 4 })
  }
  await runLoad(target, { ...load, rooms: count, room: 'warm', rate: rate * 2, seconds: 2.5 })
  return runLoad(target, { ...load, rooms: count, room: 'grown', rate, seconds: 5 })
}

/** The work on a board that everybody has left is not part of the cost of a delivery. */
async function folded({ cpu }) {
  await sleep(4000)
  await untilQuiet(cpu)
}

/** In portions: an author's edits build on one another, so every portion has different authors. */
function shortHistory(edits) {
  const writers = Math.max(1, edits / 1000)
  return historyUpdates(writers, edits / writers, 50)
}

/**
 * The same edits, with each author's sent as one update: only the resulting board matters, and a million edits take
 * long.
 */
function longHistory(edits) {
  const writers = edits / 2000
  return Array.from({ length: writers }, (_, i) => stateOf(historyUpdates(1, edits / writers, 50 + i)))
}
