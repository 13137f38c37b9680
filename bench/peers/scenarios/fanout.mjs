// S1: one room, one client drags an element 30 times a second, everyone else watches.
import { runLoad } from '../load/load.mjs'

export const variants = {
  n30: { clients: 31, writers: 1, rate: 30, seconds: 5, isExtra: true },
  n100: { clients: 101, writers: 1, rate: 30, seconds: 5 },
  n300: { clients: 301, writers: 1, rate: 30, seconds: 5, isExtra: true },
}

export const rooms = () => ['warm-0', 'fanout-0']

export async function run(target, params) {
  // A short unmeasured run first, so that the server's code is compiled.
  await runLoad(target, { ...params, room: 'warm', rate: 60, seconds: 2, verify: false })
  return runLoad(target, { ...params, room: 'fanout' })
}
