// Comments, documents, deliveries, journals and other growing tables, for the boards and users of `addManyRows`.
import { withPatientClient } from './many-rows.ts'

/** The number of rows of each kind, over the first `boards` boards and `users` users. */
export const addRowsOfEveryKind = (
  url: string,
  schema: string,
  { rows, boards, users }: { rows: number; boards: number; users: number },
): Promise<void> =>
  withPatientClient(url, schema, async (client) => {
    const id = (family: string, n: string) =>
      `('00000000-0000-4000-${family}-' || lpad(to_hex(${n}), 12, '0'))::uuid`
    const board = id('8000', `1 + n % ${boards}`)
    const user = `(1000001 + n % ${users})`
    const days = `now() - make_interval(hours => n % 2000)`
    const each = `from generate_series(1, ${rows}) n`
    await client.query(`
      insert into board_updates (board_id, data) select ${board}, '\\x0000' ${each};
      insert into board_snapshots (board_id, state, checksum) select ${id('8000', 'n')}, '\\x0000', sha256('\\x0000'::bytea) from generate_series(1, ${boards}) n;
      insert into board_authors (board_id, client_id, principal) select ${board}, n, 'user:' || ${user} ${each};
      insert into board_versions (board_id, state, checksum, reason, created_at) select ${board}, '\\x0000', sha256('\\x0000'::bytea), 'automatic', ${days} ${each};
      insert into file_contents (sha256, data) select lpad(to_hex(n), 64, '0'), '\\x00' ${each};
      insert into board_files (board_id, id, mime, size, content) select ${board}, lpad(to_hex(n), 64, '0'), 'image/png', 1, lpad(to_hex(n), 64, '0') ${each};
      insert into board_search (board_id, title, title_key, text_key) select id, title, lower(title), 'words' from boards;
      insert into board_stars (user_id, board_id) select ${user}, ${board} ${each} on conflict do nothing;
      insert into board_offers (board_id, user_id) select ${id('8000', 'n')}, ${user} from generate_series(1, ${boards}) n;
      insert into access_requests (board_id, user_id, level, created_at, answered_at) select ${board}, ${user}, 'view', ${days}, ${days} ${each};
      insert into folders (id, owner_id, name, path) select ${id('8500', 'n')}, ${user}, 'Folder ' || n, array[${id('8500', 'n')}] ${each};
      insert into folder_permissions (folder_id, user_id, level) select ${id('8500', 'n')}, 1000001 + (n + 1) % ${users}, 'view' ${each};
      update boards set folder_id = ${id('8500', '1 + owner_id % 100')} where owner_id % 10 = 0;
      update boards set deleted_at = now() - interval '1 day' where owner_id % 50 = 1;
      insert into threads (id, board_id, anchor, created_by, created_by_name, created_at, resolved_at, resolved_by) select ${id('8600', 'n')}, ${board}, '{"x":0,"y":0}', 'user:' || ${user}, 'Somebody', ${days}, case when n % 3 = 0 then now() end, case when n % 3 = 0 then 'user:1' end ${each};
      insert into comments (id, thread_id, author, author_name, body, created_at) select ${id('8700', 'n')}, ${id('8600', `1 + n % ${rows}`)}, 'user:' || ${user}, 'Somebody', 'Words', ${days} ${each};
      insert into comment_reads (thread_id, reader) select ${id('8600', 'n')}, 'user:' || ${user} ${each};
      insert into comment_mentions (comment_id, principal, name) select ${id('8700', 'n')}, 'user:' || ${user}, 'Somebody' ${each};
      insert into notifications (recipient, kind, board_id, thread_id, comment_id, created_at, mailed_at) select 'user:' || ${user}, 'mention', ${board}, ${id('8600', 'n')}, ${id('8700', 'n')}, ${days}, case when n % 50 > 0 then now() end ${each};
      insert into agent_edits (board_id, agent_id, element_id, change, old_values, new_values, created_at, in_trail) select ${board}, ${id('9000', '1 + n % 500')}, 'e', 'updated', '{}', '{}', ${days}, n % 50 > 0 ${each};
      insert into webhooks (id, url, events, secret) select ${id('8800', 'n')}, 'https://hooks.example/' || n, '{"*"}', '\\x00' from generate_series(1, 20) n;
      insert into webhook_events (id, type, data, created_at) select ${id('8900', 'n')}, 'board.created', '{}', ${days} ${each};
      insert into webhook_deliveries (webhook_id, event_id, state, next_attempt_at, delivered_at) select ${id('8800', '1 + n % 20')}, ${id('8900', 'n')}, case when n % 50 = 0 then 'pending' else 'delivered' end, ${days}, case when n % 50 > 0 then now() end ${each};
      insert into service_keys (name, issuer, token_sha256) select 'Key ' || n, 'https://issuer.example/' || n, sha256(('key' || n)::bytea) ${each};
      insert into invitations (email, role, token_sha256, expires_at, created_at) select 'guest' || n || '@many.example', 'user', sha256(('invitation' || n)::bytea), ${days}, ${days} ${each};
      insert into password_resets (user_id, token_sha256, expires_at, used_at) select ${user}, sha256(('reset' || n)::bytea), ${days}, ${days} ${each};
      insert into verifications (identifier, value, expires_at) select 'verification ' || n, '', ${days} ${each};
      insert into library_items (user_id, name, elements) select ${user}, 'Item', '[]' ${each};
      insert into board_templates (code, name, category, version, is_current, content, variables_schema, approved_at, created_by, created_at) select 'T' || n, 'Template ' || n, 'Category ' || n % 50, 1, n % 50 > 0, '{"elements":[]}', '{"type":"object","properties":{}}', case when n % 50 > 0 then now() end, ${user}, ${days} ${each} on conflict do nothing;
    `)
    await client.query('analyze')
  })

/** Rows of `addRowsOfEveryKind` by their number. */
export const manyFolder = (n: number): string => idOf('8500', n)
export const manyThread = (n: number): string => idOf('8600', n)
export const manyComment = (n: number): string => idOf('8700', n)
export const manyWebhook = (n: number): string => idOf('8800', n)

const idOf = (family: string, n: number) => `00000000-0000-4000-${family}-${n.toString(16).padStart(12, '0')}`
