import nodeAssert from 'node:assert/strict'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sql } from 'kysely'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { createBoardroom } from '../../server/boardroom.ts'
import type { Db } from '../../server/database/database.ts'
import { withDatabase } from '../helpers/database.ts'
import { eventually } from '../helpers/eventually.ts'
import { type Person, withServer } from '../helpers/server.ts'

const consent = suite('consent')

const withText = async <Result>(text: string, work: (file: string) => Promise<Result>): Promise<Result> => {
  const folder = mkdtempSync(join(tmpdir(), 'boardroom-consent-'))
  const file = join(folder, 'terms.txt')
  writeFileSync(file, text)
  try {
    return await work(file)
  } finally {
    await rm(folder, { recursive: true })
  }
}

const versions = { consent_version: '2026-11', privacy_policy_version: 'p1' }
const settings = {
  consentVersion: versions.consent_version,
  privacyPolicyVersion: versions.privacy_policy_version,
  consentRequired: ['terms'],
  consentOptional: ['analytics'],
}
const accept = (person: Pick<Person, 'ask'>, body: object = {}) =>
  person.ask('POST', '/api/consent', { ...versions, consent_categories: ['terms'], ...body })

consent('is required before the first join, gives access, and ends it at once when withdrawn', () =>
  withText('Be kind to each other.', (consentFile) =>
    withServer(
      async ({ user, open, raw, db, actions, origin }) => {
        const ada = await user('Ada')
        const before = (await ada.ask('GET', '/api/consent')).body
        assert.equal(
          [before.required, before.consent_version, before.privacy_policy_version],
          [true, '2026-11', 'p1'],
        )
        assert.equal(before.asked[0].text, 'Be kind to each other.')
        assert.equal([before.asked[0].given, before.given], [false, []])
        const refused = await ada.ask('POST', '/api/boards', { title: 'Plans' })
        assert.equal([refused.status, refused.body.error.code], [451, 'consent_needed'])
        assert.match(refused.body.error.details.consent_url, /\/consent/)

        const given = await accept(ada)
        assert.is(given.status, 201)
        assert.equal(
          [given.body.user_id, given.body.consent_categories, given.body.withdrawn_at],
          [ada.id, ['terms'], null],
        )
        assert.is(given.body.ip_address, '127.0.0.1')
        const again = await accept(ada)
        assert.equal([again.status, again.body.id], [200, given.body.id])

        const board = await ada.board()
        const ticket = await ada.ticket(board)
        const stock = await open(board, { ticket })
        const own = await raw(board, { ticket })
        await eventually(() => own.bodies(64).length > 0)
        assert.is((await ada.ask('DELETE', '/api/consent')).status, 204)
        assert.is(await stock.closed, 4451)
        const end = await own.closed
        assert.is(end.code, 4451)
        assert.match(end.reason, new RegExp(`consent is required: http://.*/consent\\?board_id=${board}`))
        for (const [method, path] of [
          ['GET', ''],
          ['GET', '/document'],
          ['PATCH', ''],
          ['POST', '/tickets'],
          ['GET', '/threads'],
          ['GET', '/audit'],
        ] as const) {
          const answer = await ada.ask(
            method,
            `/api/boards/${board}${path}`,
            method === 'GET' ? undefined : {},
          )
          assert.equal([path, answer.status], [path, 451])
        }
        const back = await open(board, { ticket, waitFor: 'closed' })
        assert.is(await back.closed, 4451)

        // The ticket of a stock client includes it, too.
        const byTicket = await ada.ask(
          'POST',
          `/api/boards/${board}/consent`,
          { ...versions, consent_categories: ['terms', 'analytics'] },
          { authorization: `Bearer ${ticket}`, cookie: '' },
        )
        assert.is(byTicket.status, 201, JSON.stringify(byTicket.body))
        const inside = await open(board, { ticket })
        await db
          .updateTable('consent_records')
          .set({ withdrawn_at: new Date() })
          .where('id', '=', byTicket.body.id)
          .execute()
        assert.is(await inside.closed, 4451, 'also by SQL')

        const seen = (await ada.ask('GET', '/api/consent')).body
        assert.equal(
          seen.given.map((record: { withdrawn_at: string | null }) => record.withdrawn_at === null),
          [false, false],
        )
        const rows = await db
          .selectFrom('audit_logs')
          .selectAll()
          .where('category', '=', 'consent')
          .where('resource_type', '=', 'consent_record')
          .orderBy('timestamp')
          .execute()
        assert.equal(
          rows.map((row) => [row.action, row.actor_kind, row.old_values !== null]),
          [
            ['consent', 'user', false],
            ['consent', 'user', true],
            ['consent', 'user', false],
            ['consent', 'sql', true],
          ],
        )
        assert.ok((await actions(board)).filter((action) => action === 'access_denied').length >= 2)
        assert.ok(origin)
      },
      { consentFile, ...settings },
    ),
  ),
)

consent('is required of guests like of everybody, and unidentified people are told where to give it', () =>
  withText('Be kind to each other.', (consentFile) =>
    withServer(
      async ({ user, open, ask, raw, origin }) => {
        const ada = await user('Ada')
        await accept(ada)
        const board = await ada.board()
        const link = (await ada.ask('POST', `/api/boards/${board}/share-links`, { level: 'edit' })).body.url
        const token = link.split('#k=')[1]
        const came = await ask('POST', '/api/share-links/exchange', { token, name: 'Gus' }, { origin })
        assert.equal([came.status, came.body.level], [200, 'edit'])
        const cookie = came.headers.getSetCookie()[0]?.split(';')[0] ?? ''
        const gus = {
          ask: ((method, path, body) => ask(method, path, body, { cookie, origin })) as Person['ask'],
        }
        const early = await open(board, { ticket: came.body.ticket, waitFor: 'closed' })
        assert.is(await early.closed, 4451)
        const given = await accept(gus)
        assert.equal([given.status, given.body.user_id, typeof given.body.guest_id], [201, null, 'string'])
        const inside = await open(board, { ticket: came.body.ticket })
        await gus.ask('DELETE', '/api/consent')
        assert.is(await inside.closed, 4451)

        await ada.ask('PATCH', `/api/boards/${board}`, { is_public: true })
        const nobody = await raw(board)
        assert.is((await nobody.closed).code, 4451)
        assert.is(
          (await ask('POST', '/api/consent', { ...versions, consent_categories: ['terms'] })).status,
          401,
        )
        const shown = await ask('GET', '/api/consent')
        assert.equal(
          [shown.status, shown.body.required, shown.body.asked[0].text],
          [200, true, 'Be kind to each other.'],
        )

        // People without access to a board are not told that consent is missing.
        const eve = await user('Eve')
        await ada.ask('PATCH', `/api/boards/${board}`, { is_public: false })
        assert.is((await eve.ask('GET', `/api/boards/${board}`)).status, 404)
        assert.is((await eve.ask('GET', `/api/boards/${board}/consent`)).status, 404)
      },
      { consentFile, ...settings },
    ),
  ),
)

consent(
  'refuses other versions, missing and unknown categories and unknown keys, and keeps valid records',
  () =>
    withText('Be kind to each other.', (consentFile) =>
      withServer(
        async ({ user, db }) => {
          const ada = await user('Ada')
          const wrong: [object, number][] = [
            [{ consent_version: '1999' }, 409],
            [{ privacy_policy_version: 'p0' }, 409],
            [{ consent_categories: [] }, 400],
            [{ consent_categories: ['terms', 'dancing'] }, 400],
            [{ consent_categories: 'terms' }, 400],
            [{ consent_version: '' }, 400],
            [{ surprise: true }, 400],
          ]
          for (const [body, status] of wrong)
            assert.is((await accept(ada, body)).status, status, JSON.stringify(body))
          assert.equal(await db.selectFrom('consent_records').selectAll().execute(), [])
          await accept(ada)
          const more = await accept(ada, { consent_categories: ['analytics', 'terms'] })
          assert.is(more.status, 201)
          const { given } = (await ada.ask('GET', '/api/consent')).body
          assert.equal(
            given.map((record: { consent_categories: string[]; withdrawn_at: string | null }) => [
              record.consent_categories,
              record.withdrawn_at === null,
            ]),
            [
              [['analytics', 'terms'], true],
              [['terms'], false],
            ],
          )
          for (const change of [
            "consent_version = 'x'",
            "consent_categories = '[]'",
            "accepted_at = now() - interval '1 day'",
            'ip_address = null',
          ])
            await nodeAssert.rejects(sqlUpdate(db, change), /changes in nothing but withdrawn_at/, change)
          await nodeAssert.rejects(
            sqlUpdate(db, 'withdrawn_at = null'),
            /changes in nothing but withdrawn_at/,
          )
          const both = await Promise.all([accept(ada), accept(ada), accept(ada)])
          assert.equal(both.map(({ status }) => status).sort(), [200, 200, 201])
        },
        { consentFile, ...settings },
      ),
    ),
)

consent('of a board is required in addition to the instance’s, from the moment a manager sets it', () =>
  withServer(async ({ user, open, db }) => {
    const ada = await user('Ada')
    const bob = await user('Bob')
    const board = await ada.board()
    await ada.grant(board, bob, 'edit')
    assert.equal((await bob.ask('GET', '/api/consent')).body, {
      required: false,
      consent_version: null,
      privacy_policy_version: null,
      asked: [],
      given: [],
    })
    assert.is((await bob.ask('POST', '/api/consent', { ...versions })).status, 404)
    const client = await open(board, { ticket: await bob.ticket(board) })
    const path = `/api/boards/${board}/consent-text`
    const text = { text: 'This board is recorded.', ...versions }
    assert.is((await bob.ask('PUT', path, text)).status, 403)
    assert.is((await ada.ask('PUT', path, text)).status, 200)
    assert.is(await client.closed, 4451)
    const asked = (await bob.ask('GET', `/api/consent?board_id=${board}`)).body
    assert.equal(
      [asked.required, asked.asked[0].board_id, asked.asked[0].board_title],
      [true, board, 'Plans'],
    )
    const given = await bob.ask('POST', '/api/consent', { ...versions, board_id: board })
    assert.equal([given.status, given.body.board_id], [201, board])
    const back = await open(board, { ticket: await bob.ticket(board) })
    // Another version requires it again; a published version keeps its text.
    assert.is((await ada.ask('PUT', path, { ...text, text: 'Otherwise.' })).status, 409)
    assert.is((await ada.ask('PUT', path, { ...text, consent_version: '2027-01' })).status, 200)
    assert.is(await back.closed, 4451)
    assert.is((await ada.ask('DELETE', path)).status, 204)
    await open(board, { ticket: await bob.ticket(board) })
    await nodeAssert.rejects(db.updateTable('consent_texts').set({ body: 'x' }).execute(), /stays as it is/)
    assert.is((await ada.ask('DELETE', `/api/boards/${board}`)).status, 204)
    assert.is((await ada.ask('DELETE', `/api/boards/${board}?purge=true`)).status, 204)
  }),
)

consent(
  'is required again for a new version, and a missing file or a changed text under one version stops the start',
  () =>
    withDatabase(async ({ url, log, db }) =>
      withText('First.', async (consentFile) => {
        const start = (more: object = {}) =>
          createBoardroom({ database: url, secret: 'x'.repeat(32), logger: log, consentFile, ...more })
        await (await start(settings)).close({ drainMs: 0 })
        await (await start({ consentVersion: '2' })).close({ drainMs: 0 })
        writeFileSync(consentFile, 'Second.')
        await nodeAssert.rejects(start(settings), /published with another text/)
        await (await start()).close({ drainMs: 0 })
        await nodeAssert.rejects(
          start({ consentFile: `${consentFile}.gone` }),
          /BOARDROOM_CONSENT_FILE.*cannot be read/,
        )
        const texts = await db
          .selectFrom('consent_texts')
          .select(['consent_version', 'body'])
          .orderBy('created_at')
          .execute()
        assert.equal(texts.slice(0, 2), [
          { consent_version: '2026-11', body: 'First.' },
          { consent_version: '2', body: 'First.' },
        ])
        assert.match(texts[2]?.consent_version ?? '', /^[0-9a-f]{12}$/)
      }),
    ),
)

const sqlUpdate = (db: Db, change: string) => {
  const which = change.startsWith('withdrawn_at') ? sql`is not null` : sql`is null`
  return sql`update ${sql.table('consent_records')} set ${sql.raw(change)} where withdrawn_at ${which}`.execute(
    db,
  )
}

consent.run()
