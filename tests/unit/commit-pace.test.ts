// When commits start: at once for people who wait, together for people who continue.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { CommitPace } from '../../server/storage/log/commit-pace.ts'

const pace = suite('the pace of commits')

/** A pace on a clock advanced by hand, and commits that take `commitMs`. */
function withPace(commitMs = 4) {
  let now = 1000
  const commits: { startedAt: number; edits: number }[] = []
  const commitPace = new CommitPace({ leastMs: 10, mostApartMs: 150, mostMs: 150, pauseMs: 60 }, () => now)
  let waiting: { boardId: string }[] = []
  let underWay: { endsAt: number; batch: { boardId: string }[] } | null = null
  /** Lets time pass, millisecond by millisecond, and starts and ends the commits that are due. */
  const pass = (ms: number) => {
    for (const end = now + ms; now < end; now++) step()
    step()
  }
  const step = () => {
    if (underWay !== null && now >= underWay.endsAt) {
      commitPace.ended(underWay.batch)
      underWay = null
    }
    if (underWay !== null || waiting.length === 0 || commitPace.restMs() > 0) return
    commits.push({ startedAt: now, edits: waiting.length })
    commitPace.started(waiting)
    underWay = { endsAt: now + commitMs, batch: waiting }
    waiting = []
  }
  const edit = (boardId = 'board') => {
    commitPace.appended(boardId)
    waiting.push({ boardId })
    step()
  }
  const isSaved = () => waiting.length === 0 && underWay === null
  return { pass, edit, isSaved, commits, commitPace, now: () => now }
}

pace('starts a commit at once for an edit after a pause', () => {
  const { pass, edit, commits } = withPace()
  for (let i = 0; i < 5; i++) {
    edit()
    pass(100)
  }
  assert.equal(
    commits.map(({ startedAt }) => startedAt),
    [1000, 1100, 1200, 1300, 1400],
  )
})

pace('lets the edits of a drag share commits, and none wait longer than the most', () => {
  const { pass, edit, commits, isSaved } = withPace()
  for (let i = 0; i < 30; i++) {
    edit()
    pass(33)
  }
  const edits = commits.map((commit) => commit.edits)
  assert.is(edits[0], 1, 'the first waits for none')
  assert.ok(Math.max(...edits) >= 4)
  assert.ok(commits.length <= 9, `${commits.length} commits in a second`)
  pass(60)
  assert.ok(isSaved(), 'the last waits for a pause and no more')
})

pace('does not delay people who make the next edit only after the last one is saved', () => {
  const { pass, edit, isSaved, now } = withPace()
  const waits: number[] = []
  for (let i = 0; i < 50; i++) {
    const from = now()
    edit()
    while (!isSaved()) pass(1)
    waits.push(now() - from)
    pass(8)
  }
  const held = waits.filter((wait) => wait > 15)
  assert.is(held.length, 1, 'once it is seen that nobody goes on meanwhile')
})

pace('holds edits again when a drag follows edits made one by one', () => {
  const { pass, edit, isSaved, commits } = withPace()
  for (let i = 0; i < 10; i++) {
    edit()
    while (!isSaved()) pass(1)
    pass(8)
  }
  const before = commits.length
  for (let i = 0; i < 30; i++) {
    edit()
    pass(33)
  }
  assert.ok(commits.length - before <= 10)
})

pace('detects a fast drag, even if commits are faster than its edits', () => {
  const { pass, edit, isSaved, commits } = withPace()
  for (let i = 0; i < 3; i++) {
    edit()
    while (!isSaved()) pass(1)
    pass(8)
  }
  for (let i = 0; i < 200; i++) {
    edit()
    pass(16)
  }
  const before = commits.length
  for (let i = 0; i < 100; i++) {
    edit()
    pass(16)
  }
  assert.ok(commits.length - before <= 15, `${commits.length - before} commits for 100 edits`)
})

pace('starts a commit for people who wait for it, whatever else happens', () => {
  const { pass, edit, isSaved, commitPace } = withPace()
  edit()
  pass(20)
  edit()
  pass(10)
  assert.not(isSaved())
  commitPace.hurry()
  pass(5)
  assert.ok(isSaved())
})

pace('includes held edits in a commit of another board', () => {
  const { pass, edit, isSaved } = withPace()
  edit('drawn on')
  pass(20)
  edit('drawn on')
  pass(1)
  assert.not(isSaved())
  edit('another')
  pass(10)
  assert.ok(isSaved())
})

pace('commits for many boards together', () => {
  const { pass, edit, commits } = withPace()
  for (let i = 0; i < 1500; i++) {
    edit(`board ${i % 300}`)
    pass(3)
  }
  assert.ok(commits.length <= 40, `${commits.length} commits in 4.5 s`)
})

pace.run()
