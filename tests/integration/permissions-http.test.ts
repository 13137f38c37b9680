import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { withApp } from '../helpers/app.ts'
import { acquaint, make } from '../helpers/factories.ts'

const permissions = suite('permissions over HTTP')

permissions('are granted by id or external id to people one knows, changed, listed and revoked', () =>
  withApp(async ({ call, db }) => {
    const { id: owner } = await make.user(db)
    const { id: bob } = await make.user(db, { name: 'Bob', email: 'Bob@Example.org' })
    const { id: foreign } = await make.user(db, { email: null, issuer: 'app', external_id: 'x-1' })
    const { id: board } = await make.board(db, { owner_id: owner })
    await acquaint(db, owner, bob, foreign)
    const path = `/api/boards/${board}/permissions`
    const give = (body: object) => call('POST', path, { as: owner, body })
    const given = await give({ user_id: bob, level: 'view' })
    assert.equal(
      [given.status, given.body.user_id, given.body.level, given.body.granted_by],
      [201, bob, 'view', owner],
    )
    assert.is((await call('GET', `/api/boards/${board}`, { as: bob })).body.level, 'view')
    const changed = await give({ user_id: bob, level: 'edit' })
    assert.equal([changed.status, changed.body.id, changed.body.level], [200, given.body.id, 'edit'])
    assert.is((await give({ external_id: 'x-1', level: 'comment' })).body.user_id, foreign)
    const listed = await call('GET', path, { as: owner })
    assert.equal(
      listed.body.items.map((item: { user_id: number; user_name: string; level: string }) => [
        item.user_id,
        item.level,
      ]),
      [
        [bob, 'edit'],
        [foreign, 'comment'],
      ],
    )
    assert.is((await call('DELETE', `${path}/${given.body.id}`, { as: owner })).status, 204)
    assert.is((await call('GET', `/api/boards/${board}`, { as: bob })).status, 404)
    assert.is((await call('DELETE', `${path}/${given.body.id}`, { as: owner })).body.error.code, 'not_found')
    const rows = await db
      .selectFrom('audit_logs')
      .select('user_id')
      .where('action', '=', 'permission_change')
      .where('board_id', '=', board)
      .execute()
    assert.equal(
      rows,
      [1, 2, 3, 4].map(() => ({ user_id: owner })),
    )
  }),
)

permissions('are not granted to the system actor, and no board is handed over to it', () =>
  withApp(async ({ call, db }) => {
    const { id: owner } = await make.user(db)
    const { id: board } = await make.board(db, { owner_id: owner })
    const { id: system } = await db
      .selectFrom('users')
      .select('id')
      .where('email', '=', 'system@boardroom.invalid')
      .executeTakeFirstOrThrow()
    const given = await call('POST', `/api/boards/${board}/permissions`, {
      as: owner,
      body: { user_id: system, level: 'view' },
    })
    assert.equal([given.status, given.body.error.code], [403, 'access_denied'])
    const handed = await call('PATCH', `/api/boards/${board}`, { as: owner, body: { owner_id: system } })
    assert.equal([handed.status, handed.body.error.code], [403, 'access_denied'])
    assert.is((await call('GET', `/api/boards/${board}`, { as: owner })).body.owner_id, owner)
  }),
)

permissions('are not granted if the body contains any unknown key, however valid the rest is', () =>
  withApp(async ({ call, db }) => {
    const { id: owner } = await make.user(db)
    const { id: bob } = await make.user(db)
    const { id: board } = await make.board(db, { owner_id: owner })
    const body = { user_id: bob, level: 'edit', expires_at: '2030-01-01T00:00:00Z' }
    const answer = await call('POST', `/api/boards/${board}/permissions`, { as: owner, body })
    assert.equal([answer.status, answer.body.error.code], [400, 'invalid_request'])
    assert.match(
      answer.body.error.message,
      /unknown key "expires_at"; expected user_id, email, external_id, level/,
    )
    assert.is((await call('GET', `/api/boards/${board}`, { as: bob })).status, 404)
  }),
)

permissions('make a board public only with an explicit null', () =>
  withApp(async ({ call, db }) => {
    const { id: owner } = await make.user(db)
    const { id: board } = await make.board(db, { owner_id: owner })
    const path = `/api/boards/${board}/permissions`
    for (const body of [
      { level: 'edit' },
      { userid: 7, level: 'edit' },
      { user_id: undefined, level: 'edit' },
      { user_id: owner, email: 'a@b.example', level: 'edit' },
      { user_id: null, email: 'a@b.example', level: 'edit' },
      { user_id: '7', level: 'edit' },
      { user_id: 0, level: 'edit' },
      { user_id: null, level: 'admin' },
      { user_id: null },
    ]) {
      assert.is(
        (await call('POST', path, { as: owner, body })).body.error.code,
        'invalid_request',
        JSON.stringify(body),
      )
    }
    assert.is((await call('GET', `/api/boards/${board}`)).status, 401)
    assert.is(
      (await call('POST', path, { as: owner, body: { user_id: null, level: 'comment' } })).status,
      201,
    )
    assert.is((await call('POST', path, { as: owner, body: { user_id: null, level: 'view' } })).status, 200)
    assert.is((await call('GET', `/api/boards/${board}`)).body.level, 'view')
  }),
)

permissions('report to whom they cannot be granted', () =>
  withApp(async ({ call, db }) => {
    // An administrator, who knows everybody.
    const { id: owner } = await make.user(db, { role: 'admin' })
    const { id: board } = await make.board(db, { owner_id: owner })
    const { id: gone } = await make.user(db, { is_active: false })
    await make.user(db, { issuer: 'one', external_id: 'same' })
    await make.user(db, { issuer: 'two', external_id: 'same' })
    const code = async (body: object) =>
      (
        await call('POST', `/api/boards/${board}/permissions`, {
          as: owner,
          body: { level: 'view', ...body },
        })
      ).body.error.code
    assert.is(await code({ user_id: 2_000_000_000 }), 'not_found')
    assert.is(await code({ external_id: 'none' }), 'not_found')
    assert.is(await code({ external_id: 'same' }), 'conflict')
    assert.is(await code({ user_id: gone }), 'conflict')
  }),
)

permissions('for everyone are capped by the operator', () =>
  withApp(
    async ({ call, db }) => {
      const { id: owner } = await make.user(db)
      const path = `/api/boards/${(await make.board(db, { owner_id: owner })).id}/permissions`
      assert.is(
        (await call('POST', path, { as: owner, body: { user_id: null, level: 'edit' } })).body.error.code,
        'access_denied',
      )
      assert.is((await call('POST', path, { as: owner, body: { user_id: null, level: 'view' } })).status, 201)
    },
    { publicBoards: 'view' },
  ),
)

permissions('are seen and changed only by managers of the board', () =>
  withApp(async ({ call, db }) => {
    const { id: owner } = await make.user(db)
    const { id: editor } = await make.user(db)
    await acquaint(db, owner, editor)
    const { id: board } = await make.board(db, { owner_id: owner })
    const path = `/api/boards/${board}/permissions`
    const { body } = await call('POST', path, { as: owner, body: { user_id: editor, level: 'edit' } })
    assert.is((await call('GET', path, { as: editor })).body.error.code, 'access_denied')
    assert.is(
      (await call('POST', path, { as: editor, body: { user_id: null, level: 'edit' } })).body.error.code,
      'access_denied',
    )
    assert.is((await call('DELETE', `${path}/${body.id}`, { as: editor })).body.error.code, 'access_denied')
    const { id: other } = await make.board(db, { owner_id: owner })
    assert.is(
      (await call('DELETE', `/api/boards/${other}/permissions/${body.id}`, { as: owner })).status,
      404,
    )
  }),
)

permissions('granted to everyone at the same moment become one row', () =>
  withApp(async ({ call, db }) => {
    const { id: owner } = await make.user(db)
    const path = `/api/boards/${(await make.board(db, { owner_id: owner })).id}/permissions`
    const answers = await Promise.all(
      ['view', 'comment', 'edit', 'view', 'comment'].map((level) =>
        call('POST', path, { as: owner, body: { user_id: null, level } }),
      ),
    )
    assert.equal(answers.map((answer) => answer.status).sort(), [200, 200, 200, 200, 201])
    assert.is((await call('GET', path, { as: owner })).body.items.length, 1)
  }),
)

permissions('by address are invitations, answered alike whether there is an account or not', () =>
  withApp(async ({ call, db }) => {
    const { id: owner } = await make.user(db)
    const { id: bob } = await make.user(db, { name: 'Bob', email: 'Bob@Example.org' })
    const { id: board } = await make.board(db, { owner_id: owner })
    const path = `/api/boards/${board}/permissions`
    const invite = (email: string, level = 'comment') =>
      call('POST', path, { as: owner, body: { email, level } })
    const [known, unknown] = [await invite('bob@example.ORG'), await invite('nobody@example.org')]
    const shape = ({ status, body }: typeof known) => [
      status,
      { ...body, id: 0, user_email: '', created_at: '' },
    ]
    assert.equal(shape(known), shape(unknown))
    assert.equal(
      [known.body.kind, known.body.user_id, known.body.user_email],
      ['invitation', null, 'bob@example.org'],
    )
    // The person with the address has the level, at once and live; nobody else gets anything from it.
    assert.is((await call('GET', `/api/boards/${board}`, { as: bob })).body.level, 'comment')
    assert.is((await call('GET', `/api/boards/${board}`)).status, 401)
    assert.is((await call('GET', '/api/boards', { as: bob })).body.items.length, 1)
    assert.equal([(await invite('bob@example.org', 'edit')).status], [200])
    assert.is((await call('GET', `/api/boards/${board}`, { as: bob })).body.level, 'edit')
    // Neither list reveals who has an account.
    const listed = await call('GET', path, { as: owner })
    assert.equal(
      listed.body.items.map(({ kind, user_id, user_name }: Record<string, unknown>) => [
        kind,
        user_id,
        user_name,
      ]),
      [
        ['invitation', null, null],
        ['invitation', null, null],
      ],
    )
    const who = await call('GET', `/api/boards/${board}/access`, { as: owner })
    assert.not.match(JSON.stringify(who.body), /Bob|example\.org/i)
    assert.is((await call('DELETE', `${path}/${known.body.id}`, { as: owner })).status, 204)
    assert.is((await call('GET', `/api/boards/${board}`, { as: bob })).status, 404)
  }),
)

permissions('of a pending invitation go to the new account, if somebody vouches for its address', () =>
  withApp(async ({ call, db }) => {
    const { id: owner } = await make.user(db)
    const { id: board } = await make.board(db, { owner_id: owner })
    await make.boardInvitation(db, { board_id: board, email: 'eve@example.org', level: 'edit' })
    const { id: eve } = await make.user(db, { email: 'eve@example.org' })
    assert.is(
      (await call('GET', `/api/boards/${board}`, { as: eve })).status,
      404,
      'she typed the address herself',
    )
    await db.updateTable('users').set({ email_verified: true }).where('id', '=', eve).execute()
    assert.is((await call('GET', `/api/boards/${board}`, { as: eve })).body.level, 'edit')
  }),
)

permissions('by id are for people one knows, and nobody learns an address', () =>
  withApp(async ({ call, db }) => {
    const { id: owner } = await make.user(db)
    const { id: bob } = await make.user(db, { email: 'bob@example.org' })
    const { id: board } = await make.board(db, { owner_id: owner })
    const path = `/api/boards/${board}/permissions`
    const give = (user_id: number, as = owner) => call('POST', path, { as, body: { user_id, level: 'view' } })
    const [stranger, missing] = [await give(bob), await give(2_000_000_000)]
    assert.equal([stranger.status, stranger.body], [403, missing.body])
    await acquaint(db, owner, bob)
    const given = await give(bob)
    assert.equal([given.status, given.body.user_email], [201, null])
    assert.not.match(JSON.stringify((await call('GET', path, { as: owner })).body), /example\.org/)
    assert.not.match(
      JSON.stringify((await call('GET', `/api/boards/${board}/access`, { as: owner })).body),
      /example\.org/,
    )
    const { id: admin } = await make.user(db, { role: 'admin' })
    assert.is((await call('GET', path, { as: admin })).body.items[0].user_email, 'bob@example.org')
  }),
)

permissions.run()
