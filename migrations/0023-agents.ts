// Agents as principals of their own: each belongs to somebody, a grant never outlives the agent that it names, and what
// an agent did to elements is kept for a while, so that it can be looked at and undone.
import type { Kysely } from 'kysely'
import { fixedSearchPath, quoted, run } from './migration.ts'

export async function up(db: Kysely<unknown>, schema: string): Promise<void> {
  const s = quoted(schema)
  const path = fixedSearchPath(schema)
  await run(
    db,
    `
alter table ${s}.agents add column owner_id integer references ${s}.users on delete cascade;
update ${s}.agents set owner_id = coalesce(created_by, (select id from ${s}.users where email = 'system@boardroom.invalid'));
alter table ${s}.agents alter column owner_id set not null;
-- the agents of somebody
create index agents_owner on ${s}.agents (owner_id, name);
-- every grant of somebody, whatever the agent
create index user_agent_permissions_user on ${s}.user_agent_permissions (user_id, id);

-- Whoever owns an agent decides whether it works.
create trigger record_owner after update of owner_id on ${s}.agents for each row
  when (old.owner_id <> new.owner_id) execute function ${s}.record_row();
create trigger notify_owner after update of owner_id on ${s}.agents for each row
  when (old.owner_id <> new.owner_id) execute function ${s}.notify_everybody();

-- Grants name agents. A name that is given again must bring nothing along, and a new name must lose nothing.
create function ${s}.agent_grants_follow() returns trigger language plpgsql security definer ${path} as $$
begin
  if tg_op = 'DELETE' then
    delete from user_agent_permissions where agent_name = old.name;
  else
    update user_agent_permissions set agent_name = new.name where agent_name = old.name;
  end if;
  return null;
end $$;
create trigger grants_go after delete on ${s}.agents for each row execute function ${s}.agent_grants_follow();
create trigger grants_follow after update of name on ${s}.agents for each row
  when (old.name <> new.name) execute function ${s}.agent_grants_follow();

-- agent_id without a foreign key: what an agent did can be undone when it is gone.
create table ${s}.agent_edits (
  id bigint generated always as identity primary key,
  board_id uuid not null references ${s}.boards on delete cascade,
  agent_id uuid not null,
  -- whatever a client calls it, so that no name keeps an edit out
  element_id text not null,
  change varchar(10) not null check (change in ('created', 'updated', 'deleted', 'restored')),
  old_values jsonb not null check (jsonb_typeof(old_values) = 'object'),
  new_values jsonb not null check (jsonb_typeof(new_values) = 'object'),
  created_at timestamptz not null default now(),
  undone_at timestamptz
);
-- what one agent did on one board, newest first, and since a moment
create index agent_edits_board on ${s}.agent_edits (board_id, agent_id, created_at);
-- what one agent did anywhere
create index agent_edits_agent on ${s}.agent_edits (agent_id, id);
-- what is old enough to be forgotten
create index agent_edits_age on ${s}.agent_edits (created_at);
`,
  )
}

export async function down(db: Kysely<unknown>, schema: string): Promise<void> {
  const s = quoted(schema)
  await run(
    db,
    `
drop table ${s}.agent_edits;
drop trigger grants_go on ${s}.agents;
drop trigger grants_follow on ${s}.agents;
drop function ${s}.agent_grants_follow();
drop trigger record_owner on ${s}.agents;
drop trigger notify_owner on ${s}.agents;
drop index ${s}.user_agent_permissions_user;
alter table ${s}.agents drop column owner_id;
`,
  )
}
