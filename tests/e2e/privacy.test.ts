import { mkdtempSync, readFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sql } from 'kysely'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { verifyAudit } from '../../server/audit/verify.ts'
import { personCommand } from '../../server/commands/person.ts'
import { configWith } from '../../server/config.ts'
import { eventually } from '../helpers/eventually.ts'
import { make } from '../helpers/factories.ts'
import { type TestServer, withServer } from '../helpers/server.ts'

const privacy = suite('privacy')

/** Every row of every table that contains the text, as `table: row`. */
const whereIs = async ({ db, schema }: TestServer, text: string): Promise<string[]> => {
  const { rows: tables } = await sql<{ name: string }>`
    select c.relname as name from pg_class c where c.relnamespace = ${schema}::regnamespace and c.relkind in ('r', 'p')`.execute(
    db,
  )
  const found: string[] = []
  for (const { name } of tables) {
    const { rows } = await sql<{ row: string }>`
      select t::text as row from ${sql.id(schema, name)} t where t::text ilike ${`%${text}%`}`.execute(db)
    found.push(...rows.map(({ row }) => `${name}: ${row.slice(0, 200)}`))
  }
  return found
}

const run = async (server: TestServer, words: string[], options: Record<string, string> = {}) => {
  const lines: string[] = []
  const steps: string[] = []
  await personCommand.run(
    {
      config: configWith({ databaseUrl: server.url, databaseSchema: server.schema }),
      log: server.log,
      json: true,
      env: {},
      print: (line) => lines.push(line),
      progress: (text) => steps.push(text),
    },
    words,
    options,
  )
  return { lines, steps }
}

privacy('erases an address even from invitations by others, to the server and to boards', () =>
  withServer(async (server) => {
    const sue = await server.user('Sue', 'sysadmin')
    const ada = await server.user('Ada')
    const board = await ada.board()
    const email = 'Nora.Vale@example.org'
    const invite = async () => (await sue.ask('POST', '/api/invitations', { email, role: 'user' })).body
    await invite()
    const { url } = await invite()
    await ada.ask('POST', `/api/boards/${board}/permissions`, { email, level: 'view' })
    const token = url.split('#')[1]
    const password = 'a long pass phrase'
    const made = await server.ask('POST', '/api/invitations/accept', { token, name: 'Nora Vale', password })
    await ada.ask('POST', `/api/boards/${await ada.board()}/permissions`, { email, level: 'edit' })
    assert.is(made.status, 200)
    assert.ok((await whereIs(server, 'nora.vale')).length > 2)
    await run(server, ['erase', email])
    assert.equal(await whereIs(server, 'nora.vale'), [])
    assert.equal(await whereIs(server, 'Nora Vale'), [])
  }),
)

privacy(
  'exports everything about a person, and erases it everywhere while the trail can still be verified',
  () =>
    withServer(async (server) => {
      const { user, db, open, database } = server
      const zora = await user('Zora Quill')
      const ada = await user('Ada')
      const sue = await user('Sue', 'sysadmin')
      const board = await zora.board('Sketches')
      const shared = await ada.board('Shared')
      await ada.grant(shared, zora, 'edit')
      const socket = await open(board, { ticket: await zora.ticket(board) })
      await zora.ask('POST', `/api/boards/${shared}/threads`, {
        anchor: { x: 1, y: 2 },
        body: 'I drew this.',
      })
      await ada.ask('POST', `/api/boards/${shared}/threads`, {
        anchor: { x: 1, y: 2 },
        body: 'Thank you @Zora Quill!',
        mentions: [`user:${zora.id}`],
      })
      const agent = await make.agent(db, {
        owner_id: zora.id,
        name: 'Helper of Zora Quill',
        description: 'Draws flowcharts',
      })
      await make.shareLink(db, { board_id: shared, created_by: zora.id, label: 'Zora Quill invites' })
      await make.webhookEvent(db, {
        type: 'comment.created',
        data: {
          actor: { kind: 'user', id: `user:${zora.id}`, name: 'Zora Quill', external_id: null },
          author: `user:${zora.id}`,
          author_name: 'Zora Quill',
          person: { id: `user:${zora.id}`, name: 'Zora Quill' },
          body: 'Mine.',
        },
      })
      await make.consent(db, { user_id: zora.id, ip_address: '192.0.2.77' })
      await server.ask(
        'POST',
        '/api/auth/sign-in/email',
        { email: zora.email, password: 'wrong wrong wrong' },
        { origin: server.origin },
      )

      const file = (await zora.ask('GET', '/api/me/export')).body
      assert.equal([file.person.email, file.profile[0].name], [zora.email, 'Zora Quill'])
      assert.equal(
        file.boards.map(({ title }: { title: string }) => title),
        ['Sketches'],
      )
      assert.equal(
        [
          file.comments[0].body,
          file.permissions.some(
            ({ title, level }: { title: string; level: string }) => title === 'Shared' && level === 'edit',
          ),
          file.mentions.length,
          file.consents[0].ip_address,
        ],
        ['I drew this.', true, 1, '192.0.2.77'],
      )
      assert.ok(file.sessions.length >= 1 && file.trail.length >= 3)
      assert.ok(file.rows >= file.trail.length)
      assert.not.match(JSON.stringify(file), /token|password_hash/)
      const page = await sue.ask('GET', `/api/people/${zora.id}/export?format=html`)
      assert.match(page.body, /<h2>Comments<\/h2>.*I drew this\./s)
      assert.is((await ada.ask('GET', `/api/people/${zora.id}/export`)).status, 403)
      assert.is((await server.ask('GET', '/api/me/export')).status, 401)
      const folder = mkdtempSync(join(tmpdir(), 'boardroom-person-'))
      try {
        const out = join(folder, 'zora.json')
        const { steps } = await run(server, ['export', zora.email.toUpperCase(), out])
        assert.is(JSON.parse(readFileSync(out, 'utf8')).profile[0].email, zora.email)
        assert.match(steps.at(-1) ?? '', /Trail: \d+ of \d+ rows/)
      } finally {
        await rm(folder, { recursive: true })
      }

      assert.is(
        (await sue.ask('POST', `/api/people/${zora.id}/erase`, { confirm: 'somebody@example.org' })).status,
        400,
      )
      assert.is(
        (await sue.ask('POST', '/api/me/erase', { confirm: sue.email })).status,
        409,
        'the last sysadmin stays',
      )
      assert.ok((await whereIs(server, 'Zora Quill')).length > 3)
      const { lines } = await run(server, ['erase', zora.email], { 'transfer-to': ada.email })
      const answer = JSON.parse(lines[0] ?? '{}')
      assert.ok(answer.rows > 3 && answer.boards >= 1, lines[0])
      assert.is(await socket.closed, 4401)
      // The connection ended after everything was committed: its end is in the trail without a name.
      await eventually(
        async () =>
          (
            await db
              .selectFrom('audit_logs')
              .select('id')
              .where('action', '=', 'leave')
              .where('user_id', '=', zora.id)
              .execute()
          ).length > 0,
      )
      assert.equal(await whereIs(server, 'Zora Quill'), [])
      const told = await db.selectFrom('webhook_events').select('data').executeTakeFirstOrThrow()
      assert.equal(told.data, {
        actor: { kind: 'user', id: `user:${zora.id}`, name: 'Erased person' },
        author: `user:${zora.id}`,
        author_name: 'Erased person',
        person: { id: `user:${zora.id}`, name: 'Erased person' },
        body: 'Mine.',
      })
      const helper = await db
        .selectFrom('agents')
        .selectAll()
        .where('id', '=', agent.id)
        .executeTakeFirstOrThrow()
      assert.equal([helper.name, helper.description, helper.is_active], [`Agent ${agent.id}`, '', false])
      assert.equal(await whereIs(server, zora.email), [])
      assert.equal(await whereIs(server, '192.0.2.77'), [])
      const threads = (await ada.ask('GET', `/api/boards/${shared}/threads`)).body.items
      assert.equal(
        threads.flatMap(({ comments }: { comments: { author_name: string; body: string }[] }) =>
          comments.map(({ author_name, body }) => [author_name, body]),
        ),
        [
          ['Ada', 'Thank you @Erased person!'],
          ['Erased person', 'I drew this.'],
        ],
      )
      assert.is((await ada.ask('GET', `/api/boards/${board}`)).body.owner_id, ada.id)
      const verified = await verifyAudit(database, {})
      assert.equal([verified.ok, verified.erased > 0], [true, true], JSON.stringify(verified))
      assert.is((await zora.ask('GET', '/api/me')).body.kind, 'anonymous')

      // By oneself, over HTTP; and for a guest, with the command.
      const done = await ada.ask('POST', '/api/me/erase', { confirm: ada.email })
      assert.equal([done.status, done.body.user_id], [200, ada.id])
      const guest = await make.guest(db, { name: 'Gustav Findling' })
      await make.linkUse(db, { guest_id: guest.id, user_id: null, name: 'Gustav Findling' })
      await run(server, ['erase', `guest:${guest.id}`])
      assert.equal(await whereIs(server, 'Gustav'), [])
      assert.ok((await verifyAudit(database, {})).ok)
    }),
)

privacy('lets nobody export or erase people above them, and a refused erasure changes nothing', () =>
  withServer(async (server) => {
    const { user, db } = server
    const sue = await user('Sue', 'sysadmin')
    const otto = await user('Otto', 'admin')
    const ada = await user('Ada')
    const board = await ada.board('Plans')
    assert.is((await otto.ask('GET', `/api/people/${sue.id}/export`)).status, 403)
    const above = await otto.ask('POST', `/api/people/${sue.id}/erase`, { confirm: sue.email })
    assert.is(above.status, 403)
    assert.is((await sue.ask('GET', '/api/me')).body.kind, 'user')
    assert.is((await otto.ask('GET', `/api/people/${ada.id}/export`)).status, 200)
    assert.is((await otto.ask('POST', `/api/people/99999999/erase`, { confirm: 'x' })).status, 404)

    // Something goes wrong half-way: the account is unchanged.
    await server.pool.query(`alter function boardroom.erase_audit(integer, uuid) rename to erase_audit_away`)
    const broken = await otto.ask('POST', `/api/people/${ada.id}/erase`, { confirm: ada.email })
    assert.ok(broken.status >= 500)
    await server.pool.query(`alter function boardroom.erase_audit_away(integer, uuid) rename to erase_audit`)
    assert.is((await ada.ask('GET', '/api/me')).body.kind, 'user')

    // A person from another directory, without an e-mail address, can hand over too.
    const foreign = await make.user(db, { email: null, issuer: 'crm', external_id: '17', name: 'Fern Away' })
    await db.updateTable('boards').set({ owner_id: foreign.id }).where('id', '=', board).execute()
    const { lines } = await run(server, ['erase', `user:${foreign.id}`], { 'transfer-to': ada.email })
    assert.is(JSON.parse(lines[0] ?? '{}').boards, 1)
    assert.is((await ada.ask('GET', `/api/boards/${board}`)).body.owner_id, ada.id)
    assert.equal(await whereIs(server, 'Fern Away'), [])
  }),
)

privacy.run()
