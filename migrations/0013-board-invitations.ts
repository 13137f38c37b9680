// People invited to a board by their address, whether there is an account of it or not: whoever invites learns nothing
// from the answer. And boards offered to a new owner, who has to accept.
import type { Kysely } from 'kysely'
import { fixedSearchPath, quoted, run } from './migration.ts'

export async function up(db: Kysely<unknown>, schema: string): Promise<void> {
  const s = quoted(schema)
  const definer = `returns trigger language plpgsql security definer ${fixedSearchPath(schema)}`
  await run(
    db,
    `
create table ${s}.board_invitations (
  -- numbers of one kind with permissions, so that either is taken back by its number
  id integer primary key default nextval(pg_get_serial_sequence('${s}.board_permissions', 'id')),
  board_id uuid not null references ${s}.boards on delete cascade,
  email varchar(254) not null check (email = lower(email) and email like '_%@_%'),
  level varchar(10) not null check (level in ('view', 'comment', 'edit')),
  created_at timestamptz not null default now(),
  granted_by integer references ${s}.users on delete set null,
  -- also serves the access decision
  constraint board_invitations_one_row unique (board_id, email)
);
-- boards that somebody was invited to
create index board_invitations_email on ${s}.board_invitations (email, board_id);

create table ${s}.board_offers (
  board_id uuid primary key references ${s}.boards on delete cascade,
  user_id integer not null references ${s}.users on delete cascade,
  offered_by integer references ${s}.users on delete set null,
  created_at timestamptz not null default now()
);
create index board_offers_user on ${s}.board_offers (user_id);

create function ${s}.record_board_invitations() ${definer} as $$
declare
  touched record;
begin
  for touched in
    select old.* where tg_op in ('UPDATE', 'DELETE') union all select i.* from board_invitations i where tg_op = 'TRUNCATE'
  loop
    continue when not exists (select from boards where id = touched.board_id);
    perform write_audit('permission_change', 'permission', touched.board_id, null, 'board_invitation', touched.id::text,
      case when tg_op = 'UPDATE' then new.level else touched.level end,
      jsonb_build_object('email', touched.email, 'level', touched.level),
      case when tg_op = 'UPDATE' then jsonb_build_object('email', new.email, 'level', new.level) end,
      case when tg_op = 'TRUNCATE' then jsonb_build_object('statement', tg_op) end);
  end loop;
  if tg_op = 'INSERT' then
    perform write_audit('permission_change', 'permission', new.board_id, null, 'board_invitation', new.id::text, new.level, null,
      jsonb_build_object('email', new.email, 'level', new.level));
  end if;
  return null;
end $$;
create trigger record_row after insert or delete on ${s}.board_invitations for each row execute function ${s}.record_board_invitations();
create trigger record_update after update of board_id, email, level on ${s}.board_invitations for each row
  when ((old.board_id, old.email, old.level) is distinct from (new.board_id, new.email, new.level))
  execute function ${s}.record_board_invitations();
create trigger record_truncate before truncate on ${s}.board_invitations for each statement execute function ${s}.record_board_invitations();

create function ${s}.record_board_offers() ${definer} as $$
begin
  perform write_audit('permission_change', 'permission', coalesce(new.board_id, old.board_id), null, 'board_offer', null, null,
    case when tg_op <> 'INSERT' then jsonb_build_object('offered_to', old.user_id) end,
    case when tg_op <> 'DELETE' then jsonb_build_object('offered_to', new.user_id) end);
  return null;
end $$;
create trigger record_row after insert or update on ${s}.board_offers for each row execute function ${s}.record_board_offers();
-- A purged board's offer goes with it.
create trigger record_delete after delete on ${s}.board_offers for each row when (pg_trigger_depth() = 0)
  execute function ${s}.record_board_offers();

create trigger notify_row after insert or delete on ${s}.board_invitations for each row execute function ${s}.notify_about('b:', 'board_id');
create trigger notify_update after update of board_id, email, level on ${s}.board_invitations for each row
  execute function ${s}.notify_about('b:', 'board_id');
create trigger notify_truncate after truncate on ${s}.board_invitations for each statement execute function ${s}.notify_everybody();
-- Whoever gets another address has what was given to that one.
create trigger notify_email after update of email, email_verified on ${s}.users for each row
  when ((old.email, old.email_verified) is distinct from (new.email, new.email_verified)) execute function ${s}.notify_about('u:', 'id');
`,
  )
}

export async function down(db: Kysely<unknown>, schema: string): Promise<void> {
  const s = quoted(schema)
  await run(
    db,
    `
drop trigger notify_email on ${s}.users;
drop table ${s}.board_offers, ${s}.board_invitations;
drop function ${s}.record_board_invitations();
drop function ${s}.record_board_offers();
`,
  )
}
