// Turns a change by the server (an import, a restore, code of an embedder) into updates that are safe to apply.
import type { Doc } from 'yjs'
import { validateUpdate } from '../../documents/validate/validate.ts'
import { defaultValidationLimits } from '../../documents/validate/verdict.ts'
import { BoardroomError } from '../../errors.ts'
import type { BoardDocument } from '../document.ts'
import type { RoomLimits } from '../ports.ts'

/** An update v1 from outside, or a synchronous function that edits the document. */
export type ServerChange = Uint8Array | ((doc: Doc) => void)

/**
 * The updates that `change` makes to the current `doc`, without applying them.
 * @throws BoardroomError invalid_request | board_full, or the error of the function
 */
export function updatesOf(
  change: ServerChange,
  { document, doc, limits }: { document: BoardDocument; doc: Doc; limits: RoomLimits },
): readonly Uint8Array[] {
  const { maxBoardBytes } = limits
  const updates = typeof change === 'function' ? document.rehearse(doc, change) : [change]
  const bytes = updates.reduce((sum, update) => sum + update.length, 0)
  if (!document.hasRoomFor(bytes, maxBoardBytes))
    throw new BoardroomError(
      'board_full',
      `the board would be larger than ${maxBoardBytes} bytes, which is the limit`,
    )
  if (typeof change !== 'function') check(change, doc, limits)
  return updates
}

function check(update: Uint8Array, doc: Doc, limits: RoomLimits): void {
  const verdict = validateUpdate(update, doc, () => 'ok', {
    ...defaultValidationLimits,
    maxNewClientsPerUpdate: limits.maxClientsPerBoard,
    maxStructsPerUpdate: Number.POSITIVE_INFINITY,
  })
  if (verdict.outcome === 'reject')
    throw new BoardroomError('invalid_request', `not an update that can be applied: ${verdict.message}`)
  if (verdict.outcome === 'resync')
    throw new BoardroomError(
      'invalid_request',
      'the update depends on edits that the board does not have; send the whole document',
    )
}
