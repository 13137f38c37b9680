// Who may read which part of the trail, and which fields of a row.
import type { AuditResponse } from '../../shared/api.ts'
import type { Database } from '../database/database.ts'
import { BoardroomError } from '../errors.ts'
import type { Identity } from '../principal.ts'
import { isAdministrator } from './queries.ts'

export interface ReadingDeps {
  database: Database
  /** Checks that the asker manages the board, which may be in the trash. @throws BoardroomError as in boards/access.ts */
  requireManage(identity: Identity, boardId: string): Promise<unknown>
}

/** What an asker may read: a board's trail or all of it, and which fields of a row. */
export interface Reading {
  board: string | null
  /** Checked again while a stream is open. @throws BoardroomError if the right is gone */
  require(): Promise<unknown>
  shown(row: AuditResponse): AuditResponse
}

/** @throws BoardroomError not_signed_in | access_denied, recorded */
export async function ofInstance({ database }: ReadingDeps, identity: Identity): Promise<Reading> {
  const require = async () => {
    const { principal } = identity
    if (principal.kind === 'anonymous')
      throw new BoardroomError('not_signed_in', 'sign in as an administrator to read the trail')
    // A ticket is valid only for its board.
    const may =
      principal.kind === 'user' &&
      identity.boardId === null &&
      (await isAdministrator(database, principal.userId, identity.sessionId))
    if (!may)
      throw new BoardroomError('access_denied', 'only administrators may read the trail of the instance')
  }
  await require()
  return { board: null, require, shown: (row) => row }
}

/** Managers see everything that happened on their board except session ids, which would link a person's boards. */
export async function ofBoard(deps: ReadingDeps, identity: Identity, board: string): Promise<Reading> {
  const require = () => deps.requireManage(identity, board)
  await require()
  const { principal } = identity
  const isAdmin = principal.kind === 'user' && principal.role !== 'user'
  return { board, require, shown: (row) => (isAdmin ? row : { ...row, session_id: null }) }
}
