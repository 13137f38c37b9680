// Which deployment a node belongs to: those that work on the same schema of the same database, known by when it was
// made. A copy was made at the same time and is another deployment all the same: it has another cluster, or another
// number there.
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
  // Some who run databases for others do not let this be asked.
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
