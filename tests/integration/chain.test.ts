// The trail cannot be edited: what the database refuses, and what verification finds if its owner bypasses that.
import { rejects } from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { appendFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { AuditChain } from '../../server/audit/chain.ts'
import { followAudit } from '../../server/audit/follow.ts'
import { verifyAudit } from '../../server/audit/verify.ts'
import { userCommand } from '../../server/commands/user.ts'
import { readConfig } from '../../server/config.ts'
import { makeRoles } from '../../server/database/roles.ts'
import { WaitingWork } from '../../server/database/waiting-work.ts'
import { type TestDatabase, withDatabase } from '../helpers/database.ts'
import { eventually } from '../helpers/eventually.ts'
import { make } from '../helpers/factories.ts'

/** `count` sign-ins of user 7, by hand. */
const signIns = ({ pool }: TestDatabase, count: number) =>
  pool.query(
    `insert into boardroom.audit_logs (action, category, actor_kind, actor_name, user_id, ip_address, resource_type, details)
     select 'login', 'account', 'user', 'Ada', 7, '192.0.2.7', 'session', '{"email": "ada@example.org", "n": 1}' from generate_series(1, $1)`,
    [count],
  )
/** In steps that stay far below the statement time-out, even on a busy machine. @returns how many */
const seal = async ({ pool }: TestDatabase): Promise<number> => {
  for (let sealed = 0; ; ) {
    const { rows } = await pool.query('select boardroom.seal_audit(2000) as n')
    sealed += rows[0].n
    if (rows[0].n < 2000) return sealed
  }
}
/** What an owner of the database can do, who is not trusted either. */
const tamper = async ({ pool }: TestDatabase, ...statements: string[]) => {
  const client = await pool.connect()
  try {
    await client.query(`set session_replication_role = replica`)
    for (const statement of statements) await client.query(statement)
    await client.query(`set session_replication_role = default`)
  } finally {
    client.release()
  }
}

const appendOnly = suite('the trail')
appendOnly(
  'refuses UPDATE, DELETE and TRUNCATE by its owner, on the parent, every partition and the chain',
  () =>
    withDatabase(async (test) => {
      await signIns(test, 3)
      await seal(test)
      const { rows } = await test.pool.query(
        `select relname from pg_class where relnamespace = 'boardroom'::regnamespace and relkind in ('r', 'p') and (relname like 'audit\\_logs%' or relname = 'audit_chain')`,
      )
      assert.ok(rows.length >= 7, 'parent, default, four months, chain')
      for (const { relname } of rows) {
        const column = relname === 'audit_chain' ? 'seq' : 'action'
        for (const statement of [
          `update boardroom.${relname} set ${column} = ${column}`,
          `update boardroom.${relname} set ${column} = ${column} where false`,
          `delete from boardroom.${relname}`,
          `delete from boardroom.${relname} where false`,
          `truncate boardroom.${relname}`,
        ]) {
          await rejects(test.pool.query(statement), { code: '42501' }, statement)
        }
      }
    }),
)
appendOnly('lets nobody use the erasure setting for anything but erasing', () =>
  withDatabase(async (test) => {
    await signIns(test, 1)
    const erasing = `select set_config('boardroom.erasing', '${randomUUID()}', false);`
    for (const change of [
      `action = 'logout'`,
      `actor_name = 'Eve'`,
      `actor_name = null, ip_address = null`,
      `user_id = 8`,
    ]) {
      await rejects(
        test.pool.query(`${erasing} update boardroom.audit_logs set ${change}`),
        { code: '42501' },
        change,
      )
    }
    await rejects(test.pool.query(`${erasing} delete from boardroom.audit_logs`), { code: '42501' })
    await rejects(test.pool.query(`${erasing} update boardroom.audit_chain set seq = seq`), { code: '42501' })
  }),
)
appendOnly('can be read and appended to by the server role, but not changed, erased, dropped or forged', () =>
  withDatabase(async (test) => {
    const suffix = randomUUID().slice(0, 8)
    const roles = { owner: `owner_${suffix}`, server: `server_${suffix}` }
    await makeRoles(test.database, roles)
    await makeRoles(test.database, roles)
    const client = await test.pool.connect()
    try {
      await client.query(`set role ${roles.server}`)
      await client.query(`insert into boardroom.users (name, email) values ('Ada', 'ada@example.org')`)
      await client.query(
        `insert into boardroom.boards (owner_id) select id from boardroom.users where email like 'ada@%'`,
      )
      await client.query(`update boardroom.boards set is_public = true`)
      await client.query(
        `insert into boardroom.audit_logs (action, category, actor_kind) values ('login', 'account', 'user')`,
      )
      assert.is((await client.query('select boardroom.seal_audit() as n')).rows[0].n, 4)
      await client.query('select boardroom.make_audit_partitions(5)')
      assert.is(
        (await client.query('select problem from boardroom.verify_audit_chain(1, 4)')).rows[0].problem,
        null,
      )
      for (const statement of [
        `update boardroom.audit_logs set action = 'read'`,
        `delete from boardroom.audit_logs`,
        `truncate boardroom.audit_logs`,
        `select from boardroom.audit_logs for update`,
        `insert into boardroom.audit_logs_default (action, category, actor_kind) values ('login', 'account', 'user')`,
        `insert into boardroom.audit_logs (action, category, actor_kind) values ('retention', 'trail', 'user')`,
        `insert into boardroom.audit_chain select * from boardroom.audit_chain`,
        `delete from boardroom.audit_unsealed`,
        `select boardroom.erase_audit(1)`,
        `select boardroom.drop_audit_partitions(interval '1 year')`,
        `alter table boardroom.audit_logs disable trigger all`,
        `set session_replication_role = replica`,
        `drop table boardroom.audit_logs`,
        `create table boardroom.mine ()`,
      ]) {
        await rejects(client.query(statement), { code: '42501' }, statement)
      }
      await client.query(`set role ${roles.owner}`)
      assert.is((await client.query('select boardroom.erase_audit(2) as n')).rows[0].n, '1')
      await rejects(client.query(`update boardroom.audit_logs set action = 'read'`), { code: '42501' })
    } finally {
      await client.query(
        `reset role; reassign owned by ${roles.owner} to current_user; drop owned by ${roles.server}; drop role ${roles.owner}, ${roles.server}`,
      )
      client.release()
    }
  }),
)
appendOnly.run()

const verification = suite('verification')
for (const [what, kind, seq, statements] of [
  [
    'a row that was changed',
    'row_changed',
    3,
    [
      `update boardroom.audit_logs l set user_id = 8 from boardroom.audit_chain c where c.audit_id = l.id and c.seq = 3`,
    ],
  ],
  [
    'a name that was changed',
    'row_changed',
    3,
    [
      `update boardroom.audit_logs l set actor_name = 'Eve' from boardroom.audit_chain c where c.audit_id = l.id and c.seq = 3`,
    ],
  ],
  [
    'an e-mail inside details that was changed',
    'row_changed',
    3,
    [
      `update boardroom.audit_logs l set details = '{"email": "eve@example.org", "n": 1}' from boardroom.audit_chain c where c.audit_id = l.id and c.seq = 3`,
    ],
  ],
  [
    'a row that was removed',
    'row_missing',
    4,
    [
      `delete from boardroom.audit_logs l using boardroom.audit_chain c where c.audit_id = l.id and c.seq = 4`,
    ],
  ],
  [
    'a row removed together with its entry',
    'entry_missing',
    5,
    [
      `delete from boardroom.audit_logs l using boardroom.audit_chain c where c.audit_id = l.id and c.seq = 4`,
      `delete from boardroom.audit_chain where seq = 4`,
    ],
  ],
  [
    'an entry that was changed',
    'entry_changed',
    2,
    [`update boardroom.audit_chain set content_hash = sha256('x') where seq = 2`],
  ],
  ['a first entry that was removed', 'entry_missing', 2, [`delete from boardroom.audit_chain where seq = 1`]],
  [
    'a row that was inserted and never sealed',
    'row_unsealed',
    null,
    [
      `insert into boardroom.audit_logs (timestamp, action, category, actor_kind) values (now() - interval '2 minutes', 'login', 'account', 'user')`,
    ],
  ],
  [
    'a row from yesterday that was slipped in and sealed',
    'row_out_of_order',
    11,
    [
      `insert into boardroom.audit_logs (id, timestamp, action, category, actor_kind) values ('${'a'.repeat(8)}-aaaa-4aaa-8aaa-aaaaaaaaaaaa', now() - interval '1 day', 'login', 'account', 'user')`,
      `insert into boardroom.audit_unsealed (timestamp, id) values (now() - interval '1 day', '${'a'.repeat(8)}-aaaa-4aaa-8aaa-aaaaaaaaaaaa')`,
      `select boardroom.seal_audit()`,
    ],
  ],
  [
    'personal values taken away without a record',
    'erased_without_record',
    null,
    [
      `update boardroom.audit_logs l set actor_name = null, ip_address = null, details = '{"n": 1}', salt = null, erased_by = gen_random_uuid() from boardroom.audit_chain c where c.audit_id = l.id and c.seq = 3`,
    ],
  ],
] as const) {
  verification(`names ${what}`, () =>
    withDatabase(async (test) => {
      await signIns(test, 10)
      assert.is(await seal(test), 10)
      assert.equal(await verifyAudit(test.database), { ok: true, rows: 10, erased: 0 })
      const slipped = statements.map((statement) =>
        statement.replaceAll(`now() - interval '1 day'`, `date_trunc('day', now()) - interval '1 day'`),
      )
      await tamper(test, ...slipped)
      const { ok, firstProblem } = await verifyAudit(test.database)
      assert.is(ok, false)
      assert.equal([firstProblem?.kind, firstProblem?.seq], [kind, seq])
      assert.ok(firstProblem?.id ?? kind.startsWith('entry'))
    }),
  )
}
verification('survives an erasure despite a generated column that somebody added', () =>
  withDatabase(async (test) => {
    await signIns(test, 3)
    await test.pool.query(
      `alter table boardroom.audit_logs add column day date generated always as ((timestamp at time zone 'UTC')::date) stored`,
    )
    await seal(test)
    assert.is((await test.pool.query('select boardroom.erase_audit(7) as n')).rows[0].n, '3')
    await seal(test)
    assert.equal(await verifyAudit(test.database), { ok: true, rows: 4, erased: 3 })
  }),
)
verification('survives an erasure, which removes the values of one person and leaves a record', () =>
  withDatabase(async (test) => {
    await signIns(test, 5)
    await test.pool.query(
      `insert into boardroom.audit_logs (action, category, actor_kind, actor_name, user_id) values ('login', 'account', 'user', 'Bob', 8)`,
    )
    await seal(test)
    assert.is((await test.pool.query('select boardroom.erase_audit(7) as n')).rows[0].n, '5')
    await seal(test)
    assert.equal(await verifyAudit(test.database), { ok: true, rows: 7, erased: 5 })
    const rows = await test.db.selectFrom('audit_logs').selectAll().orderBy('timestamp').execute()
    assert.equal(
      [rows[0]?.actor_name, rows[0]?.ip_address, rows[0]?.salt, rows[0]?.details, rows[0]?.user_id],
      [null, null, null, { n: 1 }, 7],
    )
    assert.is(rows[5]?.actor_name, 'Bob')
    assert.equal([rows[6]?.action, rows[6]?.actor_kind, rows[6]?.details], ['erase', 'sql', { rows: 5 }])
    await tamper(test, `update boardroom.audit_logs set actor_name = 'Bob' where id = '${rows[0]?.id}'`)
    const refilled = (await verifyAudit(test.database)).firstProblem
    assert.equal([refilled?.kind, refilled?.id], ['erased_refilled', rows[0]?.id], 'written into since')
    await tamper(
      test,
      `update boardroom.audit_logs set actor_name = null where id = '${rows[0]?.id}'`,
      `update boardroom.audit_logs set actor_name = null, salt = null, erased_by = '${rows[6]?.id}' where user_id = 8`,
    )
    assert.is(
      (await verifyAudit(test.database)).firstProblem?.kind,
      'erased_without_record',
      'more than the record says',
    )
  }),
)
verification('compares the chain with heads kept elsewhere, and so detects a rebuilt one', () =>
  withDatabase(async (test) => {
    const folder = await mkdtemp(path.join(os.tmpdir(), 'boardroom-heads-'))
    const heads = path.join(folder, 'audit-heads.ndjson')
    const chain = new AuditChain({ database: test.database, log: test.log, headsFile: heads })
    try {
      await signIns(test, 4)
      await chain.seal()
      await chain.writeHead()
      await chain.writeHead()
      assert.is((await readFile(heads, 'utf8')).trim().split('\n').length, 1)
      assert.is((await verifyAudit(test.database, { heads })).ok, true)
      await appendFile(heads, '{"seq":')
      assert.is((await verifyAudit(test.database, { heads })).ok, true, 'a last line cut off by a power cut')
      await tamper(
        test,
        `update boardroom.audit_logs set user_id = 9`,
        `delete from boardroom.audit_chain`,
        `insert into boardroom.audit_unsealed (timestamp, id) select timestamp, id from boardroom.audit_logs`,
      )
      await seal(test)
      assert.is((await verifyAudit(test.database)).ok, true)
      assert.equal((await verifyAudit(test.database, { heads })).firstProblem?.kind, 'head_mismatch')
      await writeFile(heads, 'no head\n{"seq":1,"hash":"x"}\n')
      await rejects(verifyAudit(test.database, { heads }), { code: 'invalid_request' })
      await rejects(verifyAudit(test.database, { heads: `${heads}.not` }), { code: 'invalid_request' })
    } finally {
      await chain.close()
      await rm(folder, { recursive: true, force: true })
    }
  }),
)
verification('reports its progress, and names the first of several problems, wherever they are', () =>
  withDatabase(async (test) => {
    const stretchLength = 2000
    await signIns(test, 6500)
    await seal(test)
    const seen: [number, number][] = []
    const whole = await verifyAudit(test.database, {
      stretchLength,
      onProgress: (checked, total) => seen.push([checked, total]),
    })
    assert.equal(whole, { ok: true, rows: 6500, erased: 0 })
    assert.is(seen.length, 4)
    assert.ok(seen.every(([checked], i) => checked > (seen[i - 1]?.[0] ?? 0)))
    assert.equal(seen.at(-1), [6500, 6500])
    const change = (seq: number) =>
      `update boardroom.audit_logs l set user_id = 8 from boardroom.audit_chain c where c.audit_id = l.id and c.seq = ${seq}`
    await tamper(test, change(6400), change(3999), change(2001))
    const { firstProblem } = await verifyAudit(test.database, { stretchLength })
    assert.equal([firstProblem?.kind, firstProblem?.seq], ['row_changed', 2001])
  }),
)
verification.run()

const sealing = suite('sealing')
sealing('happens within a second of the commit, in any number of processes, each row once', () =>
  withDatabase(async (test) => {
    const chains = Array.from(
      { length: 3 },
      () => new AuditChain({ database: test.database, log: test.log, headsFile: null, sealEveryMs: 20 }),
    )
    await Promise.all(chains.map((chain) => chain.start()))
    try {
      await Promise.all(Array.from({ length: 40 }, () => signIns(test, 25)))
      await eventually(
        async () => (await test.db.selectFrom('audit_unsealed').select('id').limit(1).execute()).length === 0,
        { withinMs: 20_000 },
      )
      assert.equal(await verifyAudit(test.database), { ok: true, rows: 1000, erased: 0 })
    } finally {
      await Promise.all(chains.map((chain) => chain.close()))
    }
  }),
)
sealing('happens soon after the server’s shared check for work has found a row', () =>
  withDatabase(async (test) => {
    const waiting = new WaitingWork({ db: test.db, log: test.log, everyMs: 20 })
    const chain = new AuditChain({ database: test.database, log: test.log, headsFile: null, waiting })
    await chain.start()
    waiting.start()
    try {
      await signIns(test, 5)
      await eventually(async () => (await verifyAudit(test.database)).rows === 5, { withinMs: 20_000 })
      assert.equal(await test.db.selectFrom('audit_unsealed').select('id').execute(), [])
    } finally {
      await waiting.close()
      await chain.close()
    }
  }),
)
sealing('happens at the end of a recorded command, because there may be no server', () =>
  withDatabase(async ({ url, db, log, database }) => {
    const config = readConfig({ DATABASE_URL: url })
    const nothing = () => undefined
    const context = { config, log, json: false, env: {}, print: nothing, progress: nothing }
    const ada = await make.user(db, { email: 'ada@example.org' })
    await userCommand.run(context, ['role', ada.email ?? '', 'admin'], {})
    assert.equal(await db.selectFrom('audit_unsealed').selectAll().execute(), [])
    const recorded = await db.selectFrom('audit_logs').select('action').orderBy('timestamp').execute()
    assert.equal(recorded.at(-1), { action: 'role_change' })
    assert.is((await verifyAudit(database)).rows, recorded.length)
  }),
)
sealing.run()

const following = suite('a follower of the trail')
following('gets every row once and in order while many write, even across a resume', () =>
  withDatabase(async (test) => {
    const chain = new AuditChain({ database: test.database, log: test.log, headsFile: null, sealEveryMs: 10 })
    await chain.start()
    const stop = new AbortController()
    const seen: string[] = []
    let last = 0
    /** Reads until `count` rows have arrived, like a client that is then cut off. */
    const follow = async (count: number) => {
      const wanted = seen.length + count
      for await (const found of followAudit(
        test.database,
        { category: 'account' },
        { after: last, signal: stop.signal, everyMs: 5 },
      )) {
        if (found === null) continue
        assert.ok(found.seq > last)
        last = found.seq
        seen.push(found.row.id)
        if (seen.length === wanted) return
      }
    }
    try {
      const writing = Promise.all(
        Array.from({ length: 4 }, async (_, writer) => {
          const client = await test.pool.connect()
          try {
            for (let i = 0; i < 25; i++) {
              // Timestamps of one transaction are older than those of another that commits before it.
              await client.query('begin')
              await client.query(
                `insert into boardroom.audit_logs (action, category, actor_kind) values ('login', 'account', 'user')`,
              )
              await client.query(`select pg_sleep(${(writer * i) % 5} / 1000.0)`)
              await client.query('commit')
            }
          } finally {
            client.release()
          }
        }),
      )
      await follow(30)
      await follow(50)
      await writing
      await follow(20)
      assert.is(new Set(seen).size, 100)
    } finally {
      stop.abort()
      await chain.close()
    }
  }),
)
following('begins with new rows, and ends when it is no longer allowed', () =>
  withDatabase(async (test) => {
    await signIns(test, 3)
    await seal(test)
    let allowed = true
    const seen: number[] = []
    const isAllowed = async () => allowed
    for await (const found of followAudit(
      test.database,
      {},
      { after: null, signal: new AbortController().signal, everyMs: 1, isAllowed },
    )) {
      if (found === null && seen.length === 0) {
        await signIns(test, 1)
        await seal(test)
      }
      if (found !== null) {
        seen.push(found.seq)
        allowed = false
      }
    }
    assert.equal(seen, [4])
  }),
)
following.run()
