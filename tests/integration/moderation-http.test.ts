import { randomUUID } from 'node:crypto'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { AccessSubject } from '../../server/rooms/ports.ts'
import { type TestApp, withApp } from '../helpers/app.ts'
import { make } from '../helpers/factories.ts'

const moderation = suite('moderation and requests for access')

const connected = (test: TestApp, boardId: string, who: Partial<AccessSubject>): string => {
  const connectionId = randomUUID()
  test.here.push({
    connectionId,
    boardId,
    principal: { kind: 'user', id: 'user:0', name: 'Somebody' },
    subject: { boardId, userId: null, guestId: null, agentId: null, sessionId: null, maxLevel: null, ...who },
    level: 'edit',
    ip: null,
    userAgent: null,
    joinedAt: new Date(),
  } as TestApp['here'][number])
  return connectionId
}

const levelOf = async ({ call }: TestApp, board: string, as: number | string) =>
  (await call('GET', `/api/boards/${board}`, { as })).body.level

moderation('sets everybody but managers and speakers to view only, and restores their levels', () =>
  withApp(async (test) => {
    const { call, db } = test
    const { id: owner } = await make.user(db)
    const { id: bob } = await make.user(db)
    const { id: eve } = await make.user(db)
    const { id: board } = await make.board(db, { owner_id: owner })
    await make.permission(db, { board_id: board, user_id: bob, level: 'edit' })
    await make.permission(db, { board_id: board, user_id: eve, level: 'view' })
    const path = `/api/boards/${board}/moderation`
    assert.equal((await call('GET', path, { as: eve })).body, { mode: 'open', speakers: [] })
    const locked = await call('POST', path, { as: owner, body: { mode: 'view_only' } })
    assert.equal([locked.status, locked.body], [200, { mode: 'view_only', speakers: [] }])
    assert.equal(
      [await levelOf(test, board, bob), await levelOf(test, board, eve), await levelOf(test, board, owner)],
      ['view', 'view', 'edit'],
    )
    const pen = connected(test, board, { userId: eve })
    const handed = await call('POST', path, { as: owner, body: { mode: 'view_only', speakers: [pen] } })
    assert.equal(
      handed.body.speakers.map(({ principal }: { principal: string }) => principal),
      [`user:${eve}`],
    )
    assert.equal([await levelOf(test, board, bob), await levelOf(test, board, eve)], ['view', 'edit'])
    await call('POST', path, { as: owner, body: { mode: 'view_only', speakers: [] } })
    assert.is(await levelOf(test, board, eve), 'view')
    await call('POST', path, { as: owner, body: { mode: 'open' } })
    assert.equal([await levelOf(test, board, bob), await levelOf(test, board, eve)], ['edit', 'view'])
    const rows = await db
      .selectFrom('audit_logs')
      .select(['resource_type', 'new_values'])
      .where('board_id', '=', board)
      .where('user_id', '=', owner)
      .where('action', '=', 'permission_change')
      .orderBy('timestamp')
      .execute()
    assert.equal(
      rows.map((row) => row.new_values),
      [
        { moderation: 'view_only' },
        { user_id: eve, guest_id: null, speaks: true },
        { user_id: eve, guest_id: null, speaks: false },
        { moderation: 'open' },
      ],
    )
  }),
)

moderation('is for managers of the board, and names only identified people who are there', () =>
  withApp(async (test) => {
    const { call, db } = test
    const { id: owner } = await make.user(db)
    const { id: bob } = await make.user(db)
    const { id: board } = await make.board(db, { owner_id: owner })
    await make.permission(db, { board_id: board, user_id: bob, level: 'edit' })
    const post = (as: number, body: object) => call('POST', `/api/boards/${board}/moderation`, { as, body })
    assert.is((await post(bob, { mode: 'view_only' })).status, 403)
    assert.is((await post(owner, { mode: 'view_only', speakers: [randomUUID()] })).status, 404)
    const anonymous = connected(test, board, {})
    const refused = await post(owner, { mode: 'view_only', speakers: [anonymous] })
    assert.equal([refused.status, refused.body.error.code], [409, 'conflict'])
    assert.is(await levelOf(test, board, bob), 'edit')
    const place = { x: 10, y: -4, zoom: 1 }
    assert.is((await call('POST', `/api/boards/${board}/summon`, { as: bob, body: place })).status, 403)
    assert.is((await call('POST', `/api/boards/${board}/summon`, { as: owner, body: place })).status, 204)
    const far = { ...place, zoom: 0 }
    assert.is((await call('POST', `/api/boards/${board}/summon`, { as: owner, body: far })).status, 400)
  }),
)

moderation('a request reaches the managers of the board, and its answer is a permission', () =>
  withApp(async (test) => {
    const { call, db } = test
    const { id: owner } = await make.user(db)
    const { id: bob } = await make.user(db, { name: 'Bob' })
    const { id: board } = await make.board(db, { owner_id: owner })
    const path = `/api/boards/${board}/access-requests`
    const ask = (level: string) => call('POST', path, { as: bob, body: { level, message: 'for the review' } })
    assert.is((await ask('view')).status, 202)
    assert.is((await ask('comment')).status, 202)
    assert.is((await call('GET', path, { as: bob })).status, 404)
    const [request, ...more] = (await call('GET', path, { as: owner })).body.items
    assert.equal(
      [request.name, request.level, request.message, more.length],
      ['Bob', 'comment', 'for the review', 0],
    )
    const answer = (level: string | null) =>
      call('POST', `${path}/${request.id}/answer`, { as: owner, body: { level } })
    const answered = await answer('comment')
    assert.equal([answered.status, answered.body.answer_level], [200, 'comment'])
    assert.is(await levelOf(test, board, bob), 'comment')
    assert.is((await answer('edit')).status, 409)
    assert.is((await ask('comment')).status, 409)
    assert.is((await call('GET', path, { as: owner })).body.items.length, 0)
    assert.is((await call('GET', `${path}?answered=true`, { as: owner })).body.items.length, 1)
  }),
)

moderation('a request does not reveal whether there is such a board, and declining gives nothing', () =>
  withApp(async (test) => {
    const { call, db } = test
    const { id: owner } = await make.user(db)
    const { id: bob } = await make.user(db)
    const { id: board } = await make.board(db, { owner_id: owner })
    const ask = (id: string, as?: number) =>
      call('POST', `/api/boards/${id}/access-requests`, {
        ...(as === undefined ? {} : { as }),
        body: { level: 'view' },
      })
    const there = await ask(board, bob)
    const nowhere = await ask(randomUUID(), bob)
    assert.equal([there.status, there.body], [nowhere.status, nowhere.body])
    assert.is((await ask(board)).status, 401)
    const [request] = (await call('GET', `/api/boards/${board}/access-requests`, { as: owner })).body.items
    await call('POST', `/api/boards/${board}/access-requests/${request.id}/answer`, {
      as: owner,
      body: { level: null },
    })
    assert.is((await call('GET', `/api/boards/${board}`, { as: bob })).status, 404)
  }),
)

moderation('the requester is told when there is an answer, but not whether there is such a board', () =>
  withApp(async (test) => {
    const { call, db } = test
    const { id: owner } = await make.user(db)
    const { id: bob } = await make.user(db)
    const { id: board } = await make.board(db, { owner_id: owner })
    const path = `/api/boards/${board}/access-requests`
    const own = async (as: number, id = board) =>
      (await call('GET', `/api/boards/${id}/access-requests/own`, { as })).body
    const ask = () => call('POST', path, { as: bob, body: { level: 'view' } })
    const answer = async (level: string | null) => {
      const [request] = (await call('GET', path, { as: owner })).body.items
      await call('POST', `${path}/${request.id}/answer`, { as: owner, body: { level } })
    }
    await ask()
    assert.equal(await own(bob), { level: null, declined: false })
    assert.equal(await own(bob, randomUUID()), { level: null, declined: false })
    await answer(null)
    assert.equal(await own(bob), { level: null, declined: true })
    await ask()
    assert.equal(await own(bob), { level: null, declined: false }, 'a new request waits')
    await answer('comment')
    assert.equal(await own(bob), { level: 'comment', declined: false })
  }),
)

moderation('a guest who asks for more is given a link that nobody else can open', () =>
  withApp(async (test) => {
    const { call, db } = test
    const { id: owner } = await make.user(db)
    const { id: board } = await make.board(db, { owner_id: owner })
    const link = await make.shareLink(db, { board_id: board, level: 'view', created_by: owner })
    const { id: guest } = await make.guest(db, { name: 'Gus' })
    await make.linkUse(db, { link_id: link.id, guest_id: guest })
    const path = `/api/boards/${board}/access-requests`
    assert.is((await call('POST', path, { as: guest, body: { level: 'edit' } })).status, 202)
    const [request] = (await call('GET', path, { as: owner })).body.items
    await call('POST', `${path}/${request.id}/answer`, { as: owner, body: { level: 'edit' } })
    assert.is(await levelOf(test, board, guest), 'edit')
    const links = (await call('GET', `/api/boards/${board}/share-links`, { as: owner })).body.items
    assert.equal(
      links.map(({ label, state }: { label: string | null; state: string }) => [label, state]).sort(),
      [
        ['for Gus', 'used_up'],
        [link.label, 'active'],
      ].sort(),
    )
  }),
)

moderation('open requests of one person are limited', () =>
  withApp(async ({ call, db }) => {
    const { id: bob } = await make.user(db)
    const statuses: number[] = []
    for (let n = 0; n < 21; n++) {
      const { id: board } = await make.board(db)
      statuses.push(
        (await call('POST', `/api/boards/${board}/access-requests`, { as: bob, body: { level: 'view' } }))
          .status,
      )
    }
    assert.equal(statuses.slice(-2), [202, 409])
  }),
)

moderation.run()
