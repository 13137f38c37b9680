// How long the access decision, and related lists, take with a million permission rows, 100,000 users, 10,000 grants to
// agents, 100,000 consents and 100,000 records:
//   npm run build:server && node dist/bench/access.js
import { boardsOfAgent, grantRows } from '../server/agents/queries.ts'
import { BoardAccess } from '../server/boards/access.ts'
import { recordsOf } from '../server/boards/consent/queries.ts'
import { listRecordRows } from '../server/boards/records/queries.ts'
import type { AccessSubject } from '../server/rooms/ports.ts'
import { withDatabase } from '../tests/helpers/database.ts'
import {
  addManyRows,
  addMoreRows,
  manyAgent,
  manyAsked,
  manyBoard,
  manyGuest,
  manyTemplate,
  manyUser,
} from '../tests/helpers/many-rows.ts'

const numbers = {
  ...{ users: 100_000, boards: 100_000, permissions: 1_000_000, linkUses: 300_000 },
  ...{ grants: 10_000, consents: 100_000, records: 100_000 },
}
const agents = 1000

type Kind = 'users and guests' | 'agents'

const subjectOf = (n: number, kind: Kind): AccessSubject => {
  const who = 1 + ((n * 7919) % numbers.users)
  const board = manyBoard(1 + ((n * 104_729) % numbers.boards))
  const nobody = {
    boardId: board,
    userId: null,
    guestId: null,
    agentId: null,
    sessionId: null,
    maxLevel: null,
  }
  if (kind === 'agents') {
    const grant = 1 + ((n * 7919) % (numbers.grants - 1))
    return { ...nobody, boardId: manyBoard(grant), agentId: manyAgent(1 + Math.floor(grant / 10)) }
  }
  return n % 2 === 0
    ? { ...nobody, userId: manyUser(who), sessionId: String(who) }
    : { ...nobody, guestId: manyGuest(who) }
}

async function measure(
  name: string,
  rounds: number,
  work: (round: number) => Promise<unknown>,
): Promise<void> {
  const times: number[] = []
  for (let round = 0; round < rounds + 20; round += 1) {
    const begun = performance.now()
    await work(round)
    if (round >= 20) times.push(performance.now() - begun)
  }
  times.sort((a, b) => a - b)
  const at = (share: number) => (times[Math.floor(times.length * share)] ?? 0).toFixed(2)
  console.log(`${name}: p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, most ${at(0.9999)} ms`)
}

await withDatabase(async ({ db, url, schema }) => {
  await addManyRows(url, schema, numbers)
  await addMoreRows(url, schema, numbers)
  const ways: [string, BoardAccess][] = [
    ['', new BoardAccess(db, 'edit')],
    [', consent asked', new BoardAccess(db, 'edit', { asked: manyAsked, urlFor: () => '' })],
  ]
  for (const [suffix, access] of ways)
    for (const kind of ['users and guests', 'agents'] as const)
      for (const [count, rounds] of [
        [1, 2000],
        [50, 300],
        [1000, 30],
      ] as const) {
        const subjects = (round: number) =>
          Array.from({ length: count }, (_, n) => subjectOf(round * count + n, kind))
        await measure(`${count} of ${kind}${suffix}`, rounds, (round) => access.decide(subjects(round)))
      }
  const records = { template: manyTemplate, q: undefined, deleted: false, userId: null }
  const user = (round: number) => manyUser(1 + ((round * 7919) % numbers.users))
  await measure('consents of a user', 500, (round) => recordsOf(db, { userId: user(round) }, 100))
  const agent = (round: number) => manyAgent(1 + (round % agents))
  await measure('grants of an agent', 500, (round) => grantRows(db, agent(round), null, 0, 100))
  await measure('boards of an agent', 100, (round) => boardsOfAgent(db, agent(round), 100))
  await measure('newest records', 200, () => listRecordRows(db, records, null, 101))
  await measure('records of a user', 200, (round) =>
    listRecordRows(db, { ...records, userId: user(round) }, null, 101),
  )
  await measure('records by a word', 50, (round) =>
    listRecordRows(db, { ...records, q: `person ${1 + ((round * 7919) % numbers.records)}` }, null, 101),
  )
  await measure('records by a national id', 50, (round) =>
    listRecordRows(
      db,
      { ...records, q: String(1 + ((round * 7919) % numbers.records)).padStart(11, '0') },
      null,
      101,
    ),
  )
})
