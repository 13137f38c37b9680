// What the database tells every process, in the transaction of the change: the triggers of migration 0009.
import pg from 'pg'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type TestDatabase, withDatabase } from '../helpers/database.ts'
import { make } from '../helpers/factories.ts'

interface World {
  ada: number
  bob: number
  board: string
  link: string
  guest: string
  session: number
}

const world = async ({ db }: TestDatabase): Promise<World> => {
  const { id: ada } = await make.user(db, { name: 'Ada', email: 'ada@example.org' })
  const { id: bob } = await make.user(db, { name: 'Bob', email: 'bob@example.org' })
  const { id: board } = await make.board(db, { owner_id: ada })
  const { id: link } = await make.shareLink(db, {
    board_id: board,
    level: 'edit',
    expires_at: new Date(Date.now() + 1e6),
  })
  const { id: guest } = await make.guest(db)
  await make.linkUse(db, { link_id: link, guest_id: guest })
  await make.permission(db, { board_id: board, user_id: bob })
  const { id: session } = await make.session(db, { user_id: ada, token: 'x' })
  return { ada, bob, board, link, guest, session }
}

const board = ({ board }: World) => [`b:${board}`]
const guest = ({ guest }: World) => [`g:${guest}`]
const session = ({ session }: World) => [`s:${session}`]
const everybody = () => ['*']
const nobody = () => []

const cases: [string, string, (world: World) => string[]][] = [
  ['boards.owner_id', `update boardroom.boards set owner_id = (select max(id) from boardroom.users)`, board],
  ['boards.is_public', `update boardroom.boards set is_public = true`, board],
  ['boards.members_level', `update boardroom.boards set members_level = 'view'`, board],
  ['boards.deleted_at', `update boardroom.boards set deleted_at = now()`, board],
  ['a purge', `delete from boardroom.boards`, (w) => [...board(w), ...guest(w)]],
  [
    'a new permission',
    `insert into boardroom.board_permissions (board_id, level) select id, 'view' from boardroom.boards`,
    board,
  ],
  ['board_permissions.level', `update boardroom.board_permissions set level = 'edit'`, board],
  ['board_permissions.user_id', `update boardroom.board_permissions set user_id = null`, board],
  ['a permission taken away', `delete from boardroom.board_permissions`, board],
  ['TRUNCATE of permissions', `truncate boardroom.board_permissions`, everybody],
  ['share_links.level', `update boardroom.share_links set level = 'view'`, board],
  ['share_links.expires_at', `update boardroom.share_links set expires_at = now()`, board],
  ['share_links.revoked_at', `update boardroom.share_links set revoked_at = now()`, board],
  ['share_links.created_by', `update boardroom.share_links set created_by = null`, board],
  [
    'a link used',
    `delete from boardroom.share_link_uses; insert into boardroom.share_link_uses (link_id, guest_id, name) select l.id, g.id, 'x' from boardroom.share_links l, boardroom.guests g`,
    guest,
  ],
  ['share_link_uses.revoked_at', `update boardroom.share_link_uses set revoked_at = now()`, guest],
  [
    'a guest who becomes a user',
    `update boardroom.share_link_uses set guest_id = null, user_id = (select max(id) from boardroom.users)`,
    (w) => [`g:${w.guest}`, `u:${w.bob}`],
  ],
  [
    'users.is_active, to the user and to boards they made links of',
    `update boardroom.users set is_active = false where email like 'ada@%'`,
    (w) => [`b:${w.board}`, `u:${w.ada}`],
  ],
  ['users.role', `update boardroom.users set role = 'admin' where email like 'bob@%'`, (w) => [`u:${w.bob}`]],
  ['a session that ends', `delete from boardroom.sessions`, session],
  ['a session cut short', `update boardroom.sessions set expires_at = now()`, session],
  ['a guest cut short', `update boardroom.guests set expires_at = now()`, guest],
  ['a guest deleted', `delete from boardroom.guests`, guest],
  [
    'an agent grant',
    `insert into boardroom.user_agent_permissions (user_id, agent_name, board_id) select owner_id, 'drawer', id from boardroom.boards`,
    (w) => [`b:${w.board}`, `u:${w.ada}`],
  ],
  [
    'an agent grant for all boards',
    `insert into boardroom.user_agent_permissions (user_id, agent_name) select owner_id, 'drawer' from boardroom.boards`,
    (w) => ['*', `u:${w.ada}`],
  ],
  [
    'a service key revoked',
    `insert into boardroom.service_keys (name, issuer, token_sha256) values ('app', 'app', sha256('k')); update boardroom.service_keys set revoked_at = now()`,
    everybody,
  ],
  ['boards.title and updated_at', `update boardroom.boards set title = 'x', updated_at = now()`, nobody],
  ['the same level written again', `update boardroom.board_permissions set level = level`, nobody],
  [
    'share_links.uses and last_used_at',
    `update boardroom.share_links set uses = 5, last_used_at = now(), label = 'x'`,
    nobody,
  ],
  [
    'users.name',
    `update boardroom.users set name = 'Bobby', updated_at = now() where email like 'bob@%'`,
    nobody,
  ],
  [
    'a session prolonged',
    `update boardroom.sessions set expires_at = expires_at + interval '1 day', updated_at = now()`,
    nobody,
  ],
  ['a guest prolonged', `update boardroom.guests set expires_at = expires_at + interval '1 day'`, nobody],
]

const notified = suite('a notification')
notified(`arrives for ${cases.map(([what]) => what).join(', ')}, and only where access may change`, () =>
  withDatabase(async (test) => {
    const listener = new pg.Client({ connectionString: test.url })
    await listener.connect()
    try {
      await listener.query('listen boardroom_access')
      for (const [what, statement, expected] of cases) {
        const w = await world(test)
        const heard = await heardDuring(listener, test, () => test.pool.query(statement))
        assert.equal(heard, expected(w).sort(), what)
        for (const table of ['service_keys', 'boards', 'guests', `users where email like '%@example.org'`])
          await test.pool.query(`delete from boardroom.${table}`)
      }
    } finally {
      await listener.end()
    }
  }),
)
notified.run()

/**
 * What `listener` receives during `work`, without duplicates, sorted. Notifications keep their order, so a final
 * marker ends it.
 */
async function heardDuring(
  listener: pg.Client,
  { pool }: TestDatabase,
  work: () => Promise<unknown>,
): Promise<string[]> {
  let heard = new Set<string>()
  const done = new Promise<void>((resolve) => {
    const hear = ({ payload = '' }: pg.Notification) => {
      if (payload === 'begin') heard = new Set()
      else if (payload !== 'end') heard.add(payload)
      else {
        listener.off('notification', hear)
        resolve()
      }
    }
    listener.on('notification', hear)
  })
  await pool.query(`notify boardroom_access, 'begin'`)
  await work()
  await pool.query(`notify boardroom_access, 'end'`)
  await done
  return [...heard].sort()
}
