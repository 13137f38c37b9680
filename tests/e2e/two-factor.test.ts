// Second factors on a complete server: set up, required, lost, enforced, and what stays open meanwhile.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { withDatabase } from '../helpers/database.ts'
import { eventually } from '../helpers/eventually.ts'
import { oneTimeCode } from '../helpers/one-time-code.ts'
import {
  type Answer,
  type Ask,
  type Person,
  startNode,
  type TestServer,
  withServer,
} from '../helpers/server.ts'
import { testPool } from '../helpers/test-pool.ts'
import { withoutTrailOf } from '../helpers/without-trail.ts'

const password = 'correct horse battery staple'

const wrongFor = (code: string): string => String((Number(code) + 1) % 1_000_000).padStart(6, '0')

/** A browser that stores the cookies of answers. */
function browserOf({ ask, origin }: TestServer, cookie = '') {
  const jar = new Map(
    cookie === '' ? [] : cookie.split('; ').map((pair) => pair.split(/=(.*)/s) as [string, string]),
  )
  const visit: Ask = async (method, path, body) => {
    const header = [...jar].map(([name, value]) => `${name}=${value}`).join('; ')
    const answer = await ask(method, path, body, header === '' ? { origin } : { origin, cookie: header })
    for (const line of answer.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
      if (/max-age=0/i.test(line)) jar.delete(name)
      else jar.set(name, value)
    }
    return answer
  }
  return { ask: visit, cookie: () => [...jar].map(([name, value]) => `${name}=${value}`).join('; ') }
}

/** Sets one up in a browser that is signed in. */
async function setUp(browser: ReturnType<typeof browserOf>): Promise<{ secret: string; codes: string[] }> {
  const begun = await browser.ask('POST', '/api/auth/two-factor/enable', { password })
  assert.is(begun.status, 200)
  const { secret, recovery_codes: codes } = begun.body
  const verified = await browser.ask('POST', '/api/auth/two-factor/verify-totp', {
    code: oneTimeCode(secret),
  })
  assert.is(verified.status, 200)
  return { secret, codes }
}

const signIn = (browser: ReturnType<typeof browserOf>, { email }: Person) =>
  browser.ask('POST', '/api/auth/sign-in/email', { email, password })
const errorOf = ({ status, body }: Answer) => [status, body.error?.code]

const factors = suite('a second factor')

factors('is not changed, nor a password, with a wrong password: each try is recorded', () =>
  withServer(async (server) => {
    const bob = await server.user('Bob')
    const browser = browserOf(server)
    await signIn(browser, bob)
    const wrong = { password: 'not the password' }
    const tries: [path: string, body: object][] = [
      ['/api/auth/two-factor/enable', wrong],
      [
        '/api/auth/change-password',
        { currentPassword: 'not the password', newPassword: 'another long pass phrase' },
      ],
    ]
    for (const [path, body] of tries)
      assert.equal(errorOf(await browser.ask('POST', path, body)), [401, 'wrong_credentials'])
    await setUp(browser)
    for (const path of ['/api/auth/two-factor/disable', '/api/auth/two-factor/generate-backup-codes'])
      assert.equal(errorOf(await browser.ask('POST', path, wrong)), [401, 'wrong_credentials'])
    const rows = await server.db
      .selectFrom('audit_logs')
      .select(['user_id', 'resource_id', 'details'])
      .where('action', '=', 'login_failed')
      .orderBy('timestamp')
      .execute()
    assert.equal(
      rows.map(({ user_id, resource_id, details }) => [user_id, resource_id, details]),
      ['change_two_factor', 'change_password', 'change_two_factor', 'change_two_factor'].map((to) => [
        bob.id,
        String(bob.id),
        { reason: 'wrong_credentials', to },
      ]),
    )
  }),
)

factors(
  'is set up with its first code; sockets and tickets of the session continue, and so do other sessions',
  () =>
    withServer(async (server) => {
      const bob = await server.user('Bob')
      const board = await bob.board()
      const ticket = await bob.ticket(board)
      const socket = await server.raw(board, { ticket })
      const byCookie = await server.raw(board, { headers: { cookie: bob.cookie, origin: server.origin } })
      const elsewhere = browserOf(server)
      await signIn(elsewhere, bob)
      const browser = browserOf(server, bob.cookie)
      const before = (await browser.ask('GET', '/api/me/sessions')).body.items.find(
        (row: { is_current: boolean }) => row.is_current,
      )

      assert.equal(errorOf(await browser.ask('POST', '/api/auth/two-factor/enable', { password: 'wrong' })), [
        401,
        'wrong_credentials',
      ])
      const { body } = await browser.ask('POST', '/api/auth/two-factor/enable', { password })
      assert.match(body.totp_uri, /^otpauth:\/\/totp\/Boardroom/)
      assert.is((await browser.ask('GET', '/api/me')).body.two_factor, 'off', 'nothing yet')
      const wrong = await browser.ask('POST', '/api/auth/two-factor/verify-totp', {
        code: wrongFor(oneTimeCode(body.secret)),
      })
      assert.equal(errorOf(wrong), [401, 'wrong_credentials'])
      const right = await browser.ask('POST', '/api/auth/two-factor/verify-totp', {
        code: oneTimeCode(body.secret),
      })
      assert.is(right.status, 200)
      assert.is((await browser.ask('GET', '/api/me')).body.two_factor, 'on')
      assert.is.not(browser.cookie(), bob.cookie, 'another token')
      assert.is((await bob.ask('GET', '/api/me')).body.kind, 'anonymous', 'the former one opens nothing')
      const after = (await browser.ask('GET', '/api/me/sessions')).body.items.find(
        (row: { is_current: boolean }) => row.is_current,
      )
      assert.is(after.id, before.id, 'the same session')
      assert.is((await elsewhere.ask('GET', '/api/me')).body.kind, 'user')

      // What stays is shown by what it can still do, after the server has checked again.
      await server.db.updateTable('boards').set({ is_public: true }).where('id', '=', board).execute()
      await server.db.updateTable('boards').set({ is_public: false }).where('id', '=', board).execute()
      const again = await server.raw(board, { ticket })
      await eventually(() => again.bodies(64).length === 1)
      const off = await browser.ask('POST', '/api/auth/two-factor/disable', { password })
      assert.is(off.status, 200)
      await server.raw(board, { ticket })
      for (const each of [socket, byCookie, again]) assert.is(each.socket.readyState, each.socket.OPEN)

      const rows = await server.db
        .selectFrom('audit_logs')
        .select(['action', 'old_values', 'new_values', 'details'])
        .where('resource_type', '=', 'user')
        .where('resource_id', '=', String(bob.id))
        .where('action', '!=', 'create')
        .orderBy('timestamp')
        .execute()
      assert.equal(
        rows.map((row) => [row.action, row.old_values ?? null, row.new_values ?? null]),
        [
          ['login_failed', null, null],
          ['login_failed', null, null],
          ['update', { two_factor_enabled: false }, { two_factor_enabled: true }],
          ['update', { two_factor_enabled: true }, { two_factor_enabled: false }],
        ],
      )
      assert.not.match(JSON.stringify(rows), new RegExp(body.secret))
    }),
)

factors(
  'is required after the password; only the code signs in, and wrong ones are recorded and limited',
  () =>
    withServer(
      async (server) => {
        const bob = await server.user('Bob')
        const { secret, codes } = await setUp(browserOf(server, bob.cookie))
        const actions = async () =>
          (
            await server.db
              .selectFrom('audit_logs')
              .select('action')
              .where('action', 'in', ['login', 'logout', 'login_failed'])
              .orderBy('timestamp')
              .execute()
          ).map(({ action }) => action)
        const before = (await actions()).length

        const browser = browserOf(server)
        const first = await signIn(browser, bob)
        assert.equal([first.status, first.body.twoFactorRedirect, first.body.token], [200, true, undefined])
        assert.is((await browser.ask('GET', '/api/me')).body.kind, 'anonymous')
        assert.is((await actions()).length, before, 'no sign-in yet')
        const wrong = await browser.ask('POST', '/api/auth/two-factor/verify-totp', {
          code: wrongFor(oneTimeCode(secret)),
        })
        assert.equal(errorOf(wrong), [401, 'wrong_credentials'])
        const right = await browser.ask('POST', '/api/auth/two-factor/verify-totp', {
          code: oneTimeCode(secret, 1),
        })
        assert.is(right.status, 200)
        assert.is((await browser.ask('GET', '/api/me')).body.user_id, bob.id)
        assert.equal((await actions()).slice(before), ['login_failed', 'login'])

        const recovered = browserOf(server)
        await signIn(recovered, bob)
        const code = codes[0] ?? ''
        assert.is(
          (await recovered.ask('POST', '/api/auth/two-factor/verify-backup-code', { code })).status,
          200,
        )
        const twice = browserOf(server)
        await signIn(twice, bob)
        const used = await twice.ask('POST', '/api/auth/two-factor/verify-backup-code', { code })
        assert.equal(errorOf(used), [401, 'wrong_credentials'])
        const nobody = await browserOf(server).ask('POST', '/api/auth/two-factor/verify-totp', {
          code: oneTimeCode(secret),
        })
        assert.equal(errorOf(nobody), [401, 'not_signed_in'])

        const answers: unknown[] = []
        for (let challenge = 0; challenge < 3; challenge++) {
          const guesser = browserOf(server)
          await signIn(guesser, bob)
          for (let i = 0; i < 5; i++)
            answers.push(
              (
                await guesser.ask('POST', '/api/auth/two-factor/verify-totp', {
                  code: wrongFor(oneTimeCode(secret)),
                })
              ).status,
            )
        }
        assert.ok(answers.includes(429), `locked: ${answers.join(' ')}`)
        const locked = browserOf(server)
        await signIn(locked, bob)
        const late = await locked.ask('POST', '/api/auth/two-factor/verify-totp', {
          code: oneTimeCode(secret),
        })
        assert.equal(errorOf(late), [429, 'too_many_requests'])

        const ada = await server.user('Ada', 'admin')
        assert.is((await ada.ask('DELETE', `/api/users/${bob.id}/two-factor`)).status, 204)
        assert.is((await ada.ask('DELETE', `/api/users/${bob.id}/two-factor`)).status, 409)
        const plain = browserOf(server)
        assert.is((await signIn(plain, bob)).body.twoFactorRedirect, undefined)
        assert.is((await plain.ask('GET', '/api/me')).body.kind, 'user')
      },
      { failedGuessesPerMinutePerIp: 1000 },
    ),
)

factors('accepts each code of the app once, even if two use it at the same moment', () =>
  withServer(async (server) => {
    const bob = await server.user('Bob')
    const { secret } = await setUp(browserOf(server, bob.cookie))
    const verify = async (code: string) => {
      const browser = browserOf(server)
      await signIn(browser, bob)
      const answer = await browser.ask('POST', '/api/auth/two-factor/verify-totp', { code })
      const late = await browser.ask('POST', '/api/auth/two-factor/verify-totp', { code })
      return { answer, late }
    }
    const used = await verify(oneTimeCode(secret))
    assert.equal(errorOf(used.answer), [401, 'wrong_credentials'], 'the code that switched it on')
    assert.match(used.answer.body.error.message, /already used/)
    const next = oneTimeCode(secret, 1)
    const both = await Promise.all([verify(next), verify(next)])
    assert.equal(both.map(({ answer }) => answer.status).sort(), [200, 401])
    const failed = await server.db
      .selectFrom('audit_logs')
      .select('details')
      .where('action', '=', 'login_failed')
      .execute()
    assert.ok(failed.length >= 3)
    for (const { details } of failed) assert.is(details?.reason, 'wrong_code')
    const kept = await server.db.selectFrom('sessions').select('id').where('user_id', '=', bob.id).execute()
    assert.is(kept.length, 2, 'no session of a code that was used')
  }),
)

factors('that is required comes before everything else, and cannot be removed', () =>
  withServer(
    async (server) => {
      const [ada, bob] = [await server.user('Ada', 'admin'), await server.user('Bob')]
      const board = await bob.board()
      const browser = browserOf(server, ada.cookie)
      assert.is((await browser.ask('GET', '/api/me')).body.two_factor, 'required')
      for (const [method, path] of [
        ['GET', '/api/boards'],
        ['GET', '/api/users'],
        ['POST', `/api/boards/${board}/tickets`],
        ['GET', '/api/me/sessions'],
      ] as const) {
        const refused = await browser.ask(method, path, method === 'POST' ? {} : undefined)
        assert.equal(
          [...errorOf(refused), refused.body.error.details.reason],
          [403, 'access_denied', 'two_factor_required'],
        )
      }
      const socket = await server.raw(board, { headers: { cookie: ada.cookie, origin: server.origin } })
      assert.is((await socket.closed).code, 4403)
      assert.is((await bob.ask('GET', '/api/boards')).status, 200, 'a user is not asked')

      // A person who becomes an administrator must use one from then on, even with earlier tickets.
      const ticket = await bob.ticket(board)
      await server.db.updateTable('users').set({ role: 'admin' }).where('id', '=', bob.id).execute()
      assert.is((await bob.ask('GET', '/api/boards')).status, 403)
      assert.is((await (await server.raw(board, { ticket })).closed).code, 4401)

      await setUp(browser)
      assert.is((await browser.ask('GET', '/api/users')).status, 200)
      assert.equal(errorOf(await browser.ask('POST', '/api/auth/two-factor/disable', { password })), [
        409,
        'conflict',
      ])
      const codes = await browser.ask('POST', '/api/auth/two-factor/generate-backup-codes', { password })
      assert.is(codes.body.recovery_codes.length, 10)
      assert.is((await server.ask('GET', '/api/auth/options')).body.two_factor, 'admins')
    },
    { require2fa: 'admins' },
  ),
)

factors(
  'and all other changes of accounts by the server do not count as manual, whatever its connections are called',
  () =>
    withDatabase(async (database) => {
      const pool = testPool({ connectionString: database.url, application_name: 'somebody’s app' })
      const { server, stop } = await startNode(database, { database: pool })
      try {
        const bob = await server.user('Bob')
        const board = await bob.board()
        const link = (await bob.ask('POST', `/api/boards/${board}/share-links`, { level: 'view' })).body
        const browser = browserOf(server)
        assert.is((await signIn(browser, bob)).status, 200)
        const { secret } = await setUp(browser)
        const again = browserOf(server)
        assert.is((await signIn(again, bob)).body.twoFactorRedirect, true)
        const verified = await again.ask('POST', '/api/auth/two-factor/verify-totp', {
          code: oneTimeCode(secret, 1),
        })
        assert.is(verified.status, 200)
        assert.is(
          (await again.ask('POST', '/api/auth/two-factor/generate-backup-codes', { password })).status,
          200,
        )
        assert.is((await again.ask('POST', '/api/auth/two-factor/disable', { password })).status, 200)
        const newPassword = 'a longer horse than before'
        const changed = await again.ask('POST', '/api/auth/change-password', {
          currentPassword: password,
          newPassword,
        })
        assert.is(changed.status, 200)
        assert.is((await again.ask('POST', '/api/auth/sign-out')).status, 200)
        const token = link.url.split('#k=')[1]
        const came = await browserOf(server).ask('POST', '/api/share-links/exchange', { token, name: 'Gus' })
        assert.is(came.status, 200)
        const { rows } = await pool.query<Record<string, string | null>>(
          `select action, actor_kind, resource_type, details ->> 'changed' as changed from boardroom.audit_logs
         where resource_type in ('session', 'guest') or (resource_type = 'user' and action = 'update') order by timestamp, id`,
        )
        assert.equal(
          rows.map((row) => Object.values(row)),
          [
            ['login', 'user', 'session', null],
            ['update', 'user', 'user', 'two_factor'],
            ['login', 'user', 'session', null],
            ['update', 'user', 'user', 'recovery_codes'],
            ['update', 'user', 'user', 'two_factor'],
            ['update', 'user', 'user', 'password'],
            ['logout', 'user', 'session', null],
          ],
        )
      } finally {
        await stop()
        await pool.end()
      }
    }),
)

factors('and sessions stay unchanged if the change cannot be recorded, and the answer says so', () =>
  withServer(async (server) => {
    const { db } = server
    const bob = await server.user('Bob')
    const browser = browserOf(server, bob.cookie)
    const everything = async () => ({
      users: await db.selectFrom('users').select('two_factor_enabled').where('id', '=', bob.id).execute(),
      factors: await db.selectFrom('two_factors').selectAll().execute(),
      sessions: await db.selectFrom('sessions').select(['id', 'token']).orderBy('id').execute(),
      rows: (await db.selectFrom('audit_logs').select('id').execute()).length,
      cookie: browser.cookie(),
    })
    const refused = async (actions: string[], ask: () => Promise<Answer>, what: string) => {
      const before = await everything()
      assert.equal(errorOf(await withoutTrailOf(db, actions, ask)), [500, 'internal'], what)
      assert.equal(await everything(), before, what)
    }

    const begun = await browser.ask('POST', '/api/auth/two-factor/enable', { password })
    const { secret, recovery_codes: codes } = begun.body
    const verify = () =>
      browser.ask('POST', '/api/auth/two-factor/verify-totp', { code: oneTimeCode(secret) })
    await refused(['update'], verify, 'switching it on')
    assert.is((await verify()).status, 200)

    const renew = () => browser.ask('POST', '/api/auth/two-factor/generate-backup-codes', { password })
    await refused(['update'], renew, 'new recovery codes')
    const disable = () => browser.ask('POST', '/api/auth/two-factor/disable', { password })
    await refused(['update'], disable, 'switching it off')

    const other = browserOf(server)
    await signIn(other, bob)
    const recover = () => other.ask('POST', '/api/auth/two-factor/verify-backup-code', { code: codes[0] })
    await refused(['login'], recover, 'signing in with a recovery code')
    assert.is((await recover()).status, 200, 'which is not used up')

    await refused(['logout'], () => browser.ask('DELETE', '/api/me/sessions'), 'ending the others')
    const ada = await server.user('Ada', 'admin')
    await refused(['logout'], () => ada.ask('DELETE', `/api/users/${bob.id}/sessions`), 'by an administrator')
    await refused(['logout'], () => browser.ask('POST', '/api/auth/sign-out'), 'signing out')
    assert.is((await browser.ask('POST', '/api/auth/sign-out')).status, 200)
    assert.is((await other.ask('GET', '/api/me')).body.kind, 'user')
  }),
)

factors.run()
