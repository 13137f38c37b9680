// Large numbers of boards, users, permissions, link uses and audit rows, for checking query plans and times.
import pg from 'pg'

export interface Numbers {
  users: number
  boards: number
  permissions: number
  linkUses: number
}

/** Users 1000001…, spread evenly; triggers are off while the rows are written. Requires a superuser. */
export const addManyRows = (url: string, schema: string, numbers: Numbers): Promise<void> =>
  withPatientClient(url, schema, async (client) => {
    await client.query(`
      insert into users (id, name, email) select 1000000 + n, 'User ' || n, 'user' || n || '@many.example' from generate_series(1, ${numbers.users}) n;
      insert into sessions (user_id, token, expires_at) select 1000000 + n, 'token' || n, now() + interval '1 day' from generate_series(1, ${numbers.users}) n;
      insert into guests (id, name, token_sha256, expires_at) select ('00000000-0000-4000-a000-' || lpad(to_hex(n), 12, '0'))::uuid, 'Guest', sha256(n::text::bytea), now() + interval '1 day' from generate_series(1, ${numbers.users}) n;
      insert into boards (id, owner_id, title, members_level) select ('00000000-0000-4000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, 1000001 + n % ${numbers.users}, 'Board ' || n, case when n % 100 = 0 then 'view' end from generate_series(1, ${numbers.boards}) n;
      insert into board_permissions (board_id, user_id, level) select ('00000000-0000-4000-8000-' || lpad(to_hex(1 + n % ${numbers.boards}), 12, '0'))::uuid, 1000001 + (n::bigint * 7919 + n / ${numbers.boards}) % ${numbers.users}, 'comment' from generate_series(1, ${numbers.permissions}) n on conflict do nothing;
      insert into share_links (id, board_id, level, token_sha256, created_by) select ('00000000-0000-4000-b000-' || lpad(to_hex(n), 12, '0'))::uuid, ('00000000-0000-4000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, 'edit', sha256(('link' || n)::bytea), 1000001 + n % ${numbers.users} from generate_series(1, ${numbers.boards}) n;
      insert into share_link_uses (link_id, guest_id, name) select ('00000000-0000-4000-b000-' || lpad(to_hex(1 + n % ${numbers.boards}), 12, '0'))::uuid, ('00000000-0000-4000-a000-' || lpad(to_hex(1 + (n::bigint * 7919 + n / ${numbers.boards}) % ${numbers.users}), 12, '0'))::uuid, 'Guest' from generate_series(1, ${numbers.linkUses}) n on conflict do nothing;
    `)
    await client.query(
      'analyze users, sessions, guests, boards, board_permissions, share_links, share_link_uses',
    )
  })

export interface MoreNumbers {
  /** Each on one of its user's boards, or for a tenth of them on all. */
  grants: number
  /** Of users, to the instance's text and to those of boards; one in ten is withdrawn. */
  consents: number
  /** At most one per board. */
  records: number
}

/** The instance's text that users of `addMoreRows` have accepted. */
export const manyAsked = { consentVersion: 'v1', privacyPolicyVersion: 'p1', requiredCategories: ['terms'] }
export const manyTemplate = 'MANY'
const agentsOfGrants = 10

/** Agents, consents and records among the rows of `addManyRows`. */
export const addMoreRows = (
  url: string,
  schema: string,
  { users, boards, grants, consents, records }: Numbers & MoreNumbers,
): Promise<void> =>
  withPatientClient(url, schema, async (client) => {
    const board = (n: string) => `('00000000-0000-4000-8000-' || lpad(to_hex(${n}), 12, '0'))::uuid`
    const each = (count: number) => `from generate_series(1, ${count}) n`
    await client.query(`
      insert into agents (id, name, token_sha256, owner_id) select ('00000000-0000-4000-9000-' || lpad(to_hex(n), 12, '0'))::uuid, 'Agent ' || n, sha256(('agent' || n)::bytea), 1000000 + n ${each(Math.ceil(grants / agentsOfGrants))};
      insert into user_agent_permissions (user_id, agent_name, board_id, can_read, can_create) select 1000001 + n % ${users}, 'Agent ' || 1 + n / ${agentsOfGrants}, case when n % 10 > 0 then ${board(`1 + (n - 1) % ${boards}`)} end, true, true ${each(grants)} on conflict do nothing;
      insert into consent_texts (board_id, consent_version, privacy_policy_version, body, required_categories) select ${board('n * 10')}, 'v1', 'p1', 'Be kind.', '["terms"]' ${each(Math.floor(boards / 10))};
      insert into consent_records (user_id, board_id, consent_version, privacy_policy_version, consent_categories, withdrawn_at) select 1000001 + n % ${users}, case when n % 4 = 0 then ${board(`10 + 10 * (n % ${Math.floor(boards / 10) - 1})`)} end, 'v1', 'p1', '["terms"]', case when n % 10 = 0 then now() + interval '1 hour' end ${each(consents)} on conflict do nothing;
      insert into board_templates (id, code, name, category, version, is_current, content, variables_schema, unique_fields, masked_fields, approved_at) values ('00000000-0000-4000-c000-000000000001', '${manyTemplate}', 'Many', 'many', 1, true, '{"elements":[]}', '{"type":"object","properties":{"name":{"type":"string"},"cpf":{"type":"string","format":"cpf"}},"fieldOrder":["name","cpf"]}', '["cpf"]', '["cpf"]', now());
      insert into board_records (id, board_id, template_id, template_code, variables, search_key, created_at) select ('00000000-0000-4000-d000-' || lpad(to_hex(n), 12, '0'))::uuid, ${board('n')}, '00000000-0000-4000-c000-000000000001', '${manyTemplate}', jsonb_build_object('name', 'Person ' || n, 'cpf', lpad(n::text, 11, '0')), 'person ' || n, now() - make_interval(secs => n) ${each(records)};
      insert into board_record_keys (template_code, field, value, record_id) select '${manyTemplate}', 'cpf', lpad(n::text, 11, '0'), ('00000000-0000-4000-d000-' || lpad(to_hex(n), 12, '0'))::uuid ${each(records)};
    `)
    await client.query(
      'analyze agents, user_agent_permissions, consent_texts, consent_records, board_templates, board_records, board_record_keys',
    )
  })

const padded = (n: number): string => n.toString(16).padStart(12, '0')
export const manyBoard = (n: number): string => `00000000-0000-4000-8000-${padded(n)}`
export const manyGuest = (n: number): string => `00000000-0000-4000-a000-${padded(n)}`
export const manyAgent = (n: number): string => `00000000-0000-4000-9000-${padded(n)}`
export const manyUser = (n: number): number => 1_000_000 + n

/** `count` joins and leaves of a thousand boards and people over two weeks, sealed. Requires a superuser. */
export const addManyAuditRows = (url: string, schema: string, count: number): Promise<void> =>
  withPatientClient(url, schema, async (client) => {
    await client.query(
      `with written as (
         insert into audit_logs (timestamp, action, category, actor_kind, actor_name, user_id, board_id, permission_level, ip_address, user_agent, session_id, details)
         select now() - make_interval(secs => 1209600.0 * ($1::integer - n) / $1::float8), case when n % 2 = 0 then 'access' else 'leave' end, 'access', 'user', 'Person ' || n % 1000,
           n % 1000, ('00000000-0000-4000-8000-' || lpad(to_hex(n % 997), 12, '0'))::uuid, 'edit', '192.0.2.' || n % 250,
           'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36', (n % 5000)::text, jsonb_build_object('connection_id', gen_random_uuid())
         from generate_series(1, $1::integer) n returning timestamp, id)
       insert into audit_unsealed (timestamp, id) select timestamp, id from written`,
      [count],
    )
    await client.query('analyze audit_logs, audit_unsealed')
    for (;;) {
      const { rows } = await client.query<{ sealed: number }>('select seal_audit(10000) as sealed')
      if ((rows[0]?.sealed ?? 0) < 10_000) break
    }
    await client.query('analyze audit_logs, audit_chain')
    await client.query('vacuum audit_unsealed')
  })

/** Without triggers, and without the time-outs of our pools. */
export async function withPatientClient(
  url: string,
  schema: string,
  work: (client: pg.Client) => Promise<void>,
): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    await client.query(`set search_path = "${schema}"; set session_replication_role = replica`)
    await work(client)
  } finally {
    await client.end()
  }
}
