// Agents and what they did, consent, templates and their records.
import type { ColumnType, Generated } from 'kysely'
import type { Json, JsonList, MaybeTime, Stamp } from './columns.ts'

export interface AgentsTable {
  id: Generated<string>
  name: string
  description: Generated<string>
  token_sha256: Buffer | null
  is_active: Generated<boolean>
  /** Whose agent it is: it works while they are active. */
  owner_id: number
  created_by: number | null
  created_at: Stamp
  last_used_at: MaybeTime
}

/** What an agent did to one element of the bundled canvas. */
export interface AgentEditsTable {
  id: ColumnType<string, never, never>
  board_id: string
  agent_id: string
  element_id: string
  change: 'created' | 'updated' | 'deleted' | 'restored'
  /** The properties that changed, before and after; one that was or is missing stands only on the other side. */
  old_values: ColumnType<Record<string, unknown>, string, string>
  new_values: ColumnType<Record<string, unknown>, string, string>
  created_at: Stamp
  undone_at: MaybeTime
  /** The trail has counted it. */
  in_trail: Generated<boolean>
}

export interface UserAgentPermissionsTable {
  id: Generated<number>
  user_id: number
  agent_name: string
  /** null: every board of the user. */
  board_id: string | null
  can_create: Generated<boolean>
  can_read: Generated<boolean>
  can_update: Generated<boolean>
  can_delete: Generated<boolean>
  granted_by: number | null
  created_at: Stamp
  expires_at: MaybeTime
}

export interface ConsentRecordsTable {
  id: Generated<string>
  /** No foreign keys: the evidence outlives the person's row. */
  user_id: number | null
  guest_id: string | null
  /** null: of the instance. */
  board_id: string | null
  consent_version: string
  privacy_policy_version: string
  accepted_at: Stamp
  /** The only column that changes, once. */
  withdrawn_at: MaybeTime
  ip_address: string | null
  user_agent: string | null
  consent_categories: JsonList
  created_at: Stamp
}

/** Texts that people are asked to accept; one that was published changes no more. */
export interface ConsentTextsTable {
  id: Generated<string>
  /** null: of the instance. */
  board_id: string | null
  consent_version: string
  privacy_policy_version: string
  body: string
  required_categories: JsonList
  optional_categories: JsonList
  created_at: Stamp
  created_by: number | null
  ended_at: MaybeTime
}

export interface BoardTemplatesTable {
  id: Generated<string>
  code: string
  name: string
  description: Generated<string>
  category: string
  version: number
  /** One version a code at most, and only an approved one. */
  is_current: Generated<boolean>
  previous_version_id: string | null
  /** A drawing whose texts may hold `{{variables}}`; written as JSON text. */
  content: ColumnType<Json, string, never>
  variables_schema: ColumnType<Json, string, never>
  unique_fields: JsonList
  masked_fields: JsonList
  board_types: JsonList
  is_required: Generated<boolean>
  display_order: Generated<number>
  approved_by: number | null
  approved_at: MaybeTime
  approval_notes: string | null
  created_by: number | null
  created_at: Stamp
  updated_at: Stamp
}

export interface BoardRecordsTable {
  id: Generated<string>
  board_id: string
  template_id: string
  /** By trigger: of the template. */
  template_code: ColumnType<string, string | undefined, never>
  /** Written as JSON text. */
  variables: ColumnType<Json, string, string>
  search_key: Generated<string>
  created_at: Stamp
  created_by: number | null
  updated_at: Stamp
  updated_by: number | null
  deleted_at: MaybeTime
}

/** Boards whose texts have not followed their record yet; written by trigger. */
export interface RecordTextsWaitingTable {
  board_id: string
  /** bigint */
  version: Generated<string>
}

/** What no two living records of a template share; kept by trigger. */
export interface BoardRecordKeysTable {
  template_code: string
  field: string
  value: string
  record_id: string
}
