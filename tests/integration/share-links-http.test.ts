import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { LinkPasswords } from '../../server/boards/link-password.ts'
import { createShareLink } from '../../server/boards/share-links.ts'
import { systemActor } from '../../server/principal.ts'
import { type TestApp, withApp } from '../helpers/app.ts'
import { linkStates, make, sha256 } from '../helpers/factories.ts'

const links = suite('share links over HTTP')

/** A link created over HTTP by `as`: its id, and the secret from its address. */
async function makeLink({ call }: TestApp, board: string, as: number, body: object = { level: 'view' }) {
  const made = await call('POST', `/api/boards/${board}/share-links`, { as, body })
  assert.is(made.status, 201, JSON.stringify(made.body))
  return {
    id: made.body.id as string,
    token: (made.body.url as string).split('#k=')[1] ?? '',
    body: made.body,
  }
}

const exchange = (
  { call }: TestApp,
  token: string,
  options: { as?: number | string; password?: string; name?: string } = {},
) => {
  const { as, ...rest } = options
  return call('POST', '/api/share-links/exchange', {
    ...(as === undefined ? {} : { as }),
    body: { token, ...rest },
  })
}

links('are created with their secret in the fragment, shown once and never stored', () =>
  withApp(async (test) => {
    const { call, db } = test
    const { id: owner } = await make.user(db)
    const { id: board } = await make.board(db, { owner_id: owner, is_public: true })
    const expires = new Date(Date.now() + 3_600_000).toISOString()
    const settings = {
      level: 'comment',
      label: ' Class 7b ',
      password: 'sesame',
      expires_at: expires,
      max_uses: 3,
    }
    const { id, token, body } = await makeLink(test, board, owner, settings)
    assert.is(body.url, `http://localhost:4400/b/${board}#k=${token}`)
    assert.is(Buffer.from(token, 'base64url').length, 32)
    assert.equal(
      [
        body.permission_level,
        body.label,
        body.has_password,
        body.expires_at,
        body.max_uses,
        body.uses,
        body.state,
        body.is_public,
      ],
      ['comment', 'Class 7b', true, expires, 3, 0, 'active', true],
    )
    const listed = await call('GET', `/api/boards/${board}/share-links`, { as: owner })
    assert.equal(listed.body.items, [{ ...body, url: null }])
    const rows = JSON.stringify([
      await db.selectFrom('share_links').selectAll().execute(),
      await db.selectFrom('audit_logs').selectAll().execute(),
    ])
    assert.not.ok(rows.includes(token) || rows.includes('sesame'), 'neither secret nor password is stored')
    assert.ok(rows.includes(id))
  }),
)

links('let a stranger in as a guest, counted once, and recorded under the guest’s id', () =>
  withApp(async (test) => {
    const { call, db } = test
    const { id: owner } = await make.user(db)
    const { id: board } = await make.board(db, { owner_id: owner })
    const { id, token } = await makeLink(test, board, owner, { level: 'comment' })
    const first = await exchange(test, token, { name: 'Gus' })
    assert.equal(first.body, {
      board_id: board,
      level: 'comment',
      name: 'Gus',
      ticket: `ticket for guest on ${board}`,
    })
    const guest = await test.guestOf(first)
    assert.is((await call('GET', `/api/boards/${board}`, { as: guest })).body.level, 'comment')
    const again = await exchange(test, token, { as: guest })
    assert.equal([again.status, again.headers.get('set-cookie')], [200, null])
    const [link] = (await call('GET', `/api/boards/${board}/share-links`, { as: owner })).body.items
    assert.equal([link.uses, link.last_used_at !== null], [1, true])
    const rows = await db
      .selectFrom('audit_logs')
      .select(['actor_kind', 'guest_id', 'link_id'])
      .where('action', '=', 'link_use')
      .execute()
    assert.equal(rows, [{ actor_kind: 'guest', guest_id: guest, link_id: id }])
  }),
)

links('add up for a known guest and for a signed-in user', () =>
  withApp(async (test) => {
    const { db } = test
    const { id: owner } = await make.user(db)
    const { id: bob } = await make.user(db, { name: 'Bob' })
    const { id: board } = await make.board(db, { owner_id: owner })
    const view = await makeLink(test, board, owner)
    const edit = await makeLink(test, board, owner, { level: 'edit' })
    const guest = await test.guestOf(await exchange(test, view.token, { name: 'Gus' }))
    const more = await exchange(test, edit.token, { as: guest, name: 'Other name' })
    assert.equal([more.body.level, more.body.name, more.headers.get('set-cookie')], ['edit', 'Gus', null])
    const asUser = await exchange(test, view.token, { as: bob })
    assert.equal(
      [asUser.body.level, asUser.body.name, asUser.headers.get('set-cookie')],
      ['view', 'Bob', null],
    )
  }),
)

links('that are unknown, revoked, expired, suspended, used up or of a deleted board get one answer', () =>
  withApp(async (test) => {
    const { call, db, recorded } = test
    const { id: owner } = await make.user(db)
    const { id: stranger } = await make.user(db)
    const { id: board } = await make.board(db, { owner_id: owner })
    const { id: deleted } = await make.board(db, { owner_id: owner })
    const revoked = await makeLink(test, board, owner)
    await call('DELETE', `/api/boards/${board}/share-links/${revoked.id}`, { as: owner })
    await make.shareLink(db, { board_id: board, token_sha256: sha256('expired'), ...linkStates.expired })
    await make.shareLink(db, { board_id: board, token_sha256: sha256('used up'), ...linkStates.used_up })
    await make.shareLink(db, { board_id: board, created_by: stranger, token_sha256: sha256('suspended') })
    await make.shareLink(db, { board_id: deleted, token_sha256: sha256('of a deleted board') })
    const { id: locked } = await make.shareLink(db, {
      board_id: board,
      token_sha256: sha256('locked and over'),
      ...linkStates.used_up,
    })
    await db.updateTable('share_links').set({ password_hash: 'scrypt$1' }).where('id', '=', locked).execute()
    await db.updateTable('boards').set({ deleted_at: new Date() }).where('id', '=', deleted).execute()
    const unknown = await exchange(test, 'unknown')
    assert.equal([unknown.status, unknown.body.error.code], [404, 'link_not_valid'])
    for (const token of [
      revoked.token,
      'expired',
      'used up',
      'suspended',
      'of a deleted board',
      'locked and over',
    ]) {
      const answer = await exchange(test, token)
      assert.equal(
        [answer.status, answer.body, answer.headers.get('set-cookie')],
        [404, unknown.body, null],
        token,
      )
    }
    assert.is(recorded.filter((event) => event.action === 'access_denied').length, 7)
    assert.is((await db.selectFrom('guests').selectAll().execute()).length, 0)
  }),
)

links('require their password, and reveal only to holders of the link that there is one', () =>
  withApp(async (test) => {
    const { db, recorded } = test
    const { id: owner } = await make.user(db)
    const { id: board } = await make.board(db, { owner_id: owner })
    const { token } = await makeLink(test, board, owner, { level: 'view', password: 'sésame' })
    const asked = await exchange(test, token)
    assert.equal(
      [asked.status, asked.body.error.code, asked.body.error.details],
      [403, 'link_password_needed', { wrong: false }],
    )
    const wrong = await exchange(test, token, { password: 'nope' })
    assert.equal([wrong.status, wrong.body.error.details], [403, { wrong: true }])
    assert.equal(
      recorded.map((event) => event.details),
      [{ reason: 'wrong_link_password' }],
    )
    const right = await exchange(test, token, { password: 'se\u0301same', name: 'Gus' })
    assert.is(right.status, 200, 'é may be one character or two')
    assert.is(
      (await exchange(test, token, { as: await test.guestOf(right) })).status,
      200,
      'who is in is not asked again',
    )
  }),
)

links('that are valid work, whatever somebody else behind the same address has guessed', () =>
  withApp(
    async (test) => {
      const { db } = test
      const { id: owner } = await make.user(db)
      const { id: board } = await make.board(db, { owner_id: owner })
      const { token } = await makeLink(test, board, owner, { level: 'view' })
      const once = await makeLink(test, board, owner, { level: 'view', max_uses: 1 })
      assert.is((await exchange(test, once.token)).status, 200)
      for (const expected of [404, 404, 429, 429])
        assert.is((await exchange(test, `guess-${expected}`)).status, expected)
      assert.is((await exchange(test, token)).status, 200)
      assert.is((await exchange(test, once.token)).status, 404, 'over, and told so')
    },
    { guessesPerMinute: 2 },
  ),
)

links('and their passwords cannot be guessed for long', () =>
  withApp(
    async (test) => {
      const { db } = test
      const { id: owner } = await make.user(db)
      const { id: board } = await make.board(db, { owner_id: owner })
      const { token } = await makeLink(test, board, owner, { level: 'view', password: 'sesame' })
      for (let n = 0; n < 10; n += 1)
        assert.is((await exchange(test, token, { password: 'sesame' })).status, 200)
      const guesses = await Promise.all(
        Array.from({ length: 12 }, (_, n) => exchange(test, token, { password: `guess ${n}` })),
      )
      const statuses = guesses.map((answer) => answer.status)
      assert.is(statuses.filter((status) => status === 403).length, 5)
      assert.is(statuses.filter((status) => status === 429).length, 7)
      const late = await exchange(test, 'whatever')
      assert.equal([late.status, Number(late.headers.get('retry-after')) > 0], [429, true])
      assert.is((await exchange(test, token, { password: 'sesame' })).status, 429)
    },
    { guessesPerMinute: 5 },
  ),
)

links('let in no more people than max_uses, however many arrive at once', () =>
  withApp(async (test) => {
    const { call, db } = test
    const { id: owner } = await make.user(db)
    const { id: board } = await make.board(db, { owner_id: owner })
    const { token } = await makeLink(test, board, owner, { level: 'edit', max_uses: 3 })
    const answers = await Promise.all(Array.from({ length: 12 }, () => exchange(test, token)))
    assert.is(answers.filter((answer) => answer.status === 200).length, 3)
    assert.is(answers.filter((answer) => answer.body.error?.code === 'link_not_valid').length, 9)
    const [link] = (await call('GET', `/api/boards/${board}/share-links`, { as: owner })).body.items
    assert.equal([link.uses, link.state], [3, 'used_up'])
    assert.is(
      (await db.selectFrom('guests').selectAll().execute()).length,
      3,
      'nobody who was turned away is kept',
    )
    const guest = await test.guestOf(
      answers.find((answer) => answer.status === 200) ?? { headers: new Headers() },
    )
    assert.is((await exchange(test, token, { as: guest })).status, 200, 'who is inside stays')
  }),
)

links('count a person once who comes many times at the same moment', () =>
  withApp(async (test) => {
    const { call, db } = test
    const { id: owner } = await make.user(db)
    const { id: bob } = await make.user(db)
    const { id: board } = await make.board(db, { owner_id: owner })
    const { token } = await makeLink(test, board, owner, { level: 'view', max_uses: 1 })
    const answers = await Promise.all(Array.from({ length: 6 }, () => exchange(test, token, { as: bob })))
    assert.equal(
      answers.map((answer) => answer.status),
      [200, 200, 200, 200, 200, 200],
    )
    assert.is((await call('GET', `/api/boards/${board}/share-links`, { as: owner })).body.items[0].uses, 1)
  }),
)

links('are changed for everybody who holds them, and not when revoked', () =>
  withApp(async (test) => {
    const { call, db } = test
    const { id: owner } = await make.user(db)
    const { id: board } = await make.board(db, { owner_id: owner })
    const { id, token } = await makeLink(test, board, owner, {
      level: 'view',
      password: 'sesame',
      max_uses: 5,
    })
    const path = `/api/boards/${board}/share-links/${id}`
    const change = (body: object) => call('PATCH', path, { as: owner, body })
    const changed = await change({
      level: 'edit',
      password: null,
      label: 'Open',
      max_uses: null,
      expires_at: null,
    })
    assert.equal(
      [
        changed.status,
        changed.body.permission_level,
        changed.body.has_password,
        changed.body.label,
        changed.body.max_uses,
      ],
      [200, 'edit', false, 'Open', null],
    )
    const guest = await test.guestOf(await exchange(test, token))
    await change({ level: 'comment' })
    assert.is((await call('GET', `/api/boards/${board}`, { as: guest })).body.level, 'comment')
    for (const body of [
      {},
      { uses: 0 },
      { token: 'x' },
      { max_uses: 0 },
      { expires_at: '2020-01-01T00:00:00Z' },
      { expires_at: 'soon' },
      { password: 'abc' },
    ]) {
      assert.is((await change(body)).body.error.code, 'invalid_request', JSON.stringify(body))
    }
    assert.is((await call('DELETE', path, { as: owner })).status, 204)
    assert.is((await call('DELETE', path, { as: owner })).status, 204, 'revoked already is revoked')
    assert.is((await call('GET', `/api/boards/${board}`, { as: guest })).status, 404)
    assert.is((await change({ level: 'edit' })).body.error.code, 'conflict')
    assert.is((await exchange(test, token, { as: guest })).body.error.code, 'link_not_valid')
  }),
)

links('are only for managers of the board, and only on their own board', () =>
  withApp(async (test) => {
    const { call, db } = test
    const { id: owner } = await make.user(db)
    const { id: editor } = await make.user(db)
    const { id: board } = await make.board(db, { owner_id: owner })
    await make.permission(db, { board_id: board, user_id: editor, level: 'edit' })
    const { id } = await makeLink(test, board, owner)
    const path = `/api/boards/${board}/share-links`
    for (const [method, route, body] of [
      ['GET', path, undefined],
      ['POST', path, { level: 'view' }],
      ['PATCH', `${path}/${id}`, { level: 'edit' }],
      ['DELETE', `${path}/${id}`, undefined],
    ] as const) {
      assert.is((await call(method, route, { as: editor, body })).body.error.code, 'access_denied', method)
    }
    const { id: other } = await make.board(db, { owner_id: owner })
    assert.is((await call('DELETE', `/api/boards/${other}/share-links/${id}`, { as: owner })).status, 404)
    assert.is(
      (await call('PATCH', `/api/boards/${other}/share-links/${id}`, { as: owner, body: { level: 'edit' } }))
        .status,
      404,
    )
  }),
)

links('are listed in pages, newest first, with the state of each', () =>
  withApp(async ({ call, db }) => {
    const { id: owner } = await make.user(db)
    const { id: board } = await make.board(db, { owner_id: owner })
    for (const [at, state] of Object.values(linkStates).entries())
      await make.shareLink(db, { board_id: board, created_at: new Date(Date.now() - at * 1000), ...state })
    const seen: string[] = []
    let cursor = ''
    do {
      const page = await call('GET', `/api/boards/${board}/share-links?limit=2${cursor}`, { as: owner })
      seen.push(...page.body.items.map((item: { state: string }) => item.state))
      cursor = page.body.next_cursor === null ? '' : `&cursor=${page.body.next_cursor}`
    } while (cursor !== '')
    assert.equal(seen, Object.keys(linkStates))
  }),
)

links('created by the system are in the owner’s name, so that they work', () =>
  withApp(async (test) => {
    const { db } = test
    const { id: owner } = await make.user(db)
    const { id: board } = await make.board(db, { owner_id: owner })
    const { link, token } = await createShareLink(
      { db, passwords: new LinkPasswords() },
      systemActor,
      board,
      { level: 'edit' },
    )
    assert.is(link.created_by, owner)
    assert.is((await exchange(test, token)).body.level, 'edit')
  }),
)

links('do not let removed people back in', () =>
  withApp(async (test) => {
    const { call, db, here, away } = test
    const { id: owner } = await make.user(db)
    const { id: board } = await make.board(db, { owner_id: owner })
    const { token } = await makeLink(test, board, owner, { level: 'edit' })
    const guest = await test.guestOf(await exchange(test, token, { name: 'Gus' }))
    const connectionId = '11111111-1111-4111-8111-111111111111'
    const subject = {
      boardId: board,
      userId: null,
      guestId: guest,
      agentId: null,
      sessionId: null,
      maxLevel: null,
    }
    here.push({
      connectionId,
      boardId: board,
      subject,
      principalKey: `guest:${guest}`,
      principal: { kind: 'guest', id: `guest:${guest}`, name: 'Gus' },
      level: 'edit',
      joinedAt: new Date(),
      ip: '192.0.2.7',
      userAgent: 'a browser',
    })
    const listed = await call('GET', `/api/boards/${board}/connections`, { as: owner })
    const [shown] = listed.body.items
    assert.equal(
      [shown.id, shown.reason, shown.level, shown.ip_address],
      [connectionId, 'link', 'edit', '192.0.2.7'],
    )
    assert.is(
      (await call('GET', `/api/boards/${board}/connections`, { as: guest })).body.error.code,
      'access_denied',
    )
    const path = `/api/boards/${board}/connections/${connectionId}`
    assert.is((await call('DELETE', path, { as: guest })).body.error.code, 'access_denied')
    assert.is((await call('DELETE', path, { as: owner })).status, 204)
    assert.equal(away, [connectionId])
    assert.is((await call('DELETE', path, { as: owner })).body.error.code, 'not_found')
    assert.is((await call('GET', `/api/boards/${board}`, { as: guest })).status, 404)
    assert.is((await exchange(test, token, { as: guest })).body.error.code, 'link_not_valid')
    await make.permission(db, { board_id: board, user_id: null })
    const barred = await exchange(test, token, { as: guest })
    assert.is(
      barred.body.error?.code,
      'link_not_valid',
      'nor does another reason to be there open the link again',
    )
  }),
)

links('and every other reason for access are shown to managers of the board', () =>
  withApp(async (test) => {
    const { call, db } = test
    const { id: owner } = await make.user(db, { name: 'Ada' })
    const { id: bob } = await make.user(db, { name: 'Bob' })
    const { id: gone } = await make.user(db)
    const { id: board } = await make.board(db, { owner_id: owner, is_public: true, members_level: 'comment' })
    await make.permission(db, { board_id: board, user_id: bob })
    await make.permission(db, { board_id: board, user_id: gone, level: 'edit' })
    await db.updateTable('users').set({ is_active: false }).where('id', '=', gone).execute()
    const { id: link } = await make.shareLink(db, { board_id: board, level: 'edit' })
    await make.linkUse(db, { link_id: link, user_id: bob })
    const { id: guest } = await make.guest(db, { name: 'Gus' })
    await make.linkUse(db, { link_id: link, guest_id: guest })
    const { id: dead } = await make.shareLink(db, { board_id: board, ...linkStates.revoked })
    await make.linkUse(db, { link_id: dead })
    const seen: [string, string | null, string, string[]][] = []
    let cursor = ''
    do {
      const page = await call('GET', `/api/boards/${board}/access?limit=1${cursor}`, { as: owner })
      for (const item of page.body.items) {
        const reasons = item.reasons
          .map((reason: { reason: string; level: string }) => `${reason.reason} ${reason.level}`)
          .sort()
        seen.push([
          item.principal.name,
          item.principal.id,
          `${item.level}${item.may_manage ? ' manage' : ''}`,
          reasons,
        ])
      }
      cursor = page.body.next_cursor === null ? '' : `&cursor=${page.body.next_cursor}`
    } while (cursor !== '')
    assert.equal(seen, [
      ['Everyone', null, 'view', ['public view']],
      ['Everyone with an account', null, 'comment', ['members comment']],
      ['Ada', `user:${owner}`, 'edit manage', ['owner edit']],
      ['Bob', `user:${bob}`, 'edit', ['link edit', 'permission view']],
      ['Gus', `guest:${guest}`, 'edit', ['link edit']],
    ])
    assert.is(
      (await call('GET', `/api/boards/${board}/access`, { as: bob })).body.error.code,
      'access_denied',
    )
  }),
)

links('create a limited number of guests: per address and minute, and per link in total', () =>
  withApp(
    async ({ call, db }) => {
      const { id: owner } = await make.user(db)
      const { id: board } = await make.board(db, { owner_id: owner })
      const secret = async () => {
        const made = await call('POST', `/api/boards/${board}/share-links`, {
          as: owner,
          body: { level: 'view' },
        })
        return new URL(made.body.url).hash.slice(3)
      }
      const [first, second] = [await secret(), await secret()]
      const enter = (token: string) =>
        call('POST', '/api/share-links/exchange', { body: { token, name: 'Gus' } })
      assert.equal([(await enter(first)).status, (await enter(first)).status], [200, 200])
      const crowded = await enter(first)
      assert.equal(
        [crowded.status, crowded.body.error.code, crowded.body.error.details.max_guests],
        [409, 'conflict', 2],
      )
      assert.is((await enter(second)).status, 200)
      const tooFast = await enter(second)
      assert.equal([tooFast.status, tooFast.body.error.code], [429, 'too_many_requests'])
      const made = await db.selectFrom('guests').select('id').execute()
      assert.is(made.length, 3)
    },
    { limits: { maxGuestsPerLink: 2 }, newGuestsPerMinute: 4 },
  ),
)

links('say whether they are valid before anybody enters a name, and are not used up by that', () =>
  withApp(async (test) => {
    const { call, db } = test
    const { id: owner } = await make.user(db)
    const { id: board } = await make.board(db, { owner_id: owner })
    const { id, token } = await makeLink(test, board, owner, {
      level: 'view',
      password: 'sesame',
      max_uses: 1,
    })
    const preview = (as?: number | string) =>
      call('POST', '/api/share-links/preview', { ...(as === undefined ? {} : { as }), body: { token } })
    const asked = { board_id: board, level: 'view', needs_password: true, needs_name: true }
    assert.equal((await preview()).body, asked)
    assert.equal((await preview(owner)).body, { ...asked, needs_name: false })
    const { uses } = await db
      .selectFrom('share_links')
      .select('uses')
      .where('id', '=', id)
      .executeTakeFirstOrThrow()
    assert.is(uses, 0)
    await exchange(test, token, { password: 'sesame', name: 'Gus' })
    const usedUp = await preview()
    assert.equal([usedUp.status, usedUp.body.error.code], [404, 'link_not_valid'])
    assert.is((await call('POST', '/api/share-links/preview', { body: { token: 'unknown' } })).status, 404)
  }),
)

links('and their guests are removed one by one, whether they are connected or not', () =>
  withApp(async (test) => {
    const { call, db } = test
    const { id: owner } = await make.user(db)
    const { id: bob } = await make.user(db)
    const { id: board } = await make.board(db, { owner_id: owner })
    const { token } = await makeLink(test, board, owner, { level: 'edit' })
    await exchange(test, token, { name: 'Gus' })
    await exchange(test, token, { name: 'Gil' })
    await exchange(test, token, { as: bob })
    const people = async () =>
      (await call('GET', `/api/boards/${board}/access`, { as: owner })).body.items.filter(
        ({ principal }: { principal: { kind: string; id: string } }) => principal.id !== `user:${owner}`,
      ) as { principal: { id: string; name: string } }[]
    const remove = async (principal: string, as = owner) =>
      (await call('DELETE', `/api/boards/${board}/access/${principal}`, { as })).status
    const all = await people()
    assert.is(all.length, 3)
    const gus = all.find(({ principal }) => principal.name === 'Gus')?.principal.id ?? ''
    assert.is(await remove(gus, bob), 403)
    assert.is(await remove(gus), 204)
    assert.is(await remove(gus), 404, 'there is nothing left to take back')
    assert.is(await remove(`user:${bob}`), 204)
    assert.is(await remove('everyone'), 400)
    assert.equal(
      (await people()).map(({ principal }) => principal.name),
      ['Gil'],
    )
    const { token: other } = await makeLink(test, board, owner, { level: 'edit' })
    assert.is((await exchange(test, other, { as: bob })).status, 200)
  }),
)

links.run()
