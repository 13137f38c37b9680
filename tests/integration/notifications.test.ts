import pg from 'pg'
import { pino } from 'pino'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  defaultPace,
  type EventNotification,
  Notifications,
  type NotificationsOptions,
} from '../../server/database/notifications.ts'
import { type TestDatabase, withDatabase } from '../helpers/database.ts'
import { eventually } from '../helpers/eventually.ts'
import { withProxy } from '../helpers/proxy.ts'

const notifications = suite('notifications of the database')
const log = pino({ level: 'silent' })

interface Listening extends TestDatabase {
  notifications: Notifications
  /** Every array that arrived, in order. */
  heard: string[][]
  notify(...payloads: string[]): Promise<void>
  backendPid(): Promise<number | null>
}

const withListening = (
  work: (test: Listening) => Promise<void>,
  options: Partial<NotificationsOptions> = {},
): Promise<void> =>
  withDatabase(async (test) => {
    const { database, pool, schema } = test
    const listening = new Notifications({ direct: database.direct, schema, log, ...options })
    const heard: string[][] = []
    listening.onAccess((payloads) => heard.push(payloads))
    await listening.start()
    try {
      await work({
        ...test,
        notifications: listening,
        heard,
        notify: async (...payloads) => {
          await pool.query(`select pg_notify($1, payload) from unnest($2::text[]) as payload`, [
            `${schema}_access`,
            payloads,
          ])
        },
        backendPid: async () => {
          const { rows } = await pool.query<{ pid: number }>(
            `select pid from pg_stat_activity where datname = current_database() and application_name like 'boardroom listens%'`,
          )
          return rows[0]?.pid ?? null
        },
      })
    } finally {
      await listening.close()
    }
  })

/** Frequent enough for a test, but patient: a slow moment of a busy machine does not count as a loss. */
const calm = { heartbeatMs: 50, patienceMs: 60_000 }
/** Time-outs short enough for a test; the defaults add up to 7 s. What they treat as a loss may be a slow moment. */
const quick = { heartbeatMs: 150, patienceMs: 250 }

notifications('of one moment arrive as one array of distinct payloads', () =>
  withListening(async ({ heard, notify, pool, schema }) => {
    await notify('b:1', 'u:7', 'b:1')
    await eventually(() => heard.length > 0)
    assert.equal(heard, [['b:1', 'u:7']])
    await pool.query(`select pg_notify($1, 'b:' || n) from generate_series(1, 1000) as n`, [
      `${schema}_access`,
    ])
    await eventually(() => heard.flat().length === 1002)
    assert.ok(heard.length < 20, `${heard.length} arrays`)
  }, calm),
)

notifications('say nothing of heartbeats, their own or those of others', () =>
  withListening(async ({ heard, notify, notifications: listening }) => {
    await notify('h:somebody else')
    const start = listening.lastHeardAt
    await eventually(() => listening.lastHeardAt > start + 200)
    assert.equal(heard, [])
  }, calm),
)

notifications('that mean everything stand alone', () =>
  withListening(async ({ heard, notify }) => {
    await notify('b:1', '*', 'u:7')
    await eventually(() => heard.length > 0)
    assert.equal(heard, [['*']])
  }),
)

notifications('of board events arrive parsed, and others are ignored', () =>
  withListening(async ({ notifications: listening, pool, schema }) => {
    const events: EventNotification[] = []
    const failing = listening.onEvent(() => {
      throw new Error('one listener fails')
    })
    listening.onEvent((event) => events.push(event))
    const event = { type: 'title', title: 'Roadmap' } as const
    for (const payload of ['not json', 'null', '{"board_id":7}', JSON.stringify({ board_id: 'b1', event })]) {
      await pool.query('select pg_notify($1, $2)', [`${schema}_events`, payload])
    }
    await eventually(() => events.length > 0)
    assert.equal(events, [{ boardId: 'b1', event }])
    failing()
  }),
)

notifications(
  'are received again after the backend was terminated, with a call to check everything again',
  () =>
    withListening(async ({ heard, notify, pool, backendPid }) => {
      const pid = await backendPid()
      await pool.query('select pg_terminate_backend($1)', [pid])
      await eventually(() => heard.length > 0)
      assert.equal(heard, [['*']])
      await eventually(async () => (await backendPid()) !== pid) // the former one is listed until it has ended
      await notify('b:2')
      await eventually(() => heard.length > 1)
      assert.equal(heard[1], ['b:2'])
    }, calm),
)

notifications('are tested so often that a loss is noticed within seven seconds', () => {
  assert.ok(defaultPace.heartbeatMs + defaultPace.patienceMs <= 7000)
})

notifications('are received again after the backend froze without an error', () =>
  withListening(async ({ heard, notify, backendPid }) => {
    const pid = (await backendPid()) ?? 0
    process.kill(pid, 'SIGSTOP')
    try {
      await eventually(() => heard.length > 0)
      assert.equal(heard[0], ['*'])
      await eventually(async () => {
        await notify('b:3')
        return heard.flat().includes('b:3')
      })
    } finally {
      process.kill(pid, 'SIGCONT')
    }
  }, quick),
)

notifications('do not count as received merely because the connection still answers', () =>
  withDatabase(({ url, schema }) => {
    let deaf = true
    const loseHeartbeats = (bytes: Buffer) =>
      deaf ? Buffer.from(bytes.toString('latin1').replaceAll('h:', 'x:'), 'latin1') : bytes
    return withProxy(url, loseHeartbeats, async (proxy) => {
      const listening = new Notifications({ direct: proxy.url, schema, log, ...quick })
      const heard: string[] = []
      listening.onAccess((payloads) => heard.push(...payloads))
      await listening.start()
      await eventually(() => heard.includes('*'))
      deaf = false
      await listening.close()
    })
  }),
)

notifications('find the database again after an outage', () =>
  withListening(async ({ heard, notifications: listening, url }) => {
    const name = new URL(url.replace('@/', '@host/')).pathname.slice(1)
    const maintenance = new pg.Client({ connectionString: url.replace(`/${name}`, '/postgres') })
    await maintenance.connect()
    await maintenance.query(`alter database ${name} allow_connections false`)
    await maintenance.query('select pg_terminate_backend(pid) from pg_stat_activity where datname = $1', [
      name,
    ])
    await eventually(() => !listening.isListening)
    const lastHeardAt = listening.lastHeardAt
    await new Promise((resolve) => setTimeout(resolve, 100)) // unavailable for several attempts
    assert.equal(heard, [])
    assert.is(listening.lastHeardAt, lastHeardAt)
    await maintenance.query(`alter database ${name} allow_connections true`)
    await maintenance.end()
    await eventually(() => heard.length > 0)
    assert.equal(heard, [['*']])
  }, calm),
)

notifications('end with close, and leave no session behind', () =>
  withListening(async ({ heard, notify, notifications: listening, backendPid }) => {
    const sent = notify('b:9')
    await listening.close()
    await sent
    await eventually(async () => (await backendPid()) === null || undefined)
    assert.equal(heard, [])
  }),
)

notifications.run()
