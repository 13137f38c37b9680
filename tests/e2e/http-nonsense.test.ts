// The whole HTTP side of a complete server, as described by its own OpenAPI document, with invalid input.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type OpenApi, type Operation, operationsOf, sendNonsense } from '../helpers/api-fuzz.ts'
import { withServer } from '../helpers/server.ts'

const nonsense = suite('nonsense over HTTP')

/** These end the session of the requester, or accept a body that is not JSON: they have separate tests. */
const isLeftOut = ({ method, path }: Operation): boolean =>
  path === '/api/auth/sign-out' || (method === 'PUT' && /\/(files|thumbnail)/.test(path))

nonsense('is answered 4xx with {error: {code, message}} by every operation, never 5xx and never HTML', () =>
  withServer(
    async ({ user, origin, db }) => {
      const root = await user('Root', 'sysadmin')
      const board = await root.board('Untouched')
      const rights = async () => ({
        permissions: await db.selectFrom('board_permissions').selectAll().execute(),
        links: await db.selectFrom('share_links').selectAll().execute(),
      })
      const before = await rights()
      const document = (await root.ask('GET', '/api/openapi.json')).body as OpenApi
      const operations = operationsOf(document)
      assert.ok(operations.length >= 45, `${operations.length} operations`)
      const ask = (
        method: string,
        path: string,
        body?: string | Uint8Array<ArrayBuffer>,
        type = 'application/json',
      ) =>
        fetch(`${origin}${path}`, {
          method,
          headers: { cookie: root.cookie, origin, ...(body === undefined ? {} : { 'content-type': type }) },
          ...(body === undefined || method === 'GET' ? {} : { body }),
          redirect: 'manual',
        })
      const problems: string[] = []
      for (const operation of operations) {
        if (isLeftOut(operation)) continue
        try {
          await sendNonsense(ask, operation, {
            board_id: board,
            permission_id: '1',
            request_id: '1',
            user_id: '2000000000',
            thread_id: board,
            comment_id: board,
          })
        } catch (error) {
          problems.push(error instanceof Error ? error.message : String(error))
        }
      }
      assert.equal(problems, [])
      const rows = await db
        .selectFrom('boards')
        .select(['id', 'title', 'deleted_at', 'is_public'])
        .where('id', '=', board)
        .execute()
      assert.equal(await rights(), before)
      assert.equal(rows, [{ id: board, title: 'Untouched', deleted_at: null, is_public: false }])
    },
    { failedGuessesPerMinutePerIp: 100_000 },
  ),
)

nonsense.run()
