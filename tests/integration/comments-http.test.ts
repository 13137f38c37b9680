import { randomUUID } from 'node:crypto'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import * as Y from 'yjs'
import { writeElements } from '../../shared/scene.ts'
import { type TestApp, withApp } from '../helpers/app.ts'
import { make } from '../helpers/factories.ts'

const comments = suite('comments over HTTP')

/** A board with its owner, a commenter, a viewer, a guest who may comment, and somebody without access. */
async function cast({ db }: TestApp) {
  const { id: owner } = await make.user(db, { name: 'Olga Owner' })
  const { id: ben } = await make.user(db, { name: 'Ben Member' })
  const { id: vera } = await make.user(db, { name: 'Vera Viewer' })
  const { id: stranger } = await make.user(db, { name: 'Sid Stranger' })
  const { id: board } = await make.board(db, { owner_id: owner, title: 'Plan' })
  await make.permission(db, { board_id: board, user_id: ben, level: 'comment' })
  await make.permission(db, { board_id: board, user_id: vera, level: 'view' })
  const { id: link } = await make.shareLink(db, { board_id: board, level: 'comment', label: 'Reviewers' })
  const { id: gus } = await make.guest(db, { name: 'Gus Guest' })
  await make.linkUse(db, { link_id: link, guest_id: gus })
  return { owner, ben, vera, stranger, gus, board, link, threads: `/api/boards/${board}/threads` }
}

const at = (x: number, y: number) => ({ anchor: { x, y } })

comments('are written, answered, resolved and read by members and guests, with names set by the server', () =>
  withApp(async (test) => {
    const { call } = test
    const { owner, ben, gus, threads } = await cast(test)
    const made = await call('POST', threads, {
      as: gus,
      body: { ...at(10, -20.5), body: 'Why **blue**? <b>x</b>' },
    })
    assert.is(made.status, 201)
    const { id, comments: first } = made.body
    assert.equal(
      [made.body.anchor, made.body.created_by, made.body.created_by_name, made.body.resolved],
      [{ x: 10, y: -20.5 }, `guest:${gus}`, 'Gus', false],
    )
    assert.equal(
      [first[0].body, first[0].author_label, first[0].author_name],
      ['Why **blue**? <b>x</b>', null, 'Gus'],
    )
    const shownTo = async (as: number) =>
      (await call('GET', threads, { as })).body.items[0].comments[0].author_label
    assert.equal([await shownTo(owner), await shownTo(ben)], ['Reviewers', null], 'for who manages the board')
    const answer = await call('POST', `${threads}/${id}/comments`, { as: ben, body: { body: 'It calms.' } })
    assert.equal([answer.status, answer.body.author, answer.body.author_label], [201, `user:${ben}`, null])

    const seen = (await call('GET', threads, { as: gus })).body.items[0]
    assert.equal(
      [seen.comment_count, seen.unread_count, seen.comments.map(({ body }: { body: string }) => body)],
      [2, 1, ['Why **blue**? <b>x</b>', 'It calms.']],
    )
    assert.equal([seen.mine, answer.body.mine], [true, undefined])
    const mineOf = async (as: number) => (await call('GET', `${threads}/${id}`, { as })).body.mine
    assert.equal([await mineOf(ben), await mineOf(owner)], [true, false], 'also by an answer')
    assert.is((await call('POST', `${threads}/${id}/read`, { as: gus })).status, 204)
    assert.is((await call('GET', `${threads}/${id}`, { as: gus })).body.unread_count, 0)
    assert.is(
      (await call('GET', `${threads}/${id}`, { as: ben })).body.unread_count,
      1,
      'each reads for themselves',
    )

    const resolved = await call('PATCH', `${threads}/${id}`, { as: ben, body: { resolved: true } })
    assert.equal([resolved.body.resolved, resolved.body.resolved_by_name], [true, 'Ben Member'])
    const again = await call('PATCH', `${threads}/${id}`, { as: owner, body: { resolved: true } })
    assert.equal([again.status, again.body.resolved_by], [200, `user:${ben}`], 'who came first stays')
    const open = await call('PATCH', `${threads}/${id}`, { as: gus, body: { resolved: false } })
    assert.equal([open.body.resolved, open.body.resolved_at], [false, null])
  }),
)

comments('are read but not written by viewers; strangers do not learn that there is a board', () =>
  withApp(async (test) => {
    const { call, db } = test
    const { owner, vera, stranger, board, threads } = await cast(test)
    const { id } = (await call('POST', threads, { as: owner, body: { ...at(1, 2), body: 'Look' } })).body
    const commentId = (await call('GET', threads, { as: vera })).body.items[0].comments[0].id
    const writes: [string, string, unknown][] = [
      ['POST', threads, { ...at(1, 2), body: 'No' }],
      ['PATCH', `${threads}/${id}`, { resolved: true }],
      ['POST', `${threads}/${id}/comments`, { body: 'No' }],
      ['PATCH', `/api/boards/${board}/comments/${commentId}`, { body: 'No' }],
      ['DELETE', `/api/boards/${board}/comments/${commentId}`, undefined],
    ]
    for (const [method, path, body] of writes) {
      const asViewer = await call(method, path, { as: vera, body })
      assert.equal([asViewer.status, asViewer.body.error.code], [403, 'access_denied'], `${method} ${path}`)
      assert.match(asViewer.body.error.message, 'this requires the level comment; you have view')
      assert.is((await call(method, path, { as: stranger, body })).status, 404, `${method} ${path}`)
      assert.is((await call(method, path, { body })).status, 401, `${method} ${path}`)
    }
    assert.is((await call('POST', `${threads}/${id}/read`, { as: vera })).status, 204)
    for (const path of [threads, `${threads}/${id}`, `${threads}/${id}/comments`]) {
      assert.is((await call('GET', path, { as: vera })).status, 200, path)
      assert.is((await call('GET', path, { as: stranger })).status, 404, path)
    }
    assert.is((await call('GET', `/api/boards/${board}/mentionable`, { as: vera })).status, 403)
    assert.is((await db.selectFrom('comments').select('id').execute()).length, 1)
  }),
)

comments('of guests open nothing else, and a removed level takes effect at the next call', () =>
  withApp(async (test) => {
    const { call, db } = test
    const { owner, ben, gus, board, link, threads } = await cast(test)
    const { id } = (await call('POST', threads, { as: gus, body: { ...at(1, 2), body: 'Look' } })).body
    const { id: other } = await make.board(db, { owner_id: owner })
    for (const path of [`/api/boards/${board}/permissions`, `/api/boards/${board}/share-links`])
      assert.is((await call('GET', path, { as: gus })).status, 403, path)
    assert.is((await call('GET', `/api/boards/${other}/threads`, { as: gus })).status, 404)
    await db.updateTable('share_links').set({ level: 'view' }).where('id', '=', link).execute()
    assert.is((await call('POST', `${threads}/${id}/comments`, { as: gus, body: { body: 'x' } })).status, 403)
    await db.updateTable('share_links').set({ revoked_at: new Date() }).where('id', '=', link).execute()
    assert.is((await call('POST', `${threads}/${id}/comments`, { as: gus, body: { body: 'x' } })).status, 404)
    await db.deleteFrom('board_permissions').where('user_id', '=', ben).execute()
    assert.is((await call('PATCH', `${threads}/${id}`, { as: ben, body: { resolved: true } })).status, 404)
    assert.is((await db.selectFrom('comments').select('id').execute()).length, 1)
  }),
)

comments('are changed only by their authors, deleted by managers too, with a record of who did it', () =>
  withApp(async (test) => {
    const { call, db } = test
    const { owner, ben, gus, board, threads } = await cast(test)
    const { id, comments: made } = (
      await call('POST', threads, { as: ben, body: { ...at(1, 2), body: 'Mine' } })
    ).body
    const path = `/api/boards/${board}/comments/${made[0].id}`
    assert.is((await call('PATCH', path, { as: gus, body: { body: 'Yours' } })).status, 403)
    assert.is((await call('PATCH', path, { as: owner, body: { body: 'Ours' } })).status, 403)
    assert.is((await call('DELETE', path, { as: gus })).status, 403)
    const edited = await call('PATCH', path, { as: ben, body: { body: 'Mine, better' } })
    assert.is(edited.body.body, 'Mine, better')
    assert.type(edited.body.edited_at, 'string')
    assert.is((await call('DELETE', path, { as: owner })).status, 204)
    assert.is((await call('DELETE', path, { as: owner })).status, 204, 'done already is done')
    assert.is((await call('PATCH', path, { as: ben, body: { body: 'Again' } })).status, 409)
    const { comments: left, comment_count } = (await call('GET', `${threads}/${id}`, { as: gus })).body
    assert.equal(
      [comment_count, left[0].body, left[0].deleted_by, left[0].deleted_by_name, left[0].author_name],
      [0, '', `user:${owner}`, 'Olga Owner', 'Ben Member'],
    )
    const trail = await db
      .selectFrom('audit_logs')
      .select(['user_id', 'resource_type', 'resource_id', 'details'])
      .where('action', '=', 'comment')
      .where('board_id', '=', board)
      .orderBy('timestamp')
      .execute()
    assert.equal(
      trail.map((row) => [row.user_id, row.resource_type, (row.details as { change: string }).change]),
      [
        [ben, 'thread', 'created'],
        [ben, 'comment', 'updated'],
        [owner, 'comment', 'deleted'],
      ],
    )
    assert.not.match(JSON.stringify(trail), 'Mine')
  }),
)

comments('that are sent again after a lost answer, even at the same moment, are stored once', () =>
  withApp(async (test) => {
    const { call, db } = test
    const { ben, gus, threads } = await cast(test)
    const thread = { ...at(1, 2), body: 'Once', client_id: 'a' }
    const made = await Promise.all([1, 2, 3].map(() => call('POST', threads, { as: ben, body: thread })))
    assert.equal(made.map(({ status }) => status).sort(), [200, 200, 201])
    assert.is(new Set(made.map(({ body }) => body.id)).size, 1)
    const path = `${threads}/${made[0]?.body.id}/comments`
    const answers = await Promise.all(
      [1, 2, 3].map(() => call('POST', path, { as: ben, body: { body: 'Twice?', client_id: 'b' } })),
    )
    assert.equal(answers.map(({ status }) => status).sort(), [200, 200, 201])
    assert.is(new Set(answers.map(({ body }) => body.id)).size, 1)
    assert.is(
      (await call('POST', path, { as: gus, body: { body: 'Me', client_id: 'b' } })).status,
      201,
      'everybody names for themselves',
    )
    assert.is((await db.selectFrom('comments').select('id').execute()).length, 3)
    const seen = (await call('GET', threads, { as: gus })).body.items[0].comments
    assert.equal(
      seen.map((one: { client_id: string | null }) => one.client_id),
      [null, null, 'b'],
    )
  }),
)

comments('are listed newest thread first, in pages, filtered by open, unread and mine', () =>
  withApp(async (test) => {
    const { call } = test
    const { owner, ben, gus, threads } = await cast(test)
    const ids: string[] = []
    for (const [index, as] of [ben, gus, ben, owner, gus].entries())
      ids.push(
        (await call('POST', threads, { as, body: { ...at(index, 0), body: `Number ${index}` } })).body.id,
      )
    await call('PATCH', `${threads}/${ids[0]}`, { as: owner, body: { resolved: true } })
    await call('POST', `${threads}/${ids[3]}/comments`, { as: ben, body: { body: 'I too' } })
    await call('POST', `${threads}/${ids[1]}/read`, { as: ben })
    const listed = async (query: string) => {
      const all: string[] = []
      let cursor: string | null = ''
      while (cursor !== null) {
        const { body, status } = await call(
          'GET',
          `${threads}?limit=2${query}${cursor && `&cursor=${cursor}`}`,
          { as: ben },
        )
        assert.is(status, 200)
        all.push(...body.items.map(({ id }: { id: string }) => ids.indexOf(id)))
        cursor = body.next_cursor
      }
      return all
    }
    assert.equal(await listed(''), [4, 3, 2, 1, 0])
    assert.equal(await listed('&open=true'), [4, 3, 2, 1])
    assert.equal(await listed('&open=false'), [0])
    assert.equal(await listed('&unread=true'), [4, 3])
    assert.equal(await listed('&mine=true'), [3, 2, 0])
    assert.equal(await listed('&mine=true&open=true'), [3, 2])
    const { next_cursor } = (await call('GET', `${threads}?limit=2`, { as: ben })).body
    assert.is(
      (await call('GET', `${threads}?limit=2&open=true&cursor=${next_cursor}`, { as: ben })).status,
      400,
    )
    assert.is((await call('GET', `${threads}?opne=true`, { as: ben })).status, 400)
  }),
)

comments('of a long thread come in pages, and a list includes the first ones', () =>
  withApp(async (test) => {
    const { call } = test
    const { ben, threads } = await cast(test)
    const { id } = (await call('POST', threads, { as: ben, body: { ...at(0, 0), body: '0' } })).body
    for (let index = 1; index < 7; index++)
      await call('POST', `${threads}/${id}/comments`, { as: ben, body: { body: String(index) } })
    const [thread] = (await call('GET', `${threads}?comments=3`, { as: ben })).body.items
    const bodies = (items: { body: string }[]) => items.map(({ body }) => body)
    assert.equal(bodies(thread.comments), ['0', '1', '2'])
    const rest = await call('GET', `${threads}/${id}/comments?limit=3&cursor=${thread.comments_cursor}`, {
      as: ben,
    })
    assert.equal(bodies(rest.body.items), ['3', '4', '5'])
    const last = await call('GET', `${threads}/${id}/comments?cursor=${rest.body.next_cursor}`, { as: ben })
    assert.equal([bodies(last.body.items), last.body.next_cursor], [['6'], null])
    assert.is((await call('GET', `${threads}/${id}`, { as: ben })).body.comments_cursor, null)
  }),
)

comments('are pinned to existing elements, at a place on them', () =>
  withApp(async (test) => {
    const { call, db } = test
    const { ben, board, threads } = await cast(test)
    const doc = new Y.Doc()
    writeElements(doc, [
      { id: 'box', type: 'rectangle', x: 100, y: 100, width: 200, height: 50, angle: Math.PI / 2 },
      { id: 'gone', type: 'rectangle', x: 0, y: 0, width: 10, height: 10, isDeleted: true },
    ])
    await make.update(db, { board_id: board, data: Buffer.from(Y.encodeStateAsUpdate(doc)) })
    const pinned = async (anchor: object, place?: object) =>
      call('POST', threads, { as: ben, body: { anchor, body: 'Here', ...(place && { place }) } })
    const middle = await pinned({ x: 200, y: 125, element_id: 'box' })
    assert.equal(middle.body.anchor, { x: 200, y: 125, element_id: 'box' })
    assert.equal([Math.round(middle.body.place.x * 100), Math.round(middle.body.place.y * 100)], [50, 50])
    // Rotated by 90 degrees, its left end is on top.
    const top = await pinned({ x: 200, y: 25, element_id: 'box' })
    assert.equal([Math.round(top.body.place.x * 100), Math.round(top.body.place.y * 100)], [0, 50])
    assert.equal((await pinned({ x: 1, y: 1, element_id: 'box' }, { x: 0.25, y: 1 })).body.place, {
      x: 0.25,
      y: 1,
    })
    assert.is((await pinned({ x: 5, y: 5, element_id: 'gone' })).status, 201, 'undo brings it back')
    const never = await pinned({ x: 1, y: 1, element_id: 'never' })
    assert.equal(
      [never.status, never.body.error.code, never.body.error.details.issues[0].path],
      [400, 'invalid_request', 'anchor.element_id'],
    )
    assert.is((await pinned({ x: 1, y: 1 }, { x: 0, y: 0 })).status, 400, 'a place is on an element')
    assert.is((await db.selectFrom('threads').select('id').execute()).length, 4)
  }),
)

comments('that are malformed are refused with an explanation, and nothing is stored', () =>
  withApp(async (test) => {
    const { call, db } = test
    const { ben, board, threads } = await cast(test)
    const bad: unknown[] = [
      { ...at(1, 2), body: 'x'.repeat(10_001) },
      { ...at(1, 2), body: '' },
      { ...at(1, 2), body: ' \u200b\n' },
      { ...at(1, 2), body: 'a\u0000b' },
      { ...at(1, 2), body: 7 },
      { ...at(1, 2), body: 'x', author: 'user:1' },
      { anchor: { x: '1', y: 2 }, body: 'x' },
      { anchor: { x: 1 }, body: 'x' },
      { anchor: { x: 1, y: 2, z: 3 }, body: 'x' },
      '{"anchor": {"x": 1e999, "y": 0}, "body": "x"}',
      '{"anchor": {"x": NaN, "y": 0}, "body": "x"}',
      { anchor: { x: 1e10, y: 0 }, body: 'x' },
      { ...at(1, 2), body: 'x', mentions: ['everybody'] },
      { ...at(1, 2), body: 'x', mentions: ['user:999999'] },
      { ...at(1, 2), body: 'x', client_id: '' },
    ]
    for (const body of bad) {
      const { status, body: answer } = await call('POST', threads, { as: ben, body })
      assert.is(status, 400, JSON.stringify(body).slice(0, 80))
      assert.match(answer.error.code, /invalid_request|malformed_json/)
    }
    assert.is((await call('GET', `${threads}/nonsense`, { as: ben })).status, 400)
    assert.equal(await db.selectFrom('threads').select('id').execute(), [])
    const longest = await call('POST', threads, { as: ben, body: { ...at(1, 2), body: 'x'.repeat(10_000) } })
    assert.is(longest.status, 201)
    const { id } = longest.body
    assert.is((await call('PATCH', `${threads}/${id}`, { as: ben, body: { resolved: 'yes' } })).status, 400)
    assert.is(
      (await call('PATCH', `${threads}/${randomUUID()}`, { as: ben, body: { resolved: true } })).status,
      404,
    )
    assert.is(
      (await call('DELETE', `/api/boards/${board}/comments/${randomUUID()}`, { as: ben })).status,
      404,
    )
  }),
)

comments('that are malformed are refused as replies and edits too, and existing ones stay', () =>
  withApp(async (test) => {
    const { call, db } = test
    const { ben, stranger, board, threads } = await cast(test)
    const { id, comments: made } = (
      await call('POST', threads, { as: ben, body: { ...at(1, 2), body: 'Kept' } })
    ).body
    const bad: unknown[] = [
      { body: 'x'.repeat(10_001) },
      { body: '' },
      { body: ' \u200b\n' },
      { body: 'a\u0000b' },
      { body: ['x'] },
      { body: 'x', author: 'user:1' },
      { body: 'x', mentions: ['user:999999'] },
      { body: 'x', mentions: [`user:${stranger}`] },
      { body: 'x', mentions: ['user:99999999999999999999'] },
      { body: 'x', mentions: ['guest:nobody'] },
    ]
    const ways = [
      ['POST', `${threads}/${id}/comments`],
      ['PATCH', `/api/boards/${board}/comments/${made[0].id}`],
    ] as const
    for (const [method, path] of ways)
      for (const body of bad) {
        const { status, body: answer } = await call(method, path, { as: ben, body })
        assert.equal(
          [status, answer.error?.code],
          [400, 'invalid_request'],
          `${method} ${JSON.stringify(body).slice(0, 80)}`,
        )
      }
    const twice = await call('PATCH', ways[1][1], {
      as: ben,
      body: { body: 'Kept', mentions: [`user:${ben}`, `user:${ben}`] },
    })
    assert.equal([twice.status, twice.body.mentions?.length], [200, 1], 'one who is named twice is named')
    assert.equal(
      (await db.selectFrom('comments').select('body').execute()).map(({ body }) => body),
      ['Kept'],
    )
  }),
)

comments('of a board that has just been deleted are not found, and nothing is stored', () =>
  withApp(async (test) => {
    const { call, db } = test
    const { owner, ben, gus, board, threads } = await cast(test)
    const { id, comments: made } = (
      await call('POST', threads, { as: ben, body: { ...at(1, 2), body: 'Kept' } })
    ).body
    assert.is((await call('DELETE', `/api/boards/${board}`, { as: owner })).status, 204)
    const tries: [string, string, unknown?][] = [
      ['POST', threads, { ...at(1, 2), body: 'x' }],
      ['POST', `${threads}/${id}/comments`, { body: 'x' }],
      ['PATCH', `${threads}/${id}`, { resolved: true }],
      ['PATCH', `/api/boards/${board}/comments/${made[0].id}`, { body: 'x' }],
      ['DELETE', `/api/boards/${board}/comments/${made[0].id}`],
    ]
    for (const as of [ben, gus])
      for (const [method, path, body] of tries) {
        const { status } = await call(method, path, { as, body })
        assert.ok(status === 404 || status === 410, `${method} ${path}: ${status}`)
      }
    assert.equal(await db.selectFrom('comments').select(['body', 'deleted_at']).execute(), [
      { body: 'Kept', deleted_at: null },
    ])
  }),
)

comments('of another board are not found under the path of this one', () =>
  withApp(async (test) => {
    const { call, db } = test
    const { owner, ben, board, threads } = await cast(test)
    const { id: other } = await make.board(db, { owner_id: owner })
    const { id, comments: made } = (
      await call('POST', `/api/boards/${other}/threads`, { as: owner, body: { ...at(1, 2), body: 'Secret' } })
    ).body
    const tries: [string, string, unknown?][] = [
      ['GET', `${threads}/${id}`],
      ['GET', `${threads}/${id}/comments`],
      ['PATCH', `${threads}/${id}`, { resolved: true }],
      ['POST', `${threads}/${id}/comments`, { body: 'x' }],
      ['POST', `${threads}/${id}/comments`, { body: 'x', client_id: 'c' }],
      ['POST', `${threads}/${id}/read`],
      ['PATCH', `/api/boards/${board}/comments/${made[0].id}`, { body: 'x' }],
      ['DELETE', `/api/boards/${board}/comments/${made[0].id}`],
    ]
    for (const as of [ben, owner])
      for (const [method, path, body] of tries)
        assert.is((await call(method, path, { as, body })).status, 404, `${method} ${path}`)
    assert.is(
      (await call('GET', `/api/boards/${other}/threads/${id}`, { as: owner })).body.comments[0].body,
      'Secret',
    )
  }),
)

comments('are resolved once by two people at the same moment, with one row in the trail', () =>
  withApp(async (test) => {
    const { call, db } = test
    const { owner, ben, threads } = await cast(test)
    const { id } = (await call('POST', threads, { as: ben, body: { ...at(1, 2), body: 'x' } })).body
    const both = await Promise.all(
      [owner, ben].map((as) => call('PATCH', `${threads}/${id}`, { as, body: { resolved: true } })),
    )
    assert.equal(
      both.map(({ status }) => status),
      [200, 200],
    )
    assert.is(both[0]?.body.resolved_by, both[1]?.body.resolved_by)
    const rows = await db.selectFrom('audit_logs').select('details').where('action', '=', 'comment').execute()
    assert.is(rows.filter(({ details }) => (details as { change: string }).change === 'resolved').length, 1)
  }),
)

comments('have limits of their own: a minute, a board, a thread', () =>
  withApp(
    async (test) => {
      const { call } = test
      const { owner, ben, gus, threads } = await cast(test)
      const post = (as: number | string, path = threads) =>
        call('POST', path, { as, body: path === threads ? { ...at(1, 2), body: 'x' } : { body: 'x' } })
      const { id } = (await post(ben)).body
      assert.is((await post(ben)).status, 201)
      assert.equal([(await post(ben)).status, (await post(ben)).body.error.code], [409, 'conflict'])
      assert.is((await post(gus, `${threads}/${id}/comments`)).status, 201)
      assert.match(
        (await post(gus, `${threads}/${id}/comments`)).body.error.message,
        'BOARDROOM_MAX_COMMENTS_PER_THREAD',
      )
      const over = await post(ben, `${threads}/${id}/comments`)
      assert.equal([over.status, over.body.error.code], [429, 'too_many_requests'])
      assert.ok(Number(over.headers.get('retry-after')) >= 1)
      assert.is((await post(owner)).status, 409, 'others go on being heard')
    },
    { commentsPerMinute: 4, commentLimits: { maxThreadsPerBoard: 2, maxCommentsPerThread: 2 } },
  ),
)

comments('are included in a copy of the board, unread and with their times, and in its JSON', () =>
  withApp(async (test) => {
    const { call, db } = test
    const { owner, ben, board, threads } = await cast(test)
    const { id } = (await call('POST', threads, { as: ben, body: { ...at(3, 4), body: 'Kept' } })).body
    await call('PATCH', `${threads}/${id}`, { as: owner, body: { resolved: true } })
    const copy = (await call('POST', `/api/boards/${board}/duplicate`, { as: owner })).body.id
    const [original] = (await call('GET', threads, { as: owner })).body.items
    const [copied] = (await call('GET', `/api/boards/${copy}/threads`, { as: owner })).body.items
    const kept = ({ anchor, created_at, created_by, resolved_at, comments: [one] }: typeof copied) => [
      ...[anchor, created_at, created_by, resolved_at],
      ...[one.body, one.author, one.created_at],
    ]
    assert.equal(kept(copied), kept(original))
    assert.is.not(copied.id, original.id)
    const recorded = await db
      .selectFrom('audit_logs')
      .select('id')
      .where('action', '=', 'comment')
      .where('board_id', '=', copy)
      .execute()
    assert.equal(recorded, [], 'the copy itself is recorded, not each of its comments')
  }),
)

comments('tell the boards page how many threads are unread', () =>
  withApp(async (test) => {
    const { call } = test
    const { owner, ben, gus, board, threads } = await cast(test)
    const unread = async (as: number | string) =>
      (await call('GET', '/api/boards', { as })).body.items.find(({ id }: { id: string }) => id === board)
        .unread_threads
    const { id } = (await call('POST', threads, { as: ben, body: { ...at(3, 4), body: 'a' } })).body
    await call('POST', threads, { as: gus, body: { ...at(3, 4), body: 'b' } })
    assert.equal([await unread(owner), await unread(ben), await unread(gus)], [2, 1, 1])
    await call('POST', `${threads}/${id}/read`, { as: owner })
    assert.is(await unread(owner), 1)
    await call('POST', `${threads}/${id}/comments`, { as: ben, body: { body: 'c' } })
    assert.is(await unread(owner), 2)
    assert.is((await call('GET', `/api/boards/${board}`, { as: owner })).body.unread_threads, 2)
  }),
)

comments.run()
