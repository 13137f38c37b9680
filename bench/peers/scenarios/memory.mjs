// Memory of a server that just started, its database included: pages that processes share are counted once.
import { round } from '../load/load.mjs'
import { sleep } from '../load/pace.mjs'

export const variants = { fresh: {} }
export const rooms = () => []

export async function run(target) {
  await sleep(4000)
  return { pssMiB: round(target.pss(), 1), ...target.held() }
}
