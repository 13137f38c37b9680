// S8: a board with a long history is opened by the first client after a restart or a crash.
import { fill, sameBoard, timedJoin } from '../load/board.mjs'
import { historyUpdates, stateOf } from '../load/fixtures.mjs'
import { round } from '../load/load.mjs'
import { sleep } from '../load/pace.mjs'

export const needs = 'storage'

export const variants = {
  '100k': { writers: 100, editsEach: 1000, signal: 'SIGTERM' },
  '100k-crash': { writers: 100, editsEach: 1000, signal: 'SIGKILL' }, // with the author still connected
}

const ROOM = 'history'
export const rooms = () => [ROOM]

export async function run(target, { writers, editsEach, signal }) {
  const updates = historyUpdates(writers, editsEach)
  const expected = stateOf(updates)
  const cpuBeforeFill = target.cpu()
  const uploader = await fill(target, ROOM, updates)
  const fillCpu = target.cpu() - cpuBeforeFill
  await sleep(3000) // past any store debounce
  if (signal === 'SIGTERM') {
    uploader.close()
    await sleep(1000)
  }
  const startMs = await target.restart(signal)

  const peakAtStart = target.peak()
  const cpuAtStart = target.cpu()
  const first = await timedJoin(target, ROOM)
  const coldCpu = target.cpu() - cpuAtStart
  await sleep(500)
  const cpuAfter = target.cpu() - cpuAtStart
  const peakMiB = target.peak()
  const second = await timedJoin(target, ROOM)
  first.client.close()
  second.client.close()
  return {
    updates: updates.length,
    fillCpuMicrosPerUpdate: round((fillCpu / updates.length) * 1e6, 2),
    startMs: round(startMs, 0),
    coldMs: round(first.ms, 1),
    coldCpuMs: round(coldCpu * 1000, 1),
    cpuHalfSecondLaterMs: round(cpuAfter * 1000, 1),
    warmMs: round(second.ms, 1),
    joinBytes: first.body.length,
    correct: sameBoard(first.body, expected),
    peakAtStartMiB: round(peakAtStart, 1),
    peakMiB: round(peakMiB, 1),
  }
}
