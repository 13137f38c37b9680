import { createHash } from 'node:crypto'
import { sql } from 'kysely'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { createUser } from '../../server/accounts/users.ts'
import type { Db } from '../../server/database/database.ts'
import { systemActor } from '../../server/principal.ts'
import { codeOf, withAccounts } from '../helpers/accounts.ts'
import { eventually } from '../helpers/eventually.ts'
import { make } from '../helpers/factories.ts'

const ada = { email: 'ada@example.org', password: 'correct horse', name: 'Ada' }
const makeAda = (db: Db) => createUser(db, systemActor, { ...ada, role: 'user' })
const credentials = { email: ada.email, password: ada.password }
const me = async (answer: Response) =>
  (await answer.json()) as { kind: string; role: string | null; email: string | null }

const signIn = suite('signing in')

signIn('creates a session that identifies the user until they sign out', () =>
  withAccounts({}, async ({ db, browser, actions }) => {
    await makeAda(db)
    const tab = browser()
    assert.is(
      (await tab.post('/api/auth/sign-in/email', { ...credentials, email: 'ADA@Example.org' })).status,
      200,
    )
    const known = await me(await tab.get('/api/me'))
    assert.equal([known.kind, known.email, known.role], ['user', ada.email, 'user'])
    const stolen = tab.cookie
    assert.is((await tab.post('/api/auth/sign-out', {})).status, 200)
    assert.is((await me(await tab.get('/api/me'))).kind, 'anonymous')
    assert.is((await me(await tab.get('/api/me', { cookie: stolen }))).kind, 'anonymous', 'the old cookie')
    assert.equal(
      (await actions()).filter((action) => action.startsWith('log')),
      ['login', 'logout'],
    )
  }),
)

signIn('is refused alike for a wrong password and an unknown e-mail, and recorded without the input', () =>
  withAccounts({}, async ({ db, trail, browser }) => {
    const { id } = await makeAda(db)
    const wrong = await browser().post('/api/auth/sign-in/email', {
      ...credentials,
      password: 'wrong horse',
    })
    const unknown = await browser().post('/api/auth/sign-in/email', {
      ...credentials,
      email: 'eve@example.org',
    })
    assert.is(wrong.status, 401)
    assert.equal(await wrong.json(), await unknown.json())
    await trail.flush()
    const rows = await db.selectFrom('audit_logs').selectAll().where('action', '=', 'login_failed').execute()
    assert.equal(new Set(rows.map((row) => row.resource_id)), new Set([String(id), null]))
    assert.equal(
      rows.map((row) => row.ip_address),
      ['192.0.2.1', '192.0.2.1'],
    )
    assert.not.match(JSON.stringify(rows), /horse|eve@/)
  }),
)

signIn('is refused to a deactivated user, whose session ends at once', () =>
  withAccounts({}, async ({ db, browser, actions }) => {
    const { id } = await makeAda(db)
    const tab = browser()
    await tab.post('/api/auth/sign-in/email', credentials)
    await db.updateTable('users').set({ is_active: false }).where('id', '=', id).execute()
    assert.is((await me(await tab.get('/api/me'))).kind, 'anonymous')
    const again = await browser().post('/api/auth/sign-in/email', credentials)
    assert.equal([again.status, await codeOf(again)], [403, 'access_denied'])
    assert.is(again.headers.getSetCookie().length, 0)
    assert.is((await actions()).at(-1), 'login_failed')
  }),
)

signIn('is refused if the account is deactivated at that moment, and leaves no session', () =>
  withAccounts({}, async ({ db, pool, browser, actions }) => {
    const { id } = await makeAda(db)
    const answer = await db.transaction().execute(async (trx) => {
      await trx.updateTable('users').set({ is_active: false }).where('id', '=', id).execute()
      const answered = browser().post('/api/auth/sign-in/email', credentials)
      // The password is right, but only our code knows that yet.
      await eventually(
        async () =>
          (
            await pool.query(
              `select from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`,
            )
          ).rows.length > 0,
      )
      return { answered }
    })
    const refused = await answer.answered
    assert.equal([refused.status, await codeOf(refused)], [403, 'access_denied'])
    assert.equal(refused.headers.getSetCookie(), [])
    assert.equal(await db.selectFrom('sessions').select('id').execute(), [])
    assert.is((await actions()).at(-1), 'login_failed')
    await db.updateTable('users').set({ is_active: true }).where('id', '=', id).execute()
    assert.is((await browser().post('/api/auth/sign-in/email', credentials)).status, 200)
  }),
)

signIn('fails if it cannot be recorded', () =>
  withAccounts({}, async ({ db, trail, browser }) => {
    await makeAda(db)
    await trail.close()
    const answer = await browser().post('/api/auth/sign-in/email', credentials)
    assert.equal([answer.status, answer.headers.getSetCookie()], [503, []])
  }),
)

signIn('is impossible for the system actor', () =>
  withAccounts({}, async ({ db }) => {
    const system = await db
      .selectFrom('users')
      .select('id')
      .where('email', '=', 'system@boardroom.invalid')
      .executeTakeFirstOrThrow()
    const row = { user_id: system.id, account_id: 'x', provider_id: 'credential', password: 'x' }
    const refused = await db
      .insertInto('accounts')
      .values(row)
      .execute()
      .catch((error: unknown) => error)
    assert.match(String(refused), /the system actor cannot sign in/)
  }),
)

signIn('is limited by address if it fails, and not if it succeeds', () =>
  withAccounts({ failedGuessesPerMinutePerIp: 2 }, async ({ db, send, browser }) => {
    await makeAda(db)
    for (let i = 0; i < 4; i++) {
      assert.is((await browser().post('/api/auth/sign-in/email', credentials)).status, 200)
    }
    const guess = (from: string) =>
      send('/api/auth/sign-in/email', { method: 'POST', json: { ...credentials, password: 'x' }, from })
    const statuses = (await Promise.all([1, 2, 3, 4].map(() => guess('192.0.2.7')))).map(
      ({ status }) => status,
    )
    assert.equal(statuses.sort(), [401, 401, 429, 429])
    assert.is((await guess('192.0.2.8')).status, 401, 'another address')
  }),
)

signIn('sets a plain cookie on http, which a LAN address can keep', () =>
  withAccounts({}, async ({ db, browser }) => {
    await makeAda(db)
    const answer = await browser().post('/api/auth/sign-in/email', credentials)
    const cookies = answer.headers.getSetCookie()
    assert.is(cookies.length, 1)
    assert.match(
      cookies[0] ?? '',
      /^boardroom\.session=[^;]+; Max-Age=2592000; Path=\/; HttpOnly; SameSite=Lax$/i,
    )
  }),
)

signIn('sets a __Host- cookie on https', () =>
  withAccounts({ publicUrl: 'https://boards.example.org' }, async ({ db, browser }) => {
    await makeAda(db)
    const tab = browser()
    const answer = await tab.post('/api/auth/sign-in/email', { ...credentials, rememberMe: false })
    assert.ok(answer.headers.getSetCookie().length > 0)
    for (const cookie of answer.headers.getSetCookie()) {
      assert.match(cookie, /^__Host-boardroom\./)
      for (const flag of [/; Secure/i, /; HttpOnly/i, /; SameSite=Lax/i, /; Path=\/(;|$)/i])
        assert.match(cookie, flag)
      assert.not.match(cookie, /Domain/i)
    }
    assert.is((await me(await tab.get('/api/me'))).kind, 'user')
  }),
)

signIn('answers a token that serves as bearer, and whose bare half in the database does not', () =>
  withAccounts({}, async ({ db, browser, send }) => {
    await makeAda(db)
    const answer = await browser().post('/api/auth/sign-in/email', credentials)
    const { token } = (await answer.json()) as { token: string }
    const { token: stored } = await db.selectFrom('sessions').select('token').executeTakeFirstOrThrow()
    const asking = (bearer: string) => send('/api/me', { headers: { authorization: `Bearer ${bearer}` } })
    assert.is((await me(await asking(token))).kind, 'user')
    for (const bad of [stored, `${stored}.`, `${stored}.AAAA`, `${token}x`])
      assert.is((await asking(bad)).status, 401, bad)
  }),
)

signIn('refuses other input, in our error shape', () =>
  withAccounts({}, async ({ browser }) => {
    const path = '/api/auth/sign-in/email'
    const bodies = [
      {},
      { ...credentials, admin: true },
      { ...credentials, email: 'x' },
      { email: 5, password: 5 },
      [],
      'x',
      null,
    ]
    for (const body of [...bodies, { ...credentials, password: 'a\u0000b' }]) {
      const answer = await browser().post(path, body)
      assert.equal([answer.status, await codeOf(answer)], [400, 'invalid_request'], JSON.stringify(body))
    }
  }),
)

signIn('is refused a password that is among the first guesses, when it is made and when it is changed', () =>
  withAccounts({ signUp: 'open' }, async ({ db, browser }) => {
    for (const password of ['aaaaaaaa', 'password', '12345678', 'ada@example.org']) {
      const answer = await browser().post('/api/auth/sign-up/email', { ...ada, password })
      assert.equal([answer.status, await codeOf(answer)], [400, 'invalid_request'], password)
    }
    await makeAda(db)
    const tab = browser()
    await tab.post('/api/auth/sign-in/email', credentials)
    const changed = await tab.post('/api/auth/change-password', {
      currentPassword: ada.password,
      newPassword: 'qwertyui',
    })
    assert.is(changed.status, 400)
    assert.is((await browser().post('/api/auth/sign-in/email', credentials)).status, 200)
  }),
)

signIn('of a guest ends when they leave, and does not come back with a sign-out', () =>
  withAccounts({}, async ({ db, guests, browser, actions }) => {
    await makeAda(db)
    const become = () =>
      db.transaction().execute((trx) => guests.create(trx, { name: 'Gus', linkExpiresAt: null }))
    const cookieOf = (made: { cookie: string }) => made.cookie.split(';')[0] ?? ''
    const guest = await become()
    const tab = browser()
    const as = { cookie: cookieOf(guest) }
    assert.is((await me(await tab.get('/api/me', as))).kind, 'guest')
    const left = await tab.post('/api/auth/sign-out', {}, as)
    assert.match(left.headers.getSetCookie().join(), /guest=; .*Max-Age=0/)
    assert.is((await me(await tab.get('/api/me', as))).kind, 'anonymous')
    assert.equal(
      (await actions()).filter((action) => action === 'logout'),
      ['logout'],
    )
    // A person who came as a guest, signed in and signs out is nobody, not that guest again.
    const former = await become()
    const signed = browser()
    await signed.post('/api/auth/sign-in/email', credentials)
    const both = { cookie: `${signed.cookie}; ${cookieOf(former)}` }
    assert.is((await me(await browser().get('/api/me', both))).kind, 'user')
    await browser().post('/api/auth/sign-out', {}, both)
    assert.is((await me(await browser().get('/api/me', both))).kind, 'anonymous')
  }),
)

signIn.run()

const pages = suite('pages of other origins')

pages('may not sign anybody in or out, nor change anything with a cookie', () =>
  withAccounts({}, async ({ db, browser, send }) => {
    await makeAda(db)
    const evil = { origin: 'https://evil.example' }
    const login = await send('/api/auth/sign-in/email', { method: 'POST', json: credentials, headers: evil })
    assert.equal([login.status, await codeOf(login)], [403, 'origin_not_allowed'])
    const tab = browser()
    await tab.post('/api/auth/sign-in/email', credentials)
    for (const path of ['/api/auth/sign-out', '/api/auth/change-password']) {
      const answer = await tab.post(path, {}, evil)
      assert.equal([answer.status, await codeOf(answer)], [403, 'origin_not_allowed'])
    }
    assert.is((await me(await tab.get('/api/me'))).kind, 'user')
    assert.is(
      (await me(await tab.get('/api/me', evil))).kind,
      'anonymous',
      'a cookie from a foreign page counts for nothing',
    )
  }),
)

pages('may where the operator allows them', () =>
  withAccounts({ allowedOrigins: ['https://app.example'] }, async ({ db, browser }) => {
    await makeAda(db)
    const tab = browser()
    const headers = { origin: 'https://app.example' }
    assert.is((await tab.post('/api/auth/sign-in/email', credentials, headers)).status, 200)
    assert.is((await me(await tab.get('/api/me', headers))).kind, 'user')
  }),
)

pages.run()

const routes = suite('the routes of Better Auth')

routes('are open one by one, and all others do not exist', () =>
  withAccounts({ signUp: 'open' }, async ({ db, browser }) => {
    await createUser(db, systemActor, { ...ada, role: 'sysadmin' })
    const tab = browser()
    await tab.post('/api/auth/sign-in/email', credentials)
    const closed = [
      'admin/set-role',
      'admin/create-user',
      'admin/impersonate-user',
      'admin/remove-user',
      'admin/ban-user',
      'update-user',
      'delete-user',
      'update-session',
      'set-password',
      'sign-in/social',
      'reset-password',
      'request-password-reset',
      'two-factor/send-otp',
      'two-factor/get-totp-uri',
      'change-email',
      'verify-email',
      'list-sessions',
      'revoke-sessions',
      'sign-in/email/',
      '../auth/admin/set-role',
    ]
    for (const path of closed) {
      const answer = await tab.post(`/api/auth/${path}`, { userId: '1', role: 'user' })
      assert.equal([answer.status, await codeOf(answer)], [404, 'not_found'], path)
    }
    for (const path of [
      'admin/list-users',
      'ok',
      'error',
      'list-sessions',
      'reset-password/x',
      'callback/github',
    ]) {
      assert.is((await tab.get(`/api/auth/${path}`)).status, 404, path)
    }
    const session = (await (await tab.get('/api/auth/get-session')).json()) as {
      session: object
      user: { email: string }
    }
    assert.is(session.user.email, ada.email)
    assert.not('token' in session.session)
  }),
)

routes('expect the tables that our migrations create', () =>
  withAccounts({}, async ({ auth, pool, schema }) => {
    assert.is(await auth.drift(), ';')
    await pool.query(`alter table ${schema}.two_factors drop column locked_until`)
    assert.match(await auth.drift(), /locked_until/)
  }),
)

routes.run()

const signUp = suite('signing up')
const body = { name: 'Bob', email: 'bob@example.org', password: 'battery staple' }

signUp('is refused if accounts are created by invitation', () =>
  withAccounts({}, async ({ db, browser }) => {
    const answer = await browser().post('/api/auth/sign-up/email', body)
    assert.equal([answer.status, await codeOf(answer)], [403, 'access_denied'])
    assert.is((await db.selectFrom('users').selectAll().execute()).length, 1, 'the system actor alone')
  }),
)

signUp('creates an ordinary user and signs in if it is open', () =>
  withAccounts({ signUp: 'open' }, async ({ db, browser }) => {
    const tab = browser()
    assert.is((await tab.post('/api/auth/sign-up/email', body)).status, 200)
    assert.is((await me(await tab.get('/api/me'))).role, 'user')
    const twice = await browser().post('/api/auth/sign-up/email', { ...body, email: 'BOB@example.org' })
    assert.equal([twice.status, await codeOf(twice)], [409, 'conflict'])
    const greedy = await browser().post('/api/auth/sign-up/email', {
      ...body,
      email: 'x@example.org',
      role: 'sysadmin',
    })
    assert.is(greedy.status, 400)
    for (const email of ['system@boardroom.invalid', 'SYSTEM@boardroom.invalid']) {
      assert.is((await browser().post('/api/auth/sign-up/email', { ...body, email })).status, 409)
    }
    assert.is((await db.selectFrom('users').selectAll().execute()).length, 2)
  }),
)

signUp.run()

const sessions = suite('own sessions')

sessions('are listed, and can be ended one by one or all but this one', () =>
  withAccounts({}, async ({ db, browser, actions }) => {
    await makeAda(db)
    await createUser(db, systemActor, { ...ada, email: 'eve@example.org' })
    const [here, there, eve] = [browser(), browser(), browser()]
    for (const tab of [here, there]) await tab.post('/api/auth/sign-in/email', credentials)
    await eve.post('/api/auth/sign-in/email', { ...credentials, email: 'eve@example.org' })
    const listed = async () =>
      (
        (await (await here.get('/api/sessions')).json()) as {
          items: { id: number; is_current: boolean; ip_address: string }[]
        }
      ).items
    const [other, current] = await listed()
    assert.equal([other?.is_current, current?.is_current, other?.ip_address], [false, true, '192.0.2.1'])
    assert.is((await eve.delete(`/api/sessions/${other?.id}`)).status, 404, "somebody else's")
    assert.is((await here.delete(`/api/sessions/${other?.id}`)).status, 204)
    assert.is((await me(await there.get('/api/me'))).kind, 'anonymous')
    await there.post('/api/auth/sign-in/email', credentials)
    assert.is((await here.delete('/api/sessions')).status, 204)
    assert.equal(
      (await listed()).map(({ id }) => id),
      [current?.id],
    )
    assert.is((await me(await eve.get('/api/me'))).kind, 'user')
    assert.is((await actions()).filter((action) => action === 'logout').length, 2)
    assert.is((await browser().get('/api/sessions')).status, 401)
  }),
)

sessions('end, all but this one, when the password changes', () =>
  withAccounts({}, async ({ db, browser }) => {
    await makeAda(db)
    const [here, there] = [browser(), browser()]
    for (const tab of [here, there]) await tab.post('/api/auth/sign-in/email', credentials)
    const change = (currentPassword: string) =>
      here.post('/api/auth/change-password', { currentPassword, newPassword: 'a new horse' })
    assert.is((await change('a wrong one')).status, 401)
    assert.is((await me(await there.get('/api/me'))).kind, 'user')
    assert.is((await change(ada.password)).status, 200)
    assert.is((await me(await here.get('/api/me'))).kind, 'user')
    assert.is((await me(await there.get('/api/me'))).kind, 'anonymous')
    assert.is((await browser().post('/api/auth/sign-in/email', credentials)).status, 401)
    assert.is(
      (await browser().post('/api/auth/sign-in/email', { ...credentials, password: 'a new horse' })).status,
      200,
    )
  }),
)

sessions('and the password stay unchanged if the change cannot be recorded', () =>
  withAccounts({}, async ({ db, browser }) => {
    const { id } = await makeAda(db)
    const [here, there] = [browser(), browser()]
    for (const tab of [here, there]) await tab.post('/api/auth/sign-in/email', credentials)
    await sql`create function boardroom.refuse() returns trigger language plpgsql as 'begin raise exception ''full''; end'`.execute(
      db,
    )
    await sql`create trigger refuse before insert on boardroom.audit_logs for each row
      when (new.details ->> 'changed' = 'password') execute function boardroom.refuse()`.execute(db)
    const body = { currentPassword: ada.password, newPassword: 'a new horse' }
    assert.is((await here.post('/api/auth/change-password', body)).status, 500)
    assert.is((await me(await there.get('/api/me'))).kind, 'user')
    const token = 'a secret of a link for a new password'
    await make.passwordReset(db, { user_id: id, token_sha256: createHash('sha256').update(token).digest() })
    const used = await browser().post('/api/password-resets/use', { token, password: 'a new horse' })
    assert.is(used.status, 500)
    assert.is(
      (await browser().post('/api/auth/sign-in/email', credentials)).status,
      200,
      'the password of before',
    )
    await sql`drop trigger refuse on boardroom.audit_logs`.execute(db)
    assert.is((await here.post('/api/auth/change-password', body)).status, 200)
    assert.is((await me(await there.get('/api/me'))).kind, 'anonymous')
    const rows = await db
      .selectFrom('audit_logs')
      .select(['user_id', 'resource_id'])
      .where(sql<boolean>`details ->> 'changed' = 'password'`)
      .execute()
    assert.equal(rows, [{ user_id: id, resource_id: String(id) }])
  }),
)

const resets = suite('a link for a new password')

resets('is valid only while its creator may create it, and ends when a password is set in another way', () =>
  withAccounts({}, async ({ db, browser }) => {
    const bob = await makeAda(db)
    const chief = { email: 'chief@example.org', password: 'correct chief', name: 'Chief' }
    const { id: chiefId } = await createUser(db, systemActor, { ...chief, role: 'admin' })
    const root = await createUser(db, systemActor, { ...chief, email: 'root@example.org', role: 'sysadmin' })
    const desk = browser()
    await desk.post('/api/auth/sign-in/email', { email: chief.email, password: chief.password })
    const link = async () => {
      const answer = await desk.post(`/api/users/${bob.id}/password-reset`, {})
      assert.is(answer.status, 201)
      return ((await answer.json()) as { url: string }).url.split('#')[1]
    }
    const use = async (token: string | undefined, password = 'a newer horse') =>
      (await browser().post('/api/password-resets/use', { token, password })).status
    const set = (id: number, change: { role?: 'admin' | 'user' | 'sysadmin'; is_active?: boolean }) =>
      db.updateTable('users').set(change).where('id', '=', id).execute()

    const first = await link()
    await set(chiefId, { role: 'user' })
    assert.is(await use(first), 404, 'its maker is no administrator any more')
    await set(chiefId, { role: 'admin', is_active: false })
    assert.is(await use(first), 404, 'its maker is deactivated')
    await set(chiefId, { is_active: true })
    await set(bob.id, { role: 'sysadmin' })
    assert.is(await use(first), 404, 'it would let an administrator become a sysadmin')
    await set(bob.id, { role: 'user' })
    assert.is(await use(first), 200, 'as it was')
    assert.is(await use(first), 404, 'used')

    await desk.post('/api/auth/sign-in/email', { email: chief.email, password: chief.password })
    const second = await link()
    const tab = browser()
    await tab.post('/api/auth/sign-in/email', { email: ada.email, password: 'a newer horse' })
    const change = { currentPassword: 'a newer horse', newPassword: 'the newest horse' }
    assert.is((await tab.post('/api/auth/change-password', change)).status, 200)
    assert.is(await use(second), 404, 'another password was set since')

    const third = await link()
    await db.deleteFrom('users').where('id', '=', chiefId).execute()
    assert.is(await use(third), 404, 'its maker is gone')
    assert.ok(root.id)
  }),
)

resets.run()

sessions('are extended with use, and checked again at every request', () =>
  withAccounts({}, async ({ db, browser }) => {
    await makeAda(db)
    const tab = browser()
    await tab.post('/api/auth/sign-in/email', credentials)
    const soon = new Date(Date.now() + 3_600_000)
    await db.updateTable('sessions').set({ expires_at: soon }).execute()
    assert.match((await tab.get('/api/me')).headers.get('set-cookie') ?? '', /boardroom\.session=/)
    const { expires_at } = await db.selectFrom('sessions').select('expires_at').executeTakeFirstOrThrow()
    assert.ok(expires_at.getTime() > Date.now() + 29 * 86_400_000)
    await db
      .updateTable('sessions')
      .set({ expires_at: new Date(0) })
      .execute()
    assert.is((await me(await tab.get('/api/me'))).kind, 'anonymous')
  }),
)

sessions.run()
