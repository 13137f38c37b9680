// The audit trail and its chain; the servers that write it.
import type { ColumnType } from 'kysely'
import type { Level } from '../../../shared/levels.ts'
import type { MaybeJson, MaybeTime, Stamp } from './columns.ts'

export type AuditAction =
  | 'access'
  | 'leave'
  | 'access_denied'
  | 'read'
  | 'permission_change'
  | 'create'
  | 'update'
  | 'delete'
  | 'restore'
  | 'link_create'
  | 'link_use'
  | 'link_revoke'
  | 'comment'
  | 'export'
  | 'login'
  | 'logout'
  | 'login_failed'
  | 'role_change'
  | 'agent_grant'
  | 'consent'
  | 'retention'
  | 'erase'
export type AuditCategory =
  | 'access'
  | 'permission'
  | 'board'
  | 'link'
  | 'comment'
  | 'account'
  | 'agent'
  | 'folder'
  | 'consent'
  | 'template'
  | 'trail'
export type ActorKind = 'user' | 'guest' | 'agent' | 'system' | 'sql' | 'anonymous'

/** Append-only: an update does not typecheck, and the database refuses it. */
type Once<Value> = ColumnType<Value, Value, never>
type MaybeOnce<Value> = ColumnType<Value | null, Value | null | undefined, never>

export interface AuditLogsTable {
  id: ColumnType<string, string | undefined, never>
  timestamp: ColumnType<Date, undefined, never>
  action: Once<AuditAction>
  category: Once<AuditCategory>
  actor_kind: Once<ActorKind>
  actor_name: MaybeOnce<string>
  user_id: MaybeOnce<number>
  guest_id: MaybeOnce<string>
  agent_id: MaybeOnce<string>
  board_id: MaybeOnce<string>
  link_id: MaybeOnce<string>
  resource_type: MaybeOnce<string>
  resource_id: MaybeOnce<string>
  permission_level: MaybeOnce<Level>
  old_values: MaybeJson
  new_values: MaybeJson
  details: MaybeJson
  ip_address: MaybeOnce<string>
  user_agent: MaybeOnce<string>
  session_id: MaybeOnce<string>
  salt: ColumnType<Buffer | null, never, never>
  erased_by: ColumnType<string | null, never, never>
}

export interface AuditChainTable {
  seq: ColumnType<string, never, never>
  audit_timestamp: ColumnType<Date, never, never>
  audit_id: ColumnType<string, never, never>
  content_hash: ColumnType<Buffer, never, never>
  personal_hash: ColumnType<Buffer, never, never>
  prev_hash: ColumnType<Buffer, never, never>
  hash: ColumnType<Buffer, never, never>
  sealed_at: ColumnType<Date, never, never>
}

export interface AuditUnsealedTable {
  timestamp: ColumnType<Date, never, never>
  id: ColumnType<string, never, never>
}

export interface ServersTable {
  id: string
  host: string
  pid: number
  started_at: Stamp
  ended_at: MaybeTime
}
