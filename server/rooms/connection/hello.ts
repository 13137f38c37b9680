// The first message to a client of boardroom.v1: who it is, which board this is, what it may do, and the limits.
import type { Hello } from '../../../shared/protocol.ts'
import type { RoomLimits } from '../ports.ts'
import type { Connection } from './connection.ts'

export function helloFor(connection: Connection, limits: RoomLimits): Hello {
  const { reason, mayManage } = connection
  const { connectionId, boardId, level } = connection.summary()
  return {
    connection_id: connectionId,
    board_id: boardId,
    principal: connection.speaker.principal,
    level,
    may_manage: mayManage,
    ...(reason === null ? {} : { reason }),
    limits: {
      max_frame_bytes: limits.maxFrameBytes,
      max_board_bytes: limits.maxBoardBytes,
      max_file_bytes: limits.maxFileBytes,
      updates_per_second: limits.updatesPerSecond,
      awareness_per_second: limits.awarenessPerSecond,
    },
  }
}
