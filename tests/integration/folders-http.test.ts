import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type TestApp, withApp } from '../helpers/app.ts'
import { eventually } from '../helpers/eventually.ts'
import { make } from '../helpers/factories.ts'

const folders = suite('folders over HTTP')

const newFolder = async (call: TestApp['call'], as: number, name: string, parent_id?: string) => {
  const answer = await call('POST', '/api/folders', {
    as,
    body: { name, ...(parent_id ? { parent_id } : {}) },
  })
  assert.is(answer.status, 201, JSON.stringify(answer.body))
  return answer.body.id as string
}
const newBoard = async (call: TestApp['call'], as: number, body: object = {}) => {
  const answer = await call('POST', '/api/boards', { as, body })
  assert.is(answer.status, 201, JSON.stringify(answer.body))
  return answer.body.id as string
}
const names = (answer: { body: { items: { name?: string; title?: string }[] } }) =>
  answer.body.items.map(({ name, title }) => name ?? title)

folders('are created, nested, renamed, moved and deleted, and their contents move up', () =>
  withApp(async ({ call, db }) => {
    const { id: ada } = await make.user(db)
    const outer = await newFolder(call, ada, 'Outer')
    const inner = await newFolder(call, ada, 'Inner', outer)
    const deep = await newFolder(call, ada, 'Deep', inner)
    const board = await newBoard(call, ada, { title: 'Plan', folder_id: inner })
    assert.equal(names(await call('GET', '/api/folders', { as: ada })), ['Deep', 'Inner', 'Outer'])
    const renamed = await call('PATCH', `/api/folders/${inner}`, { as: ada, body: { name: 'Middle' } })
    assert.equal([renamed.status, renamed.body.name, renamed.body.parent_id], [200, 'Middle', outer])
    assert.is((await call('DELETE', `/api/folders/${inner}`, { as: ada })).status, 204)
    assert.is((await call('GET', `/api/boards/${board}`, { as: ada })).body.folder_id, outer)
    assert.is((await call('GET', `/api/folders/${deep}`, { as: ada })).body.parent_id, outer)
    assert.equal(names(await call('GET', `/api/boards?folder=${outer}`, { as: ada })), ['Plan'])
    assert.equal(names(await call('GET', '/api/boards?folder=none', { as: ada })), [])
  }),
)

folders('cannot be moved into themselves, nor nested deeper than ten', () =>
  withApp(async ({ call, db }) => {
    const { id: ada } = await make.user(db)
    const chain = [await newFolder(call, ada, '1')]
    for (let n = 2; n <= 10; n++) chain.push(await newFolder(call, ada, String(n), chain.at(-1)))
    const tooDeep = await call('POST', '/api/folders', { as: ada, body: { name: '11', parent_id: chain[9] } })
    assert.equal([tooDeep.status, tooDeep.body.error.code], [409, 'conflict'])
    const ring = await call('PATCH', `/api/folders/${chain[0]}`, { as: ada, body: { parent_id: chain[4] } })
    assert.equal([ring.status, ring.body.error.code], [409, 'conflict'])
    assert.is((await call('GET', `/api/folders/${chain[0]}`, { as: ada })).body.parent_id, null)
  }),
)

folders('grant their level on every board inside, however deep, and revoke it', () =>
  withApp(async ({ call, db }) => {
    const { id: ada } = await make.user(db)
    const { id: bob } = await make.user(db)
    const outer = await newFolder(call, ada, 'Outer')
    const inner = await newFolder(call, ada, 'Inner', outer)
    const board = await newBoard(call, ada, { folder_id: inner })
    assert.is((await call('GET', `/api/boards/${board}`, { as: bob })).status, 404)
    const { id: admin } = await make.user(db, { role: 'admin' })
    const given = await call('POST', `/api/folders/${outer}/permissions`, {
      as: admin,
      body: { user_id: bob, level: 'comment' },
    })
    assert.equal([given.status, given.body.user_id, given.body.level], [201, bob, 'comment'])
    const seen = await call('GET', `/api/boards/${board}`, { as: bob })
    assert.equal([seen.status, seen.body.level, seen.body.folder_id], [200, 'comment', inner])
    assert.is((await call('GET', '/api/boards', { as: bob })).body.items.length, 1)
    assert.equal(names(await call('GET', '/api/folders', { as: bob })), ['Inner', 'Outer'])
    // The board's own rows are added: the highest level wins.
    await make.permission(db, { board_id: board, user_id: bob, level: 'edit' })
    assert.is((await call('GET', `/api/boards/${board}`, { as: bob })).body.level, 'edit')
    const who = await call('GET', `/api/boards/${board}/access`, { as: ada })
    const row = who.body.items.find(
      ({ principal }: { principal: { id: string } }) => principal.id === `user:${bob}`,
    )
    assert.equal(row.reasons.map(({ reason }: { reason: string }) => reason).sort(), ['folder', 'permission'])
    await call('DELETE', `/api/folders/${outer}/permissions/${given.body.id}`, { as: ada })
    assert.equal(names(await call('GET', '/api/folders', { as: bob })), [])
    await db.deleteFrom('board_permissions').where('user_id', '=', bob).execute()
    assert.is((await call('GET', `/api/boards/${board}`, { as: bob })).status, 404)
  }),
)

folders('show their parent folder only to people who may see it', () =>
  withApp(async ({ call, db }) => {
    const { id: ada } = await make.user(db)
    const { id: bob } = await make.user(db)
    const outer = await newFolder(call, ada, 'Outer')
    const inner = await newFolder(call, ada, 'Inner', outer)
    await db
      .insertInto('folder_permissions')
      .values({ folder_id: inner, user_id: bob, level: 'view' })
      .execute()
    const seen = await call('GET', `/api/folders/${inner}`, { as: bob })
    assert.equal([seen.status, seen.body.parent_id, seen.body.may_manage], [200, null, false])
    assert.is((await call('GET', `/api/folders/${outer}`, { as: bob })).status, 404)
    for (const [method, path, body] of [
      ['PATCH', `/api/folders/${inner}`, { name: 'Mine' }],
      ['DELETE', `/api/folders/${inner}`, undefined],
      ['GET', `/api/folders/${inner}/permissions`, undefined],
      ['POST', '/api/folders', { name: 'Deeper', parent_id: inner }],
      ['POST', '/api/boards', { folder_id: inner }],
    ] as const) {
      const refused = await call(method, path, { as: bob, body })
      assert.equal([refused.status, refused.body.error.code], [403, 'access_denied'], `${method} ${path}`)
    }
  }),
)

folders('are for accounts: guests and tickets are told so', () =>
  withApp(async ({ call, db }) => {
    const { id: guest } = await make.guest(db)
    assert.is((await call('GET', '/api/folders', { as: guest })).status, 401)
    assert.is((await call('GET', '/api/folders')).status, 401)
  }),
)

folders('and their permissions stand in the trail with old and new values', () =>
  withApp(async ({ call, db }) => {
    const { id: ada } = await make.user(db)
    const { id: bob } = await make.user(db)
    const folder = await newFolder(call, ada, 'Plans')
    const board = await newBoard(call, ada)
    await call('PATCH', `/api/boards/${board}`, { as: ada, body: { folder_id: folder } })
    await db
      .insertInto('folder_permissions')
      .values({ folder_id: folder, user_id: bob, level: 'view' })
      .execute()
    await db.updateTable('folder_permissions').set({ level: 'edit' }).where('user_id', '=', bob).execute()
    await call('DELETE', `/api/folders/${folder}`, { as: ada })
    const rows = await db
      .selectFrom('audit_logs')
      .select(['action', 'category', 'resource_type', 'actor_kind', 'old_values', 'new_values'])
      .where((eb) => eb.or([eb('category', '=', 'folder'), eb('category', '=', 'permission')]))
      .orderBy('timestamp')
      .execute()
    assert.equal(
      rows.map((row) => [row.action, row.category, row.resource_type, row.actor_kind]),
      [
        ['create', 'folder', 'folder', 'user'],
        ['permission_change', 'permission', 'board', 'user'],
        ['permission_change', 'folder', 'folder_permission', 'sql'],
        ['permission_change', 'folder', 'folder_permission', 'sql'],
        ['permission_change', 'permission', 'board', 'user'],
        ['delete', 'folder', 'folder', 'user'],
      ],
    )
    assert.equal(rows[1]?.new_values, { folder_id: folder })
    assert.equal(rows[3]?.old_values, { folder_id: folder, user_id: bob, level: 'view' })
  }),
)

folders('notify every board inside when their rows change, or "everything" if there are many', () =>
  withApp(async ({ call, db, deps }) => {
    const { id: ada } = await make.user(db)
    const { id: bob } = await make.user(db)
    const folder = await newFolder(call, ada, 'Plans')
    const boards = [
      await newBoard(call, ada, { folder_id: folder }),
      await newBoard(call, ada, { folder_id: folder }),
    ]
    const heard = new Set<string>()
    const stop = deps.notifications.onAccess((payloads) => {
      for (const payload of payloads) heard.add(payload)
    })
    await db
      .insertInto('folder_permissions')
      .values({ folder_id: folder, user_id: bob, level: 'view' })
      .execute()
    await eventually(() => boards.every((board) => heard.has(`b:${board}`)))
    await db
      .insertInto('boards')
      .values(Array.from({ length: 200 }, () => ({ owner_id: ada, folder_id: folder })))
      .execute()
    heard.clear()
    await db.deleteFrom('folder_permissions').where('user_id', '=', bob).execute()
    await eventually(() => heard.has('*'))
    stop()
  }),
)

folders('stars and visits belong to the requester', () =>
  withApp(async ({ call, db }) => {
    const { id: ada } = await make.user(db)
    const { id: bob } = await make.user(db)
    const one = await newBoard(call, ada, { title: 'One' })
    const two = await newBoard(call, ada, { title: 'Two' })
    await make.permission(db, { board_id: one, user_id: bob, level: 'view' })
    assert.is((await call('PUT', `/api/boards/${one}/star`, { as: bob })).status, 204)
    assert.is((await call('PUT', `/api/boards/${one}/star`, { as: bob })).status, 204)
    assert.is((await call('PUT', `/api/boards/${two}/star`, { as: bob })).status, 404)
    assert.equal(names(await call('GET', '/api/boards?starred=true', { as: bob })), ['One'])
    assert.is((await call('GET', `/api/boards/${one}`, { as: bob })).body.starred, true)
    assert.is((await call('GET', `/api/boards/${one}`, { as: ada })).body.starred, false)
    await call('DELETE', `/api/boards/${one}/star`, { as: bob })
    assert.equal(names(await call('GET', '/api/boards?starred=true', { as: bob })), [])
  }),
)

folders('boards are found by title and text in any script and case', () =>
  withApp(async ({ call, db }) => {
    const { id: ada } = await make.user(db)
    const titles = ['Straße nach Łódź', 'ΟΔΟΣ', 'İstanbul gezisi', '計画ボード', 'Œuvre 100%']
    for (const title of titles) await newBoard(call, ada, { title })
    const hand = await newBoard(call, ada, { title: 'before' })
    await db.updateTable('boards').set({ title: 'By Hand in Ærø' }).where('id', '=', hand).execute()
    await db
      .updateTable('board_search')
      .set({ text_key: 'quarterly goals' })
      .where('board_id', '=', hand)
      .execute()
    const found = async (q: string) =>
      names(await call('GET', `/api/boards?q=${encodeURIComponent(q)}`, { as: ada }))
    assert.equal(await found('STRASSE'), [titles[0]])
    assert.equal(await found('łódź'), [titles[0]])
    assert.equal(await found('lodz'), [titles[0]])
    assert.equal(await found('STRAẞE'), [titles[0]])
    assert.equal(await found('oeuvre'), [titles[4]])
    assert.equal(await found('οδός'), [titles[1]])
    assert.equal(await found('istanbul'), [titles[2]])
    assert.equal(await found('計画'), [titles[3]])
    assert.equal(await found('0%'), [titles[4]])
    assert.equal(await found('by hand'), ['By Hand in Ærø'])
    assert.equal(await found('aero'), ['By Hand in Ærø'])
    assert.equal(await found('before'), [])
    assert.equal(await found('Quarterly'), ['By Hand in Ærø'])
  }),
)

folders('titles are sorted for the requester’s language, page by page', () =>
  withApp(async ({ call, db }) => {
    const { id: ada } = await make.user(db)
    for (const title of ['Zebra', 'Ärger', 'apfel', 'Öl']) await newBoard(call, ada, { title })
    const sorted = async (language: string) => {
      const seen: (string | undefined)[] = []
      let cursor = ''
      do {
        const page = await call('GET', `/api/boards?sort=title&limit=2${cursor}`, {
          as: ada,
          headers: { 'accept-language': language },
        })
        seen.push(...names(page))
        cursor = page.body.next_cursor === null ? '' : `&cursor=${page.body.next_cursor}`
      } while (cursor !== '')
      return seen
    }
    assert.equal(await sorted('de-DE,de;q=0.9'), ['apfel', 'Ärger', 'Öl', 'Zebra'])
    assert.equal(await sorted('sv'), ['apfel', 'Zebra', 'Ärger', 'Öl'])
  }),
)

folders.run()
