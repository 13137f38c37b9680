// Identifies a deployment: the nodes that use the same schema of the same database, identified by its creation time. A
// copy has the same creation time but is another deployment, because its cluster or its number there differs.
import { createHash } from 'node:crypto'
import type { Database } from '../database/database.ts'

/** 32 hex digits, the same on every node of the deployment and on no other. */
export async function deploymentOf({ pool, schema }: Database): Promise<string> {
  const { rows } = await pool.query<{ made: string; oid: string; name: string }>(
    `select (select string_agg(extract(epoch from applied_at)::text, ' ' order by name)
               from "${schema}".migrations where name < '0002') as made,
            oid::text as oid, current_database() as name
       from pg_database where datname = current_database()`,
  )
  const [row] = rows
  // Some database hosts do not allow this query.
  const system = await pool
    .query<{ system: string }>('select system_identifier::text as system from pg_control_system()')
    .then(
      (answer) => answer.rows[0]?.system ?? '',
      () => '',
    )
  return createHash('sha256')
    .update(JSON.stringify([row?.made, row?.oid, row?.name, schema, system]))
    .digest('hex')
    .slice(0, 32)
}
