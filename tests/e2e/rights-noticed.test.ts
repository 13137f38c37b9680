// What keeps a permission change from being missed: a LISTEN connection that died or hangs, and a join in progress
// when its permission was removed.

import pg from 'pg'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { CloseCode, MessageType } from '../../shared/protocol.ts'
import { eventually } from '../helpers/eventually.ts'
import type { RawClient } from '../helpers/raw-client.ts'
import { type Person, type TestServer, withServer } from '../helpers/server.ts'

const noticing = suite('a permission change')

/**
 * Waits for the end, with a time limit: well within the minute after which everybody is checked anyway.
 * @returns the close code
 */
const endOf = async (client: RawClient): Promise<number> => {
  await eventually(() => client.socket.readyState === client.socket.CLOSED, { withinMs: 30_000 })
  return (await client.closed).code
}

const listener = async ({ pool }: TestServer): Promise<number> => {
  const { rows } = await pool.query<{ pid: number }>(
    `select pid from pg_stat_activity where datname = current_database() and application_name like 'boardroom listens%'`,
  )
  assert.is(rows.length, 1)
  return rows[0]?.pid ?? 0
}

/** Bob, with an open socket, and the change that removes his access. */
const withBobInside = async (server: TestServer) => {
  const [ada, bob] = [await server.user('Ada'), await server.user('Bob')]
  const board = await ada.board()
  await ada.grant(board, bob, 'edit')
  const client = await server.raw(board, { ticket: await bob.ticket(board) })
  await client.message(MessageType.hello)
  const revoke = () =>
    server.pool.query(`delete from ${server.schema}.board_permissions where board_id = $1`, [board])
  return { ada, bob, board, client, revoke }
}

noticing('takes effect on the open socket within a moment', () =>
  withServer(async (server) => {
    const { client, revoke } = await withBobInside(server)
    await revoke()
    assert.is(await endOf(client), CloseCode.noAccess)
  }),
)

noticing('made while nobody listened is noticed when the server listens again', () =>
  withServer(async (server) => {
    const { client, revoke } = await withBobInside(server)
    const { rows } = await server.pool.query<{ name: string }>('select current_database() as name')
    const elsewhere = new pg.Client({ connectionString: server.url.replace(/\/[^/?]*\?/, '/postgres?') })
    await elsewhere.connect()
    const allow = (yes: boolean) =>
      elsewhere.query(`alter database ${rows[0]?.name} allow_connections ${yes}`)
    try {
      const pid = await listener(server)
      await allow(false) // so that the change happens while it cannot listen
      await server.pool.query('select pg_terminate_backend($1)', [pid])
      await eventually(async () => {
        const gone = await server.pool.query('select 1 from pg_stat_activity where pid = $1', [pid])
        return gone.rows.length === 0
      })
      await revoke()
      assert.is(client.socket.readyState, client.socket.OPEN)
    } finally {
      await allow(true)
      await elsewhere.end()
    }
    assert.is(await endOf(client), CloseCode.noAccess)
  }),
)

noticing('that a frozen connection does not deliver is noticed at the next heartbeat', () =>
  withServer(
    async (server) => {
      const { client, revoke } = await withBobInside(server)
      const pid = await listener(server)
      process.kill(pid, 'SIGSTOP')
      try {
        await revoke()
        assert.is(await endOf(client), CloseCode.noAccess)
      } finally {
        process.kill(pid, 'SIGCONT')
      }
    },
    { heartbeatMs: 1000 },
  ),
)

/** Keeps `access` rows of one person from being written until `work` is done. */
async function whileJoinsOfWait(
  server: TestServer,
  person: Person,
  work: () => Promise<void>,
): Promise<void> {
  const { pool, schema, url } = server
  await pool.query(`create function ${schema}.hold() returns trigger language plpgsql as
    $$ begin perform pg_advisory_xact_lock(42); return new; end $$`)
  await pool.query(`create trigger hold before insert on ${schema}.audit_logs for each row
    when (new.action = 'access' and new.user_id = ${person.id}) execute function ${schema}.hold()`)
  const holder = new pg.Client({ connectionString: url })
  await holder.connect()
  try {
    await holder.query('select pg_advisory_lock(42)')
    await work()
  } finally {
    await holder.end()
  }
}

const joinWaits = ({ pool }: TestServer) =>
  eventually(async () => {
    const { rows } = await pool.query(
      `select 1 from pg_stat_activity where wait_event = 'advisory' and datname = current_database()`,
    )
    return rows.length > 0
  })

noticing('between the decision and the admission refuses the join', () =>
  withServer(async (server) => {
    const { bob, board, client: inside, revoke } = await withBobInside(server)
    let joining = inside
    await whileJoinsOfWait(server, bob, async () => {
      joining = await server.raw(board, { ticket: await bob.ticket(board) })
      await joinWaits(server)
      await revoke()
      await endOf(inside) // so the change has been announced, and checked
      assert.equal(joining.received, [])
    })
    assert.is(await endOf(joining), CloseCode.noAccess)
    assert.equal(joining.received, [], 'neither a hello nor a byte of the board')
    await eventually(async () => {
      const actions = await server.actions(board)
      const count = (action: string) => actions.filter((one) => one === action).length
      return count('access') === 2 && count('leave') === 2
    })
  }),
)

noticing('between the decision and the admission lets the join in at the current level', () =>
  withServer(async (server) => {
    const { ada, bob, board, client: inside } = await withBobInside(server)
    let joining = inside
    await whileJoinsOfWait(server, bob, async () => {
      joining = await server.raw(board, { ticket: await bob.ticket(board) })
      await joinWaits(server)
      await ada.grant(board, bob, 'view')
      await inside.message(MessageType.level)
    })
    assert.is((await joining.message(MessageType.hello)).level, 'view')
  }),
)

noticing('leaves no access row without its leave if the client gave up while joining', () =>
  withServer(async (server) => {
    const { bob, board, client: inside } = await withBobInside(server)
    await whileJoinsOfWait(server, bob, async () => {
      const joining = await server.raw(board, { ticket: await bob.ticket(board) })
      await joinWaits(server)
      joining.terminate()
      await joining.closed
    })
    inside.close()
    await eventually(async () => {
      const actions = await server.actions(board)
      return actions.filter((action) => action === 'leave').length === 2
    })
  }),
)

noticing.run()
