// Authorship: the list of a board's authors over HTTP.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { withApp } from '../helpers/app.ts'
import { make } from '../helpers/factories.ts'

const at = (second: number) => new Date(Date.UTC(2026, 0, 1, 0, 0, second))
const authors = suite('the authors of a board')

authors('are listed with names, client ids and times, latest start first, in pages', () =>
  withApp(async ({ call, db }) => {
    const { id: ada } = await make.user(db, { name: 'Ada' })
    const { id: guest } = await make.guest(db, { name: 'Gus' })
    const { id: board } = await make.board(db, { owner_id: ada })
    const wrote = (principal: string, client_id: number, second: number) =>
      make.author(db, { board_id: board, principal, client_id, first_seen: at(second) })
    await wrote(`user:${ada}`, 11, 1)
    await wrote(`guest:${guest}`, 12, 2)
    await wrote('anonymous:0b38e3a8-5a0c-4d0e-9d3b-000000000001', 13, 3)
    await wrote('anonymous:0b38e3a8-5a0c-4d0e-9d3b-000000000002', 14, 4)
    await wrote('system', 15, 5)
    await wrote('retired', 16, 6)
    await wrote(`user:${ada}`, 4_294_967_295, 7)
    await make.author(db, { client_id: 11, principal: `user:${ada}` }) // on another board
    const seen: unknown[] = []
    let cursor = ''
    do {
      const page = await call('GET', `/api/boards/${board}/authors?limit=1${cursor}`, { as: ada })
      assert.is(page.status, 200)
      seen.push(...page.body.items)
      cursor = page.body.next_cursor === null ? '' : `&cursor=${page.body.next_cursor}`
    } while (cursor !== '')
    const author = (
      kind: string,
      id: string | null,
      name: string | null,
      ids: number[],
      ...times: Date[]
    ) => ({
      principal: { kind, id, name },
      client_ids: ids,
      first_written_at: times[0]?.toISOString(),
      latest_client_at: times.at(-1)?.toISOString(),
    })
    assert.equal(seen, [
      author('user', `user:${ada}`, 'Ada', [11, 4_294_967_295], at(1), at(7)),
      author('system', 'system', 'Boardroom', [15], at(5)),
      author('anonymous', null, null, [13, 14], at(3), at(4)),
      author('guest', `guest:${guest}`, 'Gus', [12], at(2)),
    ])
  }),
)

authors('are visible to the owner and administrators, and a cursor of another board is refused', () =>
  withApp(async ({ call, db }) => {
    const { id: owner } = await make.user(db)
    const { id: admin } = await make.user(db, { role: 'admin' })
    const { id: editor } = await make.user(db)
    const { id: stranger } = await make.user(db)
    const { id: board } = await make.board(db, { owner_id: owner })
    const { id: foreign } = await make.board(db)
    await make.permission(db, { board_id: board, user_id: editor, level: 'edit' })
    const ask = async (as: number, of = board, query = '') => {
      const { status, body } = await call('GET', `/api/boards/${of}/authors${query}`, { as })
      return [status, body.error?.code]
    }
    assert.equal(await ask(owner), [200, undefined])
    assert.equal(await ask(admin), [200, undefined])
    assert.equal(await ask(editor), [403, 'access_denied'])
    assert.equal(await ask(stranger), [404, 'not_found'])
    assert.equal(await ask(owner, foreign), [404, 'not_found'])
    for (const principal of ['user:1', 'user:2']) await make.author(db, { board_id: foreign, principal })
    const page = await call('GET', `/api/boards/${foreign}/authors?limit=1`, { as: admin })
    assert.equal(await ask(admin, board, `?cursor=${page.body.next_cursor}`), [400, 'invalid_request'])
  }),
)

authors('who were deleted are named as in the trail, until they are erased there', () =>
  withApp(async ({ call, db, pool, schema }) => {
    const { id: owner } = await make.user(db)
    const { id: board } = await make.board(db, { owner_id: owner })
    const { id: guest } = await make.guest(db, { name: 'Gus' })
    await make.author(db, { board_id: board, principal: `guest:${guest}` })
    await make.auditRow(db, {
      action: 'access',
      category: 'access',
      actor_kind: 'guest',
      actor_name: 'Gus',
      guest_id: guest,
      board_id: board,
      permission_level: 'edit',
    })
    const name = async () =>
      (await call('GET', `/api/boards/${board}/authors`, { as: owner })).body.items[0].principal.name
    await db.deleteFrom('guests').where('id', '=', guest).execute()
    assert.is(await name(), 'Gus')
    await pool.query(`select ${schema}.erase_audit(null, $1)`, [guest])
    assert.is(await name(), null)
  }),
)

authors.run()
