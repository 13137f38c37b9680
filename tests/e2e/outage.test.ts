// The database disappears, hangs, comes back, or refuses one board: what people notice, and that nothing is lost.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import * as Y from 'yjs'
import type { BoardroomOptions } from '../../server/boardroom.ts'
import { CloseCode, encodeSync, MessageType, SyncStep } from '../../shared/protocol.ts'
import { DatabaseWay } from '../helpers/database-way.ts'
import { eventually } from '../helpers/eventually.ts'
import type { RawClient } from '../helpers/raw-client.ts'
import { type TestServer, withServer } from '../helpers/server.ts'

const outage = suite('an unavailable database')

interface Situation extends TestServer {
  way: DatabaseWay
  board: string
  ticket: string
  ada: RawClient
  bob: RawClient
  /** Joins and requests the full state. */
  join(): Promise<RawClient>
}

/** Two people on a board with one saved edit. */
const withTwo = (work: (situation: Situation) => Promise<void>, options: Partial<BoardroomOptions> = {}) => {
  const way = new DatabaseWay()
  return withServer(
    async (server) => {
      const person = await server.user('Ada')
      const board = await person.board()
      const ticket = await person.ticket(board)
      const join = async () => {
        const client = await server.raw(board, { ticket })
        client.send(encodeSync(SyncStep.step1, Uint8Array.of(0)))
        return client
      }
      const [ada, bob] = [await join(), await join()]
      await Promise.all([ada, bob].map((client) => client.message(MessageType.hello)))
      await draw(ada, 'before')
      try {
        await work({ ...server, way, board, ticket, ada, bob, join })
      } finally {
        await way.restore()
      }
    },
    options,
    (url) => way.open(url),
  ).finally(() => way.close())
}

const put = (client: RawClient, key: string): number =>
  client.edit((doc) => doc.getMap('notes').set(key, key))
const draw = async (client: RawClient, key: string): Promise<void> => {
  const count = put(client, key)
  await eventually(() => client.saved >= count)
}
const sees = (client: RawClient, key: string) => () => client.doc.getMap('notes').has(key)
const stored = async ({ db, board }: Situation): Promise<string[]> => {
  const doc = new Y.Doc()
  // In this order: anything that is folded between the two statements is then in both, instead of in neither.
  const rows = await db.selectFrom('board_updates').select('data').where('board_id', '=', board).execute()
  const snapshots = await db
    .selectFrom('board_snapshots')
    .select('state')
    .where('board_id', '=', board)
    .execute()
  for (const { state } of snapshots) Y.applyUpdate(doc, state)
  for (const { data } of rows) Y.applyUpdate(doc, data)
  return [...doc.getMap('notes').keys()]
}
const gauge = async ({ ask }: Situation, name: string): Promise<number> =>
  Number(new RegExp(`^${name} (\\S+)$`, 'm').exec((await ask('GET', '/metrics')).body)?.[1])

outage('refuses joins with 4503 and lets rooms continue; everything is saved when it is back', () =>
  withTwo(async (situation) => {
    const { way, ask, ada, bob, join } = situation
    way.cut()
    const count = put(ada, 'during')
    await eventually(sees(bob, 'during'))
    assert.is((await (await join()).closed).code, CloseCode.busy)
    assert.is((await ask('GET', '/readyz')).status, 503)
    assert.is((await ask('GET', '/healthz')).status, 200)
    assert.ok((await gauge(situation, 'boardroom_unsaved_bytes')) > 0)
    await eventually(async () => (await gauge(situation, 'boardroom_listening')) === 0)
    assert.ok(ada.saved < count, 'nothing is called saved that is not')
    await way.restore()
    await eventually(() => ada.saved >= count)
    assert.ok((await stored(situation)).includes('during'))
    await eventually(async () => (await ask('GET', '/readyz')).status === 200)
    await eventually(sees(await join(), 'during'))
    assert.is(await gauge(situation, 'boardroom_unsaved_bytes'), 0)
  }),
)

outage('ends rooms with 4503 when it stays away, and saves what they held when it is back', () =>
  withTwo(
    async (situation) => {
      const { way, ada, bob, join } = situation
      way.cut()
      put(ada, 'held')
      for (const client of [ada, bob]) assert.is((await client.closed).code, CloseCode.busy)
      await way.restore()
      await eventually(async () => (await stored(situation)).includes('held'))
      // A refused join is open, too, until it is told so.
      const again = await eventually(async () => {
        const client = await join()
        return Promise.race([
          client.message(MessageType.hello).then(() => client),
          client.closed.then(() => null),
        ])
      })
      await eventually(sees(again, 'held'))
    },
    { goOnUnsavedMs: 1000 },
  ),
)

outage('that is out of disk space refuses joins, reports it, and has everything once there is space', () =>
  withTwo(async (situation) => {
    const { ask, ada, bob, join, pool, schema } = situation
    const ready = async () => (await ask('GET', '/readyz')).body
    await pool.query(`create function ${schema}.full() returns trigger language plpgsql as
      $$ begin raise exception 'could not extend file: No space left on device' using errcode = '53100'; end $$`)
    await pool.query(`create trigger full_disk before insert on ${schema}.board_updates
      execute function ${schema}.full()`)
    const count = put(ada, 'during')
    await eventually(sees(bob, 'during'))
    await eventually(async () => (await ready()).checks.saving === 'failed')
    assert.is((await ask('GET', '/readyz')).status, 503)
    assert.is(await gauge(situation, 'boardroom_saving'), 0)
    assert.is((await (await join()).closed).code, CloseCode.busy)
    assert.ok(ada.saved < count, 'nothing is called saved that is not')
    await pool.query(`drop trigger full_disk on ${schema}.board_updates`)
    await eventually(() => ada.saved >= count)
    assert.ok((await stored(situation)).includes('during'))
    assert.is((await ready()).status, 'ready')
    await eventually(sees(await join(), 'during'))
    for (const client of [ada, bob]) assert.is(client.socket.readyState, client.socket.OPEN)
  }),
)

outage('that is slow delays no edit on its way to others, and slows writers instead of dropping edits', () =>
  withTwo(async (situation) => {
    const { ask, ada, bob, pool, schema } = situation
    await pool.query(`create function ${schema}.slow() returns trigger language plpgsql as
      $$ begin perform pg_advisory_xact_lock(4711), pg_sleep(0.3); return null; end $$`)
    await pool.query(`create trigger slow_disk after insert on ${schema}.board_updates
      execute function ${schema}.slow()`)
    const holder = await pool.connect()
    await holder.query('select pg_advisory_lock(4711)')
    const count = put(ada, 'during')
    await eventually(sees(bob, 'during'))
    assert.ok(ada.saved < count, 'seen before it is saved')
    holder.release(true)
    // More than a room may hold unsaved.
    let last = 0
    for (let edit = 0; edit < 20; edit++)
      last = ada.edit((doc) => doc.getMap('notes').set(`large ${edit}`, new Uint8Array(800_000)))
    await eventually(() => ada.saved >= last, { withinMs: 60_000 })
    await eventually(sees(bob, 'large 19'))
    assert.is((await stored(situation)).length, 22)
    assert.is((await ask('GET', '/readyz')).status, 200)
    for (const client of [ada, bob]) assert.is(client.socket.readyState, client.socket.OPEN)
  }),
)

outage('that restarts while people draw loses no edit and no connection', () =>
  withTwo(async (situation) => {
    const { way, pool, ada, bob } = situation
    let count = 0
    for (let edit = 0; edit < 300; edit++) {
      count = put(ada, `k${edit}`)
      if (edit % 100 === 50) {
        way.cut()
        await way.restore()
      }
      if (edit % 10 === 0) await pool.query('select 1')
    }
    await eventually(() => ada.saved >= count)
    assert.is((await stored(situation)).length, 301)
    await eventually(sees(bob, 'k299'))
    for (const client of [ada, bob]) assert.is(client.socket.readyState, client.socket.OPEN)
  }),
)

outage('that refuses the edits of one board affects only that board', () =>
  withTwo(async (situation) => {
    const { user, raw, pool, schema, board, ada, bob } = situation
    const cyd = await user('Cyd')
    const other = await cyd.board('Other')
    const client = await raw(other, { ticket: await cyd.ticket(other) })
    await client.message(MessageType.hello)
    await pool.query(`create function ${schema}.refuse() returns trigger language plpgsql as
      $$ begin raise exception 'no more of this board'; end $$`)
    await pool.query(`create trigger refuse before insert on ${schema}.board_updates for each row
      when (new.board_id = '${board}') execute function ${schema}.refuse()`)
    const count = put(ada, 'refused')
    await draw(client, 'kept')
    assert.ok((await ada.closed).code >= 1000)
    await bob.closed
    assert.ok(ada.saved < count, 'it is not called saved')
    await draw(client, 'kept too')
    assert.is(client.socket.readyState, client.socket.OPEN)
    assert.equal(await stored(situation), ['before'])
  }),
)

outage.run()
