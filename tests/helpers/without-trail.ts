// A trail that accepts no rows: changes that are recorded in their transaction must then fail.
import { sql } from 'kysely'
import type { Db } from '../../server/database/database.ts'
import { eventually } from './eventually.ts'

/** The database refuses rows of the trail for these actions while `work` runs. */
export async function withoutTrailOf<Result>(
  db: Db,
  actions: readonly string[],
  work: () => Promise<Result>,
): Promise<Result> {
  await sql`create or replace function public.refuse_row() returns trigger language plpgsql as
    $$ begin raise exception 'no row today'; end $$`.execute(db)
  // Both lock the whole table, and Postgres may choose them as the victim of a deadlock if the server locks in the
  // opposite order.
  await eventually(() =>
    sql`create trigger refuse_row before insert on boardroom.audit_logs for each row
      when (new.action in (${sql.join(actions.map((action) => sql.lit(action)))}))
      execute function public.refuse_row()`.execute(db),
  )
  try {
    return await work()
  } finally {
    await eventually(() => sql`drop function public.refuse_row() cascade`.execute(db))
  }
}
