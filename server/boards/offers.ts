// Handing over a board: the owner offers it, and it changes hands when the other person accepts, so that nobody becomes
// responsible for a board against their will. Administrators hand over at once, see boards.ts.
import type { BoardOfferResponse } from '../../shared/api.ts'
import { transactionAs } from '../audit/actor.ts'
import type { Db } from '../database/database.ts'
import { BoardroomError } from '../errors.ts'
import type { Actor } from '../principal.ts'
import { changeBoard } from './boards.ts'
import type { BoardsDeps } from './deps.ts'
import { deleteOffer, offersTo, takeOffer, upsertOffer } from './offer-queries.ts'
import { type Granter, granteeOf } from './permissions.ts'

type Deps = Pick<BoardsDeps, 'db' | 'schema' | 'publicBoards' | 'limits'>

/** A second offer replaces the first. @throws BoardroomError access_denied (a person the owner has no board in common with) */
export async function offerBoard(
  deps: Deps,
  actor: Actor,
  granter: Granter,
  boardId: string,
  newOwner: number,
): Promise<void> {
  const userId = await granteeOf(deps, granter, { user_id: newOwner })
  if (userId === null) throw new BoardroomError('invalid_request', 'owner_id: expected the id of an account')
  await transactionAs(deps.db, actor, (trx) => upsertOffer(trx, boardId, userId, actor.userId))
}

/** Boards that were offered to somebody, newest first. */
export async function listOffers(
  db: Db,
  userId: number,
): Promise<{ items: BoardOfferResponse[]; next_cursor: null }> {
  const rows = await offersTo(db, userId)
  return {
    items: rows.map(({ board_id, title, offered_by_name, created_at }) => ({
      board_id,
      title,
      offered_by: offered_by_name ?? '',
      created_at: created_at.toISOString(),
    })),
    next_cursor: null,
  }
}

/** Accepts or declines. @throws BoardroomError not_found if nothing is offered to them */
export async function answerOffer(
  deps: Deps,
  actor: Actor,
  boardId: string,
  userId: number,
  accept: boolean,
): Promise<void> {
  await transactionAs(deps.db, actor, async (trx) => {
    const former = await takeOffer(trx, boardId, userId)
    if (former === undefined)
      throw new BoardroomError('not_found', 'this board is not (or no longer) offered to you')
    if (!accept) return
    await changeBoard(trx, deps, {
      boardId,
      change: { owner_id: userId },
      by: userId,
      handedOverBy: former.owner_id,
    })
  })
}

/** @throws BoardroomError not_found */
export async function withdrawOffer(deps: Pick<Deps, 'db'>, actor: Actor, boardId: string): Promise<void> {
  const wasThere = await transactionAs(deps.db, actor, (trx) => deleteOffer(trx, boardId))
  if (!wasThere) throw new BoardroomError('not_found', 'this board has no open offer')
}
