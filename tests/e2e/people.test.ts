// People over HTTP on a complete server: roles cell by cell, invitations, deactivation, password resets, the last
// sysadmin.
import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { sql } from 'kysely'
import pg from 'pg'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { createUser } from '../../server/accounts/users.ts'
import { type Role, systemActor } from '../../server/principal.ts'
import { eventually } from '../helpers/eventually.ts'
import { type Answer, type Person, type TestServer, withServer } from '../helpers/server.ts'
import { withSmtp } from '../helpers/smtp.ts'

const roles = ['sysadmin', 'admin', 'user'] as const
const password = 'correct horse battery staple'
const isDone = ({ status }: Answer) => status >= 200 && status < 300

/** The rows of the table in docs/accounts.md: the action, and who may do it. */
const documented = (): Map<string, Record<Role, boolean>> => {
  const section = readFileSync('docs/accounts.md', 'utf8').split('## Roles')[1]?.split('\n## ')[0] ?? ''
  const rows = [...section.matchAll(/^\| (?!may|---)([^|]+) \| (yes|no) \| (yes|no) \| (yes|no) \|$/gm)]
  return new Map(
    rows.map(([, what = '', ...cells]) => [
      what,
      { sysadmin: cells[0] === 'yes', admin: cells[1] === 'yes', user: cells[2] === 'yes' },
    ]),
  )
}

const box = {
  ...{ id: 'box', type: 'rectangle', x: 0, y: 0, width: 100, height: 50, angle: 0 },
  ...{ strokeColor: '#1e1e1e', backgroundColor: 'transparent' },
}
const templateBody = () => ({
  code: `T_${randomUUID().slice(0, 8).toUpperCase()}`,
  name: 'A template',
  category: 'Tests',
  content: { type: 'excalidraw', elements: [box] },
})

interface Cast {
  server: TestServer
  /** A person with role user, whom everybody tries to manage. */
  target: Person
  other: Person
  /** A sysadmin in addition to the requester. */
  chief: Person
  /** A board of `other`. */
  board: string
}

const probes: Record<string, (who: Person, cast: Cast) => Promise<boolean>> = {
  'see everybody who has an account': async (who) => isDone(await who.ask('GET', '/api/users')),
  'rename a user': async (who, { target }) =>
    isDone(await who.ask('PATCH', `/api/users/${target.id}`, { name: 'Somebody Else' })),
  'make a user an admin, and back': async (who, { target }) => {
    const made = await who.ask('PATCH', `/api/users/${target.id}`, { role: 'admin' })
    return isDone(made) && isDone(await who.ask('PATCH', `/api/users/${target.id}`, { role: 'user' }))
  },
  'make somebody sysadmin': async (who, { target }) =>
    isDone(await who.ask('PATCH', `/api/users/${target.id}`, { role: 'sysadmin' })),
  'change a sysadmin': async (who, { chief }) =>
    isDone(await who.ask('PATCH', `/api/users/${chief.id}`, { name: 'Chief Renamed' })),
  'deactivate and activate an account': async (who, { target }) => {
    const off = await who.ask('PATCH', `/api/users/${target.id}`, { is_active: false })
    return isDone(off) && isDone(await who.ask('PATCH', `/api/users/${target.id}`, { is_active: true }))
  },
  'see and end the sessions of others': async (who, { target }) => {
    const list = await who.ask('GET', `/api/users/${target.id}/sessions`)
    const ended = await who.ask('DELETE', `/api/users/${target.id}/sessions`)
    assert.is(isDone(list), isDone(ended))
    return isDone(ended)
  },
  'create a password-reset link for somebody': async (who, { target }) =>
    isDone(await who.ask('POST', `/api/users/${target.id}/password-reset`)),
  'create such a link for a sysadmin': async (who, { chief }) =>
    isDone(await who.ask('POST', `/api/users/${chief.id}/password-reset`)),
  "remove somebody's lost second factor": async (who, { target, server: { db } }) => {
    await db.updateTable('users').set({ two_factor_enabled: true }).where('id', '=', target.id).execute()
    return isDone(await who.ask('DELETE', `/api/users/${target.id}/two-factor`))
  },
  'invite users and admins': async (who) => {
    const answers = await Promise.all(
      ['user', 'admin'].map((role) => who.ask('POST', '/api/invitations', { role })),
    )
    const list = await who.ask('GET', '/api/invitations')
    assert.is(isDone(list), answers.every(isDone))
    return answers.every(isDone)
  },
  'invite a sysadmin': async (who) => isDone(await who.ask('POST', '/api/invitations', { role: 'sysadmin' })),
  'create service keys': async (who) =>
    isDone(await who.ask('POST', '/api/service-keys', { name: 'App', issuer: 'app', scopes: ['boards'] })),
  'read the trail of the whole instance': async (who) => isDone(await who.ask('GET', '/api/audit?limit=1')),
  'list every board': async (who) => isDone(await who.ask('GET', '/api/boards?scope=instance')),
  'see who is connected, every share link, health and limits': async (who) => {
    const paths = ['/api/connections', '/api/share-links', '/api/instance']
    const answers = await Promise.all(paths.map((path) => who.ask('GET', path)))
    assert.is(new Set(answers.map(isDone)).size, 1)
    return answers.every(isDone)
  },
  'open, manage and hand over boards of others': async (who, { board, other, target }) => {
    if (!isDone(await who.ask('GET', `/api/boards/${board}`))) return false
    const renamed = await who.ask('PATCH', `/api/boards/${board}`, { title: 'Theirs' })
    const handed = await who.ask('PATCH', `/api/boards/${board}`, { owner_id: target.id })
    const back = await who.ask('PATCH', `/api/boards/${board}`, { owner_id: other.id })
    return [renamed, handed, back].every(isDone)
  },
  "export and erase somebody's data": async (who, { server }) => {
    const gone = await server.user(`Gone ${randomUUID().slice(0, 8)}`)
    const read = await who.ask('GET', `/api/people/${gone.id}/export`)
    const erased = await who.ask('POST', `/api/people/${gone.id}/erase`, { confirm: gone.email })
    assert.is(isDone(read), isDone(erased))
    return isDone(erased)
  },
  'create webhooks': async (who) => {
    const made = await who.ask('POST', '/api/webhooks', { url: 'https://hooks.example/x', events: ['*'] })
    assert.is(isDone(await who.ask('GET', '/api/webhooks')), isDone(made))
    return isDone(made)
  },
  'approve templates, and see pending ones': async (who, { other }) => {
    const sent = await other.ask('POST', '/api/templates', templateBody())
    assert.is(sent.status, 201, JSON.stringify(sent.body))
    const seen = await who.ask('GET', `/api/templates/${sent.body.id}`)
    const approved = await who.ask('POST', `/api/templates/${sent.body.id}/approve`, {})
    assert.is(isDone(seen), isDone(approved))
    return isDone(approved)
  },
  'see, stop and delete agents of others': async (who, { other }) => {
    const { id } = (await other.ask('POST', '/api/agents', { name: `Agent ${randomUUID().slice(0, 8)}` }))
      .body
    const answers = [
      await who.ask('GET', '/api/agents?scope=instance'),
      await who.ask('PATCH', `/api/agents/${id}`, { is_active: false }),
      await who.ask('DELETE', `/api/agents/${id}`),
    ]
    assert.is(new Set(answers.map(isDone)).size, 1)
    return answers.every(isDone)
  },
  'see, manage and hand over folders of others': async (who, { other, target }) => {
    const { id } = (await other.ask('POST', '/api/folders', { name: 'Theirs' })).body
    const answers = [
      await who.ask('GET', `/api/folders/${id}`),
      await who.ask('PATCH', `/api/folders/${id}`, { name: 'Renamed' }),
      await who.ask('PATCH', `/api/folders/${id}`, { owner_id: target.id }),
      await who.ask('DELETE', `/api/folders/${id}`),
    ]
    assert.is(new Set(answers.map(isDone)).size, 1)
    return answers.every(isDone)
  },
  "remove other people's items from the team library": async (who, { other }) => {
    const put = await other.ask('POST', '/api/library', { name: 'Box', elements: [box] })
    assert.is(put.status, 201, JSON.stringify(put.body))
    return isDone(await who.ask('DELETE', `/api/library/${put.body.id}`))
  },
  'create folders and agents, and submit templates': async (who) => {
    const answers = [
      await who.ask('POST', '/api/folders', { name: 'Mine' }),
      await who.ask('POST', '/api/agents', { name: `Agent ${randomUUID().slice(0, 8)}` }),
      await who.ask('POST', '/api/templates', templateBody()),
    ]
    return answers.every(isDone)
  },
  'create boards': async (who) => isDone(await who.ask('POST', '/api/boards', {})),
  'change their own name and password': async (who) => {
    const named = await who.ask('PATCH', '/api/me', { name: `${who.name} Anew` })
    const body = { currentPassword: password, newPassword: `${password} anew` }
    return isDone(named) && isDone(await who.ask('POST', '/api/auth/change-password', body))
  },
}

const people = suite('people')

people('may do what the table of roles says, cell by cell', () =>
  withServer(
    async (server) => {
      const table = documented()
      assert.equal([...table.keys()].sort(), Object.keys(probes).sort(), 'a probe for each row')
      const chief = await server.user('Chief', 'sysadmin')
      const other = await server.user('Other')
      const board = await other.board('Plans')
      const target = await server.user('Target')
      const askers = new Map<Role, Person>()
      for (const role of roles) askers.set(role, await server.user(`Asker ${role}`, role))
      for (const [what, cells] of table) {
        for (const [role, who] of askers) {
          const may = await probes[what]?.(who, { server, target, other, chief, board })
          assert.is(may, cells[role], `${role}: ${what}`)
          // What a sysadmin did to the target must not decide what the next one may do.
          const as = { role: 'user', is_active: true } as const
          await server.db.updateTable('users').set(as).where('id', '=', target.id).execute()
        }
      }
    },
    { failedGuessesPerMinutePerIp: 10_000 },
  ),
)

people('are invited by a link that creates one account, once, and only while its creator may', () =>
  withServer(async ({ user, ask, db }) => {
    const ada = await user('Ada', 'sysadmin')
    const made = await ada.ask('POST', '/api/invitations', { email: 'Bob@Example.org', role: 'admin' })
    assert.is(made.status, 201)
    assert.match(made.body.url, /^http:\/\/[^/]+\/invite#[\w-]{43}$/)
    assert.equal([made.body.email, made.body.mailed, made.body.state], ['bob@example.org', false, 'open'])
    const token = made.body.url.split('#')[1]
    const list = await ada.ask('GET', '/api/invitations')
    assert.equal([list.body.items.length, list.body.items[0].url], [1, null])
    const preview = await ask('POST', '/api/invitations/preview', { token })
    assert.equal(
      [preview.status, preview.body.email, preview.body.invited_by],
      [200, 'bob@example.org', 'Ada'],
    )

    const person = { token, name: 'Bob', password }
    const asAda = await ada.ask('POST', '/api/invitations/accept', person)
    assert.equal([asAda.status, asAda.body.error.code], [409, 'conflict'])
    const another = await ask('POST', '/api/invitations/accept', { ...person, email: 'eve@example.org' })
    assert.is(another.status, 400)
    const answers = await Promise.all([1, 2, 3].map(() => ask('POST', '/api/invitations/accept', person)))
    assert.equal(answers.map(({ status }) => status).sort(), [200, 404, 404])
    const cookie = answers.find(isDone)?.headers.get('set-cookie')?.split(';')[0] ?? ''
    const me = await ask('GET', '/api/me', undefined, { cookie })
    assert.equal([me.body.email, me.body.role, me.body.name], ['bob@example.org', 'admin', 'Bob'])
    assert.is((await ada.ask('POST', '/api/invitations', { email: 'bob@example.org' })).status, 409)
    assert.is((await ada.ask('DELETE', `/api/invitations/${made.body.id}`)).status, 409)

    // Without an address, the invited person gives one, which nobody vouches for.
    const open = await ada.ask('POST', '/api/invitations', {})
    const withoutAddress = { token: open.body.url.split('#')[1], name: 'Cyd', password }
    assert.is((await ask('POST', '/api/invitations/accept', withoutAddress)).status, 400)
    const told = await ask('POST', '/api/invitations/accept', { ...withoutAddress, email: 'cyd@example.org' })
    assert.is(told.status, 200)
    const verified = await db.selectFrom('users').select(['email', 'email_verified']).orderBy('id').execute()
    assert.equal(
      verified.slice(-2).map((row) => row.email_verified),
      [true, false],
    )

    // Withdrawn, expired, or created by somebody who no longer could: all get the same answer.
    const bob = await user('Bobby', 'admin')
    const states = await Promise.all(
      [1, 2, 3].map(() => bob.ask('POST', '/api/invitations', { role: 'admin' })),
    )
    assert.is((await bob.ask('DELETE', `/api/invitations/${states[0]?.body.id}`)).status, 204)
    await db
      .updateTable('invitations')
      .set({ expires_at: new Date(Date.now() - 1000) })
      .where('id', '=', states[1]?.body.id)
      .execute()
    await ada.ask('PATCH', `/api/users/${bob.id}`, { role: 'user' })
    for (const { body } of states) {
      const late = { token: body.url.split('#')[1], name: 'Late', email: 'late@example.org', password }
      const refused = await ask('POST', '/api/invitations/accept', late)
      assert.equal([refused.status, refused.body.error.code], [404, 'link_not_valid'])
    }
    const rows = await ada.ask('GET', '/api/audit?category=account&limit=200')
    const kinds = rows.body.items.map(
      (row: { action: string; resource_type: string }) => `${row.action} ${row.resource_type}`,
    )
    for (const kind of ['create invitation', 'update invitation', 'role_change user'])
      assert.ok(kinds.includes(kind), kind)
    assert.not.match(JSON.stringify(rows.body), new RegExp(token), 'no secret in the trail')
  }),
)

people('are listed for administrators with their connections, with every link, health and limits', () =>
  withServer(async ({ user, raw }) => {
    const [ada, bob] = [await user('Ada', 'admin'), await user('Bob')]
    const board = await bob.board('Plans')
    await bob.ask('POST', `/api/boards/${board}/share-links`, { level: 'view', label: 'team' })
    await raw(board, { ticket: await bob.ticket(board) })
    const here = await eventually(async () => {
      const { items } = (await ada.ask('GET', '/api/connections')).body
      return items.length === 1 ? items[0] : undefined
    })
    assert.equal(
      [here.board_id, here.board_title, here.principal.name, here.level],
      [board, 'Plans', 'Bob', 'edit'],
    )
    const links = await ada.ask('GET', '/api/share-links?limit=1')
    assert.equal([links.body.items[0].label, links.body.items[0].state], ['team', 'open'])
    assert.not.match(JSON.stringify(links.body), /token|#k=/)
    const { body } = await ada.ask('GET', '/api/instance')
    const active = (await ada.ask('GET', '/api/users?active=true&limit=200')).body.items.length
    assert.equal([body.users.active, body.users.administrators, body.connections], [active, 1, 1])
    assert.ok(body.health.every((check: { is_well: boolean }) => check.is_well))
    assert.ok(body.limits.maxConnections > 0)
  }),
)

people('are deactivated with a report of what stops, and boards are handed over', () =>
  withServer(async ({ user, raw, ask }) => {
    const [ada, bob, cyd] = [await user('Ada', 'admin'), await user('Bob'), await user('Cyd')]
    const board = await bob.board('Plans')
    await bob.ask('POST', `/api/boards/${board}/share-links`, { level: 'view', label: 'team' })
    const client = await raw(board, { ticket: await bob.ticket(board) })
    const holdings = await ada.ask('GET', `/api/users/${bob.id}/holdings`)
    assert.equal([holdings.body.boards, holdings.body.sessions], [1, 1])
    assert.equal(
      holdings.body.links.map(({ label }: { label: string }) => label),
      ['team'],
    )

    const wrong = await ada.ask('PATCH', `/api/users/${bob.id}`, { transfer_to: cyd.id })
    assert.is(wrong.status, 400, 'only with is_active false')
    const off = await ada.ask('PATCH', `/api/users/${bob.id}`, { is_active: false, transfer_to: cyd.id })
    assert.is(off.status, 200)
    assert.equal(off.body.deactivation, {
      ...{ transferred_to: cyd.id, boards: 1, links: 1, stopped_links: [], sessions: 1 },
    })
    assert.is((await client.closed).code, 4401)
    assert.is((await ask('GET', '/api/me', undefined, { cookie: bob.cookie })).body.kind, 'anonymous')
    assert.is((await cyd.ask('GET', `/api/boards/${board}`)).body.owner_id, cyd.id)

    const alone = await ada.ask('PATCH', `/api/users/${cyd.id}`, { is_active: false })
    assert.equal(
      alone.body.deactivation.stopped_links.map(({ label }: { label: string }) => label),
      ['team'],
    )
    assert.is((await ada.ask('PATCH', `/api/users/${bob.id}`, { is_active: true })).body.deactivation, null)
    const back = await ask('POST', '/api/auth/sign-in/email', { email: bob.email, password })
    assert.is(back.status, 200)
    const list = await ada.ask('GET', '/api/users?active=false&q=cyd')
    assert.equal(
      list.body.items.map(({ id }: { id: number }) => id),
      [cyd.id],
    )
  }),
)

people('set a new password by an administrator’s link, once, which signs them out everywhere', () =>
  withServer(async ({ user, ask, db }) => {
    const [ada, bob] = [await user('Ada', 'admin'), await user('Bob')]
    const [former, newer] = [
      await ada.ask('POST', `/api/users/${bob.id}/password-reset`),
      await ada.ask('POST', `/api/users/${bob.id}/password-reset`),
    ]
    assert.equal([newer.status, newer.body.mailed], [201, false])
    const tokenOf = ({ body }: Answer) => body.url.split('/reset#')[1]
    const set = (answer: Answer, value = 'another horse entirely') =>
      ask('POST', '/api/password-resets/use', { token: tokenOf(answer), password: value })
    const preview = (answer: Answer) =>
      ask('POST', '/api/password-resets/preview', { token: tokenOf(answer) })
    assert.equal([(await preview(former)).status, (await preview(newer)).status], [404, 200])
    assert.equal((await preview(newer)).body, { email: bob.email })
    assert.is((await set(former)).status, 404, 'a newer link ends it')
    assert.is((await set(newer, 'password')).status, 400, 'among the first guesses')
    assert.is((await ask('GET', '/api/me', undefined, { cookie: bob.cookie })).body.kind, 'user')
    assert.equal((await set(newer)).body, { email: bob.email })
    assert.equal([(await set(newer)).status, (await preview(newer)).status], [404, 404], 'used')
    assert.is((await ask('GET', '/api/me', undefined, { cookie: bob.cookie })).body.kind, 'anonymous')
    const signIn = (value: string) =>
      ask('POST', '/api/auth/sign-in/email', { email: bob.email, password: value })
    assert.equal(
      [(await signIn(password)).status, (await signIn('another horse entirely')).status],
      [401, 200],
    )
    assert.is((await ask('POST', '/api/password-resets', { email: bob.email })).status, 409, 'no mail server')
    const told = await db.selectFrom('audit_logs').select('details').where('action', '=', 'update').execute()
    assert.ok(told.some(({ details }) => details?.changed === 'password'))
  }),
)

people('receive their links by mail, and nobody learns who has an account', () =>
  withSmtp((smtp) =>
    withServer(
      async ({ user, ask }) => {
        const ada = await user('Ada', 'admin')
        const invited = await ada.ask('POST', '/api/invitations', { email: 'bob@example.org' })
        assert.is(invited.body.mailed, true)
        assert.ok(smtp.delivered[0]?.text.includes(invited.body.url))
        const quiet = await ada.ask('POST', '/api/invitations', { email: 'cyd@example.org', send: false })
        assert.is(quiet.body.mailed, false)
        const [known, unknown] = [
          await ask('POST', '/api/password-resets', { email: ada.email }),
          await ask('POST', '/api/password-resets', { email: 'nobody@example.org' }),
        ]
        assert.equal([known.status, known.body], [unknown.status, unknown.body])
        assert.is(known.status, 202)
        await eventually(() => smtp.delivered.length === 2)
        assert.equal(smtp.delivered[1]?.to, [ada.email])
        const link = /\/reset#([\w-]{43})/.exec(smtp.delivered[1]?.text ?? '')
        const set = await ask('POST', '/api/password-resets/use', {
          token: link?.[1],
          password: 'another horse entirely',
        })
        assert.is(set.status, 200)
        smtp.refusing = true
        const refused = await ada.ask('POST', '/api/invitations', { email: 'dan@example.org' })
        assert.equal(
          [refused.status, refused.body.error?.code],
          [401, 'not_signed_in'],
          'signed out by the new password',
        )
      },
      { smtpUrl: smtp.url },
    ),
  ),
)

people('always include a sysadmin who can sign in, despite any route or SQL', () =>
  withServer(async ({ user, db }) => {
    const ada = await user('Ada', 'sysadmin')
    for (const change of [{ role: 'admin' }, { is_active: false }]) {
      const refused = await ada.ask('PATCH', `/api/users/${ada.id}`, change)
      assert.equal([refused.status, refused.body.error.code], [409, 'conflict'])
      assert.match(refused.body.error.message, /last active sysadmin/)
    }
    const statements = [
      sql`update boardroom.users set role = 'user' where id = ${ada.id}`,
      sql`update boardroom.users set is_active = false`,
      sql`update boardroom.users set banned = true where id = ${ada.id}`,
      sql`delete from boardroom.users where id = ${ada.id}`,
      sql`truncate boardroom.users cascade`,
      sql`delete from boardroom.accounts where user_id = ${ada.id}`,
      sql`update boardroom.accounts set password = null`,
      sql`truncate boardroom.accounts`,
    ]
    for (const statement of statements) {
      const error = await statement.execute(db).then(
        () => null,
        (refused: { constraint?: string; message: string }) => refused.constraint ?? refused.message,
      )
      assert.match(String(error), /users_last_sysadmin|system actor/)
    }
    const bob = await user('Bob', 'sysadmin')
    const both = await Promise.all([
      ada.ask('PATCH', `/api/users/${ada.id}`, { role: 'admin' }),
      bob.ask('PATCH', `/api/users/${bob.id}`, { role: 'admin' }),
    ])
    assert.equal(both.map(({ status }) => status).sort(), [200, 409])
  }),
)

people('have every change of their accounts in the trail, with old and new values', () =>
  withServer(async ({ user, db, url }) => {
    const [ada, bob] = [await user('Ada', 'sysadmin'), await user('Bob')]
    await ada.ask('PATCH', `/api/users/${bob.id}`, { name: 'Robert', role: 'admin' })
    await bob.ask('PATCH', '/api/me', { name: 'Rob' })
    await ada.ask('PATCH', `/api/users/${bob.id}`, { is_active: false })
    const rows = await db
      .selectFrom('audit_logs')
      .select(['action', 'actor_name', 'old_values', 'new_values'])
      .where('resource_type', '=', 'user')
      .where('resource_id', '=', String(bob.id))
      .where('action', '!=', 'create')
      .orderBy('timestamp')
      .execute()
    assert.equal(
      rows.map((row) => [row.action, row.actor_name, row.old_values, row.new_values]),
      [
        ['update', 'Ada', { name: 'Bob' }, { name: 'Robert' }],
        ['role_change', 'Ada', { role: 'user' }, { role: 'admin' }],
        ['update', 'Robert', { name: 'Robert' }, { name: 'Rob' }],
        ['update', 'Ada', { is_active: true }, { is_active: false }],
      ],
    )
    // A person who types SQL does not use the server's own connections.
    const hand = new pg.Client({ connectionString: url })
    await hand.connect()
    await hand.query(`update boardroom.accounts set password = 'x' where user_id = ${bob.id}`)
    await hand.end()
    const last = await db
      .selectFrom('audit_logs')
      .select(['actor_kind', 'details'])
      .orderBy('timestamp', 'desc')
      .limit(1)
      .executeTakeFirst()
    assert.equal([last?.actor_kind, last?.details?.changed], ['sql', 'password'], 'by hand too')
  }),
)

people('see and end their own sessions, and administrators those of others', () =>
  withServer(async ({ user, ask }) => {
    const [ada, bob] = [await user('Ada', 'admin'), await user('Bob')]
    await ask('POST', '/api/auth/sign-in/email', { email: bob.email, password })
    const own = await bob.ask('GET', '/api/me/sessions')
    assert.equal(
      own.body.items.map(({ is_current }: { is_current: boolean }) => is_current),
      [false, true],
    )
    assert.is((await bob.ask('DELETE', `/api/me/sessions/${own.body.items[0].id}`)).status, 204)
    assert.is((await bob.ask('DELETE', `/api/me/sessions/${own.body.items[0].id}`)).status, 404)
    await ask('POST', '/api/auth/sign-in/email', { email: bob.email, password })
    assert.is((await bob.ask('DELETE', '/api/me/sessions')).status, 204)
    const left = await ada.ask('GET', `/api/users/${bob.id}/sessions`)
    assert.is(left.body.items.length, 1)
    assert.is((await ada.ask('DELETE', `/api/users/${ada.id}/sessions/${left.body.items[0].id}`)).status, 404)
    assert.is((await ada.ask('DELETE', `/api/users/${bob.id}/sessions/${left.body.items[0].id}`)).status, 204)
    assert.is((await bob.ask('GET', '/api/me')).body.kind, 'anonymous')
    assert.is((await ada.ask('GET', '/api/users/4000000')).status, 404)
    assert.is((await ada.ask('PATCH', `/api/users/${bob.id}`, {})).status, 400)
    assert.is((await ada.ask('PATCH', `/api/users/${bob.id}`, { name: '\u202e' })).status, 400)
  }),
)

people('and what they create have names without control characters and direction marks', () =>
  withServer(async (server) => {
    const ada = await server.user('Ada', 'admin')
    const { body: invited } = await ada.ask('POST', '/api/invitations', { role: 'user' })
    const token = invited.url.split('#')[1]
    const board = await ada.board()
    const { body: link } = await ada.ask('POST', `/api/boards/${board}/share-links`, { level: 'view' })
    const secret = link.url.split('#k=')[1]
    const key = { issuer: 'x', scopes: ['boards'] }
    const asks: Record<string, (name: string) => Promise<{ status: number }>> = {
      profile: (name) => ada.ask('PATCH', '/api/me', { name }),
      invitation: (name) =>
        server.ask('POST', '/api/invitations/accept', { token, name, password: 'a long pass phrase' }),
      guest: (name) => server.ask('POST', '/api/share-links/exchange', { token: secret, name }),
      agent: (name) => ada.ask('POST', '/api/agents', { name }),
      'service key': (name) => ada.ask('POST', '/api/service-keys', { ...key, name }),
      folder: (name) => ada.ask('POST', '/api/folders', { name }),
      board: (title) => ada.ask('POST', '/api/boards', { title }),
      link: (label) => ada.ask('POST', `/api/boards/${board}/share-links`, { level: 'view', label }),
    }
    for (const [what, ask] of Object.entries(asks))
      for (const name of ['Ad\u202eebE', 'Ad\u2066a', 'Ad\u0007a', 'Ad\na', 'Ad\u2028a'])
        assert.is((await ask(name)).status, 400, `${what} ${JSON.stringify(name)}`)
    // Marks that letters of some scripts need, and emoji with several parts.
    for (const name of ['עדה\u200f', 'می\u200cخواهم', '👩\u200d🔬 Eve'])
      assert.is((await asks.profile?.(name))?.status, 200, name)
    const odd = { email: 'x@example.org', name: 'Ad\u202eebE', password: 'a long pass phrase' }
    assert.match(
      String(await createUser(server.db, systemActor, odd).catch((error: unknown) => error)),
      /direction/,
    )
  }),
)

people.run()
