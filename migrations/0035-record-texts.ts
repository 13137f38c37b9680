// Boards whose texts have not followed their record yet.
import type { Kysely } from 'kysely'
import { fixedSearchPath, quoted, run } from './migration.ts'

export async function up(db: Kysely<unknown>, schema: string): Promise<void> {
  const s = quoted(schema)
  await run(
    db,
    `
create table ${s}.record_texts_waiting (
  board_id uuid primary key references ${s}.boards on delete cascade,
  -- grows with every change, so that what came meanwhile is not taken for done
  version bigint not null default 1
);

create function ${s}.let_record_texts_follow() returns trigger language plpgsql security definer ${fixedSearchPath(schema)} as $$
begin
  insert into record_texts_waiting (board_id) values (new.board_id)
    on conflict (board_id) do update set version = record_texts_waiting.version + 1;
  return null;
end $$;
create trigger texts_follow after update of variables on ${s}.board_records for each row
  when (old.variables is distinct from new.variables) execute function ${s}.let_record_texts_follow();
`,
  )
}

export async function down(db: Kysely<unknown>, schema: string): Promise<void> {
  const s = quoted(schema)
  await run(
    db,
    `
drop trigger texts_follow on ${s}.board_records;
drop function ${s}.let_record_texts_follow();
drop table ${s}.record_texts_waiting;
`,
  )
}
