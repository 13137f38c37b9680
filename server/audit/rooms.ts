// What rooms report to the trail: who left, and whose edits were relayed by somebody else.
import type { Logger } from 'pino'
import type { Actor } from '../principal.ts'
import type { Contested, Relayed } from '../rooms/edits/client-ids.ts'
import type { ConnectionSummary } from '../rooms/ports.ts'
import type { ServerPresence } from './leaves.ts'
import type { AuditTrail } from './trail.ts'

/** Named per update; further ones are only counted. */
const mostListed = 100

/** A `leave` that cannot be written now is written later from its `access` row. */
export function recordLeave(
  { trail, presence, log }: { trail: AuditTrail; presence: ServerPresence; log: Logger },
  connection: ConnectionSummary,
  end: { code: number; reason: string },
): void {
  const { boardId, connectionId, joinedAt, level } = connection
  const seconds = Math.round((Date.now() - joinedAt.getTime()) / 1000)
  trail
    .record({
      action: 'leave',
      actor: actorOf(connection),
      boardId,
      level,
      details: { connection_id: connectionId, close_code: end.code, reason: end.reason, seconds },
    })
    .catch((error: unknown) => {
      log.warn({ err: error, connectionId }, 'leave not recorded; trying again')
      presence.oweLeave(connectionId)
    })
}

/** `connection` relayed edits under client ids of people who are away: one row per update. */
export function recordRelayed(
  trail: AuditTrail,
  connection: ConnectionSummary,
  relayed: readonly Relayed[],
  log: Logger,
): void {
  const listed = relayed.slice(0, mostListed).map(({ clientId, owner, fromClock, toClock }) => ({
    client_id: clientId,
    owner,
    from_clock: fromClock,
    to_clock: toClock,
  }))
  const details = { reason: 'relayed', count: relayed.length, relayed: listed }
  record(trail, connection, relayed[0]?.clientId ?? 0, details, log)
}

/** `connection` owns a client id and came back with different edits than those that somebody had relayed. */
export function recordContested(
  trail: AuditTrail,
  connection: ConnectionSummary,
  { clientId, fromClock, toClock, by, isDeleted }: Contested,
  log: Logger,
): void {
  const reason = isDeleted ? 'relayed_deleted' : 'relayed_differs'
  const details = { reason, client_id: clientId, from_clock: fromClock, to_clock: toClock, relayed_by: by }
  record(trail, connection, clientId, details, log)
}

/** The edits are already applied, so if the trail is unavailable, the row is lost; the log has it. */
function record(
  trail: AuditTrail,
  connection: ConnectionSummary,
  clientId: number,
  details: Record<string, unknown>,
  log: Logger,
): void {
  const { boardId, connectionId } = connection
  const told = { ...details, connection_id: connectionId }
  log.warn({ boardId, ...told }, 'edits under the client id of somebody who was away')
  trail
    .record({
      action: 'update',
      actor: actorOf(connection),
      boardId,
      resourceType: 'client_id',
      resourceId: String(clientId),
      details: told,
    })
    .catch((error: unknown) => log.error({ err: error, boardId, connectionId }, 'relayed edits not recorded'))
}

const actorOf = ({ principal, subject, ip, userAgent }: ConnectionSummary): Actor => ({
  kind: principal.kind,
  userId: subject.userId,
  guestId: subject.guestId,
  agentId: subject.agentId,
  name: principal.kind === 'anonymous' ? null : principal.name,
  sessionId: subject.sessionId,
  ip,
  userAgent,
})
