// After a start most of the heap is what starting needed: modules being compiled, migrations, the sample board. V8 gives
// it back once it runs short, which a quiet server does for hours.
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/** First joins come at once after a start; they come before this. */
const afterMs = 5_000

/** Collects once, about 40 ms of one core, some time after the start. A fifth of a fresh server's memory. */
export function giveBackMemoryOfStart(): void {
  setTimeout(() => {
    setFlagsFromString('--expose-gc')
    const collect = runInNewContext('gc') as () => void // what the flag puts there
    setFlagsFromString('--no-expose-gc')
    collect()
  }, afterMs).unref()
}
