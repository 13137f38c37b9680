// Every command of the program, beside a running server and without one.
import { access, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import pg from 'pg'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import * as Y from 'yjs'
import { encodeSync, MessageType, SyncStep } from '../../shared/protocol.ts'
import {
  postgresOf,
  type RunOptions,
  run,
  type Server,
  serve,
  start,
  visitor,
  withFolder,
} from '../helpers/command-line.ts'
import { eventually } from '../helpers/eventually.ts'
import { RawClient } from '../helpers/raw-client.ts'

const commands = suite('commands')

const drawing = path.resolve('tests/fixtures/boards/hexagonal-architecture.excalidraw')
/** What a command that succeeds prints. */
async function answer(dataDir: string, words: string[], options: RunOptions = {}): Promise<string> {
  const { code, stdout, stderr } = await run(dataDir, words, options)
  if (code !== 0) throw new Error(`${words.join(' ')}: ${code}: ${stderr}`)
  return stdout
}
const rows = (stdout: string) => stdout.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line)]))
const password = 'correct horse battery'
const create = (dataDir: string, email: string, more: string[] = []) =>
  run(dataDir, ['user', 'create', '--email', email, '--name', 'Somebody', ...more], {
    input: `${password}\n`,
  })
async function signedIn({ url }: Server, email: string) {
  const person = visitor(url)
  const { status } = await person.ask('POST', '/api/auth/sign-in/email', { email, password })
  assert.is(status, 200)
  return person
}

commands('users are made, listed, promoted and disabled before there is a server', () =>
  withFolder(async (dataDir) => {
    assert.is((await create(dataDir, 'ada@example.org', ['--role', 'sysadmin'])).code, 0)
    const twice = await create(dataDir, 'ADA@example.org')
    assert.is(twice.code, 1)
    assert.match(twice.stderr, /already/)
    assert.is((await create(dataDir, 'bob@example.org')).code, 0)
    const promoted = rows(await answer(dataDir, ['user', 'role', 'bob@example.org', 'admin', '--json']))
    assert.is(promoted[0].role, 'admin')
    const last = await run(dataDir, ['user', 'disable', 'ada@example.org'])
    assert.match(last.stderr, /last active sysadmin/)
    assert.is(last.code, 1)
    await answer(dataDir, ['user', 'disable', 'bob@example.org', '--transfer-to', 'ada@example.org'])
    const list = rows(await answer(dataDir, ['user', 'list', '--json']))
    assert.equal(
      list
        .filter(({ email }) => email?.endsWith('example.org'))
        .map(({ email, is_active }) => [email, is_active]),
      [
        ['ada@example.org', true],
        ['bob@example.org', false],
      ],
    )
    assert.is(postgresOf(dataDir), null, 'nothing is left running')
  }),
)

commands('what cannot be meant is refused before a database is made, with the nearest that can', () =>
  withFolder(async (dataDir) => {
    const wrong: [string[], RegExp][] = [
      [['user', 'create', '--emial', 'a@example.org'], /unknown option --emial; did you mean --email\?/],
      [['user', 'role', 'a@example.org', 'boss'], /unknown role boss; expected one of sysadmin, admin, user/],
      [['usr', 'list'], /unknown command usr; did you mean user\?/],
      [['board', 'export', 'no-id'], /expected the id of a board/],
      [['board', 'list', '--format'], /needs a value/],
      [['serve', '--max-frame-byte', '5'], /did you mean --max-frame-bytes\?/],
      [['restore'], /expected one file/],
      [['audit', 'retention', '--keep', '10d'], /90/],
    ]
    await Promise.all(
      wrong.map(async ([words, expected]) => {
        const { code, stderr, stdout } = await run(dataDir, words)
        assert.match(stderr, expected)
        assert.is(code, 1)
        assert.is(stdout, '')
      }),
    )
    assert.is(
      await access(dataDir).then(
        () => true,
        () => false,
      ),
      false,
    )
    const help = await answer(dataDir, ['--help'])
    for (const name of ['serve', 'board rebuild', 'backup FILE', 'seed', 'audit verify'])
      assert.match(help, name)
  }),
)

commands(
  'the database has an address that clients and commands reach beside the server, and without it',
  () =>
    withFolder(async (dataDir) => {
      const server = await serve(dataDir)
      const url = (await answer(dataDir, ['database', 'url'])).trim()
      assert.is(url, (await answer(dataDir, ['database', 'url', '--json']).then(rows))[0].url)
      const client = new pg.Client({ connectionString: url })
      if (process.getuid?.() !== undefined) {
        await client.connect()
        assert.equal((await client.query('select count(*)::integer as count from boardroom.boards')).rows, [
          { count: 1 },
        ])
        await client.end()
      }
      const states = rows(await answer(dataDir, ['migrate', 'status', '--json', '--database-url', url]))
      assert.ok(states.length > 5 && states.every(({ applied_at }) => applied_at !== null))
      await server.end()
      assert.is((await answer(dataDir, ['database', 'url'])).trim(), url)
      assert.is(postgresOf(dataDir), null)
    }),
)

commands('boards go out and come in as files, beside a running server', () =>
  withFolder(async (dataDir, folder) => {
    const server = await serve(dataDir)
    await create(dataDir, 'ada@example.org')
    const [made] = rows(
      await answer(dataDir, ['board', 'import', drawing, '--owner', 'ada@example.org', '--json']),
    )
    assert.is(made.elements, 582)
    const ada = await signedIn(server, 'ada@example.org')
    assert.is((await ada.ask('GET', `/api/boards/${made.id}`)).body.title, 'hexagonal-architecture')

    const { body } = await ada.ask('POST', `/api/boards/${made.id}/tickets`, {})
    const client = new RawClient(`${server.url.replace('http', 'ws')}/ws/${made.id}`, { ticket: body.ticket })
    await client.opened
    const count = client.edit((doc) => doc.getMap('notes').set('drawn', 'just now'))
    await eventually(() => client.saved >= count)
    const json = JSON.parse(await answer(dataDir, ['board', 'export', made.id, '--format', 'json']))
    assert.is(json.notes.drawn, 'just now', 'what is saved is in it')
    const file = path.join(folder, 'out.excalidraw')
    await answer(dataDir, ['board', 'export', made.id, '--output', file])
    assert.is(JSON.parse(await readFile(file, 'utf8')).elements.length, 582)
    assert.match((await run(dataDir, ['board', 'export', made.id, '--output', file])).stderr, /exists/)
    const update = path.join(folder, 'board.yjs')
    await answer(dataDir, ['board', 'export', made.id, '--format', 'yjs', '--output', update])
    const doc = new Y.Doc()
    Y.applyUpdate(doc, await readFile(update))
    assert.is(doc.getMap('elements').size, 582)

    const broken = path.join(folder, 'broken.excalidraw')
    await writeFile(broken, '{"type":"excalidraw"')
    const refused = await run(dataDir, ['board', 'import', broken])
    assert.is(refused.code, 1)
    assert.is(rows(await answer(dataDir, ['board', 'list', '--json'])).length, 2, 'and leaves no board')
    const into = await run(dataDir, ['board', 'import', drawing, '--board', made.id])
    assert.match(into.stderr, new RegExp(`${server.pid}`), 'into a board only without a server')
    client.close()
    await server.end()
    await answer(dataDir, ['board', 'import', drawing, '--board', made.id])
  }),
)

commands('a rebuilt board has its content and not its history, and nobody brings the old one back', () =>
  withFolder(async (dataDir) => {
    const first = await serve(dataDir)
    await create(dataDir, 'ada@example.org')
    const ada = await signedIn(first, 'ada@example.org')
    const boardId = (await ada.ask('POST', '/api/boards', {})).body.id
    const join = async (server: Server) => {
      const { body } = await (await signedIn(server, 'ada@example.org')).ask(
        'POST',
        `/api/boards/${boardId}/tickets`,
        {},
      )
      const client = new RawClient(`${server.url.replace('http', 'ws')}/ws/${boardId}`, {
        ticket: body.ticket,
      })
      await client.opened
      return client
    }
    const old = await join(first)
    let count = 0
    for (let value = 0; value < 300; value++)
      count = old.edit((doc) => doc.getMap('notes').set('counter', `${value} ${'x'.repeat(50)}`))
    count = old.edit((doc) => {
      const gone = new Y.Map<unknown>(Object.entries({ id: 'gone', type: 'rectangle', isDeleted: true }))
      doc.getMap('elements').set('gone', gone)
      doc.getText('text').insert(0, 'kept')
    })
    await eventually(() => old.saved >= count)
    assert.match(
      (await run(dataDir, ['board', 'rebuild', boardId])).stderr,
      new RegExp(`${first.pid}`),
      'not beside a server',
    )
    await first.end()

    const [summary] = rows(await answer(dataDir, ['board', 'rebuild', boardId, '--json']))
    assert.ok(summary.bytes_after < summary.bytes_before, JSON.stringify(summary))
    assert.is(summary.forgotten_elements, 1)

    const second = await serve(dataDir)
    const late = await join(second)
    await eventually(() => late.doc.getMap('notes').get('counter') === `299 ${'x'.repeat(50)}`)
    assert.is(late.doc.getText('text').toString(), 'kept')
    assert.is(late.doc.getMap('elements').size, 0)
    const stale = await join(second)
    stale.send(encodeSync(SyncStep.step2, Y.encodeStateAsUpdate(old.doc)))
    await stale.message(MessageType.notice)
    const fresh = late.edit((doc) => doc.getMap('notes').set('after', true))
    await eventually(() => late.saved >= fresh)
    const { body } = await (await signedIn(second, 'ada@example.org')).ask(
      'GET',
      `/api/boards/${boardId}/document`,
    )
    assert.equal(body, { notes: { counter: `299 ${'x'.repeat(50)}`, after: true }, text: 'kept' })
    const versions = (
      await (await signedIn(second, 'ada@example.org')).ask('GET', `/api/boards/${boardId}/versions`)
    ).body
    assert.ok(versions.items.some(({ name }: { name: string | null }) => name === 'Before the rebuild'))
    await second.end()
  }),
)

commands('a backup made beside a running server, restored into a new folder, is the same instance', () =>
  withFolder((dataDir, folder) =>
    withFolder(async (otherDir) => {
      const first = await serve(dataDir)
      await create(dataDir, 'ada@example.org', ['--role', 'sysadmin'])
      const ada = await signedIn(first, 'ada@example.org')
      const [made] = rows(
        await answer(dataDir, ['board', 'import', drawing, '--owner', 'ada@example.org', '--json']),
      )
      const link = (await ada.ask('POST', `/api/boards/${made.id}/share-links`, { level: 'edit' })).body.url
      const file = path.join(folder, 'everything.backup')
      await answer(dataDir, ['backup', file])
      assert.match((await run(dataDir, ['backup', file])).stderr, /exists; choose another name/)
      assert.match(
        (await run(dataDir, ['restore', file])).stderr,
        new RegExp(`${first.pid}`),
        'not under a server',
      )
      await first.end()
      assert.match((await run(dataDir, ['restore', file])).stderr, /never started.*Nothing was changed/)

      const cut = path.join(folder, 'cut.backup')
      const bytes = await readFile(file)
      await writeFile(cut, bytes.subarray(0, bytes.length / 2))
      assert.match((await run(otherDir, ['restore', cut])).stderr, /cut off/)
      await answer(otherDir, ['restore', file])
      const second = await serve(otherDir)
      assert.is(second.lines.length, 1, 'the sysadmin came along, and no second sample board')
      const again = await signedIn(second, 'ada@example.org')
      assert.is((await again.ask('GET', `/api/boards/${made.id}/document`)).status, 200)
      const guest = visitor(second.url)
      const token = link.slice(link.indexOf('#k=') + 3)
      assert.is(
        (await guest.ask('POST', '/api/share-links/exchange', { token, name: 'Gus' })).body.level,
        'edit',
      )
      await second.end()
      assert.match(await answer(otherDir, ['audit', 'verify']), /the trail is whole/)
    }),
  ),
)

commands('the seed makes people who can sign in, boards, links in every state, and is told once', () =>
  withFolder(async (dataDir) => {
    const said = rows(await answer(dataDir, ['seed', '--json']))
    const states = said.flatMap(({ state }) => (state === undefined ? [] : [state]))
    assert.equal([...new Set(states)].sort(), ['active', 'expired', 'revoked', 'suspended', 'used_up'])
    const server = await serve(dataDir)
    const person = said.find(({ email }) => email?.startsWith('mara@'))
    const mara = visitor(server.url)
    assert.is(
      (await mara.ask('POST', '/api/auth/sign-in/email', { email: person.email, password: person.password }))
        .status,
      200,
    )
    const found = (await mara.ask('GET', '/api/boards?scope=instance')).body.items
    assert.is(found.length, 5, 'one is in the trash, one is a copy')
    for (const board of said.filter(({ id }) => id !== undefined)) {
      for (const link of (await mara.ask('GET', `/api/boards/${board.id}/share-links`)).body.items ?? []) {
        assert.is(link.state, said.find(({ label }) => label === link.label)?.state, link.label)
      }
    }
    const actions = new Set(
      (await mara.ask('GET', '/api/audit?limit=200')).body.items.map(
        ({ action }: { action: string }) => action,
      ),
    )
    for (const action of [
      'access',
      'leave',
      'access_denied',
      'read',
      'permission_change',
      'link_use',
      'link_revoke',
      'login',
      'login_failed',
      'delete',
      'role_change',
    ]) {
      assert.ok(actions.has(action), action)
    }
    await server.end()
    const twice = await run(dataDir, ['seed'])
    assert.is(twice.code, 1)
    assert.match(twice.stderr, /Nothing was changed/)
  }),
)

commands('the trail is followed, exported, verified, and forgets a person', () =>
  withFolder(async (dataDir, folder) => {
    const server = await serve(dataDir)
    await create(dataDir, 'ada@example.org')
    const tail = start(dataDir, ['audit', 'tail', '--json'])
    await eventually(() => tail.stderr !== '' || server.child.exitCode === null)
    const ada = await signedIn(server, 'ada@example.org')
    await eventually(
      async () => {
        await ada.ask('POST', '/api/boards', {})
        return rows(tail.stdout.slice(0, tail.stdout.lastIndexOf('\n') + 1)).some(
          ({ action }) => action === 'create',
        )
      },
      { withinMs: 15_000, everyMs: 300 },
    )
    tail.child.kill('SIGINT')
    assert.is((await tail.ended).code, 0)

    const exported = rows(await answer(dataDir, ['audit', 'export']))
    assert.ok(exported.some(({ actor_name }) => actor_name === 'Somebody'))
    const file = path.join(folder, 'trail.csv')
    await answer(dataDir, ['audit', 'export', '--format', 'csv', '--output', file])
    assert.match(await readFile(file, 'utf8'), /^"?id"?|timestamp/)
    const [erased] = rows(await answer(dataDir, ['audit', 'erase', '--user', 'ada@example.org', '--json']))
    assert.ok(erased.rows > 0)
    assert.not(
      rows(await answer(dataDir, ['audit', 'export'])).some(({ actor_name }) => actor_name === 'Somebody'),
    )
    assert.match(await answer(dataDir, ['audit', 'retention', '--keep', '90d']), /0 months/)
    await server.end()
    assert.match(await answer(dataDir, ['audit', 'verify']), /the trail is whole: \d+ rows, [1-9]/)

    const restarted = await serve(dataDir)
    const url = (await answer(dataDir, ['database', 'url'])).trim()
    const client = new pg.Client({ connectionString: url })
    await client.connect()
    await client.query(`begin; alter table boardroom.audit_logs disable trigger user;
      do $$ declare part regclass; begin for part in select inhrelid::regclass from pg_inherits where inhparent = 'boardroom.audit_logs'::regclass
        loop execute format('alter table %s disable trigger user', part); end loop; end $$;
      update boardroom.audit_logs set action = 'update' where action = 'create'; commit`)
    await client.end()
    const tampered = await run(dataDir, ['audit', 'verify'])
    assert.is(tampered.code, 1)
    assert.match(tampered.stderr, /tampered with.*row/)
    await restarted.end()
  }),
)

commands.run()
