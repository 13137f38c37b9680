// S6: raise the update rate until p99 exceeds 100 ms or updates go missing.
import { runLoad } from '../load/load.mjs'
import { sleep } from '../load/pace.mjs'

const P99_LIMIT_MS = 100
const GROWTH = 1.7
const REFINEMENTS = 1

export const variants = {
  'one-room-100': { clients: 100, startRate: 500, maxRate: 40_000, seconds: 1.5 },
}

const MOST_STEPS = 30
export const rooms = () => Array.from({ length: MOST_STEPS }, (_, i) => `ramp-${i}-0`)

export async function run(target, params) {
  const { clients, startRate, maxRate, seconds } = params
  const steps = []

  async function attempt(perSecond) {
    const writers = Math.max(1, Math.min(clients, Math.ceil(perSecond / 20)))
    const result = await runLoad(target, {
      room: `ramp-${steps.length}`,
      clients,
      writers,
      rate: perSecond / writers,
      seconds,
      drainMs: 2500,
      verify: false,
    })
    const passed = result.complete && result.latency.p99 <= P99_LIMIT_MS
    steps.push({
      perSecond: Math.round(perSecond),
      passed,
      deliveredPerSecond: result.deliveredPerSecond,
      p50: result.latency.p50,
      p99: result.latency.p99,
      serverCpuShare: result.serverCpuShare,
      generatorCpuShare: result.generatorCpuShare,
      cpuSecondsPerMillion: result.cpuSecondsPerMillion,
    })
    await sleep(300)
    return passed
  }

  const attemptTwice = async (perSecond) => (await attempt(perSecond)) || attempt(perSecond)

  let good = 0
  let bad = startRate
  while (bad <= maxRate && (await attemptTwice(bad))) {
    good = bad
    bad *= GROWTH
  }
  for (let i = 0; good > 0 && bad <= maxRate && i < REFINEMENTS; i++) {
    const middle = Math.sqrt(good * bad)
    if (await attemptTwice(middle)) good = middle
    else bad = middle
  }
  const best = steps.filter((step) => step.passed).sort((a, b) => b.perSecond - a.perSecond)[0] ?? null
  return {
    maxUpdatesPerSecond: best?.perSecond ?? 0,
    maxDeliveredPerSecond: best?.deliveredPerSecond ?? 0,
    best,
    steps,
  }
}
