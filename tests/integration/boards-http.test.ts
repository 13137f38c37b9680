import { randomUUID } from 'node:crypto'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Db } from '../../server/database/database.ts'
import { withApp } from '../helpers/app.ts'
import { acquaint, make } from '../helpers/factories.ts'
import { anonymousIdentity } from '../helpers/identities.ts'

const boards = suite('boards over HTTP')

const trailOf = async (db: Db, boardId: string): Promise<string[]> =>
  (
    await db
      .selectFrom('audit_logs')
      .select(['action', 'user_id', 'actor_kind'])
      .where('board_id', '=', boardId)
      .orderBy('timestamp')
      .execute()
  ).map((row) => `${row.action} by ${row.actor_kind} ${row.user_id ?? ''}`.trim())

boards(
  'are created, read, renamed, deleted, restored and purged, each step in the trail with its actor',
  () =>
    withApp(async ({ call, db }) => {
      const { id: ada } = await make.user(db, { name: 'Ada' })
      const made = await call('POST', '/api/boards', { as: ada, body: { title: '  Plan  ' } })
      assert.is(made.status, 201)
      assert.is(made.body.title, 'Plan')
      assert.is(made.body.owner_name, 'Ada')
      assert.equal([made.body.level, made.body.may_manage, made.body.is_public], ['edit', true, false])
      const path = `/api/boards/${made.body.id}`
      assert.equal((await call('GET', path, { as: ada })).body, made.body)
      const renamed = await call('PATCH', path, {
        as: ada,
        body: { title: 'Plan B', members_level: 'comment' },
      })
      assert.equal(
        [renamed.status, renamed.body.title, renamed.body.members_level],
        [200, 'Plan B', 'comment'],
      )
      assert.is((await call('DELETE', `${path}?purge=true`, { as: ada })).body.error.code, 'conflict')
      assert.is((await call('DELETE', path, { as: ada })).status, 204)
      assert.is((await call('GET', path, { as: ada })).body.error.code, 'board_deleted')
      const restored = await call('POST', `${path}/restore`, { as: ada })
      assert.equal([restored.status, restored.body.deleted_at], [200, null])
      assert.is((await call('DELETE', path, { as: ada })).status, 204)
      assert.is((await call('DELETE', `${path}?purge=true`, { as: ada })).status, 204)
      assert.is((await call('GET', path, { as: ada })).body.error.code, 'not_found')
      assert.equal(
        await trailOf(db, made.body.id),
        ['create', 'permission_change', 'update', 'delete', 'restore', 'delete', 'delete'].map(
          (action) => `${action} by user ${ada}`,
        ),
      )
    }),
)

boards('have a background colour, which every editor may change', () =>
  withApp(async ({ call, db }) => {
    const { id: ada } = await make.user(db)
    const { id: bob } = await make.user(db)
    const { id: board } = await make.board(db, { owner_id: ada })
    const path = `/api/boards/${board}`
    await acquaint(db, ada, bob)
    await call('POST', `${path}/permissions`, { as: ada, body: { user_id: bob, level: 'view' } })
    const paint = (as: number, background: unknown) => call('PATCH', path, { as, body: { background } })
    assert.is((await paint(bob, '#fdf8f6')).status, 403)
    await call('POST', `${path}/permissions`, { as: ada, body: { user_id: bob, level: 'edit' } })
    assert.is((await paint(bob, '#fdf8f6')).body.background, '#fdf8f6')
    assert.is(
      (await call('PATCH', path, { as: bob, body: { background: '#fff', title: 'Mine' } })).status,
      403,
    )
    for (const wrong of ['url(https://example.org)', '', 7, '#12'])
      assert.is((await paint(ada, wrong)).status, 400)
    assert.is((await call('POST', `${path}/duplicate`, { as: ada })).body.background, '#fdf8f6')
    assert.is((await paint(ada, null)).body.background, null)
  }),
)

boards('have a default title, and none that is blank or too long', () =>
  withApp(async ({ call, db }) => {
    const { id: ada } = await make.user(db)
    assert.is((await call('POST', '/api/boards', { as: ada, body: {} })).body.title, 'Untitled Board')
    for (const title of ['', '   ', 'x'.repeat(201), 'a\u0000b', '\ud800', 7, null]) {
      const refused = await call('POST', '/api/boards', { as: ada, body: { title } })
      assert.equal([refused.status, refused.body.error.code], [400, 'invalid_request'], JSON.stringify(title))
    }
    assert.is(
      (await call('POST', '/api/boards', { as: ada, body: { titel: 'x' } })).body.error.code,
      'invalid_request',
    )
  }),
)

boards('can be created only by accounts', () =>
  withApp(async ({ call, db }) => {
    assert.is((await call('POST', '/api/boards', { body: {} })).body.error.code, 'not_signed_in')
    const { id: guest } = await make.guest(db)
    assert.is((await call('POST', '/api/boards', { as: guest, body: {} })).body.error.code, 'access_denied')
  }),
)

boards('without access look like boards that do not exist', () =>
  withApp(async ({ call, db }) => {
    const { id: board } = await make.board(db)
    const { id: stranger } = await make.user(db)
    const there = await call('GET', `/api/boards/${board}`, { as: stranger })
    const missing = await call('GET', `/api/boards/${randomUUID()}`, { as: stranger })
    assert.equal([there.status, there.body], [404, missing.body])
    assert.is(
      (await call('GET', '/api/boards/nonsense', { as: stranger })).body.error.code,
      'invalid_request',
    )
    assert.is((await call('GET', `/api/boards/${board}`)).body.error.code, 'not_signed_in')
  }),
)

boards('can be changed only by their owner and administrators', () =>
  withApp(async ({ call, db }) => {
    const { id: owner } = await make.user(db)
    const { id: board } = await make.board(db, { owner_id: owner })
    const { id: editor } = await make.user(db)
    await make.permission(db, { board_id: board, user_id: editor, level: 'edit' })
    const path = `/api/boards/${board}`
    for (const [method, route, body] of [
      ['PATCH', path, { title: 'Mine' }],
      ['DELETE', path, undefined],
      ['DELETE', `${path}?purge=true`, undefined],
      ['POST', `${path}/restore`, undefined],
    ] as const) {
      assert.is(
        (await call(method, route, { as: editor, body })).body.error.code,
        'access_denied',
        method + route,
      )
    }
    const { id: admin } = await make.user(db, { role: 'admin' })
    assert.is((await call('PATCH', path, { as: admin, body: { title: 'Tidy' } })).status, 200)
  }),
)

boards('notify everybody on them of a new title, and of nothing if it stays the same', () =>
  withApp(async ({ call, db, deps }) => {
    const { id: owner } = await make.user(db)
    const { id: board } = await make.board(db, { owner_id: owner, title: 'Old' })
    const heard: string[] = []
    let tell = (): void => undefined
    const two = new Promise<void>((resolve) => {
      tell = () => (heard.length === 2 ? resolve() : undefined)
    })
    deps.notifications.onEvent(({ boardId, event }) => {
      heard.push(`${boardId} ${event.type} ${'title' in event ? event.title : ''}`)
      tell()
    })
    for (const title of ['New', 'New', 'Newer'])
      await call('PATCH', `/api/boards/${board}`, { as: owner, body: { title } })
    await two
    assert.equal(heard, [`${board} title New`, `${board} title Newer`])
  }),
)

boards('are handed over when the other accepts, with their links, and the former owner stays an editor', () =>
  withApp(async ({ call, db }) => {
    const { id: old } = await make.user(db)
    const { id: next } = await make.user(db)
    const { id: board } = await make.board(db, { owner_id: old, title: 'Plan' })
    const { id: guest } = await make.guest(db)
    const { id: link } = await make.shareLink(db, { board_id: board, created_by: old, level: 'comment' })
    await make.linkUse(db, { link_id: link, guest_id: guest })
    const hand = (as: number, owner_id: number) =>
      call('PATCH', `/api/boards/${board}`, { as, body: { owner_id } })
    assert.is((await hand(old, next)).status, 403, 'they do not know each other')
    await acquaint(db, old, next)
    const offered = await hand(old, next)
    assert.equal([offered.status, offered.body.owner_id, offered.body.offered_to], [200, old, next])
    const answer = (as: number, accept: boolean) =>
      call('POST', `/api/board-offers/${board}/answer`, { as, body: { accept } })
    assert.is((await answer(old, true)).status, 404)
    assert.equal(
      (await call('GET', '/api/board-offers', { as: next })).body.items.map(
        ({ title }: { title: string }) => title,
      ),
      ['Plan'],
    )
    assert.is((await answer(next, false)).status, 204)
    assert.is((await call('GET', `/api/boards/${board}`, { as: old })).body.offered_to, null)
    await hand(old, next)
    assert.is((await answer(next, true)).status, 204)
    const seen = (await call('GET', `/api/boards/${board}`, { as: old })).body
    assert.equal([seen.owner_id, seen.level, seen.may_manage], [next, 'edit', false])
    assert.is((await call('GET', `/api/boards/${board}`, { as: guest })).body.level, 'comment')
    assert.is((await hand(old, old)).body.error.code, 'access_denied')
  }),
)

boards('are handed over at once by an administrator, only to active accounts', () =>
  withApp(async ({ call, db }) => {
    const { id: admin } = await make.user(db, { role: 'admin' })
    const { id: next } = await make.user(db)
    const { id: board } = await make.board(db)
    const hand = (owner_id: number) =>
      call('PATCH', `/api/boards/${board}`, { as: admin, body: { owner_id } })
    const { id: gone } = await make.user(db, { is_active: false })
    for (const owner_id of [gone, 2_000_000_000])
      assert.is((await hand(owner_id)).body.error.code, 'invalid_request')
    assert.is((await hand(next)).body.owner_id, next)
  }),
)

boards('cannot be made public if the operator forbids it', () =>
  withApp(
    async ({ call, db }) => {
      const { id: owner } = await make.user(db)
      assert.is(
        (await call('POST', '/api/boards', { as: owner, body: { is_public: true } })).body.error.code,
        'access_denied',
      )
      const { id: board } = await make.board(db, { owner_id: owner })
      assert.is(
        (await call('PATCH', `/api/boards/${board}`, { as: owner, body: { is_public: true } })).body.error
          .code,
        'access_denied',
      )
      assert.is(
        (await call('PATCH', `/api/boards/${board}`, { as: owner, body: { is_public: false } })).status,
        200,
      )
    },
    { publicBoards: 'off' },
  ),
)

boards(
  'are duplicated by anybody who may see them, as a board of their own, and the trail says who read',
  () =>
    withApp(async ({ call, db }) => {
      const { id: owner } = await make.user(db)
      const { id: viewer } = await make.user(db)
      const { id: board } = await make.board(db, { owner_id: owner, title: 'x'.repeat(199) })
      await make.permission(db, { board_id: board, user_id: viewer })
      await make.update(db, { board_id: board, data: Buffer.from([1, 2, 3]) })
      const copy = await call('POST', `/api/boards/${board}/duplicate`, { as: viewer })
      assert.equal([copy.status, copy.body.owner_id, copy.body.title.length], [201, viewer, 200])
      const updates = await db
        .selectFrom('board_updates')
        .select('data')
        .where('board_id', '=', copy.body.id)
        .execute()
      assert.is(updates.length, 1)
      assert.ok((await trailOf(db, board)).includes(`read by user ${viewer}`))
      assert.is(
        (await call('POST', `/api/boards/${board}/duplicate`, { as: (await make.user(db)).id })).status,
        404,
      )
      const { id: guest } = await make.guest(db)
      const { id: link } = await make.shareLink(db, { board_id: board })
      await make.linkUse(db, { link_id: link, guest_id: guest })
      assert.is(
        (await call('POST', `/api/boards/${board}/duplicate`, { as: guest })).body.error.code,
        'access_denied',
      )
    }),
)

const titles = (answer: { body: { items: { title: string }[] } }) =>
  answer.body.items.map((item) => item.title)

boards('are listed as mine, shared with me, in the trash, or all of the instance', () =>
  withApp(async ({ call, db }) => {
    const { id: ada } = await make.user(db)
    const { id: bob } = await make.user(db)
    await make.board(db, { owner_id: ada, title: 'Owned' })
    await make.board(db, { owner_id: ada, title: 'Thrown away', deleted_at: new Date() })
    await make.permission(db, {
      board_id: (await make.board(db, { owner_id: bob, title: 'Given' })).id,
      user_id: ada,
    })
    await make.board(db, { owner_id: bob, title: 'Of members', members_level: 'comment' })
    await make.board(db, { owner_id: bob, title: 'Public, never opened', is_public: true })
    await make.board(db, { owner_id: bob, title: 'Private' })
    const { id: byLink } = await make.board(db, { owner_id: bob, title: 'By link' })
    const { id: link } = await make.shareLink(db, { board_id: byLink })
    await make.linkUse(db, { link_id: link, user_id: ada })
    const { id: suspended } = await make.board(db, { owner_id: bob, title: 'By a stranger’s link' })
    const { id: dead } = await make.shareLink(db, { board_id: suspended, created_by: ada })
    await make.linkUse(db, { link_id: dead, user_id: ada })
    const list = async (query: string, as: number | string = ada) =>
      titles(await call('GET', `/api/boards?sort=title&${query}`, { as }))
    assert.equal(await list(''), ['By link', 'Given', 'Of members', 'Owned'])
    assert.equal(await list('scope=mine'), ['Owned'])
    assert.equal(await list('scope=shared'), ['By link', 'Given', 'Of members'])
    assert.equal(await list('deleted=true'), ['Thrown away'])
    assert.equal(await list('scope=shared&deleted=true'), [])
    assert.equal(await list('q=IVE'), ['Given'])
    assert.equal(await list('q=%25'), [])
    assert.is((await call('GET', '/api/boards?scope=instance', { as: ada })).body.error.code, 'access_denied')
    const { id: admin } = await make.user(db, { role: 'admin' })
    assert.is((await list('scope=instance', admin)).length, 7)
    assert.equal(await list('scope=instance&deleted=true', admin), ['Thrown away'])
    const { id: guest } = await make.guest(db)
    await make.linkUse(db, { link_id: link, guest_id: guest })
    assert.equal(await list('', guest), ['By link'])
    assert.is((await call('GET', '/api/boards')).body.error.code, 'not_signed_in')
    const ofTicket = { ...anonymousIdentity, via: 'ticket' as const, boardId: byLink }
    assert.is((await call('GET', '/api/boards', { as: ofTicket })).body.error.code, 'access_denied')
  }),
)

boards('come in pages without a gap or a repetition, even if times and titles are equal', () =>
  withApp(async ({ call, db }) => {
    const { id: ada } = await make.user(db)
    const moment = new Date()
    for (let n = 0; n < 25; n += 1) {
      await make.board(db, {
        owner_id: ada,
        title: `Board ${n % 3}`,
        created_at: moment,
        updated_at: n < 12 ? moment : new Date(Number(moment) + n),
      })
    }
    for (const sort of ['updated', 'created', 'title']) {
      const seen: string[] = []
      let cursor = ''
      do {
        const page = await call('GET', `/api/boards?limit=4&sort=${sort}${cursor}`, { as: ada })
        seen.push(...page.body.items.map((item: { id: string }) => item.id))
        cursor = page.body.next_cursor === null ? '' : `&cursor=${page.body.next_cursor}`
      } while (cursor !== '')
      assert.equal([seen.length, new Set(seen).size], [25, 25], sort)
    }
  }),
)

boards('are not listed with the cursor of another list, or with an invented one', () =>
  withApp(async ({ call, db }) => {
    const { id: ada } = await make.user(db)
    for (let n = 0; n < 3; n += 1) await make.board(db, { owner_id: ada, title: `Board ${n}` })
    const { next_cursor } = (await call('GET', '/api/boards?limit=1&sort=title', { as: ada })).body
    const cursorWith = (key: string, id: string) => {
      const [asked] = JSON.parse(Buffer.from(next_cursor, 'base64url').toString())
      return Buffer.from(JSON.stringify([asked, key, id])).toString('base64url')
    }
    assert.is(
      (await call('GET', `/api/boards?limit=1&sort=title&cursor=${next_cursor}`, { as: ada })).status,
      200,
    )
    const { id: bob } = await make.user(db)
    for (const [query, as] of [
      [`sort=title&cursor=${next_cursor}`, bob],
      [`sort=updated&cursor=${next_cursor}`, ada],
      [`sort=title&q=x&cursor=${next_cursor}`, ada],
      ['sort=title&cursor=nonsense', ada],
      ['sort=title&cursor=', ada],
      [`sort=title&cursor=${cursorWith('x', 'not-a-uuid')}`, ada],
      [`sort=title&cursor=${cursorWith('', randomUUID())}`, ada],
      [`sort=title&cursor=${Buffer.from('[1,2,3]').toString('base64url')}`, ada],
    ] as const) {
      assert.is(
        (await call('GET', `/api/boards?${query}`, { as })).body.error?.code,
        'invalid_request',
        query,
      )
    }
  }),
)

boards('of one account are limited, whether created or duplicated, including the trash', () =>
  withApp(
    async ({ call, db }) => {
      const { id: ada } = await make.user(db)
      const first = await call('POST', '/api/boards', { as: ada, body: {} })
      assert.is((await call('POST', `/api/boards/${first.body.id}/duplicate`, { as: ada })).status, 201)
      await call('DELETE', `/api/boards/${first.body.id}`, { as: ada })
      const refused = await call('POST', '/api/boards', { as: ada, body: {} })
      assert.equal(
        [refused.status, refused.body.error.code, refused.body.error.details],
        [409, 'conflict', { limit: 'boards_per_user', max_boards: 2 }],
      )
      await call('DELETE', `/api/boards/${first.body.id}?purge=true`, { as: ada })
      assert.is((await call('POST', '/api/boards', { as: ada, body: {} })).status, 201)
    },
    { limits: { maxBoardsPerUser: 2 } },
  ),
)

boards.run()
