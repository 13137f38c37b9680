// Boards, users, permissions and link uses in numbers, for looking at plans and times.
import type pg from 'pg'

export interface Numbers {
  users: number
  boards: number
  permissions: number
  linkUses: number
}

/** Users 1000001…, spread evenly; triggers are off while the rows are written. Needs a superuser. */
export async function addManyRows(pool: pg.Pool, schema: string, numbers: Numbers): Promise<void> {
  const client = await pool.connect()
  try {
    await client.query(
      `set search_path = "${schema}"; set session_replication_role = replica; set statement_timeout = 0`,
    )
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
  } finally {
    client.release(true)
  }
}

const padded = (n: number): string => n.toString(16).padStart(12, '0')
export const manyBoard = (n: number): string => `00000000-0000-4000-8000-${padded(n)}`
export const manyGuest = (n: number): string => `00000000-0000-4000-a000-${padded(n)}`
export const manyUser = (n: number): number => 1_000_000 + n
