// Two nodes behind a proxy that balances by board: everybody on a board is on one node, and on the other if that one
// stops.
import * as assert from 'uvu/assert'
import { MessageType } from '../../shared/protocol.ts'
import { draw } from './guests.ts'
import { withNodes } from './nodes.ts'
import { RawClient } from './raw-client.ts'

/** @param withProxy runs a proxy in front of these ports. */
export const balancesByBoard = (
  withProxy: (ports: number[], work: (proxy: { origin: string }) => Promise<void>) => Promise<void>,
): Promise<void> =>
  withNodes(
    async ({ one, other, nodes, database: { db } }) => {
      const ada = await one.user('Ada')
      await withProxy([one.port, other.port], async ({ origin }) => {
        const clients: { board: string; ticket: string; client: RawClient }[] = []
        const join = async (board: string, ticket: string) => {
          const client = new RawClient(`${origin.replace('http', 'ws')}/ws/${board}`, { ticket })
          await client.message(MessageType.hello)
          return client
        }
        const nodesOf = async (board: string) => {
          const rows = await db
            .selectFrom('audit_logs')
            .select('details')
            .where('board_id', '=', board)
            .where('action', '=', 'access')
            .execute()
          return rows.map(({ details }) => (details as { server_id: string }).server_id) // of every such row
        }
        const all = new Set<string>()
        for (let i = 0; i < 8; i++) {
          const board = await ada.board(`Board ${i}`)
          const ticket = await ada.ticket(board)
          for (let j = 0; j < 3; j++) clients.push({ board, ticket, client: await join(board, ticket) })
          const ids = await nodesOf(board)
          assert.is(ids.length, 3)
          assert.is(new Set(ids).size, 1, 'one node a board')
          all.add(ids[0] ?? '')
        }
        assert.is(all.size, 2, 'both nodes have boards')
        const [, second] = nodes
        nodes.splice(1, 1)
        await second?.stop()
        for (const { board, ticket, client } of clients) {
          if (client.socket.readyState === client.socket.OPEN) continue
          await draw(await join(board, ticket), 'again')
        }
      })
    },
    { trustedProxies: ['127.0.0.1/32'], maxConnectionsPerPrincipal: 100 },
  )
