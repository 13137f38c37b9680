// The program as people start, kill and stop it.
import { mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { MessageType } from '../../shared/protocol.ts'
import {
  type Ended,
  kill,
  postgresOf,
  run,
  type Server,
  serve,
  start,
  visitor,
  withFolder,
  withMadeFolder,
} from '../helpers/command-line.ts'
import { withEmptyDatabase } from '../helpers/database.ts'
import { eventually } from '../helpers/eventually.ts'
import { RawClient } from '../helpers/raw-client.ts'

const program = suite('the program')

/** The secret part of a printed link. */
const secretOf = ({ lines }: Server, name: string): string => {
  const line = lines.find((candidate) => candidate.startsWith(name)) ?? ''
  return new URL(line.slice(22)).hash.replace(/^#(k=)?/, '')
}
/** The single line left by a failed start. @param told lines of progress before it */
function refusalOf({ code, stdout, stderr }: Ended, told = 0): string {
  assert.is(code, 1, stderr)
  assert.is(stdout, '')
  const lines = stderr.trimEnd().split('\n')
  assert.is(lines.length, told + 1, stderr)
  const refusal = lines[told] ?? ''
  assert.match(refusal, /^boardroom: /)
  return refusal
}
/** For a program with this clock, a minute passes in a second. */
const fastClock = `--import=data:text/javascript,${encodeURIComponent(
  'const now = Date.now; const start = now(); Date.now = () => start + (now() - start) * 60',
)}`
/** Joined through the printed link, and connected. */
async function comeIn({ url }: Server, token: string): Promise<{ client: RawClient; level: string }> {
  const guest = visitor(url)
  const { body } = await guest.ask('POST', '/api/share-links/exchange', { token, name: 'Gus' })
  const client = new RawClient(`${url.replace('http', 'ws')}/ws/${body.board_id}`, { ticket: body.ticket })
  await client.opened
  await client.message(MessageType.hello)
  return { client, level: body.level }
}
const write = async (client: RawClient, key: string): Promise<void> => {
  const count = client.edit((doc) => doc.getMap('notes').set(key, key))
  await eventually(() => client.saved >= count)
}
const notesOf = (client: RawClient) => client.doc.getMap('notes').toJSON()

program('a first start prints five links that work, later ones only what still matters', () =>
  withFolder(async (dataDir) => {
    const first = await serve(dataDir)
    assert.is(first.lines.length, 5, first.stdout)
    const forms = [
      /^Boardroom is ready {4}http:\/\/localhost:\d+$/,
      /^First account {9}http:\/\/localhost:\d+\/setup#[\w-]{43}$/,
      /^Sample board, view {4}http:\/\/localhost:\d+\/b\/[0-9a-f-]{36}\?as=[A-Za-z+]+#k=[\w-]{43}$/,
      /^Sample board, comment http:\/\/localhost:\d+\/b\/[0-9a-f-]{36}\?as=[A-Za-z+]+#k=[\w-]{43}$/,
      /^Sample board, edit {4}http:\/\/localhost:\d+\/b\/[0-9a-f-]{36}\?as=[A-Za-z+]+#k=[\w-]{43}$/,
    ]
    for (const [at, form] of forms.entries()) assert.match(first.lines[at] ?? '', form)
    for (const level of ['view', 'comment', 'edit']) {
      const inside = await comeIn(first, secretOf(first, `Sample board, ${level}`))
      assert.is(inside.level, level)
      await eventually(() => inside.client.doc.getMap('elements').size > 500)
      inside.client.close()
    }
    await first.end()

    const second = await serve(dataDir)
    assert.is(second.lines.length, 2, second.stdout)
    const account = { name: 'Ada', email: 'ada@example.org', password: 'correct horse battery' }
    const token = secretOf(second, 'First account')
    assert.is((await visitor(second.url).ask('POST', '/api/setup', { ...account, token })).status < 300, true)
    const again = await visitor(second.url).ask('POST', '/api/setup', {
      ...account,
      email: 'eve@example.org',
      token,
    })
    assert.is(again.body.error?.code, 'link_not_valid')
    assert.is((await second.end()).code, 0)
    const third = await serve(dataDir)
    assert.is(third.lines.length, 1, third.stdout)
    await third.end()
    assert.is(postgresOf(dataDir), null)
  }),
)

program('a second server on one data folder, and one on a port in use, say so in one line', () =>
  withMadeFolder(async (dataDir) => {
    const first = await serve(dataDir)
    const second = await run(dataDir, ['serve'])
    assert.match(refusalOf(second), new RegExp(`process ${first.pid}`), 'who it is')
    const third = await run(dataDir, ['serve'], { env: { PORT: new URL(first.url).port } })
    assert.match(refusalOf(third), /port \d+ is in use.*--port/)
    assert.is((await visitor(first.url).ask('GET', '/readyz')).status, 200, 'and the first goes on')
    await first.end()
  }),
)

program('a setting it cannot start with gives one line with the solution, and no password', () =>
  withFolder(async (dataDir, folder) => {
    const outside = (url: string) =>
      run(dataDir, ['serve'], { env: { DATABASE_URL: url, BOARDROOM_SECRET: 'x'.repeat(32) } })
    const unreachable = refusalOf(await outside('postgres://boardroom:open%20sesame@127.0.0.1:1/nothing'))
    assert.match(unreachable, /"nothing" at 127.0.0.1:1 as "boardroom": nothing listens.*check DATABASE_URL/)
    assert.not.match(unreachable, /sesame/)
    const noUrl = refusalOf(await outside('open sesame'))
    assert.match(noUrl, /DATABASE_URL/)
    assert.not.match(noUrl, /sesame/)

    const otherMajor = path.join(folder, 'other')
    await mkdir(path.join(otherMajor, 'postgres'), { recursive: true })
    await writeFile(path.join(otherMajor, 'postgres', 'PG_VERSION'), '14\n')
    const old = await run(otherMajor, ['serve'])
    assert.match(refusalOf(old), /Postgres 14.*boardroom backup/)

    // Root may write into every folder except the kernel's virtual ones.
    const isRoot = process.getuid?.() === 0
    const locked = isRoot ? '/sys/boardroom' : path.join(folder, 'locked')
    if (!isRoot) await mkdir(locked, { mode: 0o555 })
    const readOnly = await run(locked, ['serve'])
    assert.match(refusalOf(readOnly), /(locked|sys).*BOARDROOM_DATA_DIR/)
  }),
)

program('saved edits survive kill -9 of the server, and of its Postgres too', () =>
  withMadeFolder(async (dataDir) => {
    const first = await serve(dataDir)
    const token = secretOf(first, 'Sample board, edit')
    const { client } = await comeIn(first, token)
    await write(client, 'one')
    kill(first.pid, 'SIGKILL')
    await first.ended
    const orphan = postgresOf(dataDir)
    assert.type(orphan, 'number', 'Postgres goes on')

    const second = await serve(dataDir)
    assert.is(postgresOf(dataDir), orphan, 'and is used again')
    const again = await comeIn(second, token)
    await eventually(() => notesOf(again.client).one === 'one')
    await write(again.client, 'two')
    kill(orphan ?? 0, 'SIGKILL')
    kill(second.pid, 'SIGKILL')
    await second.ended

    const third = await serve(dataDir)
    const last = await comeIn(third, token)
    await eventually(() => notesOf(last.client).two === 'two')
    assert.equal(notesOf(last.client), { one: 'one', two: 'two' })
    await third.end()
  }),
)

program('Ctrl-C saves what was just drawn, tells clients to reconnect, and leaves no Postgres', () =>
  withMadeFolder(async (dataDir) => {
    const server = await serve(dataDir)
    const token = secretOf(server, 'Sample board, edit')
    const { client } = await comeIn(server, token)
    await write(client, 'first')
    for (let count = 0; count < 200; count++)
      client.edit((doc) => doc.getMap('notes').set(`n${count}`, count))
    const from = performance.now()
    kill(-server.pid, 'SIGINT') // to the whole group, as a terminal does
    const ended = await server.ended
    assert.is(ended.code, 0, ended.stderr)
    assert.ok(performance.now() - from < 25_000)
    assert.is((await client.closed).code, 1012)
    assert.is(postgresOf(dataDir), null)
    const saved = client.saved

    const next = await serve(dataDir)
    const again = await comeIn(next, token)
    await eventually(() => notesOf(again.client).first === 'first')
    assert.ok(Object.keys(notesOf(again.client)).length >= saved, `${saved} were said to be saved`)
    await next.end()
  }),
)

program('a signal while it starts leaves no Postgres either', () =>
  withFolder(async (dataDir) => {
    const starting = start(dataDir, ['serve'])
    await eventually(() => postgresOf(dataDir) !== null, { withinMs: 60_000 })
    kill(-starting.pid, 'SIGTERM')
    await starting.ended
    assert.is(postgresOf(dataDir), null)
  }),
)

program('an external database needs a secret, one server at a time, and no newer tables', () =>
  withEmptyDatabase(({ url, pool }) =>
    withFolder(async (dataDir) => {
      const bare = await run(dataDir, ['serve'], { env: { DATABASE_URL: url } })
      assert.match(refusalOf(bare), /DATABASE_URL requires BOARDROOM_SECRET/)
      const env = { DATABASE_URL: url, BOARDROOM_SECRET: 'x'.repeat(32) }
      const first = await serve(dataDir, { env })
      const impatient = await run(dataDir, ['serve'], { env: { ...env, NODE_OPTIONS: fastClock } })
      // On a busy machine its minute, a second of ours, is over before it has reported that it waits.
      const refusal = refusalOf(impatient, /waiting up to 60 s/.test(impatient.stderr) ? 1 : 0)
      assert.match(refusal, new RegExp(`process ${first.pid} on .*; stop it first`))
      assert.is((await visitor(first.url).ask('GET', '/readyz')).status, 200, 'and the first goes on')

      const elsewhere = { HOST: '127.0.0.2', PORT: new URL(first.url).port }
      const second = start(dataDir, ['serve'], {
        env: process.platform === 'linux' ? { ...env, ...elsewhere } : env,
      })
      await eventually(() => /waiting up to 60 s/.test(second.stderr), { withinMs: 60_000 })
      assert.match(second.stderr, new RegExp(`process ${first.pid}`))
      assert.is(second.stdout, '')
      // Only Linux has more loopback addresses than one.
      if (process.platform === 'linux')
        assert.is(
          (await fetch(`http://127.0.0.2:${elsewhere.PORT}/healthz`)).status,
          503,
          'it has its port already',
        )
      await first.end()
      await eventually(() => /Boardroom is ready/.test(second.stdout), { withinMs: 60_000 })
      kill(second.pid, 'SIGTERM')
      assert.is((await second.ended).code, 0)

      await pool.query(`insert into boardroom.migrations (name) values ('9999-from-the-future')`)
      const old = await run(dataDir, ['serve'], { env })
      assert.match(refusalOf(old), /newer Boardroom \(9999-from-the-future\)/)
    }),
  ),
)

/** A program in which SIGUSR2 raises an uncaught error, like a bug of ours. */
const withFault = (fault: string) => ({
  NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(`process.on('SIGUSR2', () => { ${fault} })`)}`,
})

for (const [kind, fault] of [
  ['thrown', `throw new Error('a fault')`],
  ['rejected', `Promise.reject(new Error('a fault'))`],
] as const)
  program(`an error that nobody caught (${kind}) is one line, drains, and ends with code 70`, () =>
    withFolder(async (dataDir) => {
      const server = await serve(dataDir, { env: withFault(fault) })
      const { client } = await comeIn(server, secretOf(server, 'Sample board, edit'))
      await write(client, 'before')
      kill(server.pid, 'SIGUSR2')
      const { code, stderr } = await server.ended
      assert.is(code, 70)
      assert.is((await client.closed).code, 1012)
      const told = stderr
        .trim()
        .split('\n')
        .filter((line) => line.startsWith('{'))
        .map((line) => JSON.parse(line))
        .filter(({ level }) => level >= 50)
      assert.equal(
        told.map(({ msg, err }) => [msg, err.message]),
        [['uncaught error: shutting down', 'a fault']],
      )
      assert.is(postgresOf(dataDir), null)
    }),
  )

program.run()
