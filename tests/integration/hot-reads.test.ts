// Everyday queries never scan a large table sequentially: checked with Postgres' own counters, while the server's
// functions run among thousands of rows of every kind. Includes batches of retention; no times.
import { Kysely, PostgresDialect, type Transaction } from 'kysely'
import type pg from 'pg'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { agentById, agentByToken } from '../../server/accounts/agent-queries.ts'
import { guestById, guestByToken } from '../../server/accounts/guest-queries.ts'
import { foreignUserRow, userById, usersOfSessions } from '../../server/accounts/queries.ts'
import { keyBySecret } from '../../server/accounts/service-keys/queries.ts'
import { sessionsOf, signedInByToken } from '../../server/accounts/session-queries.ts'
import { editsOf, editsSince, untoldEdits } from '../../server/agents/journal-queries.ts'
import { type AuditFilter, auditRows, chainHead, chainStep, sealedRows } from '../../server/audit/queries.ts'
import { accessFactsOf } from '../../server/boards/access-queries.ts'
import { requestsOf } from '../../server/boards/access-request-queries.ts'
import { type BoardQuestion, listBoardRows } from '../../server/boards/board-list-queries.ts'
import { boardById } from '../../server/boards/board-queries.ts'
import { foldersFor } from '../../server/boards/folders/queries.ts'
import { libraryItems } from '../../server/boards/library/queries.ts'
import { moderationOf, speakersOf } from '../../server/boards/moderation-queries.ts'
import { offersTo } from '../../server/boards/offer-queries.ts'
import { peopleOf } from '../../server/boards/people-queries.ts'
import { permissionsOf } from '../../server/boards/permission-queries.ts'
import { heldUse, linkByToken, linksOf } from '../../server/boards/share-link-queries.ts'
import { currentOfCode, listTemplateRows, newestOfCode } from '../../server/boards/templates/queries.ts'
import {
  notificationsOf,
  setNotificationsRead,
  takeDigest,
} from '../../server/comments/notification-queries.ts'
import {
  commentById,
  commentsOf,
  countComments,
  countThreads,
  firstComments,
  markRead,
  type ThreadQuestion,
  threadById,
  threadsStatement,
} from '../../server/comments/queries.ts'
import type { Database } from '../../server/database/database.ts'
import type { Tables } from '../../server/database/tables.ts'
import { withClient } from '../../server/database/with-client.ts'
import { forgetSideRows, removeOld } from '../../server/privacy/retention-queries.ts'
import { retentionCategories } from '../../server/retention.ts'
import { bytesOfFiles, listVersions, readFile } from '../../server/storage/document-queries.ts'
import { insertUpdates } from '../../server/storage/log/append-queries.ts'
import { ageOfLastVersion, readSnapshot, takeUpdates } from '../../server/storage/log/fold-queries.ts'
import { readBoard } from '../../server/storage/log/queries.ts'
import { readSnapshots, takeUpdatesOf } from '../../server/storage/log/together-queries.ts'
import { noteChanges, pruneVersions } from '../../server/storage/versions/retention-queries.ts'
import { deliveriesOf, takeDue } from '../../server/webhooks/queries.ts'
import { withDatabase } from '../helpers/database.ts'
import {
  addRowsOfEveryKind,
  manyComment,
  manyFolder,
  manyThread,
  manyWebhook,
} from '../helpers/many-more-rows.ts'
import {
  addManyAuditRows,
  addManyRows,
  addMoreRows,
  manyAgent,
  manyAsked,
  manyBoard,
  manyGuest,
  manyTemplate,
  manyUser,
} from '../helpers/many-rows.ts'
import { testPool } from '../helpers/test-pool.ts'

type Ask = (database: Database) => Promise<unknown>

const numbers = { users: 10_000, boards: 20_000, permissions: 40_000, linkUses: 20_000 }
const rows = 20_000
const auditRowsInAll = 20_000
/** Tables with fewer rows may be scanned. */
const manyRows = 1000

const me = manyUser(7)
const place = { key: new Date(Date.now() - 3_600_000).toISOString(), id: manyBoard(70) }
const boards = (change: Partial<BoardQuestion>, after: typeof place | null = null): Ask => {
  const asked = { scope: 'all', deleted: false, q: undefined, sort: 'updated', ...change } as const
  return ({ db }) => listBoardRows(db, { userId: me, guestId: null, ...asked }, after, 51)
}
const trail =
  (filter: AuditFilter, order: 'newest' | 'oldest' = 'newest', isLater = true): Ask =>
  (database) => {
    const after = isLater ? { timestamp: place.key, id: place.id } : null
    return auditRows(database, filter, { order, after, limit: 101 })
  }
const threads =
  (change: Partial<ThreadQuestion>, after: typeof place | null = null): Ask =>
  ({ db }) => {
    const nothing = { open: undefined, unread: false, mine: false }
    const question = { boardId: manyBoard(7), reader: `user:${me}`, ...nothing, ...change }
    return threadsStatement(question, after, 51).execute(db)
  }
const templates = (change: Partial<Parameters<typeof listTemplateRows>[1]>): Ask => {
  const nothing = { scope: 'current', category: undefined, board_type: undefined } as const
  const question = { ...nothing, code: undefined, q: undefined, ownedBy: null, ...change }
  return ({ db }) => listTemplateRows(db, question, null, 51)
}
const within =
  (work: (client: pg.PoolClient, schema: string) => Promise<unknown>): Ask =>
  ({ pool, schema }) =>
    withClient(pool, async (client) => {
      await client.query('begin')
      await work(client, schema)
      await client.query('rollback')
    })
const inTransaction =
  (work: (trx: Transaction<Tables>) => Promise<unknown>): Ask =>
  ({ db }) =>
    db.transaction().execute(work)

const sha = (name: string): Buffer => Buffer.from(name)

const asks: Record<string, Ask> = {
  'a session': ({ db }) => signedInByToken(db, 'token7'),
  'the sessions of somebody': ({ db }) => sessionsOf(db, me),
  'the users behind tickets': ({ db }) => usersOfSessions(db, [7, 8, 9]),
  'an account': ({ db }) => userById(db, me),
  'an account of another issuer': ({ db }) => foreignUserRow(db, 'https://issuer.example', 'somebody'),
  'a guest': async ({ db }) => [await guestByToken(db, sha('x')), await guestById(db, manyGuest(7))],
  'an agent': async ({ db }) => [await agentByToken(db, 'token'), await agentById(db, manyAgent(7))],
  'a service key': ({ db }) => keyBySecret(db, sha('x')),
  'a share link': ({ db }) => linkByToken(db, sha('x')),
  'a use of a link': ({ db }) => heldUse(db, '00000000-0000-4000-b000-000000000007', { userId: me }),
  'a decision of access': ({ db }) =>
    accessFactsOf(
      db,
      [{ boardId: manyBoard(7), userId: me, guestId: null, agentId: null, sessionId: 7, keyId: null }],
      manyAsked,
    ),

  'a log': (database) => readBoard(database, manyBoard(7)),
  'a commit': (database) =>
    insertUpdates(
      database,
      [
        {
          boardId: manyBoard(7),
          update: new Uint8Array(2),
          authors: [{ clientId: 7, principal: `user:${me}` }],
          sideRows: null,
        },
      ],
      { timeoutMs: 10_000, isPrepared: true },
    ),
  'a fold': within(async (client, schema) => {
    await readSnapshot(client, schema, manyBoard(7))
    await takeUpdates(client, schema, manyBoard(7))
    await ageOfLastVersion(client, schema, manyBoard(7))
    await pruneVersions(client, schema, manyBoard(7))
    await noteChanges(client, schema, [{ boardId: manyBoard(7), changedAt: Date.now() }])
  }),
  'folds of many boards': within(async (client, schema) => {
    const boardIds = Array.from({ length: 64 }, (_, n) => manyBoard(1 + n))
    await readSnapshots(client, schema, boardIds)
    await takeUpdatesOf(client, schema, boardIds)
    await noteChanges(
      client,
      schema,
      boardIds.map((boardId) => ({ boardId, changedAt: Date.now() })),
    )
  }),
  'a file': ({ db }) => readFile(db, manyBoard(7), '6'.padStart(64, '0')),
  'the size of files': ({ db }) => bytesOfFiles(db, manyBoard(7), '6'.padStart(64, '0')),
  'versions of a board': ({ db }) => listVersions(db, manyBoard(7), 51, { moment: place.key, id: place.id }),

  'a board': ({ db }) => boardById(db, manyBoard(7), me),
  'my boards': boards({ scope: 'mine' }),
  'my boards, the next page': boards({ scope: 'mine' }, place),
  'boards shared with me': boards({ scope: 'shared' }),
  'boards that I reach': boards({}),
  'boards that I reach, the next page': boards({}, place),
  'my trash': boards({ scope: 'mine', deleted: true }),
  'boards of a folder': boards({ folder: manyFolder(7) }),
  'my starred boards': boards({ starred: true }),
  'boards I opened lately': boards({ sort: 'opened' }),
  'my boards by a word': boards({ scope: 'mine', q: 'word' }),
  'boards of a guest': boards({ userId: null, guestId: manyGuest(7) }),
  'my folders': ({ db }) => foldersFor(db, me, false, 100),
  'my library': ({ db }) => libraryItems(db, me),
  'what is offered to me': ({ db }) => offersTo(db, me),
  'people of a board': ({ db }) => peopleOf(db, manyBoard(7), null, 51),
  'permissions of a board': ({ db }) => permissionsOf(db, manyBoard(7), 0, 51),
  'links of a board': ({ db }) => linksOf(db, manyBoard(7), null, 51),
  'who asks for a board': ({ db }) => requestsOf(db, manyBoard(7), true, 0, 51),
  'who may speak': async ({ db }) => [
    await moderationOf(db, manyBoard(7)),
    await speakersOf(db, manyBoard(7)),
  ],
  'the template of a code': async ({ db }) => [
    await newestOfCode(db, manyTemplate),
    await currentOfCode(db, 'T7'),
  ],
  'templates of a category': templates({ category: 'Category 7' }),
  'templates that wait': templates({ scope: 'waiting' }),
  'versions of a template': templates({ scope: 'all', code: 'T7' }),

  'the newest of the trail': trail({}, 'newest', false),
  'the trail, the next page': trail({}),
  'the trail from its beginning': trail({}, 'oldest', false),
  'the trail of a board': trail({ board_id: manyBoard(7) }),
  'the trail of somebody': trail({ user_id: 7 }),
  'the trail of a link': trail({ link_id: '00000000-0000-4000-b000-000000000007' }),
  'the trail by action': trail({ action: 'export' }),
  'the trail by category': trail({ category: 'agent' }),
  'the trail of an hour': trail({ from: place.key, to: new Date().toISOString() }, 'newest', false),
  'the chain': async (database) => [
    await chainHead(database),
    await chainStep(database, 100, 50),
    await sealedRows(database, {}, 100, 150),
  ],

  'threads of a board': threads({}),
  'threads of a board, the next page': threads({}, place),
  'open threads': threads({ open: true }),
  'unread threads': threads({ unread: true }),
  'my threads': threads({ mine: true }),
  'a thread': ({ db }) => threadById(db, manyBoard(7), manyThread(6), `user:${me}`),
  'first comments': ({ db }) => firstComments(db, [manyThread(6), manyThread(7)], 10),
  'comments of a thread': ({ db }) => commentsOf(db, manyThread(6), place, 51),
  'a comment': ({ db }) => commentById(db, manyBoard(7), manyComment(5)),
  'how many there are': async ({ db }) => [
    await countThreads(db, manyBoard(7), 100),
    await countComments(db, manyThread(6)),
  ],
  'a thread is read': inTransaction((trx) => markRead(trx, manyThread(6), `user:${me}`)),
  'my notifications': ({ db }) =>
    notificationsOf(db, `user:${me}`, { unread: true, before: '9000', limit: 51 }),
  'my notifications are read': ({ db }) => setNotificationsRead(db, `user:${me}`, null),
  'whose digest is due': ({ db }) => takeDigest(db, 15),

  'what the trail is to be told of agents': inTransaction((trx) => untoldEdits(trx, 100)),
  'edits of an agent on a board': ({ db }) =>
    editsSince(db, manyBoard(7), manyAgent(7), new Date(Date.now() - 3_600_000), 100),
  'edits of an agent': ({ db }) => editsOf(db, manyAgent(7), '9000', 51),
  'deliveries that are due': ({ db }) =>
    takeDue(db, { limit: 50, each: 5, ofHolder: 20, leaseS: 60, busy: [], underWay: new Map() }),
  'deliveries of a webhook': ({ db }) =>
    deliveriesOf(db, manyWebhook(7), { state: 'pending', before: '9000', limit: 51 }),
  'rows beside commits that are forgotten': ({ db }) => forgetSideRows(db),
  ...Object.fromEntries(
    retentionCategories.map((category) => [
      `retention of ${category}`,
      inTransaction((trx) => removeOld(trx, category, 80, 100)),
    ]),
  ),
}

/** How often each large table was scanned sequentially. */
async function scansOf(pool: pg.Pool, schema: string): Promise<Map<string, number>> {
  await pool.query('select pg_stat_force_next_flush()')
  const { rows: counted } = await pool.query<{ relname: string; scans: string }>(
    `select s.relname, s.seq_scan as scans from pg_stat_user_tables s join pg_class c on c.oid = s.relid
     where s.schemaname = $1 and c.reltuples >= $2`,
    [schema, manyRows],
  )
  return new Map(counted.map(({ relname, scans }) => [relname, Number(scans)]))
}

const reads = suite('everyday queries')

reads('never scan a large table sequentially', () =>
  withDatabase(async ({ url, schema, database }) => {
    await addManyRows(url, schema, numbers)
    await addMoreRows(url, schema, { ...numbers, grants: 5000, consents: 5000, records: 5000 })
    await addRowsOfEveryKind(url, schema, { ...numbers, rows })
    await addManyAuditRows(url, schema, auditRowsInAll)
    // One connection, so that its counters are complete.
    const pool = testPool({
      connectionString: url,
      options: `-c search_path=${schema} -c random_page_cost=1.1`,
      max: 1,
    })
    const db = new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) })
    const found: Record<string, string[]> = {}
    try {
      let before = await scansOf(pool, schema)
      assert.ok(before.size > 30, `only ${before.size} tables have many rows`)
      for (const [what, ask] of Object.entries(asks)) {
        await ask({ ...database, db, pool, schema } as Database)
        const after = await scansOf(pool, schema)
        const tables = [...after].filter(([table, scans]) => scans > (before.get(table) ?? 0))
        if (tables.length > 0) found[what] = tables.map(([table]) => table)
        before = after
      }
    } finally {
      await db.destroy()
    }
    assert.equal(found, {})
  }),
)

reads.run()
