// An audit event, as services pass it to the trail, and the row it becomes.
import type { Level } from '../../shared/levels.ts'
import type { AuditAction, AuditCategory } from '../database/tables.ts'
import type { Actor } from '../principal.ts'

export interface AuditEvent {
  action: AuditAction
  actor: Actor
  /** The default of the action. */
  category?: AuditCategory
  /** Needed wherever the category is access, permission, board, link or comment; only `access_denied` may lack it. */
  boardId?: string | null
  linkId?: string | null
  resourceType?: string | null
  resourceId?: string | null
  level?: Level | null
  oldValues?: Record<string, unknown> | null
  newValues?: Record<string, unknown> | null
  /**
   * For `access` and `leave` it has the `connection_id`, from which missing rows are written after a crash. Values under the
   * keys name, email, user_name, user_email, guest_name, owner_name, label, ip_address and user_agent can be erased, so
   * personal values must only be stored under these. Never a secret.
   */
  details?: Record<string, unknown> | null
}

/** The defaults of an action, unless its event overrides them. */
const categoryOf: Record<AuditAction, AuditCategory> = {
  access: 'access',
  leave: 'access',
  access_denied: 'access',
  read: 'access',
  permission_change: 'permission',
  create: 'board',
  update: 'board',
  delete: 'board',
  restore: 'board',
  export: 'board',
  link_create: 'link',
  link_use: 'link',
  link_revoke: 'link',
  comment: 'comment',
  login: 'account',
  logout: 'account',
  login_failed: 'account',
  role_change: 'account',
  consent: 'consent',
  agent_grant: 'agent',
  retention: 'trail',
  erase: 'trail',
}

export const isAuditAction = (text: string): text is AuditAction => Object.hasOwn(categoryOf, text)
export const isAuditCategory = (text: string): text is AuditCategory =>
  ['folder', 'template', ...Object.values(categoryOf)].includes(text)

/** The row of `audit_logs` as JSON: truncated to the size of its columns, and with only text that Postgres can store. */
export const rowOf = (event: AuditEvent): Record<string, unknown> => {
  const { actor } = event
  return {
    action: event.action,
    category: event.category ?? categoryOf[event.action],
    actor_kind: actor.kind,
    actor_name: cut(actor.name, 200),
    user_id: actor.userId,
    guest_id: actor.guestId,
    agent_id: cut(actor.agentId, 100),
    board_id: event.boardId ?? null,
    link_id: event.linkId ?? null,
    resource_type: cut(event.resourceType, 50),
    resource_id: cut(event.resourceId, 100),
    permission_level: event.level ?? null,
    old_values: event.oldValues ?? null,
    new_values: event.newValues ?? null,
    details: event.details ?? null,
    ip_address: cut(actor.ip, 45),
    user_agent: cut(actor.userAgent, 500),
    session_id: cut(actor.sessionId, 100),
  }
}

const cut = (text: string | null | undefined, most: number): string | null => text?.slice(0, most) ?? null

/** JSON that Postgres accepts as jsonb: without NUL, and without lone surrogates, which truncating may produce. */
export const jsonbOf = (value: unknown): string =>
  JSON.stringify(value, (_, inner: unknown) => {
    if (typeof inner === 'string') return clean(inner)
    if (typeof inner === 'bigint') return String(inner)
    if (typeof inner !== 'object' || inner === null || Array.isArray(inner)) return inner
    const entries = Object.entries(inner)
    return entries.every(([name]) => name === clean(name))
      ? inner
      : Object.fromEntries(entries.map(([name, own]) => [clean(name), own]))
  })

const clean = (text: string): string => text.replaceAll('\u0000', '').toWellFormed()
