import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type TestApp, withApp } from '../helpers/app.ts'
import { eventually } from '../helpers/eventually.ts'
import { acquaint, make } from '../helpers/factories.ts'

const events = suite('the event stream of a board')

/** Opens the stream as `as`; `next` reads one event as `name data`, null at the end. */
async function follow({ open }: TestApp, board: string, as: number | string) {
  const response = await open(`/api/boards/${board}/events`, as)
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader()
  let text = ''
  const next = async (): Promise<string | null> => {
    for (;;) {
      const end = text.indexOf('\n\n')
      if (end < 0) {
        const part = await reader?.read()
        if (part === undefined || part.done) return null
        text += part.value
        continue
      }
      const lines = text.slice(0, end).split('\n')
      text = text.slice(end + 2)
      const field = (name: string) =>
        lines.find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2)
      if (field('event') !== undefined) return `${field('event')} ${field('data')}`
    }
  }
  return { response, next, cancel: () => reader?.cancel() }
}

events('sends the level and who is here, then events, and follows the requester’s access to its end', () =>
  withApp(async (test) => {
    const { call, db } = test
    const { id: owner } = await make.user(db)
    const { id: bob } = await make.user(db)
    const { id: board } = await make.board(db, { owner_id: owner, title: 'Old' })
    await acquaint(db, owner, bob)
    const { body: given } = await call('POST', `/api/boards/${board}/permissions`, {
      as: owner,
      body: { user_id: bob, level: 'view' },
    })
    const stream = await follow(test, board, bob)
    assert.is(stream.response.headers.get('content-type'), 'text/event-stream')
    assert.is(await stream.next(), 'level {"level":"view","may_manage":false}')
    assert.is(await stream.next(), 'here []')
    await call('PATCH', `/api/boards/${board}`, { as: owner, body: { title: 'New' } })
    assert.is(await stream.next(), 'title {"type":"title","title":"New"}')
    await call('POST', `/api/boards/${board}/permissions`, {
      as: owner,
      body: { user_id: bob, level: 'edit' },
    })
    assert.is(await stream.next(), 'level {"level":"edit","may_manage":false}')
    await call('DELETE', `/api/boards/${board}/permissions/${given.id}`, { as: owner })
    assert.match((await stream.next()) ?? '', /^ended {"code":"access_denied"/)
    assert.is(await stream.next(), null)
  }),
)

events('ends when the link expires', () =>
  withApp(async (test) => {
    const { db } = test
    const { id: owner } = await make.user(db)
    const { id: board } = await make.board(db, { owner_id: owner })
    const { id: guest } = await make.guest(db)
    const { id: link } = await make.shareLink(db, {
      board_id: board,
      expires_at: new Date(Date.now() + 3_600_000),
    })
    await make.linkUse(db, { link_id: link, guest_id: guest })
    const stream = await follow(test, board, guest)
    assert.match((await stream.next()) ?? '', /^level/)
    assert.match((await stream.next()) ?? '', /^here/)
    // Only now is the time limit short: a busy machine may take long to open the stream.
    const soon = new Date(Date.now() + 500)
    await db.updateTable('share_links').set({ expires_at: soon }).where('id', '=', link).execute()
    assert.match((await stream.next()) ?? '', /^ended {"code":"access_denied"/)
  }),
)

events('ends when the server closes, and is not opened for a board without access', () =>
  withApp(async (test) => {
    const { db, closing, open } = test
    const { id: owner } = await make.user(db)
    const { id: stranger } = await make.user(db)
    const { id: board } = await make.board(db, { owner_id: owner })
    assert.is((await open(`/api/boards/${board}/events`, stranger)).status, 404)
    const stream = await follow(test, board, owner)
    assert.match((await stream.next()) ?? '', /^level/)
    assert.match((await stream.next()) ?? '', /^here/)
    closing.abort()
    assert.match((await stream.next()) ?? '', /^ended {"code":"closing"/)
    assert.is(await stream.next(), null)
  }),
)

events('are limited in number, and closing one makes room', () =>
  withApp(async (test) => {
    const { db, open } = test
    const { id: owner } = await make.user(db)
    const { id: board } = await make.board(db, { owner_id: owner })
    await make.permission(db, { board_id: board, user_id: null })
    const streams = []
    for (let n = 0; n < 20; n += 1) streams.push(await follow(test, board, owner))
    assert.is((await open(`/api/boards/${board}/events`, owner)).status, 429)
    for (const stream of streams) {
      await stream.next()
      await stream.cancel()
    }
    await eventually(async () => {
      const again = await open(`/api/boards/${board}/events`, owner)
      await again.body?.cancel()
      return again.status === 200
    })
  }),
)

events('of unidentified people are counted by address, and begin at once through any proxy', () =>
  withApp(async (test) => {
    const { db, open } = test
    const { id: board } = await make.board(db)
    await make.permission(db, { board_id: board, user_id: null })
    const path = `/api/boards/${board}/events`
    const streams: Response[] = []
    for (let n = 0; n < 200; n += 1) streams.push(await open(path, await strangers(test, n)))
    assert.equal([...new Set(streams.map(({ status }) => status))], [200])
    const refused = await open(path, await strangers(test, 200))
    assert.is(refused.status, 429)
    assert.match(await refused.text(), /your address/)
    const colleague = await open(path, (await make.user(db)).id)
    assert.is(colleague.status, 200, 'and take nothing from people with an account')
    await colleague.body?.cancel()
    const [first] = streams
    assert.is(first?.headers.get('x-accel-buffering'), 'no')
    const reader = first?.body?.getReader()
    assert.is(new TextDecoder().decode((await reader?.read())?.value), ': begins\n\n')
    await reader?.cancel()
    for (const stream of streams.slice(1)) await stream.body?.cancel()
  }),
)

/** A new person each time: a guest who has just joined. */
const strangers = async ({ db }: TestApp, n: number): Promise<string> =>
  (await make.guest(db, { name: `Guest ${n}` })).id

events.run()
