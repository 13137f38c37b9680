import { rejects } from 'node:assert/strict'
import { sql } from 'kysely'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  createUser,
  disableUser,
  foreignUser,
  listUsers,
  type NewUser,
  setRole,
  systemEmail,
} from '../../server/accounts/users.ts'
import { transactionAs } from '../../server/audit/actor.ts'
import type { Db } from '../../server/database/database.ts'
import { systemActor } from '../../server/principal.ts'
import { withDatabase } from '../helpers/database.ts'
import { eventually } from '../helpers/eventually.ts'
import { make } from '../helpers/factories.ts'

const person = (db: Db, name: string, role: NonNullable<NewUser['role']> = 'user') =>
  createUser(db, systemActor, { name, email: `${name}@example.org`, password: 'correct horse', role })
const emailOf = (name: string) => `${name}@example.org`
const somebodyWaits = async (db: Db) => {
  const waiting = sql`select from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`
  return (await waiting.execute(db)).rows.length > 0
}

const users = suite('users')

users('are created with a lower-case e-mail and a hashed password, and listed', () =>
  withDatabase(async ({ db }) => {
    const user = await createUser(db, systemActor, {
      name: ' Ada ',
      email: 'Ada@Example.org',
      password: 'correct horse',
    })
    assert.equal([user.email, user.name, user.role], ['ada@example.org', 'Ada', 'user'])
    assert.equal(
      (await listUsers(db)).map(({ email }) => email),
      [systemEmail, 'ada@example.org'],
    )
    const account = await db.selectFrom('accounts').select('password').executeTakeFirstOrThrow()
    assert.not.match(account.password ?? '', /horse/)
  }),
)

users('are refused with the reason', () =>
  withDatabase(async ({ db }) => {
    const good = { name: 'Ada', email: 'ada@example.org', password: 'correct horse' }
    const wrong: [Partial<NewUser>, RegExp][] = [
      [{ email: 'ada' }, /email/],
      [{ name: 'A' }, /name/],
      [{ name: '😀' }, /name/],
      [{ name: 'A\u0000da' }, /name/],
      [{ password: 'short' }, /at least 8 characters/],
      [{ password: 'x'.repeat(129) }, /at most 128 characters/],
      [{ role: 'root' as 'user' }, /role/],
    ]
    for (const [change, message] of wrong) {
      await rejects(createUser(db, systemActor, { ...good, ...change }), { code: 'invalid_request', message })
    }
    await person(db, 'ada')
    await rejects(person(db, 'ada'), { code: 'conflict' })
    assert.is((await listUsers(db)).length, 2)
  }),
)

users('keep a sysadmin against SQL too, and let the role pass on in one statement', () =>
  withDatabase(async ({ db }) => {
    const ada = await person(db, 'ada', 'sysadmin')
    const bob = await person(db, 'bob')
    const refused = { constraint: 'users_last_sysadmin', message: /last active sysadmin/ }
    const adaRow = db.updateTable('users').where('id', '=', ada.id)
    await rejects(adaRow.set({ role: 'admin' }).execute(), refused)
    await rejects(adaRow.set({ is_active: false }).execute(), refused)
    await rejects(sql`update boardroom.users set banned = true where id = ${ada.id}`.execute(db), refused)
    await rejects(db.deleteFrom('users').where('id', '=', ada.id).execute(), refused)
    await adaRow.set({ name: 'Ada Byron' }).execute()
    await sql`update boardroom.users set role = case id when ${bob.id} then 'sysadmin' else 'user' end
      where id in (${ada.id}, ${bob.id})`.execute(db)
    const rows = await db.selectFrom('users').select('id').where('role', '=', 'sysadmin').execute()
    assert.equal(rows, [{ id: bob.id }])
  }),
)

for (const isolation of ['read committed', 'repeatable read', 'serializable'] as const) {
  users(`keep a sysadmin and a way in where two take them away at one moment, at ${isolation}`, () =>
    withDatabase(async ({ db }) => {
      const both = [await person(db, 'ada', 'sysadmin'), await person(db, 'bob', 'sysadmin')]
      const ways = {
        role: (id: number) => sql`update boardroom.users set role = 'user' where id = ${id}`,
        password: (id: number) => sql`delete from boardroom.accounts where user_id = ${id}`,
      }
      for (const [what, taking] of Object.entries(ways)) {
        // Both have begun, and see what there is, before either takes anything.
        let begun = 0
        const outcomes = await Promise.allSettled(
          both.map(({ id }) =>
            db
              .transaction()
              .setIsolationLevel(isolation)
              .execute(async (trx) => {
                await sql`select count(*) from boardroom.users`.execute(trx)
                begun++
                await eventually(() => begun === 2)
                await taking(id).execute(trx)
              }),
          ),
        )
        const statuses = outcomes.map(({ status }) => status).sort()
        assert.equal(statuses, ['fulfilled', 'rejected'], what)
        await db
          .updateTable('users')
          .set({ role: 'sysadmin' })
          .where(
            'id',
            'in',
            both.map(({ id }) => id),
          )
          .execute()
      }
    }),
  )
}

users('keep a sysadmin: the last active one cannot be demoted or disabled', () =>
  withDatabase(async ({ db }) => {
    await person(db, 'ada', 'sysadmin')
    await person(db, 'bob')
    await rejects(setRole(db, systemActor, emailOf('ada'), 'admin'), {
      code: 'conflict',
      message: /last active sysadmin/,
    })
    await rejects(disableUser(db, systemActor, emailOf('ada')), {
      code: 'conflict',
      message: /last active sysadmin/,
    })
    assert.is(
      (await setRole(db, systemActor, emailOf('ada'), 'sysadmin')).role,
      'sysadmin',
      'nothing taken away',
    )
    await setRole(db, systemActor, 'BOB@example.org', 'sysadmin')
    await disableUser(db, systemActor, emailOf('ada'))
    await rejects(
      setRole(db, systemActor, emailOf('bob'), 'user'),
      { message: /last active sysadmin/ },
      'a disabled one does not count',
    )
  }),
)

users('keep a sysadmin if two are demoted at the same moment', () =>
  withDatabase(async ({ db }) => {
    for (const name of ['ada', 'bob']) await person(db, name, 'sysadmin')
    let second: Promise<unknown> | undefined
    await transactionAs(db, systemActor, async (trx) => {
      await trx.updateTable('users').set({ role: 'user' }).where('email', '=', emailOf('ada')).execute()
      second = disableUser(db, systemActor, emailOf('bob')).catch((error: unknown) => error)
      await Promise.race([second, eventually(() => somebodyWaits(db))])
    })
    assert.match(String(await second), /last active sysadmin/)
  }),
)

users('lose their sessions when disabled, and the links that stop are named', () =>
  withDatabase(async ({ db }) => {
    const { id } = await person(db, 'ada')
    const { id: board } = await make.board(db, { owner_id: id })
    await make.shareLink(db, { board_id: board, label: 'for the team' })
    await make.session(db, { user_id: id })
    const disabled = await disableUser(db, systemActor, emailOf('ada'))
    assert.equal(
      disabled.stoppedLinks.map(({ label }) => label),
      ['for the team'],
    )
    assert.equal([disabled.boards, disabled.links, disabled.user.is_active], [0, 0, false])
    assert.is((await db.selectFrom('sessions').selectAll().execute()).length, 0)
  }),
)

users('hand boards and links over when disabled with an heir', () =>
  withDatabase(async ({ db }) => {
    const ada = await person(db, 'ada')
    const bob = await person(db, 'bob')
    const { id: board } = await make.board(db, { owner_id: ada.id })
    await make.shareLink(db, { board_id: board, label: 'for the team' })
    const disabled = await disableUser(db, systemActor, emailOf('ada'), { transferTo: emailOf('bob') })
    assert.equal([disabled.boards, disabled.links, disabled.stoppedLinks], [1, 1, []])
    const { owner_id } = await db
      .selectFrom('boards')
      .select('owner_id')
      .where('id', '=', board)
      .executeTakeFirstOrThrow()
    const { created_by } = await db.selectFrom('share_links').select('created_by').executeTakeFirstOrThrow()
    assert.equal([owner_id, created_by], [bob.id, bob.id])
  }),
)

users('are not disabled at all if the heir cannot take over', () =>
  withDatabase(async ({ db }) => {
    await person(db, 'ada')
    await person(db, 'bob')
    await disableUser(db, systemActor, emailOf('bob'))
    for (const heir of ['ada', 'bob']) {
      await rejects(disableUser(db, systemActor, emailOf('ada'), { transferTo: emailOf(heir) }), {
        code: 'conflict',
      })
    }
    await rejects(disableUser(db, systemActor, emailOf('ada'), { transferTo: 'eve@example.org' }), {
      code: 'not_found',
    })
    assert.ok((await listUsers(db)).find(({ email }) => email === emailOf('ada'))?.is_active)
  }),
)

users('do not include the system actor in changes', () =>
  withDatabase(async ({ db }) => {
    await person(db, 'ada', 'sysadmin')
    await rejects(setRole(db, systemActor, systemEmail, 'sysadmin'), { code: 'conflict' })
    await rejects(disableUser(db, systemActor, systemEmail), { code: 'conflict' })
    await rejects(
      db.deleteFrom('users').where('email', '=', systemEmail).execute(),
      /cannot be changed or deleted/,
    )
  }),
)

users.run()

const foreign = suite('users of an embedder')

foreign('are created at first sight, once, and renamed when their name changes there', () =>
  withDatabase(async ({ db }) => {
    const seen = await Promise.all(
      [1, 2, 3, 4].map(() => foreignUser(db, { externalId: 'u-1', name: 'Ada' })),
    )
    assert.is(new Set(seen.map(({ id }) => id)).size, 1)
    const renamed = await foreignUser(db, { externalId: 'u-1', name: 'Ada L.' })
    assert.equal(
      [renamed.id, renamed.name, renamed.email, renamed.role],
      [seen[0]?.id, 'Ada L.', null, 'user'],
    )
    const elsewhere = await foreignUser(db, {
      externalId: 'u-1',
      name: 'Ada',
      issuer: 'https://other.example',
    })
    assert.is.not(elsewhere.id, renamed.id)
  }),
)

foreign('get a name that fits, whatever theirs is', () =>
  withDatabase(async ({ db }) => {
    const names = ['', 'X', '  ', 'a\u0000b', 'x'.repeat(300), `${'x'.repeat(99)}😀`]
    const rows = await Promise.all(names.map((name, i) => foreignUser(db, { externalId: `u-${i}`, name })))
    assert.equal(
      rows.map(({ name }) => name.length),
      [4, 6, 4, 2, 100, 101],
    )
  }),
)

foreign('are refused if they are invalid', () =>
  withDatabase(async ({ db }) => {
    const wrong = [
      { externalId: '', name: 'Ada' },
      { externalId: 5, name: 'Ada' },
      { name: 'Ada' },
      { externalId: 'x' },
    ]
    for (const user of wrong)
      await rejects(foreignUser(db, user as never), { code: 'internal', message: /externalId|name/ })
  }),
)

foreign.run()
