// S4: many small rooms, one update per second in each: for long enough to include work that each server defers
// (storing after two or ten seconds, folding), and after enough edits that the compiler has optimised the code.
import { runLoad } from '../load/load.mjs'

export const variants = {
  '300x2': { rooms: 300, clients: 2, writers: 1, rate: 1, seconds: 12 },
}

const names = (prefix, { rooms: count }) => Array.from({ length: count }, (_, i) => `${prefix}-${i}`)
export const rooms = (params) => [...names('warm', params), ...names('small', params)]

export async function run(target, params) {
  await runLoad(target, { ...params, room: 'warm', rate: 10, seconds: 2, verify: false })
  return runLoad(target, { ...params, room: 'small' })
}
