// The metrics of several workers, as one text.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { together } from '../../server/commands/worker-metrics.ts'

const metrics = suite('metrics of several workers')

const textOf = (worker: number, rooms: number) => `# HELP rooms Open.
# TYPE rooms gauge
rooms{worker="${worker}"} ${rooms}

# HELP only_${worker} Of one alone.
# TYPE only_${worker} counter
only_${worker}{worker="${worker}"} 1
`

metrics('contain each metric once, with the lines of all workers', () => {
  assert.is(
    together([textOf(1, 3), textOf(2, 4)]),
    `# HELP rooms Open.
# TYPE rooms gauge
rooms{worker="1"} 3
rooms{worker="2"} 4

# HELP only_1 Of one alone.
# TYPE only_1 counter
only_1{worker="1"} 1

# HELP only_2 Of one alone.
# TYPE only_2 counter
only_2{worker="2"} 1
`,
  )
})

metrics('are those of one worker if no other answers', () => {
  assert.is(together([textOf(1, 3)]), textOf(1, 3))
})

metrics.run()
