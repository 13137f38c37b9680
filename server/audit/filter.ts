// The filters of a request for the trail, checked beyond their types: filters that make no sense are refused, because
// an empty result would look like "nothing happened".
import { BoardroomError } from '../errors.ts'
import { isAuditAction, isAuditCategory } from './event.ts'
import type { AuditFilter } from './queries.ts'

/**
 * @param board the board whose trail is requested; null for the whole instance.
 * @throws BoardroomError invalid_request, naming the filter.
 */
export const filterOf = (query: AuditFilter, board: string | null): AuditFilter => {
  const { action, category, user_id, from, to } = query
  if (action !== undefined && !isAuditAction(action))
    refuse(`action: there is no action named ${JSON.stringify(action)}`)
  if (category !== undefined && !isAuditCategory(category))
    refuse(`category: there is no category named ${JSON.stringify(category)}`)
  for (const [name, moment] of [
    ['from', from],
    ['to', to],
  ] as const) {
    if (moment !== undefined && (moment.length > 40 || !(Date.parse(moment) >= 0)))
      refuse(`${name}: expected a time since 1970`)
  }
  if (from !== undefined && to !== undefined && Date.parse(from) >= Date.parse(to))
    refuse('from must be before to')
  if (
    board !== null &&
    query.board_id !== undefined &&
    query.board_id.toLowerCase() !== board.toLowerCase()
  ) {
    refuse('board_id: this is the trail of another board')
  }
  return { action, category, user_id, board_id: board ?? query.board_id, link_id: query.link_id, from, to }
}

const refuse = (message: string): never => {
  throw new BoardroomError('invalid_request', message)
}
