// A change that may give or take access is told to every process, in the transaction that makes it. The channel is
// `<schema>_access`; payloads are `b:<board>` everybody on that board, `u:<user>`, `g:<guest>`, `s:<session>`, `*`
// everybody. Bookkeeping (uses, last_used_at, updated_at, a session or guest that is prolonged) tells nobody.
import type { Kysely } from 'kysely'
import { fixedSearchPath, quoted, run } from './migration.ts'

const tables = [
  'boards',
  'board_permissions',
  'share_links',
  'share_link_uses',
  'users',
  'sessions',
  'guests',
  'user_agent_permissions',
  'agents',
  'service_keys',
]

export async function up(db: Kysely<unknown>, schema: string): Promise<void> {
  const s = quoted(schema)
  const definer = `returns trigger language plpgsql security definer ${fixedSearchPath(schema)}`
  const changed = (columns: string[]) => {
    const row = (name: string) => `(${columns.map((column) => `${name}.${column}`).join(', ')})`
    return `after update of ${columns.join(', ')} on`.concat(
      ' %',
      ` for each row when (${row('old')} is distinct from ${row('new')})`,
    )
  }
  const onChange = (table: string, columns: string[], call: string) =>
    `create trigger notify_update ${changed(columns).replace('%', `${s}.${table}`)} execute function ${s}.${call};`
  const truncates = tables
    .map(
      (table) =>
        `create trigger notify_truncate after truncate on ${s}.${table} for each statement execute function ${s}.notify_everybody();`,
    )
    .join('\n')
  await run(
    db,
    `
create function ${s}.notify_everybody() ${definer} as $$
begin
  perform pg_notify(tg_table_schema || '_access', '*');
  return null;
end $$;

-- Arguments: the prefix, and the column that names whom it is about; both its old and its new value are told.
create function ${s}.notify_about() ${definer} as $$
declare
  before text := case when tg_op <> 'INSERT' then to_jsonb(old) ->> tg_argv[1] end;
  after text := case when tg_op <> 'DELETE' then to_jsonb(new) ->> tg_argv[1] end;
begin
  if before is not null then perform pg_notify(tg_table_schema || '_access', tg_argv[0] || before); end if;
  if after is distinct from before and after is not null then perform pg_notify(tg_table_schema || '_access', tg_argv[0] || after); end if;
  return null;
end $$;

-- A user's rights are those of their connections, and the ceiling of the links they made.
create function ${s}.notify_user() ${definer} as $$
begin
  perform pg_notify(tg_table_schema || '_access', 'u:' || old.id);
  perform pg_notify(tg_table_schema || '_access', 'b:' || board_id)
    from (select distinct board_id from share_links where created_by = old.id and revoked_at is null) live;
  return null;
end $$;

-- A grant for one board is about that board; one for all boards of a user may be about any.
create function ${s}.notify_agent_grant() ${definer} as $$
declare
  grant_row record;
begin
  for grant_row in
    select old.user_id, old.board_id where tg_op <> 'INSERT' union select new.user_id, new.board_id where tg_op <> 'DELETE'
  loop
    perform pg_notify(tg_table_schema || '_access', 'u:' || grant_row.user_id);
    perform pg_notify(tg_table_schema || '_access', coalesce('b:' || grant_row.board_id, '*'));
  end loop;
  return null;
end $$;

${onChange('boards', ['owner_id', 'is_public', 'members_level', 'deleted_at'], "notify_about('b:', 'id')")}
create trigger notify_delete after delete on ${s}.boards for each row execute function ${s}.notify_about('b:', 'id');

create trigger notify_row after insert or delete on ${s}.board_permissions for each row execute function ${s}.notify_about('b:', 'board_id');
${onChange('board_permissions', ['board_id', 'user_id', 'level'], "notify_about('b:', 'board_id')")}

create trigger notify_delete after delete on ${s}.share_links for each row execute function ${s}.notify_about('b:', 'board_id');
${onChange('share_links', ['board_id', 'level', 'expires_at', 'revoked_at', 'created_by'], "notify_about('b:', 'board_id')")}

create trigger notify_user after insert or delete on ${s}.share_link_uses for each row execute function ${s}.notify_about('u:', 'user_id');
create trigger notify_guest after insert or delete on ${s}.share_link_uses for each row execute function ${s}.notify_about('g:', 'guest_id');
${onChange('share_link_uses', ['link_id', 'user_id', 'guest_id', 'revoked_at'], "notify_about('u:', 'user_id')")}
${onChange('share_link_uses', ['link_id', 'user_id', 'guest_id', 'revoked_at'], "notify_about('g:', 'guest_id')").replace('notify_update', 'notify_update_guest')}

create trigger notify_delete after delete on ${s}.users for each row execute function ${s}.notify_user();
${onChange('users', ['role', 'is_active'], 'notify_user()')}

create trigger notify_delete after delete on ${s}.sessions for each row execute function ${s}.notify_about('s:', 'id');
create trigger notify_update after update of expires_at, user_id on ${s}.sessions for each row
  when (new.expires_at < old.expires_at or new.user_id <> old.user_id) execute function ${s}.notify_about('s:', 'id');

create trigger notify_delete after delete on ${s}.guests for each row execute function ${s}.notify_about('g:', 'id');
create trigger notify_update after update of expires_at on ${s}.guests for each row
  when (new.expires_at < old.expires_at) execute function ${s}.notify_about('g:', 'id');

create trigger notify_row after insert or delete on ${s}.user_agent_permissions for each row execute function ${s}.notify_agent_grant();
create trigger notify_update after update on ${s}.user_agent_permissions for each row
  when (old.* is distinct from new.*) execute function ${s}.notify_agent_grant();

create trigger notify_delete after delete on ${s}.agents for each row execute function ${s}.notify_everybody();
${onChange('agents', ['name', 'is_active'], 'notify_everybody()')}
create trigger notify_delete after delete on ${s}.service_keys for each row execute function ${s}.notify_everybody();
${onChange('service_keys', ['issuer', 'expires_at', 'revoked_at'], 'notify_everybody()')}

${truncates}
`,
  )
}

export async function down(db: Kysely<unknown>, schema: string): Promise<void> {
  const s = quoted(schema)
  const triggers = [
    'notify_row',
    'notify_user',
    'notify_guest',
    'notify_update',
    'notify_update_guest',
    'notify_delete',
    'notify_truncate',
  ]
  const drops = tables.flatMap((table) =>
    triggers.map((trigger) => `drop trigger if exists ${trigger} on ${s}.${table};`),
  )
  await run(
    db,
    `${drops.join('\n')}
drop function ${s}.notify_everybody();
drop function ${s}.notify_about();
drop function ${s}.notify_user();
drop function ${s}.notify_agent_grant();
`,
  )
}
