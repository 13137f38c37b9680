// How long it takes to identify who opens a socket, for each kind of credential: `node dist/bench/identify.js`.
import type { IncomingMessage } from 'node:http'
import { identifySocket, isRefusal } from '../server/accounts/identify.ts'
import { makeTicket } from '../server/accounts/tickets.ts'
import { createUser } from '../server/accounts/users.ts'
import { transactionAs } from '../server/audit/actor.ts'
import { systemActor } from '../server/principal.ts'
import { withAccounts } from '../tests/helpers/accounts.ts'

const board = '0b9a1f3e-6a0b-4a3b-9a52-2f4a5f6f7a10'
const page = { origin: 'http://localhost:4400', host: 'localhost:4400' }
const rounds = 600
const atOnce = 150

await withAccounts({}, async ({ db, browser, identify, guests }) => {
  const person = { email: 'ada@example.org', password: 'correct horse' }
  await createUser(db, systemActor, { ...person, name: 'Ada' })
  const tab = browser()
  await tab.post('/api/auth/sign-in/email', person)
  const signInMs = await took(() => tab.post('/api/auth/sign-in/email', person))
  console.log(`sign-in ${signInMs.toFixed(0)} ms`)

  const { cookie } = await transactionAs(db, systemActor, (trx) =>
    guests.create(trx, { name: 'Gus', linkExpiresAt: null }),
  )
  const ask = (headers: Record<string, string>) =>
    identifySocket(identify, { url: `/ws/${board}`, headers } as unknown as IncomingMessage, board) // the part that is read
  const ada = await ask({ ...page, cookie: tab.cookie })
  if (isRefusal(ada)) throw new Error(ada.reason)
  const { ticket } = await makeTicket(identify.ticketKey, ada, { boardId: board })

  const shown = {
    session: { ...page, cookie: tab.cookie },
    guest: { ...page, cookie: cookie.split(';')[0] ?? '' },
    ticket: { ...page, 'sec-websocket-protocol': `boardroom.yjs, boardroom.ticket.${ticket}` },
    nothing: page,
  }
  for (const [name, headers] of Object.entries(shown)) {
    const times: number[] = []
    for (let i = 0; i < rounds; i++) times.push(await took(() => ask(headers)))
    const sorted = times.slice(rounds / 6).sort((a, b) => a - b)
    const at = (share: number) => (sorted[Math.floor(sorted.length * share)] ?? 0).toFixed(2)
    const allMs = await took(() => Promise.all(Array.from({ length: atOnce }, () => ask(headers))))
    console.log(`${name}: p50 ${at(0.5)} ms, p99 ${at(0.99)} ms; ${atOnce} at once ${allMs.toFixed(0)} ms`)
  }
})

async function took(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now()
  await work()
  return performance.now() - start
}
