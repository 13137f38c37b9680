// What a ticket may do over HTTP: it is given to another site's page, so it opens its board and cannot manage it.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Identity } from '../../server/principal.ts'
import { type TestApp, withApp } from '../helpers/app.ts'
import { make } from '../helpers/factories.ts'

const tickets = suite('a ticket over HTTP')

const ticketOf = (userId: number, boardId: string, maxLevel: Identity['maxLevel'] = null): Identity => ({
  principal: { kind: 'user', userId, name: 'Ada', role: 'user' },
  via: 'ticket',
  sessionId: null,
  boardId,
  maxLevel,
})

const managing = (board: string): [method: string, path: string, body?: object][] => [
  ['PATCH', `/api/boards/${board}`, { title: 'Taken' }],
  ['DELETE', `/api/boards/${board}`],
  ['DELETE', `/api/boards/${board}?purge=true`],
  ['POST', `/api/boards/${board}/duplicate`],
  ['GET', `/api/boards/${board}/permissions`],
  ['POST', `/api/boards/${board}/permissions`, { user_id: null, level: 'edit' }],
  ['GET', `/api/boards/${board}/share-links`],
  ['POST', `/api/boards/${board}/share-links`, { level: 'edit' }],
  ['GET', `/api/boards/${board}/connections`],
  ['GET', `/api/boards/${board}/access`],
  ['GET', `/api/boards/${board}/authors`],
  ['POST', `/api/boards/${board}/moderation`, { mode: 'view_only' }],
  ['POST', `/api/boards/${board}/access-requests`, { level: 'edit' }],
  ['GET', `/api/boards/${board}/access-requests`],
  ['PUT', `/api/boards/${board}/star`],
]

const boardsOf = async ({ db }: TestApp) =>
  db.selectFrom('boards').select(['title', 'deleted_at', 'is_public', 'moderation']).execute()

for (const [name, cap] of [
  ['of the owner', null],
  ['capped at view', 'view'],
] as const) {
  tickets(`${name} reads its board, and manages, duplicates and shares nothing`, () =>
    withApp(async (test) => {
      const { id: ada } = await make.user(test.db)
      const { id: board } = await make.board(test.db, { owner_id: ada, title: 'Plan' })
      const as = ticketOf(ada, board, cap)
      const before = await boardsOf(test)
      const read = await test.call('GET', `/api/boards/${board}`, { as })
      assert.equal([read.status, read.body.level, read.body.may_manage], [200, cap ?? 'edit', false])
      for (const [method, path, body] of managing(board)) {
        const refused = await test.call(method, path, { as, body })
        assert.equal([refused.status, refused.body.error?.code], [403, 'access_denied'], `${method} ${path}`)
      }
      assert.equal(await boardsOf(test), before)
    }),
  )
}

tickets('of the owner restores and purges nothing in the trash', () =>
  withApp(async (test) => {
    const { id: ada } = await make.user(test.db)
    const { id: board } = await make.board(test.db, { owner_id: ada, deleted_at: new Date() })
    const as = ticketOf(ada, board)
    assert.is((await test.call('POST', `/api/boards/${board}/restore`, { as })).status, 410)
    assert.is((await test.call('DELETE', `/api/boards/${board}?purge=true`, { as })).status, 410)
    assert.is((await boardsOf(test)).length, 1)
  }),
)

tickets.run()
