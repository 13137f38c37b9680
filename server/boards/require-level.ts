// Access checks for routes: a level, any right, or managing the board; otherwise an error with the reason.
import { allows, type Level } from '../../shared/levels.ts'
import { BoardroomError } from '../errors.ts'
import type { Identity } from '../principal.ts'
import { consentReason } from '../rooms/access/seats.ts'
import type { Access, AccessDecision } from '../rooms/ports.ts'
import { subjectOf } from './access.ts'

/**
 * The level over HTTP, where documents are read or replaced as a whole without checking elements. An agent needs all of
 * its rights to replace one, and can_read to read it.
 */
export function wholeLevelOf({ level, agent }: AccessDecision): Level | null {
  if (agent === null || level === null) return level
  if (!agent.read) return null
  if (agent.create && agent.update && agent.delete) return level
  return agent.comment ? 'comment' : 'view'
}

/**
 * The error that says why `decision` refuses the asker; null if it gives a level. A board that does not exist and one
 * that the asker may not know about look the same.
 */
export function refusalOf(decision: AccessDecision, identity: Identity): BoardroomError | null {
  if (decision.credential === 'ended') {
    return new BoardroomError(
      'not_signed_in',
      'your session has ended or your account is deactivated; sign in again',
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
    return new BoardroomError('not_signed_in', 'sign in or open a share link to see this board')
  }
  return new BoardroomError('access_denied', 'you have no access to this board; ask its owner')
}

/**
 * The asker's decision on a board, if it allows `level`.
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
 * Checks that the asker has any access to the board, or rights on it in the trash, before a body is read. The route
 * checks the required level itself.
 * @throws BoardroomError as {@link requireLevel}
 */
export async function admitBody(access: Access, identity: Identity, boardId: string): Promise<void> {
  const decision = await decisionFor(access, identity, boardId)
  if (decision.credential === 'valid' && decision.board === 'deleted' && decision.mayManage) return
  requireOf(decision, identity, 'view')
}

/**
 * Checks that the asker has any right on the board, even if their consent is still missing.
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
  // Over HTTP, a board that the asker may not see does not exist.
  if (refusal?.code === 'access_denied')
    throw new BoardroomError('not_found', 'there is no such board', { cause: refusal })
  if (refusal !== null) throw refusal
  if (!allows(allowed, level)) {
    const why =
      decision.agent === null
        ? `you have ${allowed}`
        : `this agent has ${allowed} here; changing a whole document requires can_create, can_update and can_delete`
    throw new BoardroomError('access_denied', `this requires the level ${level}; ${why}`, {
      details: { needed: level, level: allowed },
    })
  }
}

/**
 * The asker's decision on a board that they own or administer.
 * @param options.deleted also allows a deleted board: to restore or purge it.
 * @param options.withoutConsent also allows missing consent: to change what is asked for.
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
        ? 'a ticket cannot manage a board; use a session, or the library'
        : 'only the owner of this board or an administrator may do this',
    )
  }
  return decision
}
