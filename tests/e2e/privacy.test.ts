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
import { make } from '../helpers/factories.ts'
import { type TestServer, withServer } from '../helpers/server.ts'

const privacy = suite('privacy')

/** Every row of every table that holds the text, as `table: row`. */
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

privacy('exports all about a person, and erases them everywhere while the trail still verifies', () =>
  withServer(async (server) => {
    const { user, db, open, database } = server
    const zora = await user('Zora Quill')
    const ada = await user('Ada')
    const sue = await user('Sue', 'sysadmin')
    const board = await zora.board('Sketches')
    const shared = await ada.board('Shared')
    await ada.grant(shared, zora, 'edit')
    const socket = await open(board, { ticket: await zora.ticket(board) })
    await zora.ask('POST', `/api/boards/${shared}/threads`, { anchor: { x: 1, y: 2 }, body: 'I drew this.' })
    await ada.ask('POST', `/api/boards/${shared}/threads`, {
      anchor: { x: 1, y: 2 },
      body: 'Thank you @Zora Quill!',
      mentions: [`user:${zora.id}`],
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
    assert.equal(await whereIs(server, 'Zora Quill'), [])
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

    // By oneself, over HTTP; and of a guest, by the command.
    const done = await ada.ask('POST', '/api/me/erase', { confirm: ada.email })
    assert.equal([done.status, done.body.user_id], [200, ada.id])
    const guest = await make.guest(db, { name: 'Gustav Findling' })
    await make.linkUse(db, { guest_id: guest.id, user_id: null, name: 'Gustav Findling' })
    await run(server, ['erase', `guest:${guest.id}`])
    assert.equal(await whereIs(server, 'Gustav'), [])
    assert.ok((await verifyAudit(database, {})).ok)
  }),
)

privacy.run()
