// A session begins for an active account alone, and not where the provider of single sign-on has signed its person out
// meanwhile: also where either happens at the same moment.
import type { Kysely } from 'kysely'
import { fixedSearchPath, quoted, run } from './migration.ts'

/** Under this lock nobody comes in by the provider while it signs somebody out. Also in server/accounts/sso/queries.ts. */
const lock = (schema: string) => `hashtextextended('${schema.replaceAll("'", "''")}.provider_logouts', 0)`

export async function up(db: Kysely<unknown>, schema: string): Promise<void> {
  const s = quoted(schema)
  await run(
    db,
    `
-- when the provider issued the id token
alter table ${s}.sessions add column provider_signed_at timestamptz;

create table ${s}.provider_logouts (
  id bigint generated always as identity primary key,
  -- the provider's id of a session; null: all sessions of the person
  provider_session text check (length(provider_session) between 1 and 255),
  -- as in accounts; null: whoever has the session
  account_id text,
  -- sign-ins with an id token from before are refused
  signed_before timestamptz not null,
  created_at timestamptz not null default now(),
  check (provider_session is not null or account_id is not null)
);
create index provider_logouts_session on ${s}.provider_logouts (provider_session) where provider_session is not null;
create index provider_logouts_account on ${s}.provider_logouts (account_id) where account_id is not null;

create function ${s}.guard_sign_in() returns trigger
language plpgsql ${fixedSearchPath(schema)} as $$
begin
  -- Waits for whoever deactivates the account at this moment, and keeps it as it is until the session is there to be ended.
  perform from users where id = new.user_id and is_active for share;
  if not found then
    raise exception 'a deactivated account cannot sign in' using errcode = 'check_violation', constraint = 'sessions_active_account';
  end if;
  if new.provider_session is null and new.provider_signed_at is null then
    return new;
  end if;
  perform pg_advisory_xact_lock_shared(${lock(schema)});
  if exists (
    select from provider_logouts l
    where (l.account_id is null or exists (
        select from accounts a where a.user_id = new.user_id and a.provider_id = 'oidc' and a.account_id = l.account_id))
      and (l.provider_session = new.provider_session
        or l.provider_session is null and new.provider_signed_at < l.signed_before)) then
    raise exception 'the provider has signed this person out' using errcode = 'check_violation', constraint = 'sessions_signed_out';
  end if;
  return new;
end $$;
create trigger guard_sign_in before insert on ${s}.sessions for each row execute function ${s}.guard_sign_in();
`,
  )
}

export async function down(db: Kysely<unknown>, schema: string): Promise<void> {
  const s = quoted(schema)
  await run(
    db,
    `
drop trigger guard_sign_in on ${s}.sessions;
drop function ${s}.guard_sign_in();
drop table ${s}.provider_logouts;
alter table ${s}.sessions drop column provider_signed_at;
`,
  )
}
