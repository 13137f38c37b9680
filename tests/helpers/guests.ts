// People who come in through the link printed at the first start, and draw; for tests of the whole program.
import { visitor } from './command-line.ts'
import { eventually } from './eventually.ts'
import type { Program } from './program.ts'
import { RawClient } from './raw-client.ts'

export const put = (client: RawClient, key: string, value: unknown = key): number =>
  client.edit((doc) => doc.getMap('notes').set(key, value))
export const draw = async (client: RawClient, key: string): Promise<void> => {
  const count = put(client, key)
  await eventually(() => client.saved >= count, { withinMs: 20_000 })
}
export const sees = (client: RawClient, key: string) => () => client.doc.getMap('notes').has(key)
export const patiently = { withinMs: 40_000, everyMs: 50 }

/** The result of `/readyz`, check by check. */
export const readiness = async (origin: string) => {
  const { status, body } = await visitor(origin).ask('GET', '/readyz')
  return { status, ...body.checks } as { status: number; database: string; saving: string }
}

/** Joins through the link printed at the first start, for any number of people. They leave when `work` ends. */
export async function withGuests(
  program: Program,
  work: (join: () => Promise<RawClient>) => Promise<void>,
): Promise<void> {
  const link = await eventually(() => program.said.find((line) => line.startsWith('Sample board, edit')))
  const token = /#k=(\S+)/.exec(link)?.[1]
  const guest = visitor(program.origin)
  const { body } = await guest.ask('POST', '/api/share-links/exchange', { token, name: 'Gus' })
  const url = `${program.origin.replace('http', 'ws')}/ws/${body.board_id}`
  const clients: RawClient[] = []
  try {
    await work(async () => {
      const client = new RawClient(url, { ticket: body.ticket })
      clients.push(client)
      await client.opened
      return client
    })
  } finally {
    for (const client of clients) client.terminate()
  }
}
