// How long the access decision takes among a million permission rows and 100,000 users:
//   npm run build:server && node dist/bench/access.js
import { BoardAccess } from '../server/boards/access.ts'
import type { AccessSubject } from '../server/rooms/ports.ts'
import { withDatabase } from '../tests/helpers/database.ts'
import { addManyRows, manyBoard, manyGuest, manyUser } from '../tests/helpers/many-rows.ts'

const numbers = { users: 100_000, boards: 100_000, permissions: 1_000_000, linkUses: 300_000 }

const subject = (n: number): AccessSubject => {
  const asUser = n % 2 === 0
  const who = 1 + ((n * 7919) % numbers.users)
  return {
    boardId: manyBoard(1 + ((n * 104_729) % numbers.boards)),
    userId: asUser ? manyUser(who) : null,
    guestId: asUser ? null : manyGuest(who),
    agentId: null,
    sessionId: asUser ? String(who) : null,
    maxLevel: null,
  }
}

await withDatabase(async ({ db, url, schema }) => {
  await addManyRows(url, schema, numbers)
  const access = new BoardAccess(db, 'edit')
  for (const [count, rounds] of [
    [1, 2000],
    [50, 300],
    [1000, 30],
  ] as const) {
    const times: number[] = []
    for (let round = 0; round < rounds + 20; round += 1) {
      const subjects = Array.from({ length: count }, (_, n) => subject(round * count + n))
      const begun = performance.now()
      await access.decide(subjects)
      if (round >= 20) times.push(performance.now() - begun)
    }
    times.sort((a, b) => a - b)
    const at = (share: number) => (times[Math.floor(times.length * share)] ?? 0).toFixed(2)
    console.log(`${count} subjects: p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, most ${at(0.9999)} ms`)
  }
})
