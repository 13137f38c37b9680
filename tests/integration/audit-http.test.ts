// The trail over HTTP: who can read which parts of it, as pages, live and as files.
import { randomUUID } from 'node:crypto'
import { pino } from 'pino'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { AuditChain } from '../../server/audit/chain.ts'
import { csvCell } from '../../server/audit/export.ts'
import { auditRoutes } from '../../server/audit/routes.ts'
import { AuditTrail } from '../../server/audit/trail.ts'
import { Notifications } from '../../server/database/notifications.ts'
import { BoardroomError } from '../../server/errors.ts'
import { actorOf, type Identity, type Role } from '../../server/principal.ts'
import { errorHandler } from '../../server/routing/errors.ts'
import { newRouter } from '../../server/routing/router.ts'
import type { AuditResponse } from '../../shared/api.ts'
import { type TestDatabase, withDatabase } from '../helpers/database.ts'
import { eventually } from '../helpers/eventually.ts'
import { make } from '../helpers/factories.ts'

interface World extends TestDatabase {
  ada: number
  root: number
  boardId: string
  other: string
  trail: AuditTrail
  chain: AuditChain
  /** A request by a user, or by nobody. */
  get(path: string, as: number | null, headers?: Record<string, string>): Promise<Response>
  list(path: string, as: number | null): Promise<{ items: AuditResponse[]; next_cursor: string | null }>
}

const withAudit = (work: (world: World) => Promise<void>) =>
  withDatabase(async (test) => {
    const { db, database } = test
    const log = pino({ level: 'silent' })
    const roles = new Map<number, Role>()
    const add = async (name: string, role: Role) => {
      const { id } = await make.user(db, { name, role })
      roles.set(id, role)
      return id
    }
    const [ada, root] = [await add('Ada', 'user'), await add('Root', 'sysadmin')]
    const { id: boardId } = await make.board(db, { owner_id: ada })
    const { id: other } = await make.board(db, { owner_id: root })
    const trail = new AuditTrail({ database, log, serverId: randomUUID() })
    const chain = new AuditChain({ database, log, headsFile: null, sealEveryMs: 20 })
    await chain.start()
    const notifications = new Notifications({ direct: database.direct, schema: test.schema, log })
    await notifications.start()
    const closing = new AbortController()
    const identityOf = (userId: number | null): Identity => ({
      principal:
        userId === null
          ? { kind: 'anonymous', id: randomUUID() }
          : { kind: 'user', userId, name: 'somebody', role: roles.get(userId)! },
      via: 'session',
      sessionId: null,
      boardId: null,
      maxLevel: null,
    })
    const app = newRouter()
    app.onError(errorHandler(log))
    app.use(async (c, next) => {
      const as = c.req.header('x-user')
      const identity = identityOf(as === undefined ? null : Number(as))
      c.set('identity', identity)
      c.set('actor', actorOf(identity, '192.0.2.1', 'test'))
      await next()
    })
    const requireManage = async ({ principal }: Identity, board: string) => {
      const row = await db.selectFrom('boards').select('owner_id').where('id', '=', board).executeTakeFirst()
      const isAdmin = principal.kind === 'user' && principal.role !== 'user'
      if (!isAdmin && (principal.kind !== 'user' || row?.owner_id !== principal.userId))
        throw new BoardroomError('not_found', 'no such board')
    }
    app.route(
      '/api',
      auditRoutes({
        database,
        trail,
        log,
        notifications,
        requireManage,
        closing: closing.signal,
        streamLimits: { most: 3, mostOfOne: 2, mostOfAddress: 3 },
        recheckEveryMs: 3_600_000, // streams end because they are told of a change, not because they poll
      }),
    )
    const get: World['get'] = async (path, as, headers = {}) =>
      app.request(path, { headers: { ...headers, ...(as === null ? {} : { 'x-user': String(as) }) } })
    const list: World['list'] = async (path, as) => {
      const answer = await get(path, as)
      if (answer.status !== 200) throw new Error(await answer.text())
      return (await answer.json()) as Awaited<ReturnType<World['list']>> // the answer of the route
    }
    try {
      await work({ ...test, ada, root, boardId, other, trail, chain, get, list })
    } finally {
      closing.abort()
      await trail.close()
      await chain.close()
      await notifications.close()
    }
  })

const reading = suite('reading the trail')
reading('is for administrators, and for managers of a board for its rows', () =>
  withAudit(async ({ get, ada, root, boardId, other }) => {
    const status = async (path: string, as: number | null) => (await get(path, as)).status
    for (const end of ['', '/export'] as const) {
      assert.equal(
        [
          await status(`/api/audit${end}`, null),
          await status(`/api/audit${end}`, ada),
          await status(`/api/audit${end}`, root),
        ],
        [401, 403, 200],
        end,
      )
      assert.equal(
        [
          await status(`/api/boards/${boardId}/audit${end}`, ada),
          await status(`/api/boards/${other}/audit${end}`, ada),
          await status(`/api/boards/${boardId}/audit${end}`, root),
        ],
        [200, 404, 200],
        end,
      )
    }
    assert.equal(
      [
        await status('/api/audit/stream', null),
        await status('/api/audit/stream', ada),
        await status(`/api/boards/${other}/audit/stream`, ada),
      ],
      [401, 403, 404],
    )
  }),
)
reading('ends for a demoted administrator, whatever the session says', () =>
  withAudit(async ({ get, db, root }) => {
    await make.user(db, { role: 'sysadmin' })
    await db.updateTable('users').set({ role: 'user' }).where('id', '=', root).execute()
    assert.is((await get('/api/audit', root)).status, 403)
  }),
)
reading('shows an owner everything about their board except session ids, and nothing about another', () =>
  withAudit(async ({ list, trail, ada, root, boardId, other }) => {
    const actor = {
      kind: 'user' as const,
      userId: root,
      guestId: null,
      agentId: null,
      name: 'Root',
      sessionId: '17',
      ip: '192.0.2.9',
      userAgent: 'x',
    }
    await trail.record({ action: 'access', actor, boardId })
    await trail.record({ action: 'access', actor, boardId: other })
    const { items } = await list(`/api/boards/${boardId}/audit?action=access`, ada)
    assert.equal(
      items.map(({ board_id, session_id, ip_address }) => [board_id, session_id, ip_address]),
      [[boardId, null, '192.0.2.9']],
    )
    const { items: all } = await list('/api/audit?action=access', root)
    assert.equal(
      all.map(({ session_id }) => session_id),
      ['17', '17'],
    )
    assert.is('salt' in all[0]!, false)
  }),
)
reading('can be filtered, and pages through every row once, newest first', () =>
  withAudit(async ({ list, pool, root, ada, boardId }) => {
    await pool.query(
      `insert into boardroom.audit_logs (action, category, actor_kind, user_id, board_id) select 'read', 'access', 'user', $1, $2 from generate_series(1, 25)`,
      [ada, boardId],
    )
    const link = '6f2e3c1a-0000-4000-8000-000000000001'
    await pool.query(
      `insert into boardroom.audit_logs (action, category, actor_kind, board_id, link_id) select 'link_use', 'link', 'guest', $1, $2 from generate_series(1, 2)`,
      [boardId, link],
    )
    const seen: AuditResponse[] = []
    let cursor: string | null = ''
    while (cursor !== null) {
      const page = await list(
        `/api/audit?action=read&limit=10${cursor === '' ? '' : `&cursor=${cursor}`}`,
        root,
      )
      seen.push(...page.items)
      cursor = page.next_cursor
    }
    assert.is(new Set(seen.map(({ id }) => id)).size, 25)
    assert.equal(
      seen.map(({ timestamp }) => timestamp),
      seen
        .map(({ timestamp }) => timestamp)
        .sort()
        .reverse(),
    )
    const count = async (query: string) => (await list(`/api/audit?limit=1000&${query}`, root)).items.length
    assert.equal(
      [
        await count('category=access'),
        await count(`user_id=${ada}`),
        await count('user_id=999999'),
        await count(`board_id=${boardId}&action=create`),
        await count(`link_id=${boardId}`),
        await count(`link_id=${link}`),
      ],
      [25, 25, 0, 1, 0, 2],
    )
    const tenth = seen[9]!.timestamp
    assert.equal([await count(`action=read&from=${tenth}`), await count(`action=read&to=${tenth}`)], [10, 15])
  }),
)
reading('refuses filters that make no sense and cursors of another query, and says why', () =>
  withAudit(async ({ get, list, pool, root, ada, boardId, other }) => {
    await pool.query(
      `insert into boardroom.audit_logs (action, category, actor_kind) select 'login', 'account', 'user' from generate_series(1, 3)`,
    )
    const { next_cursor } = await list('/api/audit?action=login&limit=1', root)
    for (const query of [
      'action=look',
      'category=things',
      'from=yesterday',
      'from=2026-02-01T00:00:00Z&to=2026-01-01T00:00:00Z',
      'from=0000-01-01T00:00:00Z',
      'user_id=x',
      'board_id=x',
      'limit=0',
      'limit=1001',
      'unknown=1',
      'cursor=x',
      `cursor=${next_cursor}`,
      `action=logout&cursor=${next_cursor}`,
      `cursor=${Buffer.from('["a","b","c"]').toString('base64url')}`,
    ]) {
      const answer = await get(`/api/audit?${query}`, root)
      assert.is(answer.status, 400, query)
      const { error } = (await answer.json()) as { error: { code: string; message: string } }
      assert.is(error.code, 'invalid_request', query)
      if (query.startsWith('limit')) assert.match(error.message, /a whole number from 1 to 1000/)
    }
    assert.is((await get(`/api/boards/${boardId}/audit?board_id=${other}`, ada)).status, 400)
    assert.is((await get('/api/audit/stream', root, { 'last-event-id': 'x' })).status, 400)
    assert.is((await get('/api/audit/export?format=xml', root)).status, 400)
  }),
)
reading('exports NDJSON and CSV, recorded before the first byte, with formulas escaped', () =>
  withAudit(async ({ get, pool, db, ada, boardId }) => {
    await pool.query(
      `insert into boardroom.audit_logs (action, category, actor_kind, actor_name, user_id, board_id, details)
      select 'read', 'access', 'user', '=cmd|"calc"', $1, $2, '{"route": "a,b"}' from generate_series(1, 2500)`,
      [ada, boardId],
    )
    const lines = (await (await get(`/api/boards/${boardId}/audit/export?action=read`, ada)).text())
      .trimEnd()
      .split('\n')
    assert.is(lines.length, 2500)
    assert.is(JSON.parse(lines[0]!).actor_name, '=cmd|"calc"')
    const answer = await get(`/api/boards/${boardId}/audit/export?format=csv&action=read`, ada)
    assert.match(answer.headers.get('content-disposition') ?? '', 'audit.csv')
    const [head, first] = (await answer.text()).split('\r\n')
    assert.match(head!, /^timestamp,id,action,/)
    assert.ok(first!.includes(`"'=cmd|""calc"""`) && first!.includes('"{""route"":""a,b""}"'), first)
    const recorded = await db
      .selectFrom('audit_logs')
      .select(['user_id', 'board_id'])
      .where('action', '=', 'export')
      .execute()
    assert.equal(recorded, [
      { user_id: ada, board_id: boardId },
      { user_id: ada, board_id: boardId },
    ])
    assert.equal(['-1', '+1', '@x', '\tx', ' =x', '＝x', '－1', -1, 'x', null, 'a"b'].map(csvCell), [
      "'-1",
      "'+1",
      "'@x",
      "'\tx",
      "' =x",
      "'＝x",
      "'－1",
      '-1',
      'x',
      '',
      '"a""b"',
    ])
  }),
)
reading('follows live, resumes after Last-Event-ID, and ends when access is lost', () =>
  withAudit(async ({ get, pool, db, root, boardId }) => {
    const record = (n: number) =>
      pool.query(
        `insert into boardroom.audit_logs (action, category, actor_kind, board_id, resource_id) values ('read', 'access', 'user', $1, $2)`,
        [boardId, `${n}`],
      )
    const open = await liveEvents(await get('/api/audit/stream?action=read', root))
    await record(1)
    const first = await open.next()
    await open.cancel()
    await record(2)
    await record(3)
    const again = await liveEvents(
      await get('/api/audit/stream?action=read', root, { 'last-event-id': first.id }),
    )
    assert.equal(
      [first.resource, (await again.next()).resource, (await again.next()).resource],
      ['1', '2', '3'],
    )
    const more = await liveEvents(await get('/api/audit/stream', root))
    assert.is((await get('/api/audit/stream', root)).status, 429)
    await more.cancel()
    await make.user(db, { role: 'sysadmin' })
    await db.updateTable('users').set({ is_active: false }).where('id', '=', root).execute()
    await eventually(() => again.ended(), { everyMs: 100 })
  }),
)

reading('followed by an administrator ends with the notification of the demotion', () =>
  withAudit(async ({ get, db, root }) => {
    const open = await liveEvents(await get('/api/audit/stream', root))
    await make.user(db, { role: 'sysadmin' })
    await db.updateTable('users').set({ role: 'user' }).where('id', '=', root).execute()
    await eventually(() => open.ended(), { everyMs: 100 })
    assert.is((await get('/api/audit/stream', root)).status, 403)
  }),
)

reading('has a limited number of followers, each with a limit of their own', () =>
  withAudit(async ({ get, ada, root, boardId }) => {
    const follow = (as: number) => get(`/api/boards/${boardId}/audit/stream`, as)
    const [first, second] = [await liveEvents(await follow(ada)), await liveEvents(await follow(ada))]
    assert.is((await follow(ada)).status, 429)
    const other = await liveEvents(await follow(root))
    assert.is((await follow(root)).status, 429, 'all places are taken')
    await first.cancel()
    const again = await eventually(async () => {
      const answer = await follow(ada)
      return answer.status === 200 ? answer : null
    })
    for (const each of [second, other, await liveEvents(again)]) await each.cancel()
  }),
)
reading.run()

/** The events of an SSE response, one by one. */
async function liveEvents(answer: Response) {
  assert.is(answer.status, 200)
  const reader = answer.body!.pipeThrough(new TextDecoderStream()).getReader()
  let text = ''
  let isEnded = false
  const more = async () => {
    const { value = '', done } = await reader.read()
    text += value
    isEnded ||= done
  }
  await more() // the first comment: from here on it follows live
  return {
    async next(): Promise<{ id: string; resource: string }> {
      for (;;) {
        const event = /event: audit\ndata: (.*)\nid: (\d+)\n\n/.exec(text)
        if (event === null) await more()
        else {
          text = text.slice(event.index + event[0].length)
          return { id: event[2]!, resource: (JSON.parse(event[1]!) as AuditResponse).resource_id! }
        }
      }
    },
    async ended(): Promise<boolean> {
      await more()
      return isEnded
    },
    cancel: () => reader.cancel(),
  }
}
