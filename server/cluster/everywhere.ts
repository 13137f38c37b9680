// Questions to all nodes about the people on a board.
import type { ConnectionSummary } from '../rooms/ports.ts'
import type { Rooms } from '../rooms/rooms.ts'
import type { Cluster } from './cluster.ts'

/** Who is on a board, on any node. @see server/boards/deps.ts */
export interface Everywhere {
  connectionsOf(boardId: string): readonly ConnectionSummary[] | Promise<readonly ConnectionSummary[]>
  disconnect(connectionId: string): boolean | Promise<boolean>
}

/** @param cluster null if this node is the only one. */
export function everywhere(rooms: Rooms, cluster: Cluster | null): Everywhere {
  if (cluster === null) return rooms
  cluster.answerWith((question) => {
    switch (question.about) {
      case 'here':
        return rooms.connectionsOf(question.boardId)
      case 'disconnect':
        return rooms.disconnect(question.connectionId) ? [true] : []
      default:
        return [] // from a newer version
    }
  })
  return {
    async connectionsOf(boardId) {
      const elsewhere = (await cluster.ask({ about: 'here', boardId })) as Travelled[] // signed by one of us
      const all = [...rooms.connectionsOf(boardId), ...elsewhere.map(arrived)]
      return all.sort((a, b) => a.joinedAt.getTime() - b.joinedAt.getTime())
    },
    async disconnect(connectionId) {
      if (rooms.disconnect(connectionId)) return true
      return (await cluster.ask({ about: 'disconnect', connectionId })).length > 0
    },
  }
}

/** The JSON form. */
type Travelled = Omit<ConnectionSummary, 'joinedAt'> & { joinedAt: string }

const arrived = (summary: Travelled): ConnectionSummary => ({
  ...summary,
  joinedAt: new Date(summary.joinedAt),
})
