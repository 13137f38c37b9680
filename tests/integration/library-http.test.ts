// The team's library and personal ones, over HTTP.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { withApp } from '../helpers/app.ts'
import { make } from '../helpers/factories.ts'

const library = suite('libraries over HTTP')
const box = { id: 'a', type: 'rectangle', x: 0, y: 0, width: 10, height: 10 }

library('of the team are read and extended by everybody with an account, and by nobody else', () =>
  withApp(async ({ call, db }) => {
    const { id: ada } = await make.user(db)
    const { id: bob } = await make.user(db)
    const added = await call('POST', '/api/library', { as: ada, body: { name: 'Box', elements: [box] } })
    assert.is(added.status, 201, JSON.stringify(added.body))
    const { items } = (await call('GET', '/api/library', { as: bob })).body
    assert.equal(
      items.map((item: Record<string, unknown>) => [item.name, item.created_by, item.may_remove]),
      [['Box', ada, false]],
    )
    assert.is(items[0].elements[0].type, 'rectangle')
    assert.is((await call('DELETE', `/api/library/${added.body.id}`, { as: bob })).status, 403)
    assert.is((await call('DELETE', `/api/library/${added.body.id}`, { as: ada })).status, 204)
    assert.is((await call('DELETE', `/api/library/${added.body.id}`, { as: ada })).status, 404)
    assert.is((await call('GET', '/api/library')).status, 401)
  }),
)

library('hold only what can be drawn', () =>
  withApp(async ({ call, db }) => {
    const { id: ada } = await make.user(db)
    const add = (elements: unknown) => call('POST', '/api/library', { as: ada, body: { elements } })
    assert.is((await add([{ type: 'iframe', id: 'x' }])).status, 400)
    assert.is((await add([])).status, 400)
    assert.is((await add([box, { type: 'iframe', id: 'x' }])).status, 201)
    const { items } = (await call('GET', '/api/library', { as: ada })).body
    assert.is(items[0].elements.length, 1)
  }),
)

library('of a user are replaced as a whole, and are visible to nobody else', () =>
  withApp(async ({ call, db }) => {
    const { id: ada } = await make.user(db)
    const { id: bob } = await make.user(db)
    const put = (...names: string[]) =>
      call('PUT', '/api/me/library', {
        as: ada,
        body: { items: names.map((name) => ({ name, elements: [box] })) },
      })
    const own = async (as: number) =>
      (await call('GET', '/api/me/library', { as })).body.items.map(({ name }: { name: string }) => name)
    assert.is((await put('one', 'two')).status, 204)
    assert.equal(await own(ada), ['one', 'two'])
    assert.is((await put('two', 'three')).status, 204)
    assert.equal(await own(ada), ['two', 'three'])
    assert.equal(await own(bob), [])
    assert.equal((await call('GET', '/api/library', { as: ada })).body.items, [])
  }),
)

library.run()
