// Indexes for what was read from end to end: the oldest rows of what is cleaned every hour, and answered requests of a board.
import type { Kysely } from 'kysely'
import { quoted, run } from './migration.ts'

export async function up(db: Kysely<unknown>, schema: string): Promise<void> {
  const s = quoted(schema)
  await run(
    db,
    `
-- who asks, or asked, for a board
create index access_requests_board on ${s}.access_requests (board_id, id);
-- retention, by category
create index access_requests_answered_at on ${s}.access_requests (answered_at) where answered_at is not null;
create index boards_deleted_at on ${s}.boards (deleted_at) where deleted_at is not null;
create index board_versions_created_at on ${s}.board_versions (created_at) where reason <> 'named';
create index notifications_created_at on ${s}.notifications (created_at);
create index invitations_ended_at on ${s}.invitations (least(expires_at, accepted_at, revoked_at));
create index password_resets_ended_at on ${s}.password_resets (least(expires_at, used_at));
create index verifications_expires_at on ${s}.verifications (expires_at);
`,
  )
}

export async function down(db: Kysely<unknown>, schema: string): Promise<void> {
  const s = quoted(schema)
  await run(
    db,
    `
drop index ${s}.verifications_expires_at;
drop index ${s}.password_resets_ended_at;
drop index ${s}.invitations_ended_at;
drop index ${s}.notifications_created_at;
drop index ${s}.board_versions_created_at;
drop index ${s}.boards_deleted_at;
drop index ${s}.access_requests_answered_at;
drop index ${s}.access_requests_board;
`,
  )
}
