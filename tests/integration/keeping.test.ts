// Expired data, category by category: listed, removed by the command, and by the server itself.
import { rejects } from 'node:assert/strict'
import { sql } from 'kysely'
import { pino } from 'pino'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Db } from '../../server/database/database.ts'
import { systemActor } from '../../server/principal.ts'
import { applyRetention, cleanUp, retentionTable } from '../../server/privacy/retention.ts'
import { defaultRetention, type Retention, retentionCategories } from '../../server/retention.ts'
import { withDatabase } from '../helpers/database.ts'
import { make } from '../helpers/factories.ts'
import { withoutTrailOf } from '../helpers/without-trail.ts'

const keeping = suite('retention')

const dayMs = 86_400_000
const ago = (days: number) => new Date(Date.now() - days * dayMs)
const actor = { ...systemActor, name: 'command line: ada' }
const running = () => ({ onProgress: () => undefined, signal: new AbortController().signal })
const all = Object.fromEntries(retentionCategories.map((category) => [category, 10])) as Retention // each of them

/** In each category one row that is 11 days old and one that is 9. @returns how many old rows there are */
async function fill(db: Db): Promise<Record<keyof Retention, number>> {
  const board = await make.board(db)
  const webhook = await make.webhook(db)
  for (const days of [11, 9]) {
    const at = ago(days)
    await make.session(db, { expires_at: at })
    await make.guest(db, { expires_at: at })
    await make.invitation(db, { accepted_at: at })
    await make.passwordReset(db, { expires_at: at })
    await make.verification(db, { expires_at: at })
    for (const done of [{ state: 'delivered' as const, delivered_at: at }, {}]) {
      const { id } = await make.webhookEvent(db, { created_at: at })
      await make.webhookDelivery(db, { webhook_id: webhook.id, event_id: id, ...done })
    }
    for (const in_trail of [true, false])
      await make.agentEdit(db, { board_id: board.id, created_at: at, in_trail })
    await make.version(db, { board_id: board.id, created_at: at, reason: 'automatic' })
    await make.version(db, { board_id: board.id, created_at: at, reason: 'named', name: 'Kept' })
    await make.board(db, { deleted_at: at })
    await make.notification(db, { created_at: at })
    await make.accessRequest(db, { answered_at: at })
    await make.accessRequest(db)
  }
  return {
    ...(Object.fromEntries(retentionCategories.map((name) => [name, 1])) as typeof all),
    tokens: 3,
  } as Record<keyof Retention, number>
}

const olderOf = async (db: Db, retention: Retention) =>
  Object.fromEntries(
    (await retentionTable(db, retention)).map(({ category, older }) => [category, older] as const),
  )
const retentionRows = async (db: Db) => {
  const rows = await db.selectFrom('audit_logs').selectAll().where('action', '=', 'retention').execute()
  return rows.map(({ actor_name, details }) => [actor_name, details])
}

keeping(
  'is listed for each category, by which setting, with what is too old; what never goes is listed too',
  () =>
    withDatabase(async ({ db }) => {
      const old = await fill(db)
      const table = await retentionTable(db, { ...defaultRetention, trash: 10, notifications: 10 })
      const line = (name: string) => table.find(({ category }) => category === name)
      assert.equal(
        [line('trash')?.kept, line('trash')?.setting, line('trash')?.older],
        ['10 days after their deletion', 'BOARDROOM_RETENTION', 1],
      )
      assert.equal([line('guests')?.setting, line('guests')?.older], ['default', 0])
      assert.equal([line('versions')?.kept, line('versions')?.older], ['for ever, thinned out', null])
      for (const name of ['trail', 'consents', 'boards', 'exports, tickets'])
        assert.is(line(name)?.older, null, name)
      const older = await olderOf(db, all)
      for (const name of retentionCategories) assert.is(older[name], old[name], name)
    }),
)

keeping('removes exactly the expired data, with one row in the trail for each category', () =>
  withDatabase(async (test) => {
    const { db, database } = test
    const old = await fill(db)
    const told: string[] = []
    const removed = await applyRetention(database, actor, all, {
      ...running(),
      onProgress: (category, done, total) => told.push(`${category} ${done}/${total}`),
    })
    assert.equal(Object.fromEntries(removed.map(({ category, rows }) => [category, rows])), old)
    assert.equal(told.at(0), 'sessions 1/1')
    assert.ok(told.includes('tokens 3/3'), told.join())
    const left = await olderOf(db, all)
    for (const name of retentionCategories) assert.is(left[name], 0, name)
    const yesterday = { ...all }
    for (const name of retentionCategories) Object.assign(yesterday, { [name]: 8 })
    const younger = await olderOf(db, yesterday)
    for (const name of retentionCategories) assert.is(younger[name], old[name], `${name}, younger`)
    const versions = await db.selectFrom('board_versions').select('reason').execute()
    assert.is(versions.filter(({ reason }) => reason === 'named').length, 2)
    const pending = await db.selectFrom('webhook_deliveries').select('state').execute()
    assert.is(pending.filter(({ state }) => state === 'pending').length, 2, 'what is due is still delivered')
    const untold = await db.selectFrom('agent_edits').select('id').where('in_trail', '=', false).execute()
    assert.is(untold.length, 2, 'what the trail is still to be told is told')
    assert.equal(
      await retentionRows(db),
      removed.map(({ category, rows }) => [actor.name, { category, days: 10, rows }]),
    )
    const again = await db
      .selectFrom('audit_logs')
      .select('resource_type')
      .where('action', '=', 'delete')
      .where('resource_type', '!=', 'board')
      .execute()
    assert.equal(again, [], 'what is over is not told again, address and all')
    const purged = await db
      .selectFrom('audit_logs')
      .select('actor_name')
      .where('action', '=', 'delete')
      .where('category', '=', 'board')
      .where('resource_type', '=', 'board')
      .execute()
    assert.ok(
      purged.some(({ actor_name }) => actor_name === actor.name),
      'a purged board leaves its own row',
    )
    assert.equal(await applyRetention(database, actor, all, running()), [])
  }),
)

keeping('may be stopped: what is gone by then is recorded, and the rest goes another time', () =>
  withDatabase(async ({ db, database }) => {
    for (let count = 0; count < 12; count++) await make.board(db, { deleted_at: ago(11) })
    const stop = new AbortController()
    const trash = { ...defaultRetention, trash: 10 }
    const options = { onProgress: () => stop.abort(), signal: stop.signal }
    const [first] = await applyRetention(database, actor, trash, options)
    assert.ok(first !== undefined && first.rows > 0 && first.rows < 12, `${first?.rows} of 12`)
    assert.equal(await retentionRows(db), [[actor.name, { category: 'trash', days: 10, rows: first.rows }]])
    const [rest] = await applyRetention(database, actor, trash, running())
    assert.is(first.rows + (rest?.rows ?? 0), 12)
    const told = (await retentionRows(db)).map(([, details]) => (details as { rows: number }).rows)
    assert.equal(told, [5, 5, 2], 'each batch with its own row')
  }),
)

keeping('removes nothing that it cannot record', () =>
  withDatabase(async ({ db, database }) => {
    await make.board(db, { deleted_at: ago(11) })
    const trash = { ...defaultRetention, trash: 10 }
    await withoutTrailOf(db, ['retention'], () =>
      rejects(applyRetention(database, actor, trash, running()), /no row today/),
    )
    assert.is((await db.selectFrom('boards').select('id').execute()).length, 1)
    assert.is((await applyRetention(database, actor, trash, running()))[0]?.rows, 1)
  }),
)

keeping('changes nothing for a database role that may not record it', () =>
  withDatabase(async ({ db, database, schema }) => {
    await make.session(db, { expires_at: ago(1) })
    await sql`drop role if exists keeping_server`.execute(db)
    await sql`create role keeping_server`.execute(db)
    await sql`grant usage on schema ${sql.id(schema)} to keeping_server`.execute(db)
    await sql`grant select, delete on all tables in schema ${sql.id(schema)} to keeping_server`.execute(db)
    try {
      await db.connection().execute(async (own) => {
        await sql`set role keeping_server`.execute(own)
        try {
          await rejects(applyRetention({ ...database, db: own }, actor, all, running()), {
            code: 'access_denied',
            message: /owner’s|owner's/,
          })
        } finally {
          await sql`reset role`.execute(own)
        }
      })
      assert.is((await db.selectFrom('sessions').selectAll().execute()).length, 1)
    } finally {
      await sql`drop owned by keeping_server`.execute(db)
      await sql`drop role keeping_server`.execute(db)
    }
  }),
)

keeping('ends by the server alone as well, with nothing in the trail for what goes by the clock', () =>
  withDatabase(async ({ db }) => {
    await fill(db)
    const usual = { ...defaultRetention, sessions: 10, guests: 10, webhooks: 10 }
    await cleanUp(db, usual, pino({ level: 'silent' }), new AbortController().signal)
    const older = await olderOf(db, all)
    assert.equal(
      retentionCategories.filter((name) => older[name] === 0),
      ['sessions', 'guests', 'webhooks'],
    )
    assert.equal(await retentionRows(db), [])
  }),
)

keeping.run()
