// Webhooks, and the outbox that feeds them: what happens is queued by trigger in the transaction that makes it happen,
// so that nothing is lost and nothing is told of what was rolled back. Most of it is told by the trail's own rows.
import type { Kysely } from 'kysely'
import { fixedSearchPath, literal, quoted, run } from './migration.ts'

export async function up(db: Kysely<unknown>, schema: string): Promise<void> {
  const s = quoted(schema)
  const path = fixedSearchPath(schema)
  const definer = `returns trigger language plpgsql security definer ${path}`
  await run(
    db,
    `
create table ${s}.webhooks (
  id uuid primary key default gen_random_uuid(),
  url varchar(2000) not null check (url ~ '^https?://'),
  description varchar(200) not null default '',
  events text[] not null check (cardinality(events) between 1 and 50),
  -- boards of this issuer's people and keys; null: of everybody
  issuer varchar(255) check (issuer <> ''),
  -- enciphered with a key made from the server's secret; the former one signs too until its time is over
  secret bytea not null,
  former_secret bytea,
  former_until timestamptz,
  created_by integer references ${s}.users on delete set null,
  created_at timestamptz not null default now(),
  -- whose right it stands on: who set it up or changed it last, with which service key. Without them nothing is sent
  keeper_id integer references ${s}.users on delete set null,
  key_id uuid references ${s}.service_keys on delete set null,
  is_by_key boolean not null default false,
  -- the first failure since the last success
  failing_since timestamptz,
  disabled_at timestamptz,
  disabled_reason varchar(300),
  constraint webhooks_key check (key_id is null or is_by_key),
  constraint webhooks_former check ((former_secret is null) = (former_until is null)),
  constraint webhooks_disabled check ((disabled_at is null) = (disabled_reason is null))
);

create table ${s}.webhook_events (
  id uuid primary key default gen_random_uuid(),
  type varchar(50) not null check (type ~ '^[a-z]+[.][a-z_]+$'),
  board_id uuid,
  data jsonb not null,
  created_at timestamptz not null default clock_timestamp()
);
-- what is old enough to go
create index webhook_events_age on ${s}.webhook_events (created_at);

create table ${s}.webhook_deliveries (
  id bigint generated always as identity primary key,
  webhook_id uuid not null references ${s}.webhooks on delete cascade,
  event_id uuid not null references ${s}.webhook_events on delete cascade,
  state varchar(10) not null default 'pending' check (state in ('pending', 'delivered', 'failed')),
  attempts integer not null default 0 check (attempts >= 0),
  next_attempt_at timestamptz not null default clock_timestamp(),
  last_attempt_at timestamptz,
  last_status integer,
  last_error varchar(300),
  last_answer varchar(1000),
  delivered_at timestamptz,
  constraint webhook_deliveries_once unique (webhook_id, event_id),
  constraint webhook_deliveries_delivered check ((state = 'delivered') = (delivered_at is not null))
);
-- what is due; what one webhook sent, newest first; what goes with an event
create index webhook_deliveries_due on ${s}.webhook_deliveries (webhook_id, next_attempt_at) where state = 'pending';
create index webhook_deliveries_webhook on ${s}.webhook_deliveries (webhook_id, id desc);
create index webhook_deliveries_event on ${s}.webhook_deliveries (event_id);

-- A person as other applications know them.
create function ${s}.webhook_person(person integer) returns jsonb
language sql stable security definer ${path} as $$
  select jsonb_build_object('id', 'user:' || id, 'name', name, 'external_id', external_id, 'issuer', issuer)
  from users where id = person
$$;

-- Whether its keeper may still have it: an active administrator, or the living key of an active service account.
create function ${s}.webhook_stands(hook ${s}.webhooks) returns boolean
language sql stable security definer ${path} as $$
  select exists (select from users u where u.id = hook.keeper_id and u.is_active and not u.banned
    and case when hook.is_by_key
      then exists (select from service_keys k where k.id = hook.key_id and k.issuer = hook.issuer and k.revoked_at is null
        and (k.expires_at is null or k.expires_at > now())
        and k.scopes && array['webhooks', 'webhooks:read', 'webhooks:create', 'webhooks:write'])
      else u.role in ('admin', 'sysadmin') end)
$$;

create function ${s}.queue_webhook_event(event_type text, board uuid, event_data jsonb) returns void
language plpgsql security definer ${path} as $$
declare
  wanting uuid[];
  event uuid;
begin
  -- What happens is never held up or undone by a webhook that is being removed: its row is locked, and left out.
  select array_agg(id) into wanting from (select w.id from webhooks w
  where w.disabled_at is null and webhook_stands(w)
    and w.events && array['*', split_part(event_type, '.', 1) || '.*', event_type]
    and (w.issuer is null or exists (
      select from boards b join users o on o.id = b.owner_id
      where b.id = board and (o.issuer = w.issuer or (o.issuer = 'boardroom:service' and o.external_id = w.issuer))))
  for key share of w skip locked) as heard;
  if wanting is null then return; end if;
  insert into webhook_events (type, board_id, data) values (event_type, board, jsonb_build_object(
    'board_id', board, 'board_title', (select title from boards where id = board)) || event_data) returning id into event;
  insert into webhook_deliveries (webhook_id, event_id) select w, event from unnest(wanting) as w;
end $$;

create function ${s}.webhook_type(row_of ${s}.audit_logs) returns text
language sql immutable ${path} as $$
  select case
    when row_of.action = 'access' then 'connection.joined'
    when row_of.action = 'leave' then 'connection.left'
    when row_of.action = 'permission_change' then 'permission.changed'
    when row_of.action = 'link_create' then 'link.created'
    when row_of.action = 'link_use' then 'link.used'
    when row_of.action = 'link_revoke' and row_of.resource_type = 'share_link' then 'link.revoked'
    when row_of.action = 'comment' and row_of.details ->> 'change' in ('resolved', 'reopened') then 'thread.' || (row_of.details ->> 'change')
    when row_of.action = 'comment' then 'comment.' || (row_of.details ->> 'change')
    when row_of.resource_type = 'version' and row_of.action = 'restore' then 'version.restored'
    when row_of.resource_type is distinct from 'board' then null
    when row_of.action = 'create' then 'board.created'
    when row_of.action = 'update' then 'board.updated'
    when row_of.action = 'restore' then 'board.restored'
    when row_of.action = 'delete' and row_of.details ->> 'purged' = 'true' then 'board.purged'
    when row_of.action = 'delete' then 'board.deleted'
  end
$$;

create function ${s}.queue_audited() ${definer} as $$
declare
  event_type text;
  comment_row comments;
  more jsonb := '{}';
begin
  if not exists (select from webhooks where disabled_at is null) then return null; end if;
  event_type := webhook_type(new);
  if event_type is null then return null; end if;
  if event_type like 'comment.%' then
    select * into comment_row from comments where id = (new.details ->> 'comment_id')::uuid;
    more := jsonb_build_object('thread_id', new.details -> 'thread_id', 'comment_id', new.details -> 'comment_id',
      'author', comment_row.author, 'author_name', comment_row.author_name, 'body', comment_row.body);
  elsif event_type like 'thread.%' then
    more := jsonb_build_object('thread_id', new.details -> 'thread_id');
  elsif event_type = 'permission.changed' then
    more := jsonb_build_object('person', webhook_person((coalesce(new.new_values, new.old_values) ->> 'user_id')::integer));
  end if;
  perform queue_webhook_event(event_type, new.board_id, jsonb_build_object(
    'at', new.timestamp,
    'actor', jsonb_build_object('kind', new.actor_kind, 'name', new.actor_name, 'guest_id', new.guest_id) || coalesce(webhook_person(new.user_id) - 'name', '{}'),
    'resource_type', new.resource_type, 'resource_id', new.resource_id, 'level', new.permission_level, 'link_id', new.link_id,
    -- without names, addresses and browsers
    'old_values', audit_public(new.old_values), 'new_values', audit_public(new.new_values)) || more);
  return null;
end $$;
create trigger queue_webhooks after insert on ${s}.audit_logs for each row execute function ${s}.queue_audited();

-- Versions come from people and by themselves; the second kind leaves no row in the trail.
create function ${s}.queue_version() ${definer} as $$
begin
  if exists (select from webhooks where disabled_at is null) then
    perform queue_webhook_event('version.created', new.board_id, jsonb_build_object('at', new.created_at,
      'version_id', new.id, 'name', new.name, 'reason', new.reason, 'person', webhook_person(new.created_by)));
  end if;
  return null;
end $$;
create trigger queue_webhooks after insert on ${s}.board_versions for each row execute function ${s}.queue_version();

-- Where events go, and who changed that, is in the trail.
create function ${s}.record_webhooks() ${definer} as $$
declare
  shown constant text[] := array['url', 'description', 'events', 'issuer', 'keeper_id', 'key_id', 'disabled_at', 'disabled_reason', 'former_until'];
  change record;
  gone webhooks;
begin
  if tg_op = 'TRUNCATE' then
    for gone in select * from webhooks loop
      perform write_audit('delete', 'account', null, null, 'webhook', gone.id::text, null,
        jsonb_build_object('url', gone.url, 'events', gone.events), null, jsonb_build_object('statement', tg_op));
    end loop;
    return null;
  end if;
  change := audit_changes(case when tg_op = 'INSERT' then '{}' else to_jsonb(old) end,
    case when tg_op = 'DELETE' then '{}' else to_jsonb(new) end, shown);
  perform write_audit(case tg_op when 'INSERT' then 'create' when 'UPDATE' then 'update' else 'delete' end,
    'account', null, null, 'webhook', case when tg_op = 'DELETE' then old.id else new.id end::text, null,
    case when tg_op <> 'INSERT' then change.old_values end, case when tg_op <> 'DELETE' then change.new_values end,
    case when tg_op = 'UPDATE' and old.secret <> new.secret then '{"secret_changed": true}'::jsonb end);
  return null;
end $$;
create trigger record_row after insert or delete on ${s}.webhooks for each row execute function ${s}.record_webhooks();
create trigger record_update after update of url, description, events, issuer, keeper_id, key_id, secret, former_secret, disabled_at on ${s}.webhooks for each row
  when ((old.url, old.description, old.events, old.issuer, old.keeper_id, old.key_id, old.secret, old.former_secret, old.disabled_at)
    is distinct from (new.url, new.description, new.events, new.issuer, new.keeper_id, new.key_id, new.secret, new.former_secret, new.disabled_at))
  execute function ${s}.record_webhooks();
create trigger record_truncate before truncate on ${s}.webhooks for each statement execute function ${s}.record_webhooks();
comment on table ${s}.webhook_events is ${literal('the outbox: written by triggers alone, emptied 30 days after delivery')};
`,
  )
}

export async function down(db: Kysely<unknown>, schema: string): Promise<void> {
  const s = quoted(schema)
  await run(
    db,
    `
drop trigger queue_webhooks on ${s}.audit_logs;
drop trigger queue_webhooks on ${s}.board_versions;
drop function ${s}.webhook_stands(${s}.webhooks);
drop table ${s}.webhook_deliveries, ${s}.webhook_events, ${s}.webhooks;
drop function ${s}.queue_audited();
drop function ${s}.queue_version();
drop function ${s}.record_webhooks();
drop function ${s}.queue_webhook_event(text, uuid, jsonb);
drop function ${s}.webhook_type(${s}.audit_logs);
drop function ${s}.webhook_person(integer);
`,
  )
}
