// Single sign-on with a real provider: who gets in, with which role, and the message for those who do not.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { noteLogout } from '../../server/accounts/sso/queries.ts'
import { createUser } from '../../server/accounts/users.ts'
import type { BoardroomOptions } from '../../server/boardroom.ts'
import { systemActor } from '../../server/principal.ts'
import { eventually } from '../helpers/eventually.ts'
import { make } from '../helpers/factories.ts'
import { freePort } from '../helpers/free-port.ts'
import { type Someone, type TestProvider, Traveller, withProvider } from '../helpers/oidc.ts'
import { type TestServer, withServer } from '../helpers/server.ts'
import { withSmtp } from '../helpers/smtp.ts'

interface Cast {
  server: TestServer
  provider: TestProvider
  /** The address as people type it, unlike the one that the tests use. */
  base: string
  /** Through the provider as `person`, with a new browser unless one is given. */
  signIn(person: Someone | null, options?: { by?: Traveller; next?: string }): Promise<Arrival>
}

interface Arrival {
  traveller: Traveller
  /** Where they ended up. */
  url: URL
  problem: string | null
  // biome-ignore lint/suspicious/noExplicitAny: an answer, looked at by tests
  me: any
}

const withSso = (
  work: (cast: Cast) => Promise<void>,
  options: Partial<BoardroomOptions> = {},
): Promise<void> => {
  const run = async () => {
    const port = await freePort()
    const base = `http://localhost:${port}`
    await withProvider(base, (provider) =>
      withServer(
        (server) =>
          work({
            ...{ server, provider, base },
            async signIn(person, { by: traveller = new Traveller(), next = '/' } = {}) {
              provider.person = person
              const { url } = await traveller.visit(`${base}/api/auth/sso?next=${encodeURIComponent(next)}`, {
                until: ({ origin, pathname }) => origin === base && !pathname.startsWith('/api/'),
              })
              const me = (await server.ask('GET', '/api/me', undefined, cookieOf(server, traveller, base)))
                .body
              return { traveller, url, problem: url.searchParams.get('problem'), me }
            },
          }),
        { ...provider.settings, port, ...options },
      ),
    )
  }
  return run()
}

const cookieOf = (server: TestServer, traveller: Traveller, base: string) => ({
  cookie: traveller.cookie(base),
  origin: server.origin,
})

const ada: Someone = { sub: 'a-1', email: 'Ada@Example.org', email_verified: true, name: 'Ada' }

const trailOf = async ({ db }: TestServer, action: 'login' | 'login_failed' | 'logout' | 'role_change') =>
  db
    .selectFrom('audit_logs')
    .select(['user_id', 'resource_type', 'resource_id', 'old_values', 'new_values', 'details', 'ip_address'])
    .where('action', '=', action)
    .orderBy('timestamp')
    .execute()

const sso = suite('single sign-on')

sso('creates an account for somebody whose address is only in userinfo, and opens the page they wanted', () =>
  withSso(async ({ server, provider, signIn }) => {
    const first = await signIn(ada, { next: '/b/0b0e7b7e-0000-4000-8000-000000000000?x=1' })
    assert.is(first.url.pathname, '/b/0b0e7b7e-0000-4000-8000-000000000000')
    assert.is(first.url.search, '?x=1')
    assert.is(first.me.name, 'Ada')
    assert.is(first.me.email, 'ada@example.org')
    assert.is(first.me.role, 'user')

    const asked = provider.asked.find(({ pathname }) => pathname === '/auth')?.searchParams
    assert.is(asked?.get('scope'), 'openid email profile')
    assert.is(asked?.get('code_challenge_method'), 'S256')
    assert.is(asked?.get('prompt'), null)
    assert.ok((asked?.get('state') ?? '').length >= 32)
    assert.ok((asked?.get('nonce') ?? '').length >= 32)

    const again = await signIn({ ...ada, name: 'Somebody else', email: 'new@example.org' })
    assert.is(again.me.user_id, first.me.user_id)
    const logins = await trailOf(server, 'login')
    assert.equal(
      logins.map(({ user_id }) => user_id),
      [first.me.user_id, first.me.user_id],
    )
    const tokens = await server.db
      .selectFrom('accounts')
      .select(['refresh_token', 'account_id'])
      .where('user_id', '=', first.me.user_id)
      .execute()
    assert.equal(tokens, [{ refresh_token: null, account_id: `${provider.issuer} a-1` }])
  }),
)

sso('asks for consent and keeps a refresh token only where offline_access is set', () =>
  withSso(
    async ({ server, provider, signIn }) => {
      const { me } = await signIn(ada)
      assert.is(
        provider.asked.find(({ pathname }) => pathname === '/auth')?.searchParams.get('prompt'),
        'consent',
      )
      const row = await server.db
        .selectFrom('accounts')
        .select('refresh_token')
        .where('user_id', '=', me.user_id)
        .executeTakeFirst()
      assert.ok(row?.refresh_token)
    },
    { oidcScopes: ['openid', 'email', 'profile', 'offline_access'] },
  ),
)

sso('continues when the provider has changed its keys', () =>
  withSso(async ({ provider, signIn }) => {
    const before = await signIn(ada)
    await provider.rotate()
    await new Promise((resolve) => setTimeout(resolve, 1100)) // unknown keys are fetched once a second
    const after = await signIn(ada)
    assert.is(after.problem, null)
    assert.is(after.me.user_id, before.me.user_id)
  }),
)

sso('signing out ends the session here and at the provider', () =>
  withSso(async ({ server, provider, base, signIn }) => {
    const { traveller, me } = await signIn(ada)
    const headers = cookieOf(server, traveller, base)
    const out = await server.ask('POST', '/api/auth/sign-out', {}, headers)
    assert.is(out.status, 200)
    const end = new URL(out.body.redirect)
    assert.is(end.origin, provider.issuer)
    assert.is(end.searchParams.get('post_logout_redirect_uri'), `${base}/sign-in`)
    assert.is((await server.ask('GET', '/api/me', undefined, headers)).body.kind, 'anonymous')
    assert.equal(
      (await trailOf(server, 'logout')).map(({ user_id }) => user_id),
      [me.user_id],
    )

    const page = await traveller.visit(end.href)
    const xsrf = /name="xsrf" value="([^"]+)"/.exec(page.text)?.[1] ?? ''
    const left = await traveller.visit(`${provider.issuer}/session/end/confirm`, {
      method: 'POST',
      body: new URLSearchParams({ xsrf, logout: 'yes' }),
      until: ({ origin }) => origin === base,
    })
    assert.is(left.url.pathname, '/sign-in')
  }),
)

/** Signs out at the provider itself, and everywhere it knows of. */
async function leaveProvider({ provider }: Pick<Cast, 'provider'>, traveller: Traveller): Promise<void> {
  const page = await traveller.visit(`${provider.issuer}/session/end?client_id=boardroom`)
  const xsrf = /name="xsrf" value="([^"]+)"/.exec(page.text)?.[1] ?? ''
  await traveller.visit(`${provider.issuer}/session/end/confirm`, {
    method: 'POST',
    body: new URLSearchParams({ xsrf, logout: 'yes' }),
  })
}

sso('signing out at the provider ends the session that it began here, and its sockets; no other one', () =>
  withSso(async (cast) => {
    const { server, provider, base, signIn } = cast
    const { traveller, me } = await signIn(ada)
    const elsewhere = await signIn(ada)
    assert.is(elsewhere.me.user_id, me.user_id)
    const kind = async (of: Traveller) =>
      (await server.ask('GET', '/api/me', undefined, cookieOf(server, of, base))).body.kind
    const headers = cookieOf(server, traveller, base)
    const board = await server.ask('POST', '/api/boards', { title: 'Plans' }, headers)
    const socket = await server.raw(board.body.id, { headers })
    const other = await server.raw(board.body.id, { headers: cookieOf(server, elsewhere.traveller, base) })
    for (const each of [socket, other]) await eventually(() => each.bodies(64).length === 1)

    await leaveProvider(cast, traveller)
    assert.is((await socket.closed).code, 4401)
    assert.equal([await kind(traveller), await kind(elsewhere.traveller)], ['anonymous', 'user'])
    assert.is(other.socket.readyState, other.socket.OPEN)
    const [row] = await trailOf(server, 'logout')
    assert.equal(
      [row?.resource_type, row?.details],
      ['session', { user_id: me.user_id, by: 'single_sign_on', issuer: provider.issuer }],
    )
  }),
)

sso('a logout token must be valid; without a session it ends all sessions of its person', () =>
  withSso(
    async ({ server, provider, base, signIn }) => {
      const { traveller, me } = await signIn(ada)
      const kind = async () =>
        (await server.ask('GET', '/api/me', undefined, cookieOf(server, traveller, base))).body.kind
      const nowS = Math.floor(Date.now() / 1000)
      const event = 'http://schemas.openid.net/event/backchannel-logout'
      const claims = {
        ...{ iss: provider.issuer, aud: 'boardroom', sub: 'a-1', jti: 'j-1', events: { [event]: {} } },
        ...{ iat: nowS, exp: nowS + 120 },
      }
      const send = async (token: string) =>
        (
          await fetch(`${base}/api/auth/sso/signed-out`, {
            method: 'POST',
            body: new URLSearchParams({ logout_token: token }),
          })
        ).status
      const base64 = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
      const good = await provider.sign(claims)
      const [, payload = '', signature = ''] = good.split('.')
      const bad: [what: string, token: string][] = [
        ['of another issuer', await provider.sign({ ...claims, iss: 'https://other.example' })],
        ['for somebody else', await provider.sign({ ...claims, aud: 'shop' })],
        ['that is over', await provider.sign({ ...claims, iat: nowS - 600, exp: nowS - 300 })],
        ['that is old', await provider.sign({ ...claims, iat: nowS - 600, exp: undefined })],
        ['with a nonce', await provider.sign({ ...claims, nonce: 'n' })],
        ['without the event', await provider.sign({ ...claims, events: {} })],
        ['of nobody', await provider.sign({ ...claims, sub: undefined })],
        ['by an unknown key', await provider.sign(claims, { kid: 'unknown' })],
        ['unsigned', `${base64({ alg: 'none' })}.${payload}.`],
        ['tampered with', `${good.split('.')[0]}.${base64({ ...claims, sub: 'a-2' })}.${signature}`],
        ['that is none', 'x'],
      ]
      for (const [what, token] of bad) assert.is(await send(token), 400, what)
      assert.is(await send(await provider.sign({ ...claims, sid: 'another' })), 200)
      assert.is(await send(await provider.sign({ ...claims, sub: undefined, sid: 'another' })), 200)
      assert.is(
        await send(await provider.sign({ ...claims, sub: 'unknown' })),
        200,
        'tells nothing of people',
      )
      assert.is(await kind(), 'user')

      assert.is(await send(good), 200)
      assert.is(await kind(), 'anonymous')
      assert.is((await trailOf(server, 'logout')).length, 1)
      // People who return are not signed out by a replayed token; in the same second nobody is.
      await eventually(() => Date.now() >= (nowS + 1) * 1000)
      const back = await signIn(ada)
      assert.is(back.me.user_id, me.user_id)
      const earlier = await provider.sign({ ...claims, iat: nowS - 1 })
      assert.is(await send(earlier), 200)
      assert.is((await trailOf(server, 'logout')).length, 1)
      // The second in which a session began counts as one after its begin; and a session is identified by its id
      // alone.
      const sessions = () => server.db.selectFrom('sessions').select(['created_at', 'provider_session'])
      const { created_at: begunAt } = await sessions().executeTakeFirstOrThrow()
      const same = { iat: Math.floor(Number(begunAt) / 1000), exp: nowS + 120 }
      assert.is(await send(await provider.sign({ ...claims, ...same })), 200)
      assert.is(await sessions().executeTakeFirst(), undefined)
      await eventually(() => Date.now() >= (same.iat + 1) * 1000)
      await signIn(ada)
      const { provider_session: sid } = await sessions().executeTakeFirstOrThrow()
      assert.is(await send(await provider.sign({ ...claims, sub: undefined, sid })), 200)
      assert.is(await sessions().executeTakeFirst(), undefined)
    },
    { failedGuessesPerMinutePerIp: 100 },
  ),
)

sso('a sign-out at the provider during a sign-in refuses it, and a second try succeeds', () =>
  withSso(async ({ server, provider, base, signIn }) => {
    const { me } = await signIn(ada)
    const event = 'http://schemas.openid.net/event/backchannel-logout'
    const work = async () => {
      const claims = { sub: 'a-1', jti: 'j-1', events: { [event]: {} }, iat: Math.floor(Date.now() / 1000) }
      const token = await provider.sign({ ...claims, iss: provider.issuer, aud: 'boardroom' })
      const answer = await fetch(`${base}/api/auth/sso/signed-out`, {
        method: 'POST',
        body: new URLSearchParams({ logout_token: token }),
      })
      assert.is(answer.status, 200)
    }
    // The provider has identified the person and is asked for their address; the session here has not begun yet.
    provider.before = { path: '/me', work }
    const refused = await signIn(ada)
    assert.is(provider.before, null)
    assert.equal([refused.problem, refused.me.kind], ['signed_out', 'anonymous'])
    assert.equal(await server.db.selectFrom('sessions').select('id').execute(), [])
    const [row] = await trailOf(server, 'login_failed')
    assert.equal(row?.details, { reason: 'signed_out', by: 'single_sign_on' })
    await eventually(async () => (await signIn(ada)).me.user_id === me.user_id)
  }),
)

sso('a session that the provider ends at the moment when it begins does not begin', () =>
  withSso(async ({ server, signIn, provider }) => {
    const { me } = await signIn(ada)
    const begin = (provider_session: string) =>
      make.session(server.db, { user_id: me.user_id, provider_session })
    const end = (session: string, accountId: string | null) =>
      server.db.transaction().execute(async (trx) => {
        const logout = { session, accountId, signedBefore: new Date() }
        await noteLogout(trx, 'boardroom', logout)
        const begun = begin(session).then(
          () => 'begun',
          (error: Error) => error.message,
        )
        await eventually(
          async () =>
            (await server.pool.query(`select from pg_locks where locktype = 'advisory' and not granted`)).rows
              .length === 1,
        )
        return { begun }
      })
    const outcome = async (session: string, accountId: string | null) => (await end(session, accountId)).begun
    assert.match(await outcome('one', null), /signed this person out/)
    assert.match(await outcome('two', `${provider.issuer} a-1`), /signed this person out/)
    assert.is(await outcome('three', `${provider.issuer} somebody else`), 'begun')
    assert.ok(await begin('four'))
  }),
)

sso('people who signed in with a password are not redirected', () =>
  withSso(async ({ server }) => {
    const bob = await server.user('Bob')
    const out = await bob.ask('POST', '/api/auth/sign-out', {})
    assert.equal(out.body, { success: true, redirect: null })
  }),
)

sso('refuses a deactivated account, and says so on the page and in the trail', () =>
  withSso(async ({ server, signIn }) => {
    const { me } = await signIn(ada)
    await server.db.updateTable('users').set({ is_active: false }).where('id', '=', me.user_id).execute()
    const refused = await signIn(ada)
    assert.is(refused.url.pathname, '/sign-in')
    assert.is(refused.problem, 'deactivated')
    assert.is(refused.me.kind, 'anonymous')
    const [row] = await trailOf(server, 'login_failed')
    assert.is(row?.resource_id, String(me.user_id))
    assert.equal(row?.details, { reason: 'deactivated', by: 'single_sign_on' })
  }),
)

sso('refuses people without a verified address at the provider', () =>
  withSso(async ({ server, signIn }) => {
    assert.is((await signIn({ ...ada, email_verified: false })).problem, 'not_verified')
    assert.is((await signIn({ sub: 'a-2', name: 'Nobody' })).problem, 'no_email')
    const users = await server.db
      .selectFrom('users')
      .select('email')
      .where('email', '=', 'ada@example.org')
      .execute()
    assert.equal(users, [])
  }),
)

sso('an account with a password is linked only if its address was confirmed', () =>
  withSso(async ({ server, signIn }) => {
    const bob = await server.user('Bob')
    const theirs: Someone = { sub: 'b-1', email: bob.email, email_verified: true, name: 'Bob' }
    await server.db.updateTable('users').set({ email_verified: false }).where('id', '=', bob.id).execute()
    assert.is((await signIn(theirs)).problem, 'email_taken')
    await server.db.updateTable('users').set({ email_verified: true }).where('id', '=', bob.id).execute()
    assert.is((await signIn(theirs)).me.user_id, bob.id)
    // The provider has reassigned the address to somebody else.
    assert.is((await signIn({ ...theirs, sub: 'b-2' })).problem, 'email_taken')
  }),
)

const byGroups = { oidcRoles: ['sysadmin=leads', 'admin=it', 'admin=desk'] }

sso('groups set the role at each sign-in, down as well as up', () =>
  withSso(async ({ server, signIn }) => {
    await server.user('Root', 'sysadmin')
    const role = async (...groups: string[]) => (await signIn({ ...ada, groups })).me.role
    assert.is(await role('staff', 'it'), 'admin')
    assert.is(await role('it', 'leads'), 'sysadmin')
    assert.is(await role('desk'), 'admin')
    assert.is(await role(), 'user')
    const changes = await trailOf(server, 'role_change')
    assert.equal(
      changes.map(({ old_values, new_values }) => [old_values?.role, new_values?.role]),
      [
        ['admin', 'sysadmin'],
        ['sysadmin', 'admin'],
        ['admin', 'user'],
      ],
    )
  }, byGroups),
)

sso('groups never demote the last sysadmin', () =>
  withSso(async ({ signIn }) => {
    assert.is((await signIn({ ...ada, groups: ['leads'] })).me.role, 'sysadmin')
    const again = await signIn({ ...ada, groups: [] })
    assert.is(again.problem, null)
    assert.is(again.me.role, 'sysadmin')
  }, byGroups),
)

sso('lets in only groups, or only known accounts, if so configured', async () => {
  await withSso(
    async ({ signIn }) => {
      assert.is((await signIn({ ...ada, groups: ['staff'] })).problem, 'not_admitted')
      assert.is((await signIn({ ...ada, groups: ['it'] })).me.role, 'admin')
      assert.is((await signIn({ ...ada, groups: [] })).problem, 'not_admitted')
    },
    { ...byGroups, oidcAccounts: 'groups' },
  )
  await withSso(
    async ({ server, signIn }) => {
      assert.is((await signIn(ada)).problem, 'not_admitted')
      const bob = await server.user('Bob')
      await server.db.updateTable('users').set({ email_verified: true }).where('id', '=', bob.id).execute()
      const back = await signIn({ sub: 'b-1', email: bob.email, email_verified: true })
      assert.is(back.me.user_id, bob.id)
    },
    { oidcAccounts: 'known' },
  )
})

sso('reports a wrong client secret, a cancelled sign-in, and a tampered state', () =>
  withSso(
    async ({ server, signIn, base, provider }) => {
      assert.is((await signIn(ada)).problem, 'refused')
      assert.is((await signIn(null)).problem, 'cancelled')

      const traveller = new Traveller()
      provider.person = ada
      const callback = await traveller.visit(`${base}/api/auth/sso`, {
        until: ({ pathname }) => pathname.startsWith('/api/auth/callback'),
      })
      callback.url.searchParams.set('state', 'x'.repeat(32))
      const until = ({ pathname }: URL) => pathname === '/sign-in'
      const tampered = await traveller.visit(callback.url.href, { until })
      assert.is(tampered.url.searchParams.get('problem'), 'state')
      // In another browser than the one it began in.
      const other = await new Traveller().visit(callback.url.href, { until })
      assert.is(other.url.searchParams.get('problem'), 'state')
      const reasons = (await trailOf(server, 'login_failed')).map(({ details }) => details?.reason)
      assert.equal(reasons, ['refused', 'cancelled', 'state', 'state'])
      assert.ok((await trailOf(server, 'login_failed')).every(({ ip_address }) => ip_address !== null))
    },
    { oidcClientSecret: 'another secret' },
  ),
)

sso('an unavailable provider does not prevent a start, and is used once it is back', async () => {
  const port = await freePort()
  const base = `http://localhost:${port}`
  await withProvider(base, async (provider) => {
    await provider.stop()
    await withServer(
      async (server) => {
        const answer = await server.ask('GET', '/api/auth/sso?next=/boards')
        assert.is(answer.status, 302)
        assert.is(answer.headers.get('location'), `${base}/sign-in?next=%2Fboards&problem=unreachable`)
        assert.is((await server.ask('GET', '/readyz')).status, 200)
        const [row] = await trailOf(server, 'login_failed')
        assert.is(row?.details?.reason, 'unreachable')
        const bob = await server.user('Bob')
        assert.is((await bob.ask('POST', '/api/auth/sign-out', {})).status, 200)
        await provider.resume()
        const led = await server.ask('GET', '/api/auth/sso')
        assert.ok(led.headers.get('location')?.startsWith(`${provider.issuer}/auth?`))
      },
      { ...provider.settings, port },
    )
  })
})

sso(
  'a provider that takes the code and does not answer is abandoned after ten seconds, and nobody is signed in',
  () =>
    withSso(async ({ server, provider, base, signIn }) => {
      await signIn(ada)
      const sessions = async () => (await server.db.selectFrom('sessions').select('id').execute()).length
      provider.hangsAt = '/token'
      const before = await sessions()
      const { url, me } = await signIn({ ...ada, sub: 'b-1', email: 'ben@example.org' }, { next: '/agents' })
      assert.equal([url.href, me.kind], [`${base}/sign-in?next=%2Fagents&problem=unreachable`, 'anonymous'])
      const failures = await trailOf(server, 'login_failed')
      assert.equal(
        failures.map(({ details }) => details?.reason),
        ['unreachable'],
      )
      assert.is(await sessions(), before)
      await eventually(() => provider.givenUp === 1)
      const [login] = await trailOf(server, 'login')
      assert.equal(login?.details, { by: 'single_sign_on', issuer: provider.issuer }, 'who came in, and how')
    }),
)

sso(
  'a provider that hangs anywhere is abandoned, reported as unreachable, and asked again at the next try',
  async () => {
    const tried = async (path: string) =>
      withSso(async ({ provider, signIn }) => {
        provider.hangsAt = path
        const { url, me } = await signIn(ada, { next: '/agents' })
        assert.equal([url.search, me.kind], ['?next=%2Fagents&problem=unreachable', 'anonymous'], path)
        await eventually(() => provider.givenUp === 1)
        provider.hangsAt = null
        assert.is((await signIn(ada, { next: '/agents' })).url.pathname, '/agents', path)
      })
    await Promise.all(['/.well-known/openid-configuration', '/me', '/jwks'].map(tried))
  },
)

sso('whatever went wrong on the way, the second try ends where the first one wanted to go', () =>
  withSso(
    async ({ signIn, provider, base, server }) => {
      const next = '/b/0b0e7b7e-0000-4000-8000-000000000000?x=1'
      const by = new Traveller()
      const without: Someone = { ...ada, email_verified: false }
      const failures: [problem: string, fail: () => Promise<URL>][] = [
        ['cancelled', async () => (await signIn(null, { by, next })).url],
        ['not_verified', async () => (await signIn(without, { by, next })).url],
        [
          'state',
          async () => {
            provider.person = ada
            const until = ({ pathname }: URL) => pathname.startsWith('/api/auth/callback')
            const begin = `${base}/api/auth/sso?next=${encodeURIComponent(next)}`
            const { url } = await by.visit(begin, { until })
            url.searchParams.set('state', 'x'.repeat(32))
            return (await by.visit(url.href, { until: ({ pathname }) => pathname === '/sign-in' })).url
          },
        ],
        ['too_many', async () => (await signIn(without, { by, next })).url],
      ]
      for (const [problem, fail] of failures) {
        const page = await fail()
        assert.equal([page.pathname, page.searchParams.get('problem')], ['/sign-in', problem])
        assert.is(page.searchParams.get('next'), next, problem)
        assert.not.match(by.cookie(base), /boardroom\.next/, 'the page has it now')
      }
      const later = new Traveller()
      await later.visit(`${base}/api/auth/sso?next=/agents`, { until: ({ origin }) => origin !== base })
      assert.match(later.cookie(base), /boardroom\.next=%2Fagents/)
      await later.visit(`${base}/api/auth/sso`, { until: ({ origin }) => origin !== base })
      assert.not.match(later.cookie(base), /boardroom\.next/, 'nothing of an earlier try')
      for (const foreign of ['//evil.example/', '%2F%2Fevil.example', '%']) {
        const answer = await server.ask('GET', '/api/auth/callback/oidc?code=1&state=2', undefined, {
          cookie: `boardroom.next=${foreign}`,
        })
        assert.is(answer.headers.get('location'), `${base}/sign-in?problem=too_many`)
      }
    },
    { failedGuessesPerMinutePerIp: 3 },
  ),
)

sso('leads only to our pages, and does not exist unless it is configured', async () => {
  await withSso(async ({ base, signIn }) => {
    for (const next of ['//evil.example/', '/\\evil.example', 'https://evil.example/', '/api/auth/sso']) {
      assert.is((await signIn(ada, { next })).url.href, `${base}/`)
    }
  })
  await withServer(async (server) => {
    assert.is((await server.ask('GET', '/api/auth/sso')).status, 404)
    assert.is((await server.ask('GET', '/api/auth/callback/oidc?code=1&state=2')).status, 404)
    assert.is((await server.ask('GET', '/api/auth/options')).body.sso, null)
  })
})

sso('with passwords off everything that needs one is refused, and sysadmins sign in with theirs', () =>
  withSso(
    async ({ server, signIn }) => {
      const options = (await server.ask('GET', '/api/auth/options')).body
      assert.equal(
        [options.password, options.password_reset_by_mail, options.sso],
        [false, false, { name: 'Acme' }],
      )

      const password = 'correct horse battery staple'
      for (const role of ['sysadmin', 'user'] as const) {
        await createUser(server.db, systemActor, {
          name: `Some ${role}`,
          email: `${role}@example.org`,
          password,
          role,
        })
      }
      const enter = (email: string, typed = password) =>
        server.ask('POST', '/api/auth/sign-in/email', { email, password: typed })
      assert.is((await enter('sysadmin@example.org')).status, 200)
      const refused = await enter('user@example.org')
      assert.is(refused.status, 403)
      assert.is(refused.body.error.details.reason, 'passwords_off')
      // Guessing does not reveal who is a sysadmin.
      for (const email of ['user@example.org', 'sysadmin@example.org', 'nobody@example.org'])
        assert.is((await enter(email, 'not the password at all')).status, 401)

      const root = await server.user('Root', 'sysadmin')
      const person = { name: 'New One', email: 'new@example.org', password }
      const token = 'a'.repeat(43)
      for (const answer of [
        await server.ask('POST', '/api/auth/sign-up/email', person),
        await root.ask('POST', '/api/invitations', { email: 'new@example.org' }),
        await server.ask('POST', '/api/invitations/accept', { token, name: 'New One', password }),
        await root.ask('POST', `/api/users/${root.id}/password-reset`),
        await server.ask('POST', '/api/password-resets', { email: 'user@example.org' }),
        await server.ask('POST', '/api/password-resets/preview', { token }),
        await server.ask('POST', '/api/password-resets/use', { token, password }),
      ]) {
        assert.is(answer.status, 403)
        assert.is(answer.body.error.details.reason, 'passwords_off')
      }
      const known = await signIn({ sub: 'u-1', email: 'user@example.org', email_verified: true })
      assert.is(known.me.name, 'Some user')
    },
    { passwords: 'off', signUp: 'open', oidcName: 'Acme' },
  ),
)

sso('people without a password cannot get one by mail', () =>
  withSmtp((smtp) =>
    withSso(
      async ({ server, signIn }) => {
        const { me } = await signIn(ada)
        const made = await createUser(server.db, systemActor, {
          ...{ name: 'Bob', email: 'bob@example.org', password: 'correct horse battery staple' },
        })
        for (const email of ['ada@example.org', 'bob@example.org'])
          assert.is((await server.ask('POST', '/api/password-resets', { email })).status, 202)
        await eventually(() => smtp.delivered.length === 1)
        const links = await server.db.selectFrom('password_resets').select('user_id').execute()
        assert.equal(links, [{ user_id: made.id }])
        assert.is.not(made.id, me.user_id)
      },
      { smtpUrl: smtp.url },
    ),
  ),
)

sso('contradictory settings stop the start', async () => {
  const starting = (options: Partial<BoardroomOptions>) =>
    withServer(async () => 'started', options).catch((error: { code?: string }) => error.code)
  assert.is(await starting({ passwords: 'off' }), 'invalid_config')
  assert.is(await starting({ oidcIssuer: 'https://id.example.org' }), 'invalid_config')
  assert.is(await starting({ oidcClientSecret: 'x' }), 'invalid_config')
})

sso.run()
