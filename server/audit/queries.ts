// The SQL of the trail: rows in, rows out, one question a function.
import { sql } from 'kysely'
import type { Database } from '../database/database.ts'
import { jsonbOf } from './event.ts'

/** Writes rows as `rowOf` makes them, in one statement; the database sets id, timestamp and salt. */
export const insertEvents = async (
  { db, schema }: Database,
  rows: readonly Record<string, unknown>[],
): Promise<void> => {
  const columns = sql.raw(
    'action, category, actor_kind, actor_name, user_id, guest_id, agent_id, board_id, link_id, resource_type, resource_id, permission_level, old_values, new_values, details, ip_address, user_agent, session_id',
  )
  await sql`
    insert into ${sql.id(schema, 'audit_logs')} (${columns})
    select ${columns} from jsonb_to_recordset(${jsonbOf(rows)}::jsonb) as event (
      action text, category text, actor_kind text, actor_name text, user_id integer, guest_id uuid, agent_id text,
      board_id uuid, link_id uuid, resource_type text, resource_id text, permission_level text,
      old_values jsonb, new_values jsonb, details jsonb, ip_address text, user_agent text, session_id text)
  `.execute(db)
}
