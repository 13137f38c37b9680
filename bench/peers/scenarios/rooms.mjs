// S4: many small rooms, one update per second in each: for long enough that what each server puts off (storing after two
// seconds or ten, folding) happens in it, and after enough edits that the compiler has seen them.
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
