// The process's writer of the trail, and what it does when things go wrong.
import { rejects } from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { AuditEvent } from '../../server/audit/event.ts'
import { ServerPresence } from '../../server/audit/leaves.ts'
import { AuditTrail } from '../../server/audit/trail.ts'
import { type Actor, systemActor } from '../../server/principal.ts'
import { type TestDatabase, withDatabase } from '../helpers/database.ts'
import { eventually } from '../helpers/eventually.ts'
import { make } from '../helpers/factories.ts'

const withTrail = async (
  test: TestDatabase,
  work: (trail: AuditTrail) => Promise<void>,
  options: { maxQueued?: number; repeatsWindowMs?: number } = {},
) => {
  const trail = new AuditTrail({ database: test.database, log: test.log, serverId: randomUUID(), ...options })
  try {
    await work(trail)
  } finally {
    await trail.close()
  }
}
const guest = (ip: string): Actor => ({
  ...systemActor,
  kind: 'guest',
  guestId: randomUUID(),
  name: 'Gast',
  ip,
  userAgent: 'x'.repeat(900),
})
const join = (changes: Partial<AuditEvent> = {}): AuditEvent => ({
  action: 'access',
  actor: guest('192.0.2.1'),
  boardId: randomUUID(),
  level: 'view',
  details: { connection_id: randomUUID() },
  ...changes,
})
const denied = join({ action: 'access_denied', level: null, details: { reason: 'access_denied' } })
const rows = ({ db }: TestDatabase) => db.selectFrom('audit_logs').selectAll().orderBy('timestamp').execute()

const trail = suite('the audit trail')
trail('has committed an event when record resolves, truncated to the size of its columns', () =>
  withDatabase((test) =>
    withTrail(test, async (trail) => {
      const event = join({ details: { connection_id: 'c', note: 'a\u0000b\ud800' } })
      await trail.record(event)
      const [row] = await rows(test)
      assert.equal(
        [row?.action, row?.category, row?.board_id, row?.permission_level],
        ['access', 'access', event.boardId, 'view'],
      )
      assert.is(row?.user_agent?.length, 500)
      assert.is(row?.details?.note, 'ab\ufffd')
      assert.ok(row?.details?.server_id)
      assert.is(row?.old_values, null)
    }),
  ),
)
trail('writes events of one moment in one statement, in their order', () =>
  withDatabase((test) =>
    withTrail(test, async (trail) => {
      const events = Array.from({ length: 300 }, (_, i) => join({ resourceId: `${i}` }))
      await Promise.all(events.map((event) => trail.record(event)))
      const written = await test.db
        .selectFrom('audit_logs')
        .select('resource_id')
        .orderBy('timestamp')
        .execute()
      assert.equal(
        written.map((row) => row.resource_id),
        events.map((_, i) => `${i}`),
      )
      const { rows: transactions } = await test.pool.query(
        'select count(distinct xmin::text)::int as n from boardroom.audit_logs',
      )
      assert.is(transactions[0].n, 1)
    }),
  ),
)
trail('refuses only the event that the database refuses', () =>
  withDatabase((test) =>
    withTrail(test, async (trail) => {
      const [good, bad, after] = await Promise.allSettled([
        trail.record(join()),
        trail.record(join({ boardId: null })),
        trail.record(join()),
      ])
      assert.equal([good.status, bad.status, after.status], ['fulfilled', 'rejected', 'fulfilled'])
      assert.is((bad as PromiseRejectedResult).reason.code, 'internal')
      assert.is((await rows(test)).length, 2)
    }),
  ),
)
trail(
  'refuses with database_unreachable while the database is away, and beyond its queue, and works again after',
  () =>
    withDatabase((test) =>
      withTrail(
        test,
        async (trail) => {
          await test.pool.query('alter table boardroom.audit_logs rename to away')
          await rejects(trail.record(join()), { code: 'database_unreachable' })
          await test.pool.query('alter table boardroom.away rename to audit_logs')
          const three = [trail.record(join()), trail.record(join()), trail.record(join())]
          const [, , third] = await Promise.allSettled(three)
          assert.is((third as PromiseRejectedResult).reason.code, 'database_unreachable')
          await trail.record(join())
          assert.is((await rows(test)).length, 3)
        },
        { maxQueued: 2 },
      ),
    ),
)
trail('writes the first refusal at once and repeats of a minute as one row with a count', () =>
  withDatabase((test) =>
    withTrail(
      test,
      async (trail) => {
        await trail.record(denied)
        assert.is((await rows(test)).length, 1)
        for (let i = 0; i < 50; i++) await trail.record(denied)
        await trail.record({ ...denied, actor: { ...denied.actor, ip: '192.0.2.99' } })
        assert.is((await rows(test)).length, 2, 'another address is another first')
        await trail.flush()
        const [, , counted] = await rows(test)
        assert.equal([counted?.details?.repeats, counted?.ip_address], [50, '192.0.2.1'])
      },
      { repeatsWindowMs: 3_600_000 },
    ),
  ),
)
trail('writes what it counted when the minute is over', () =>
  withDatabase((test) =>
    withTrail(
      test,
      async (trail) => {
        for (let i = 0; i < 51; i++) await trail.record(denied)
        await eventually(async () => {
          const counts = (await rows(test)).map(({ details }) => Number(details?.repeats ?? 1))
          return counts.reduce((sum, count) => sum + count, 0) === 51
        })
      },
      { repeatsWindowMs: 20 },
    ),
  ),
)
trail('writes counted repeats when it is closed, and nothing after', () =>
  withDatabase(async (test) => {
    let kept: AuditTrail | null = null
    await withTrail(test, async (trail) => {
      kept = trail
      await Promise.all([trail.record(denied), trail.record(denied), trail.record(denied)])
    })
    assert.equal(
      (await rows(test)).map(({ details }) => details?.repeats),
      [undefined, 2],
    )
    await rejects(kept!.record(join()), { code: 'closing' })
  }),
)
trail('records a read once an hour for each principal, board and route, committed before it resolves', () =>
  withDatabase((test) =>
    withTrail(test, async (trail) => {
      const [ada, boardId] = [guest('192.0.2.1'), randomUUID()]
      await Promise.all([
        trail.recordRead(ada, boardId, 'document'),
        trail.recordRead(ada, boardId, 'document'),
      ])
      assert.is((await rows(test)).length, 1)
      await trail.recordRead(ada, boardId, 'thumbnail')
      await trail.recordRead(ada, randomUUID(), 'document')
      await trail.recordRead(guest('192.0.2.1'), boardId, 'document')
      assert.equal(
        (await rows(test)).map(({ action, details }) => [action, details?.route]),
        [
          ['read', 'document'],
          ['read', 'thumbnail'],
          ['read', 'document'],
          ['read', 'document'],
        ],
      )
    }),
  ),
)
trail.run()

const lost = suite('a server that is lost')
lost('gets its missing leave rows from the next start, once, and only where they are missing', () =>
  withDatabase(async (test) => {
    const [dead, living] = [randomUUID(), new ServerPresence(test.database, test.log)]
    await make.server(test.db, { id: dead })
    await living.start()
    const [stays, leaves, elsewhere] = [join(), join(), join()]
    for (const [serverId, event] of [
      [dead, stays],
      [dead, leaves],
      [dead, { ...leaves, action: 'leave' }],
      [living.serverId, elsewhere],
    ] as const) {
      const trail = new AuditTrail({ database: test.database, log: test.log, serverId })
      await trail.record(event)
      await trail.close()
    }
    await test.db.updateTable('servers').set({ ended_at: null }).where('id', '=', dead).execute()

    const next = new ServerPresence(test.database, test.log)
    assert.is(await next.start(), 1)
    assert.is(await next.mendLeaves(), 0)
    const [written, ...more] = (await rows(test)).filter(({ details }) => details?.reason === 'server lost')
    assert.is(more.length, 0)
    assert.equal(
      [written?.action, written?.board_id, written?.guest_id, written?.details?.connection_id],
      ['leave', stays.boardId, stays.actor.guestId, stays.details?.connection_id],
    )
    await Promise.all([living.close(), next.close()])
  }),
)
lost('that has the answer to an access row lost writes its leave, where there is one to write', () =>
  withDatabase(async (test) => {
    const server = new ServerPresence(test.database, test.log)
    await server.start()
    const trail = new AuditTrail({ database: test.database, log: test.log, serverId: server.serverId })
    const [committed, here] = [join(), join()]
    await trail.record(committed)
    await trail.record(here)
    await trail.close()
    server.oweLeave(String(committed.details?.connection_id))
    server.oweLeave(randomUUID()) // none of which was committed
    await server.close()
    const leaves = (await rows(test)).filter(({ action }) => action === 'leave')
    assert.equal(
      leaves.map(({ details, guest_id }) => [details?.connection_id, guest_id, details?.reason]),
      [[committed.details?.connection_id, committed.actor.guestId, 'recorded late']],
    )
  }),
)
lost('leaves no connection behind while another process holds its lock', () =>
  withDatabase(async (test) => {
    const database = {
      ...test.database,
      direct: `${test.url}${test.url.includes('?') ? '&' : '?'}options=-c%20lock_timeout%3D50ms`,
    }
    const living = new ServerPresence(database, test.log)
    await living.start()
    const open = async (): Promise<number[]> =>
      (
        await test.pool.query(
          `select pid from pg_stat_activity where application_name = 'boardroom presence' and datname = current_database()`,
        )
      ).rows.map(({ pid }) => pid)
    const [first] = await open()
    const key = `hashtextextended('${test.database.schema}.server.${living.serverId}', 0)`
    const other = await test.pool.connect()
    try {
      // Waits for the current holder, and gets it when that dies.
      const taken = other.query(`select pg_advisory_lock(${key})`)
      await test.pool.query('select pg_terminate_backend($1)', [first])
      await taken
      const seen = new Set<number>()
      await eventually(async () => {
        for (const pid of await open()) seen.add(pid)
        return seen.size > 2
      })
      await eventually(async () => (await open()).length <= 1)
      assert.ok((await open()).length <= 1)
      await other.query(`select pg_advisory_unlock(${key})`)
    } finally {
      other.release()
    }
    await living.close()
  }),
)
lost('is known to be alive by a lock that it acquires again when its connection dies', () =>
  withDatabase(async (test) => {
    const living = new ServerPresence(test.database, test.log)
    await living.start()
    const holder = async () =>
      (
        await test.pool.query(
          `select pid from pg_locks join pg_stat_activity using (pid) where locktype = 'advisory' and application_name = 'boardroom presence' and datname = current_database()`,
        )
      ).rows[0]?.pid
    const first = await holder()
    await test.pool.query('select pg_terminate_backend($1)', [first])
    // The terminated backend is listed until it has noticed.
    const second = await eventually(async () => {
      const now = await holder()
      return now !== first && now
    })
    assert.type(second, 'number')
    await living.close()
    assert.is(
      (await test.db.selectFrom('servers').select('id').where('ended_at', 'is', null).execute()).length,
      0,
    )
  }),
)
lost.run()
