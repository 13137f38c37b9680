// What a route needs on a board before it does anything: a level, a right, the board's management; else the error that
// says why not.
import { allows, type Level } from '../../shared/levels.ts'
import { BoardroomError } from '../errors.ts'
import type { Identity } from '../principal.ts'
import { consentReason } from '../rooms/access/seats.ts'
import type { Access, AccessDecision } from '../rooms/ports.ts'
import { subjectOf } from './access.ts'

/**
 * What a decision allows where nobody looks at elements: over HTTP, a whole document is replaced or read. An agent
 * needs all of its bits to do the first, and may read only where it was let.
 */
export function wholeLevelOf({ level, agent }: AccessDecision): Level | null {
  if (agent === null || level === null) return level
  if (!agent.read) return null
  if (agent.create && agent.update && agent.delete) return level
  return agent.comment ? 'comment' : 'view'
}

/**
 * Why `decision` does not let the asker in, as the error that says so: null where it gives a level.
 * A board that is not there and one that the asker may not know of look alike.
 */
export function refusalOf(decision: AccessDecision, identity: Identity): BoardroomError | null {
  if (decision.credential === 'ended') {
    return new BoardroomError(
      'not_signed_in',
      'the sign-in, guest session or account behind this has ended; sign in again',
    )
  }
  if (decision.level !== null) return null
  if (decision.awaitsConsent !== undefined) {
    return new BoardroomError('consent_needed', consentReason(decision.awaitsConsent.url), {
      details: { consent_url: decision.awaitsConsent.url },
    })
  }
  if (decision.board === 'deleted') return new BoardroomError('board_deleted', 'this board is deleted')
  if (decision.board === 'missing') return new BoardroomError('not_found', 'there is no such board')
  if (identity.principal.kind === 'anonymous') {
    return new BoardroomError('not_signed_in', 'sign in, or open a share link, to see this board')
  }
  return new BoardroomError('access_denied', 'you have no access to this board; ask its owner')
}

/**
 * The asker's decision on a board, where it allows `level`.
 * @throws BoardroomError not_found (missing or invisible) | board_deleted | access_denied (level too low) |
 * not_signed_in | database_unreachable
 */
export async function requireLevel(
  access: Access,
  identity: Identity,
  boardId: string,
  level: Level,
): Promise<AccessDecision> {
  const decision = await decisionFor(access, identity, boardId)
  requireOf(decision, identity, level)
  return decision
}

/**
 * Whether the asker has anything to do on the board, or rights on it in the trash; asked before a body is read. What they
 * may do is asked again by the route.
 * @throws BoardroomError as {@link requireLevel}
 */
export async function admitBody(access: Access, identity: Identity, boardId: string): Promise<void> {
  const decision = await decisionFor(access, identity, boardId)
  if (decision.credential === 'valid' && decision.board === 'deleted' && decision.mayManage) return
  requireOf(decision, identity, 'view')
}

/**
 * Whether the asker has any right on the board, which may still wait for their consent.
 * @throws BoardroomError as {@link requireLevel}, consent_needed left out
 */
export async function requireRight(
  access: Access,
  identity: Identity,
  boardId: string,
): Promise<AccessDecision> {
  const decision = await decisionFor(access, identity, boardId)
  if (decision.awaitsConsent === undefined) requireOf(decision, identity, 'view')
  return decision
}

async function decisionFor(access: Access, identity: Identity, boardId: string): Promise<AccessDecision> {
  const [decision] = await access.decide([subjectOf(identity, boardId)])
  if (decision === undefined) throw new BoardroomError('internal', 'no decision about a subject')
  return decision
}

function requireOf(decision: AccessDecision, identity: Identity, level: Level): void {
  const allowed = wholeLevelOf(decision)
  const refusal = refusalOf({ ...decision, level: allowed }, identity)
  // Over HTTP a board that one may not see is not there.
  if (refusal?.code === 'access_denied')
    throw new BoardroomError('not_found', 'there is no such board', { cause: refusal })
  if (refusal !== null) throw refusal
  if (!allows(allowed, level)) {
    const why =
      decision.agent === null
        ? `you have ${allowed}`
        : `this agent has ${allowed} here; changing a whole document needs can_create, can_update and can_delete`
    throw new BoardroomError('access_denied', `this needs the level ${level}; ${why}`, {
      details: { needed: level, level: allowed },
    })
  }
}

/**
 * The asker's decision on a board that they own or administer.
 * @param options.deleted also a deleted board: to restore or purge it.
 * @param options.withoutConsent also where what is asked is not accepted yet: to change what is asked.
 * @throws BoardroomError as {@link requireLevel}
 */
export async function requireManage(
  access: Access,
  identity: Identity,
  boardId: string,
  options: { deleted?: boolean; withoutConsent?: boolean } = {},
): Promise<AccessDecision> {
  if (options.withoutConsent === true) {
    const decision = await requireRight(access, identity, boardId)
    if (decision.mayManage) return decision
  }
  if (options.deleted === true) {
    const decision = await decisionFor(access, identity, boardId)
    if (decision.credential === 'valid' && decision.board === 'deleted' && decision.mayManage) return decision
  }
  const decision = await requireLevel(access, identity, boardId, 'view')
  if (!decision.mayManage) {
    throw new BoardroomError(
      'access_denied',
      identity.via === 'ticket'
        ? 'a ticket opens a board and manages nothing; use a session, or the library'
        : 'only the owner of this board and administrators may do this',
    )
  }
  return decision
}
