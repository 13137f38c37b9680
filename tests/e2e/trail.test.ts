// What the trail records of everything that people do on a complete server, and that it can still be verified
// afterwards.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { verifyAudit } from '../../server/audit/verify.ts'
import { createBoardroom } from '../../server/boardroom.ts'
import type { AuditResponse } from '../../shared/api.ts'
import { CloseCode, MessageType } from '../../shared/protocol.ts'
import { eventually } from '../helpers/eventually.ts'
import { password } from '../helpers/people.ts'
import type { RawClient } from '../helpers/raw-client.ts'
import { type Person, type TestServer, withServer } from '../helpers/server.ts'

const trail = suite('the trail')

/** A board's rows as its owner gets them, oldest first. */
const rowsOf = async (who: Person, board: string): Promise<AuditResponse[]> => {
  const { status, body } = await who.ask('GET', `/api/boards/${board}/audit?limit=1000`)
  assert.is(status, 200)
  return body.items.reverse()
}
const rowOf = (
  who: Person,
  board: string,
  action: string,
  matches: (row: AuditResponse) => boolean = () => true,
) => eventually(async () => (await rowsOf(who, board)).find((row) => row.action === action && matches(row)))
const helloOf = async (client: RawClient) => client.message(MessageType.hello)
/** The rows of the whole instance with one action. */
const instanceRows = async ({ db }: TestServer, action: 'login' | 'logout' | 'login_failed') =>
  db.selectFrom('audit_logs').selectAll().where('action', '=', action).orderBy('timestamp').execute()

trail('names who came in, from where, with what, at which level, and when they left', () =>
  withServer(async ({ user, raw }) => {
    const [ada, bob] = [await user('Ada'), await user('Bob')]
    const board = await ada.board()
    await ada.grant(board, bob, 'comment')
    const userAgent = 'x'.repeat(700)
    const client = await raw(board, { ticket: await bob.ticket(board), headers: { 'user-agent': userAgent } })
    const { connection_id } = await helloOf(client)
    const access = await rowOf(ada, board, 'access')
    assert.equal(
      [access.actor_kind, access.user_id, access.actor_name, access.ip_address, access.permission_level],
      ['user', bob.id, 'Bob', '127.0.0.1', 'comment'],
    )
    assert.is(access.user_agent, 'x'.repeat(500))
    assert.is(access.details?.connection_id, connection_id)
    assert.is(access.details?.reason, 'permission')
    assert.is(access.details?.via, 'ticket')
    client.close()
    const leave = await rowOf(ada, board, 'leave')
    assert.equal(
      [leave.user_id, leave.permission_level, leave.user_agent],
      [bob.id, 'comment', access.user_agent],
    )
    assert.is(leave.details?.connection_id, connection_id)
  }),
)

trail('names the link and the guest that used it, from its creation to its end', () =>
  withServer(async ({ user, ask, raw }) => {
    const ada = await user('Ada')
    const board = await ada.board()
    const link = (
      await ada.ask('POST', `/api/boards/${board}/share-links`, { level: 'edit', label: 'Workshop' })
    ).body
    const { body } = await ask('POST', '/api/share-links/exchange', {
      token: link.url.split('#k=')[1],
      name: 'Gil',
    })
    const client = await raw(board, { ticket: body.ticket })
    await helloOf(client)
    await ada.ask('DELETE', `/api/boards/${board}/share-links/${link.id}`)
    assert.is((await client.closed).code, CloseCode.noAccess)
    await rowOf(ada, board, 'leave')
    const told = (await rowsOf(ada, board)).filter(({ action }) => action !== 'create')
    const [created, used, access, revoked, leave] = told
    assert.equal(
      told.map(({ action }) => action),
      ['link_create', 'link_use', 'access', 'link_revoke', 'leave'],
    )
    assert.equal(
      [created, used, access, revoked].map((row) => row?.link_id),
      Array(4).fill(link.id),
    )
    assert.equal([created?.user_id, revoked?.user_id], [ada.id, ada.id])
    assert.equal([used?.actor_kind, access?.actor_kind, leave?.actor_kind], ['guest', 'guest', 'guest'])
    assert.equal([used?.actor_name, access?.actor_name, leave?.actor_name], ['Gil', 'Gil', 'Gil'])
    assert.ok(used?.guest_id !== null && used?.guest_id === access?.guest_id)
    assert.is(leave?.details?.close_code, CloseCode.noAccess)
    assert.not.match(JSON.stringify(told), link.url.split('#k=')[1])
  }),
)

trail('has the first refusal at once, and counts repetitions', () =>
  withServer(async (server) => {
    const { user, raw, boardroom, pool, schema } = server
    const [ada, eve] = [await user('Ada'), await user('Eve')]
    const board = await ada.board()
    const headers = { cookie: eve.cookie, origin: server.origin }
    const refused = async () => (await (await raw(board, { headers })).closed).code
    assert.is(await refused(), CloseCode.noAccess)
    const first = await rowOf(ada, board, 'access_denied')
    assert.equal(
      [first.user_id, first.details?.close_code, first.details?.repeats],
      [eve.id, 4403, undefined],
    )
    for (let i = 0; i < 4; i++) assert.is(await refused(), CloseCode.noAccess)
    assert.is((await rowsOf(ada, board)).filter(({ action }) => action === 'access_denied').length, 1)
    await boardroom.close({ drainMs: 0 })
    const { rows } = await pool.query(
      `select details from ${schema}.audit_logs where action = 'access_denied' and board_id = $1 order by timestamp`,
      [board],
    )
    assert.equal([rows.length, rows[1]?.details.repeats], [2, 4])
  }),
)

trail('has creation, deletion and every permission change, with actor, old and new value', () =>
  withServer(async ({ user, pool, schema }) => {
    const [ada, bob, root] = [await user('Ada'), await user('Bob'), await user('Root', 'sysadmin')]
    const board = await ada.board()
    await ada.grant(board, bob, 'view')
    const { id } = (await ada.grant(board, bob, 'edit')).body
    await pool.query(`update ${schema}.board_permissions set level = 'comment' where id = $1`, [id])
    await root.ask('DELETE', `/api/boards/${board}/permissions/${id}`)
    await ada.ask('PATCH', `/api/boards/${board}`, { members_level: 'view' })
    await ada.ask('DELETE', `/api/boards/${board}`)
    const told = (await rowsOf(ada, board)).map(({ action, actor_kind, user_id, old_values, new_values }) => [
      action,
      actor_kind === 'sql' ? 'sql' : user_id,
      old_values?.level ?? old_values?.members_level ?? null,
      new_values?.level ?? new_values?.members_level ?? null,
    ])
    assert.equal(told, [
      ['create', ada.id, null, null],
      ['permission_change', ada.id, null, 'view'],
      ['permission_change', ada.id, 'view', 'edit'],
      ['permission_change', 'sql', 'edit', 'comment'],
      ['permission_change', root.id, 'comment', null],
      ['permission_change', ada.id, null, 'view'],
      ['delete', ada.id, null, null],
    ])
  }),
)

trail('of a manual change names the database user', () =>
  withServer(async ({ user, pool, schema }) => {
    const ada = await user('Ada')
    const board = await ada.board()
    await pool.query(`update ${schema}.boards set is_public = true where id = $1`, [board])
    const row = await rowOf(ada, board, 'permission_change')
    const { rows } = await pool.query('select session_user as name')
    assert.equal([row.actor_kind, row.actor_name, row.user_id], ['sql', rows[0].name, null])
  }),
)

trail('has signing in, signing out and a wrong password', () =>
  withServer(async (server) => {
    const { user, ask, origin } = server
    const ada = await user('Ada')
    const signIn = (given: string) =>
      ask('POST', '/api/auth/sign-in/email', { email: ada.email, password: given }, { origin })
    await signIn('not this one')
    const cookie = (await signIn(password)).headers.getSetCookie().map((line) => line.split(';')[0])
    await ask('POST', '/api/auth/sign-out', {}, { origin, cookie: cookie.join('; ') })
    const [login] = await instanceRows(server, 'login')
    assert.equal([login?.user_id, login?.ip_address, login?.actor_name], [ada.id, '127.0.0.1', 'Ada'])
    const [failed] = await instanceRows(server, 'login_failed')
    assert.ok(failed !== undefined)
    const [logout] = await instanceRows(server, 'logout')
    assert.is(logout?.user_id, ada.id)
    assert.is(logout?.session_id ?? logout?.resource_id, login?.session_id ?? login?.resource_id)
  }),
)

trail('of a board is for its managers: 403 for people who see the board, 404 for others', () =>
  withServer(async ({ user, ask }) => {
    const [ada, bob, eve, root] = [
      await user('Ada'),
      await user('Bob'),
      await user('Eve'),
      await user('Root', 'admin'),
    ]
    const board = await ada.board()
    await ada.grant(board, bob, 'edit')
    const path = `/api/boards/${board}/audit`
    const statuses = [ada, bob, eve, root].map(async (who) => (await who.ask('GET', path)).status)
    assert.equal(await Promise.all(statuses), [200, 403, 404, 200])
    assert.is((await ask('GET', path)).status, 401)
    assert.is((await bob.ask('GET', '/api/audit')).status, 403)
    assert.is((await root.ask('GET', '/api/audit')).status, 200)
  }),
)

trail('has a leave for every access after the server closed', () =>
  withServer(async ({ user, raw, boardroom, actions }) => {
    const ada = await user('Ada')
    const board = await ada.board()
    const ticket = await ada.ticket(board)
    const clients = await Promise.all([0, 1, 2].map(() => raw(board, { ticket })))
    await Promise.all(clients.map(helloOf))
    await boardroom.close({ drainMs: 0 })
    for (const client of clients) assert.is((await client.closed).code, CloseCode.restart)
    const told = await actions(board)
    assert.is(told.filter((action) => action === 'access').length, 3)
    assert.is(told.filter((action) => action === 'leave').length, 3)
  }),
)

trail('has a leave for every access after a server crashed, written by the next one', () =>
  withServer(async ({ user, raw, actions, pool, database, log }) => {
    const ada = await user('Ada')
    const board = await ada.board()
    const client = await raw(board, { ticket: await ada.ticket(board) })
    await helloOf(client)
    await eventually(async () => {
      // A server that dies releases its lock; this one acquires it again after a second.
      await pool.query(
        `select pg_terminate_backend(pid) from pg_stat_activity
         where application_name = 'boardroom presence' and datname = current_database()`,
      )
      const next = await createBoardroom({ database, secret: 'x'.repeat(40), logger: log })
      await next.close({ drainMs: 0 })
      return (await actions(board)).includes('leave')
    })
    assert.is((await actions(board)).filter((action) => action === 'leave').length, 1)
  }),
)

trail('can be verified after all of it, unless somebody changed a row', () =>
  withServer(async ({ user, raw, boardroom, database, pool, schema }) => {
    const [ada, bob] = [await user('Ada'), await user('Bob')]
    const board = await ada.board()
    await ada.grant(board, bob, 'edit')
    const client = await raw(board, { ticket: await bob.ticket(board) })
    await helloOf(client)
    await pool.query(`truncate ${schema}.board_permissions`)
    await client.closed
    await ada.ask('DELETE', `/api/boards/${board}`)
    const all = async () =>
      (await pool.query(`select count(*)::integer as count from ${schema}.audit_logs`)).rows[0].count
    // Rows are sealed once no older transaction is open anywhere in the cluster: other tests have some.
    await eventually(async () => (await verifyAudit(database)).rows === (await all()))
    await boardroom.close({ drainMs: 0 })
    assert.equal(await verifyAudit(database), { ok: true, rows: await all(), erased: 0 })
    await pool.query(
      `set session_replication_role = replica; update ${schema}.audit_logs set user_id = ${ada.id} where action = 'access'; set session_replication_role = default`,
    )
    const { ok, firstProblem } = await verifyAudit(database)
    assert.equal([ok, firstProblem?.kind], [false, 'row_changed'])
  }),
)

trail.run()
