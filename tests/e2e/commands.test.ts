// Commands about people, the database and the trail, with a running server and without one.
import { access, readFile } from 'node:fs/promises'
import path from 'node:path'
import pg from 'pg'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  answer,
  create,
  postgresOf,
  rows,
  run,
  serve,
  signedIn,
  start,
  visitor,
  withFolder,
  withMadeFolder,
} from '../helpers/command-line.ts'
import { eventually } from '../helpers/eventually.ts'

const commands = suite('commands')

commands('users are created, listed, promoted and disabled before there is a server', () =>
  withMadeFolder(async (dataDir) => {
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
    const server = await serve(dataDir)
    assert.match(server.stdout, /Sample board, edit/, 'the first start is still to come')
    assert.not.match(server.stdout, /First account/, 'there is a sysadmin')
    await server.end()
  }),
)

commands('invalid arguments are refused before a database is created, with the nearest valid one', () =>
  withFolder(async (dataDir) => {
    const wrong: [string[], RegExp][] = [
      [['user', 'create', '--emial', 'a@example.org'], /unknown option --emial; did you mean --email\?/],
      [['user', 'role', 'a@example.org', 'boss'], /unknown role boss; expected one of sysadmin, admin, user/],
      [['usr', 'list'], /unknown command usr; did you mean user\?/],
      [['frobnicate'], /unknown command frobnicate; boardroom --help lists them/],
      [['user', 'list', 'ada@example.org'], /unexpected argument ada@example.org/],
      [['serve', 'now'], /unexpected argument now/],
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

commands('the database has an address for clients and commands, with a running server and without one', () =>
  withMadeFolder(async (dataDir) => {
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

commands('the seed creates people who can sign in, boards, links in every state, and prints them once', () =>
  withMadeFolder(async (dataDir) => {
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
    assert.is(found.length, 8, 'one is in the trash, one is a copy, three came from templates')
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
      'comment',
    ]) {
      assert.ok(actions.has(action), action)
    }
    const architecture = said.find(({ board }) => board?.startsWith('Payments'))
    const authors = (await mara.ask('GET', `/api/boards/${architecture.id}/authors`)).body.items
    const names: string[] = authors.map((author: { principal: { name: string } }) => author.principal.name)
    for (const name of ['Jonas Weber', 'Aiko Tanaka']) assert.ok(names.includes(name), `${name} wrote`)
    await server.end()
    const twice = await run(dataDir, ['seed'])
    assert.is(twice.code, 1)
    assert.match(twice.stderr, /Nothing was changed/)
  }),
)

commands('the trail is followed, exported and verified, and a person is erased from it', () =>
  withMadeFolder(async (dataDir, folder) => {
    const server = await serve(dataDir)
    await create(dataDir, 'ada@example.org')
    const tail = start(dataDir, ['audit', 'tail', '--json'])
    const ada = await signedIn(server, 'ada@example.org')
    await eventually(
      async () => {
        await ada.ask('POST', '/api/boards', {})
        return rows(tail.stdout.slice(0, tail.stdout.lastIndexOf('\n') + 1)).some(
          ({ action }) => action === 'create',
        )
      },
      { withinMs: 90_000, everyMs: 300 },
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
    assert.match(
      await answer(dataDir, ['audit', 'verify']),
      /the trail is whole: \d+ rows, [1-9].*agrees with .*audit-heads\.ndjson/,
    )

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
    assert.match(
      tampered.stderr,
      /tampered with: this row differs from .* \(entry \d+ of the chain, row [0-9a-f-]{36} of 20.*Z\)/,
    )
    await restarted.end()
  }),
)

commands('the trail is dropped only with --yes, and its last head is written to a file', () =>
  withMadeFolder(async (dataDir) => {
    await create(dataDir, 'ada@example.org', ['--role', 'sysadmin'])
    const states = async () => rows(await answer(dataDir, ['migrate', 'status', '--json']))
    const names = (await states()).map(({ name }) => name)
    for (const count of ['all', `${names.length - names.indexOf('0005-trail')}`]) {
      const refused = await run(dataDir, ['migrate', 'down', count])
      assert.is(refused.code, 1)
      assert.match(refused.stderr, /drops the audit trail.*audit export.*--yes/)
    }
    assert.ok((await states()).every(({ applied_at }) => applied_at !== null))
    assert.match(await answer(dataDir, ['migrate', 'down', '1']), /^migrated down: /m)
    await answer(dataDir, ['migrate', 'up'])
    const { length } = (
      await readFile(path.join(dataDir, 'audit-heads.ndjson'), 'utf8').catch(() => '')
    ).split('\n')
    assert.match(await answer(dataDir, ['migrate', 'down', 'all', '--yes']), /last head of the trail/)
    const heads = (await readFile(path.join(dataDir, 'audit-heads.ndjson'), 'utf8')).trim().split('\n')
    assert.ok(heads.length >= length)
    assert.match(JSON.parse(heads.at(-1) ?? '').hash, /^[0-9a-f]{64}$/)
    assert.ok((await states()).every(({ applied_at }) => applied_at === null))
  }),
)

commands('expired data is listed, and removed on request, while a server runs', () =>
  withMadeFolder(async (dataDir) => {
    await create(dataDir, 'ada@example.org')
    const server = await serve(dataDir)
    const ada = await signedIn(server, 'ada@example.org')
    const board = (await ada.ask('POST', '/api/boards', { title: 'Old plans' })).body.id
    assert.is((await ada.ask('DELETE', `/api/boards/${board}`)).status, 204)
    const trash = ['--retention', 'trash=0d']
    const olderThan = async (more: string[]) =>
      rows(await answer(dataDir, ['retention', '--json', ...more])).find(
        ({ category }) => category === 'trash',
      )
    assert.equal([(await olderThan([])).kept, (await olderThan([])).older], ['for ever', null])
    assert.is((await olderThan([...trash, '--dry-run'])).older, 1)
    assert.match(await answer(dataDir, ['retention']), /^category +what +kept +setting +older\n/)
    assert.is((await run(dataDir, ['retention', '--apply', '--dry-run'])).code, 1)
    assert.match(await answer(dataDir, ['retention', '--apply', ...trash]), /^trash: 1 rows were removed$/m)
    assert.match(await answer(dataDir, ['retention', '--apply', ...trash]), /^nothing is too old$/m)
    assert.is((await ada.ask('GET', `/api/boards/${board}`)).status, 404)
    const told = rows(await answer(dataDir, ['audit', 'export'])).filter(
      ({ action }) => action === 'retention',
    )
    assert.equal(
      told.map(({ actor_kind, details }) => [actor_kind, details]),
      [['system', { category: 'trash', days: 0, rows: 1 }]],
    )
    assert.match(await answer(dataDir, ['audit', 'verify']), /the trail is whole/)
    await server.end()
  }),
)

commands.run()
