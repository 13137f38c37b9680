// Several servers on one database, with a bus between them.
import type { BoardroomOptions } from '../../server/boardroom.ts'
import { type TestDatabase, withDatabase } from './database.ts'
import { type Nats, withNats } from './nats.ts'
import { startNode, type TestNode, type TestServer } from './server.ts'

export interface TestNodes {
  database: TestDatabase
  nats: Nats
  one: TestServer
  other: TestServer
  nodes: TestNode[]
  /** One more node; stopped at the end like the others. */
  start(options?: Partial<BoardroomOptions>): Promise<TestNode>
}

const secret = 'a secret that all nodes of a test have'

/** Two nodes; `options` are those of both, `ofOther` of the second alone. */
export const withNodes = <Result>(
  work: (nodes: TestNodes) => Promise<Result>,
  options: Partial<BoardroomOptions> = {},
  ofOther: (nats: Nats, database: TestDatabase) => Promise<Partial<BoardroomOptions>> = async () => ({}),
): Promise<Result> =>
  withNats((nats) =>
    withDatabase(async (database) => {
      const nodes: TestNode[] = []
      const start: TestNodes['start'] = async (own = {}) => {
        const node = await startNode(database, { secret, natsUrl: nats.url, ...options, ...own })
        nodes.push(node)
        return node
      }
      try {
        const one = (await start()).server
        const other = (await start(await ofOther(nats, database))).server
        return await work({ database, nats, one, other, nodes, start })
      } finally {
        for (const node of nodes.reverse()) await node.stop()
      }
    }),
  )
