// What the database itself records and refuses, whoever makes the change: the triggers of migrations 0002 and 0008.
import { rejects } from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { transactionAs } from '../../server/audit/actor.ts'
import type { Actor } from '../../server/principal.ts'
import { type TestDatabase, withDatabase } from '../helpers/database.ts'
import { make } from '../helpers/factories.ts'

const actorOfUser = (userId: number, name: string): Actor => ({
  kind: 'user',
  userId,
  guestId: null,
  agentId: null,
  name,
  sessionId: '12',
  ip: '192.0.2.7',
  userAgent: 'test',
})

/** Rows written by `work`, in order, with the columns most tests look at. */
const rowsOf = async ({ db }: TestDatabase, work: () => Promise<unknown>) => {
  const before = await db.selectFrom('audit_logs').select('id').execute()
  await work()
  const known = new Set(before.map(({ id }) => id))
  const rows = await db.selectFrom('audit_logs').selectAll().orderBy('timestamp').orderBy('id').execute()
  return rows.filter(({ id }) => !known.has(id))
}

const refusals = suite('the schema')
const refused: [what: string, statement: string, sqlstate: string][] = [
  [
    'a second row for everyone',
    `insert into boardroom.board_permissions (board_id, user_id, level) select id, null, 'edit' from boardroom.boards`,
    '23505',
  ],
  [
    'an unknown level',
    `insert into boardroom.board_permissions (board_id, user_id, level) select id, owner_id, 'admin' from boardroom.boards`,
    '23514',
  ],
  [
    'a level that is missing',
    `insert into boardroom.board_permissions (board_id, user_id, level) select id, owner_id, null from boardroom.boards`,
    '23502',
  ],
  ['a title of 201 characters', `update boardroom.boards set title = repeat('x', 201)`, '22001'],
  ['an empty title', `update boardroom.boards set title = '  '`, '23514'],
  ['an unknown role', `update boardroom.users set role = 'root' where email like 'ada@%'`, '23514'],
  ['an e-mail without @', `update boardroom.users set email = 'ada' where email like 'ada@%'`, '23514'],
  [
    'the same e-mail in capitals',
    `insert into boardroom.users (name, email) values ('Ada', 'ADA@example.org')`,
    '23505',
  ],
  ['a name of one character', `update boardroom.users set name = 'a' where email like 'ada@%'`, '23514'],
  [
    'a link for no uses',
    `insert into boardroom.share_links (board_id, level, token_sha256, max_uses) select id, 'view', sha256('x'), 0 from boardroom.boards`,
    '23514',
  ],
  [
    'an unknown action',
    `insert into boardroom.audit_logs (action, category, actor_kind) values ('look', 'board', 'sql')`,
    '23514',
  ],
  [
    'a board action without a board',
    `insert into boardroom.audit_logs (action, category, actor_kind) values ('read', 'access', 'sql')`,
    '23514',
  ],
  [
    'an audit row from last week',
    `insert into boardroom.audit_logs (action, category, actor_kind, timestamp) values ('login', 'account', 'sql', now() - interval '7 days')`,
    '23514',
  ],
  [
    'a comment of 10,001 characters',
    `with t as (insert into boardroom.threads (board_id, anchor, created_by, created_by_name) select id, '{"x": 1, "y": 2}', 'user:1', 'Ada' from boardroom.boards returning id) insert into boardroom.comments (thread_id, author, author_name, body) select id, 'user:1', 'Ada', repeat('x', 10001) from t`,
    '23514',
  ],
  [
    'an anchor without y',
    `insert into boardroom.threads (board_id, anchor, created_by, created_by_name) select id, '{"x": 1}', 'user:1', 'Ada' from boardroom.boards`,
    '23514',
  ],
  [
    'the end of the system actor',
    `delete from boardroom.users where email = 'system@boardroom.invalid'`,
    '23001',
  ],
  [
    'a password for the system actor',
    `insert into boardroom.accounts (user_id, account_id, provider_id, password) select id, '1', 'credential', 'x' from boardroom.users where email = 'system@boardroom.invalid'`,
    '23001',
  ],
]
refusals(`refuses ${refused.map(([what]) => what).join(', ')}`, () =>
  withDatabase(async (test) => {
    const { id: ada } = await make.user(test.db, { email: 'ada@example.org' })
    const { id: boardId } = await make.board(test.db, { owner_id: ada })
    await make.permission(test.db, { board_id: boardId, user_id: null })
    for (const [what, statement, code] of refused) await rejects(test.pool.query(statement), { code }, what)
  }),
)
refusals('accepts a permission and a board typed by hand, with only the essential columns', () =>
  withDatabase(async (test) => {
    const { id: ada } = await make.user(test.db, { name: 'Ada', email: 'ada@example.org' })
    await test.pool.query(`insert into boardroom.boards (owner_id) values (${ada})`)
    await test.pool.query(
      `insert into boardroom.board_permissions (board_id, user_id, level) select id, ${ada}, 'edit' from boardroom.boards`,
    )
    assert.is(
      (await test.db.selectFrom('boards').select('title').executeTakeFirstOrThrow()).title,
      'Untitled Board',
    )
  }),
)
refusals.run()

const recorded = suite('a change that affects access')
recorded('by SQL is recorded as sql, with the database user and the old and new values', () =>
  withDatabase(async (test) => {
    const { id: ada } = await make.user(test.db, { name: 'Ada', email: 'ada@example.org' })
    const { id: boardId } = await make.board(test.db, { owner_id: ada })
    const [given, changed, taken] = await rowsOf(test, async () => {
      await test.pool.query(
        `insert into boardroom.board_permissions (board_id, user_id, level) values ('${boardId}', ${ada}, 'view')`,
      )
      await test.pool.query(`update boardroom.board_permissions set level = 'edit'`)
      await test.pool.query(`delete from boardroom.board_permissions`)
    })
    const { rows } = await test.pool.query('select session_user as name')
    assert.equal(
      [given?.actor_kind, given?.actor_name, given?.action, given?.permission_level],
      ['sql', rows[0].name, 'permission_change', 'view'],
    )
    assert.equal([given?.old_values, given?.new_values], [null, { user_id: ada, level: 'view' }])
    assert.equal(
      [changed?.old_values, changed?.new_values],
      [
        { user_id: ada, level: 'view' },
        { user_id: ada, level: 'edit' },
      ],
    )
    assert.equal(
      [taken?.old_values, taken?.new_values, taken?.board_id],
      [{ user_id: ada, level: 'edit' }, null, boardId],
    )
  }),
)
recorded('by a service is recorded as its actor', () =>
  withDatabase(async (test) => {
    const { id: ada } = await make.user(test.db, { name: 'Ada', email: 'ada@example.org' })
    const { id: boardId } = await make.board(test.db, { owner_id: ada })
    const [row] = await rowsOf(test, () =>
      transactionAs(test.db, actorOfUser(ada, 'Ada'), (trx) =>
        trx
          .updateTable('boards')
          .set({ is_public: true, members_level: 'comment' })
          .where('id', '=', boardId)
          .execute(),
      ),
    )
    assert.equal(
      [
        row?.action,
        row?.actor_kind,
        row?.user_id,
        row?.actor_name,
        row?.ip_address,
        row?.user_agent,
        row?.session_id,
        row?.permission_level,
      ],
      ['permission_change', 'user', ada, 'Ada', '192.0.2.7', 'test', '12', 'comment'],
    )
    assert.equal(row?.old_values, { is_public: false, members_level: null })
  }),
)
recorded('does not leave its actor to the next transaction of the same connection', () =>
  withDatabase(async (test) => {
    const { id: ada } = await make.user(test.db, { name: 'Ada', email: 'ada@example.org' })
    const { id: boardId } = await make.board(test.db, { owner_id: ada })
    const client = await test.pool.connect()
    try {
      await client.query(`begin; select set_config('app.actor', '{"kind":"system"}', true); commit`)
      const [row] = await rowsOf(test, () =>
        client.query(`update boardroom.boards set members_level = 'view' where id = '${boardId}'`),
      )
      assert.is(row?.actor_kind, 'sql')
    } finally {
      client.release()
    }
  }),
)

/** Name of the change, SQL, and the actions it must leave, in order. */
const changes: [string, string, string[]][] = [
  ['a new title', `update boardroom.boards set title = 'New'`, ['update']],
  [
    'a new owner',
    `update boardroom.boards set owner_id = (select max(id) from boardroom.users)`,
    ['permission_change'],
  ],
  ['the trash', `update boardroom.boards set deleted_at = now()`, ['delete']],
  ['a purge, with its links and permissions in one row', `delete from boardroom.boards`, ['delete']],
  [
    'a share link',
    `insert into boardroom.share_links (board_id, level, token_sha256) select id, 'view', sha256('x') from boardroom.boards`,
    ['link_create'],
  ],
  ['a higher level of a link', `update boardroom.share_links set level = 'comment'`, ['update']],
  ['a password of a link', `update boardroom.share_links set password_hash = 'other'`, ['update']],
  ['a revoked link', `update boardroom.share_links set revoked_at = now()`, ['link_revoke']],
  ['a link that is gone', `delete from boardroom.share_links`, ['link_revoke']],
  [
    'a guest coming in by a link',
    `insert into boardroom.share_link_uses (link_id, guest_id, name) select l.id, g.id, 'x' from boardroom.share_links l, boardroom.guests g where not exists (select from boardroom.share_link_uses u where u.guest_id = g.id)`,
    ['link_use'],
  ],
  ['a guest sent away', `update boardroom.share_link_uses set revoked_at = now()`, ['link_revoke']],
  [
    'a guest let in again',
    `update boardroom.share_link_uses set revoked_at = null where revoked_at is not null`,
    [],
  ],
  ['a role', `update boardroom.users set role = 'admin' where email like 'bob@%'`, ['role_change']],
  ['a deactivated user', `update boardroom.users set is_active = false where email like 'bob@%'`, ['update']],
  [
    'an agent grant',
    `insert into boardroom.user_agent_permissions (user_id, agent_name, can_read) select max(id), 'drawer', true from boardroom.users`,
    ['agent_grant'],
  ],
  [
    'a service key',
    `insert into boardroom.service_keys (name, issuer, token_sha256) values ('app', 'app', sha256('k'))`,
    ['create'],
  ],
  ['a guest who is deleted', `delete from boardroom.guests`, ['delete', 'delete']],
  ['TRUNCATE of permissions, board by board', `truncate boardroom.board_permissions`, ['permission_change']],
  [
    'TRUNCATE of links, link by link',
    `truncate boardroom.share_links cascade`,
    ['link_revoke', 'link_revoke'],
  ],
  ['TRUNCATE of link uses', `truncate boardroom.share_link_uses`, ['link_revoke']],
  [
    'TRUNCATE of agent grants',
    `insert into boardroom.user_agent_permissions (user_id, agent_name) select max(id), 'drawer' from boardroom.users; truncate boardroom.user_agent_permissions`,
    ['agent_grant', 'agent_grant'],
  ],
  [
    'uses and last use of a link',
    `update boardroom.share_links set uses = uses + 1, last_used_at = now()`,
    [],
  ],
  ['a board touched', `update boardroom.boards set updated_at = now(), updated_by = owner_id`, []],
  ['the same level written again', `update boardroom.board_permissions set level = level`, []],
]
recorded(`leaves its rows, and no secret: ${changes.map(([what]) => what).join(', ')}`, () =>
  withDatabase(async (test) => {
    const { id: ada } = await make.user(test.db, { name: 'Ada', email: 'ada@example.org' })
    const { id: boardId } = await make.board(test.db, { owner_id: ada })
    const { id: bob } = await make.user(test.db, { name: 'Bob', email: 'bob@example.org' })
    await make.permission(test.db, { board_id: boardId, user_id: null })
    await make.permission(test.db, { board_id: boardId, user_id: bob, level: 'edit' })
    const { id: linkId } = await make.shareLink(test.db, {
      board_id: boardId,
      level: 'edit',
      password_hash: 'hash',
    })
    await make.linkUse(test.db, { link_id: linkId })
    await make.guest(test.db)
    for (const [what, statement, actions] of changes) {
      const client = await test.pool.connect()
      try {
        await client.query('begin')
        const { rows: before } = await client.query('select now() as at')
        await client.query(statement)
        const { rows } = await client.query('select * from boardroom.audit_logs where timestamp > $1', [
          before[0].at,
        ])
        assert.equal(rows.map(({ action }) => action).sort(), [...actions].sort(), what)
        assert.is(/hash/.test(JSON.stringify(rows)), false, what)
        await client.query('rollback')
      } finally {
        client.release()
      }
    }
  }),
)
recorded('of a purged board keeps its trail and records what was deleted with it', () =>
  withDatabase(async (test) => {
    const { id: ada } = await make.user(test.db, { name: 'Ada', email: 'ada@example.org' })
    const { id: boardId } = await make.board(test.db, { owner_id: ada })
    await make.permission(test.db, { board_id: boardId, user_id: ada, level: 'edit' })
    const { id: linkId } = await make.shareLink(test.db, {
      board_id: boardId,
      level: 'edit',
      password_hash: 'hash',
    })
    await test.db.deleteFrom('boards').where('id', '=', boardId).execute()
    const rows = await test.db
      .selectFrom('audit_logs')
      .selectAll()
      .where('board_id', '=', boardId)
      .orderBy('timestamp')
      .execute()
    assert.equal(
      rows.map(({ action }) => action),
      ['create', 'permission_change', 'link_create', 'delete'],
    )
    assert.equal(rows.at(-1)?.old_values?.permissions, [{ user_id: ada, level: 'edit' }])
    assert.equal(rows.at(-1)?.old_values?.share_links, [linkId])
  }),
)
recorded('by a database user who may not write the trail is recorded all the same', () =>
  withDatabase(async (test) => {
    const { id: boardId } = await make.board(test.db)
    const role = `clerk_${randomUUID().slice(0, 8)}`
    const client = await test.pool.connect()
    try {
      await client.query(
        `create role ${role}; grant usage on schema boardroom to ${role}; grant select, update on boardroom.boards to ${role}`,
      )
      await client.query(`set role ${role}`)
      const [row] = await rowsOf(test, () =>
        client.query(`update boardroom.boards set is_public = true where id = '${boardId}'`),
      )
      assert.is(row?.action, 'permission_change')
      await rejects(client.query('select from boardroom.audit_logs'), { code: '42501' })
    } finally {
      await client.query(`reset role; drop owned by ${role}; drop role ${role}`)
      client.release()
    }
  }),
)
/** As somebody types it: under the server's own application name, which anybody may use, and without an actor. */
const typed = async ({ pool }: TestDatabase, statement: string): Promise<void> => {
  const client = await pool.connect()
  try {
    await client.query(`set application_name = 'boardroom 7'`)
    await client.query(statement)
  } finally {
    client.release(true)
  }
}

for (const [what, statement, action, type] of [
  [
    'a guest made',
    `insert into boardroom.guests (name, token_sha256, expires_at) values ('Gus', sha256('x'), now() + interval '1 day')`,
    'create',
    'guest',
  ],
  [
    'a guest prolonged',
    `update boardroom.guests set expires_at = expires_at + interval '1 day'`,
    'update',
    'guest',
  ],
  [
    'a guest given another secret',
    `update boardroom.guests set token_sha256 = sha256('y')`,
    'update',
    'guest',
  ],
  [
    'a session made',
    `insert into boardroom.sessions (user_id, token, expires_at) select id, 'secret-token', now() + interval '1 day' from boardroom.users where email like '%@example.org' limit 1`,
    'create',
    'session',
  ],
  [
    'a session prolonged',
    `update boardroom.sessions set expires_at = expires_at + interval '1 day'`,
    'update',
    'session',
  ],
  ['uses of a link set back', 'update boardroom.share_links set uses = 0', 'update', 'share_link'],
] as const) {
  recorded(`${what} by hand has its row, without a secret`, () =>
    withDatabase(async (test) => {
      await make.session(test.db)
      const { id } = await make.shareLink(test.db, { uses: 3 })
      await make.linkUse(test.db, { link_id: id, guest_id: (await make.guest(test.db)).id })
      const rows = await rowsOf(test, () => typed(test, statement))
      assert.equal(
        rows.map((row) => [row.action, row.resource_type, row.actor_kind]),
        [[action, type, 'sql']],
      )
      assert.not.match(JSON.stringify(rows), /secret-token|[0-9a-f]{64}/)
    }),
  )
}

recorded.run()
