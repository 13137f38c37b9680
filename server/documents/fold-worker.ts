// The thread in which documents are folded, converted and compared, so that no room is slowed down. Started by
// document-worker.ts; handles one message at a time.
import os from 'node:os'
import { parentPort, workerData } from 'node:worker_threads'
import { jsonOf } from './content.ts'
import { cut } from './cutting.ts'
import { difference } from './difference.ts'
import { findElement } from './element-box.ts'
import { type Folded, fold, joined, pack, unpack } from './folding.ts'
import { importJson, importScene, importUpdate } from './importing.ts'
import { rebuilt } from './rebuilding.ts'
import { sceneFileOf } from './scene-files.ts'
import type { Answer, Ask, Imported, StoredLog, TaskName } from './tasks.ts'
import { dryRun } from './validate/crowds.ts'
import { patchYjsMerging } from './yjs-merging.ts'

patchYjsMerging()
if (workerData?.isPatient === true && process.platform === 'linux') stepBack()

/** The tasks by name. */
export const work: { [Name in TaskName]: (ask: Ask<Name>) => Answer<Name> } = {
  fold: ({ snapshot, updates, times, withVersion }) => fold(snapshot, updates, withVersion, times),
  foldAll: ({ logs }) => logs.map(foldedOrNull),
  join: ({ snapshot, updates }) => joined(snapshot, updates),
  cut: ({ state }) => cut(state),
  dryRun,
  pack: ({ state }) => pack(state),
  unpack: ({ packed }) => unpack(packed),
  difference: ({ current, target }) => difference(current, target),
  rebuild: ({ state }) => rebuilt(state),
  element: ({ state, id }) => findElement(state, id),
  json: ({ state }) => Buffer.from(jsonOf(state), 'utf8'),
  scene: ({ state }) => Buffer.from(sceneFileOf(state), 'utf8'),
  importUpdate: (ask) => refusingDepth(() => importUpdate(ask)),
  importJson: (ask) => refusingDepth(() => importJson(ask)),
  importScene: (ask) => refusingDepth(() => importScene(ask)),
}

/** Lowers the priority of this thread: if it shares a core with the main thread, it gets about a third of its time. */
function stepBack(): void {
  try {
    os.setPriority(0, Math.min(19, os.getPriority(0) + 5)) // on Linux, 0 means this thread and not the process
  } catch {
    // Not permitted on this system, and not essential.
  }
}

function foldedOrNull({ snapshot, updates, times, withVersion }: StoredLog): Folded | null {
  try {
    return fold(snapshot, updates, withVersion, times)
  } catch {
    return null // the board is then folded separately, which reports the error
  }
}

/** JSON nested so deeply that it overflows the stack is the sender's fault. */
function refusingDepth(importing: () => Imported): Imported {
  try {
    return importing()
  } catch (error) {
    if (error instanceof RangeError)
      return { outcome: 'refused', message: 'the content is nested too deeply' }
    throw error
  }
}

interface Question {
  id: number
  name: TaskName
  ask: never
}

parentPort?.on('message', ({ id, name, ask }: Question) => {
  try {
    // The name identifies the task; the sender's types guarantee the matching payload.
    const answer = (work[name] as (ask: never) => unknown)(ask)
    parentPort?.postMessage({ id, answer })
  } catch (error) {
    parentPort?.postMessage({ id, error: error instanceof Error ? error.message : String(error) })
  }
})
