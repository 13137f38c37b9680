// What agents need of the rest, handed in by boardroom.ts.
import type { BoardAccess } from '../boards/access.ts'
import type { Db } from '../database/database.ts'

export interface AgentsDeps {
  db: Db
  access: BoardAccess
}
