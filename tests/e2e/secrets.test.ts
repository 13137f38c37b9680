// Every secret that a run issues or receives, searched for in everything that the run leaves behind: the program's
// output at the most verbose log level, the log of its Postgres, and every row of every table.
import { readdir, readFile } from 'node:fs/promises'
import path from 'node:path'
import pg from 'pg'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { MessageType } from '../../shared/protocol.ts'
import { visitor, withMadeFolder } from '../helpers/command-line.ts'
import { eventually } from '../helpers/eventually.ts'
import { type Program, runProgram, startProgram } from '../helpers/program.ts'
import { RawClient } from '../helpers/raw-client.ts'

const secrets = suite('secrets')

const password = 'correct horse battery staple'
const email = 'ada@example.org'

type Visitor = ReturnType<typeof visitor>

/** By name. The part after a dot in a cookie is its signature. */
type Issued = Map<string, string>

const printed = async (program: Program, name: string): Promise<string> => {
  const line = await eventually(() => program.said.find((candidate) => candidate.startsWith(name)))
  return /#(?:k=)?([\w-]{43})$/.exec(line)?.[1] ?? ''
}

const cookiesOf = (who: Visitor): [string, string][] =>
  who
    .cookie()
    .split('; ')
    .filter((pair) => pair !== '')
    .map((pair) => [pair.split('=')[0] ?? '', decodeURIComponent(pair.slice(pair.indexOf('=') + 1))])

/** Goes through everything that involves a secret, including the failures. */
async function exercise(program: Program): Promise<{ issued: Issued; ada: Visitor }> {
  const issued: Issued = new Map()
  const { origin } = program
  const note = (name: string, secret: string) => {
    assert.ok(secret.length > 8, `${name} was issued`)
    issued.set(name, secret)
  }
  note('password', password)
  note('set-up link', await printed(program, 'First account'))
  for (const level of ['view', 'comment', 'edit'])
    note(`printed link, ${level}`, await printed(program, `Sample board, ${level}`))

  const ada = visitor(origin)
  const setUp = { token: issued.get('set-up link'), name: 'Ada', email, password }
  assert.ok((await ada.ask('POST', '/api/setup', setUp)).status < 300)
  assert.ok((await ada.ask('POST', '/api/setup', setUp)).status >= 400, 'it is used up')
  await ada.ask('POST', '/api/auth/sign-in/email', { email, password })
  note('mistyped password', 'correct horse battery stable')
  await ada.ask('POST', '/api/auth/sign-in/email', { email, password: issued.get('mistyped password') })
  for (const [name, value] of cookiesOf(ada)) note(`cookie ${name} of a session`, value)

  const board = (await ada.ask('POST', '/api/boards', { title: 'Plans' })).body.id
  note('password of a link', 'open sesame, please')
  const link = (
    await ada.ask('POST', `/api/boards/${board}/share-links`, {
      level: 'edit',
      password: issued.get('password of a link'),
    })
  ).body
  note('link', /#k=([\w-]+)/.exec(JSON.stringify(link))?.[1] ?? '')
  const gus = visitor(origin)
  const exchange = { token: issued.get('link'), name: 'Gus', password: issued.get('password of a link') }
  note('mistyped password of a link', 'open sesame, pleace')
  await gus.ask('POST', '/api/share-links/exchange', {
    ...exchange,
    password: issued.get('mistyped password of a link'),
  })
  const inside = await gus.ask('POST', '/api/share-links/exchange', exchange)
  assert.is(inside.status, 200)
  note('ticket of a guest', inside.body.ticket)
  for (const [name, value] of cookiesOf(gus)) note(`cookie ${name} of a guest`, value)
  note('ticket', (await ada.ask('POST', `/api/boards/${board}/tickets`, {})).body.ticket)

  const url = `${origin.replace('http', 'ws')}/ws/${board}`
  note('forged ticket', `${issued.get('ticket')?.slice(0, -12)}AAAAAAAAAAAA`)
  for (const options of [
    { ticket: issued.get('ticket') ?? '' },
    { query: `?ticket=${issued.get('ticket of a guest')}` },
    { headers: { cookie: ada.cookie(), origin } },
  ]) {
    const client = new RawClient(url, options)
    await client.message(MessageType.hello)
    client.close()
    await client.closed
  }
  for (const options of [
    { ticket: issued.get('forged ticket') ?? '' },
    { query: `?ticket=${issued.get('forged ticket')}` },
  ])
    assert.is((await new RawClient(url, options).closed).code, 4401)
  for (const secret of [issued.get('ticket'), issued.get('forged ticket'), issued.get('link')]) {
    const answer = await fetch(`${origin}/api/boards/${board}`, {
      headers: { authorization: `Bearer ${secret}` },
    })
    const said = await answer.text()
    for (const [name, each] of issued) assert.not.ok(said.includes(each), `${name} is in an answer`)
  }
  const broken = await fetch(`${origin}/api/auth/sign-in/email`, {
    method: 'POST',
    headers: { origin, 'content-type': 'application/json' },
    body: `{"email": "${email}", "password": "${password}"`,
  })
  assert.not.match(await broken.text(), /horse/)
  return { issued, ada }
}

/**
 * A secret in the forms in which it might appear: unchanged, as bytea in hexadecimal, decoded and then in
 * hexadecimal, in base64.
 */
const formsOf = (secret: string): string[] => [
  secret,
  encodeURIComponent(secret),
  JSON.stringify(secret).slice(1, -1),
  Buffer.from(secret).toString('hex'),
  Buffer.from(secret).toString('base64').replaceAll('=', ''),
  ...(/^[\w-]{43}$/.test(secret) ? [Buffer.from(secret, 'base64url').toString('hex')] : []),
]

async function everyRow(url: string): Promise<Map<string, string>> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    const { rows: tables } = await client.query<{ name: string }>(
      `select quote_ident(schemaname) || '.' || quote_ident(tablename) as name from pg_tables
        where schemaname not in ('pg_catalog', 'information_schema')`,
    )
    const contents = new Map<string, string>()
    for (const { name } of tables) {
      const { rows } = await client.query<{ line: string }>(`select t::text as line from ${name} t`)
      contents.set(name, rows.map(({ line }) => line).join('\n'))
    }
    return contents
  } finally {
    await client.end()
  }
}

/** The database's data about a session is not enough to sign in. */
async function tryStoredSession(origin: string, ada: Visitor, rows: string): Promise<void> {
  const [[name, cookie] = ['', '']] = cookiesOf(ada)
  const token = cookie.split('.')[0] ?? ''
  assert.ok(token.length > 8 && rows.includes(token), 'what the database has of it')
  const statusWith = async (headers: Record<string, string>) =>
    (await fetch(`${origin}/api/sessions`, { headers: { origin, ...headers } })).status
  assert.is(await statusWith({ cookie: ada.cookie() }), 200)
  assert.is(await statusWith({ authorization: `Bearer ${token}` }), 401)
  assert.is(await statusWith({ cookie: `${name}=${token}` }), 401)
}

secrets('appear in no log and no row, however they were used, and a row is not enough to sign in', () =>
  withMadeFolder(async (dataDir) => {
    const program = await startProgram(dataDir, { BOARDROOM_LOG_LEVEL: 'trace' })
    let places: Map<string, string>
    let issued: Issued
    try {
      const exercised = await exercise(program)
      issued = exercised.issued
      issued.set('secret of the server', (await readFile(path.join(dataDir, 'secret'), 'utf8')).trim())
      places = await everyRow((await runProgram(dataDir, ['database', 'url'])).trim())
      await tryStoredSession(program.origin, exercised.ada, places.get('boardroom.sessions') ?? '')
    } finally {
      await program.stop()
    }
    // The five lines of the first start print links, once.
    const links = /^(First account|Sample board)/
    places.set('the output', program.said.filter((line) => !links.test(line)).join('\n'))
    assert.ok((places.get('the output') ?? '').length > 500, 'the program talked')
    const logs = path.join(dataDir, 'postgres', 'log')
    for (const file of await readdir(logs)) places.set(file, await readFile(path.join(logs, file), 'utf8'))
    const found = [...places].flatMap(([place, content]) =>
      [...issued].flatMap(([name, secret]) =>
        formsOf(secret).some((form) => content.includes(form)) ? [`${name} in ${place}`] : [],
      ),
    )
    assert.equal(found, [])
  }),
)

secrets.run()
