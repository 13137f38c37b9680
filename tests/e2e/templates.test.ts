import nodeAssert from 'node:assert/strict'
import { sql } from 'kysely'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type * as Y from 'yjs'
import { elementsOf, writeElements } from '../../shared/scene.ts'
import { withDatabase } from '../helpers/database.ts'
import { eventually } from '../helpers/eventually.ts'
import { birthDate, make, validCnpj, validCpf } from '../helpers/factories.ts'
import { type Person, startNode, withServer } from '../helpers/server.ts'

const templates = suite('templates and records')

const textElement = (id: string, text: string) => ({
  id,
  type: 'text',
  x: 10,
  y: 20,
  width: 200,
  height: 25,
  text,
  originalText: text,
  fontSize: 20,
  fontFamily: 5,
  lineHeight: 1.25,
  textAlign: 'left',
  verticalAlign: 'top',
  containerId: null,
  autoResize: true,
})
const drawing = (...texts: string[]) => ({
  type: 'excalidraw',
  version: 2,
  elements: texts.map((text, at) => textElement(`text-${at}`, text)),
})

const intakeSchema = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  type: 'object',
  properties: {
    name: { type: 'string', minLength: 2, maxLength: 100 },
    cpf: { type: 'string', format: 'cpf' },
    birth_date: { type: 'string', format: 'date', formatMinimum: '1900-01-01', notAfter: 'today' },
    email: { type: 'string', format: 'email' },
    company: { type: 'string', format: 'cnpj', unique: false },
    status: { type: 'string', enum: ['new', 'known'], default: 'new' },
    visits: { type: 'integer', minimum: 0 },
  },
  required: ['name', 'cpf', 'birth_date'],
}
const intake = {
  code: 'CLIENT_INTAKE',
  name: 'Client intake',
  category: 'clients',
  content: drawing('{{name}}, born {{ birth_date }}', 'CPF {{cpf}}', 'Welcome'),
  variables_schema: intakeSchema,
  board_types: ['intake'],
}
const client = (more: object = {}) => ({
  name: 'Ana Lima',
  cpf: validCpf(),
  birth_date: birthDate(),
  ...more,
})

const approved = async (author: Person, admin: Person, body: object): Promise<string> => {
  const sent = await author.ask('POST', '/api/templates', body)
  assert.is(sent.status, 201, JSON.stringify(sent.body))
  const answer = await admin.ask('POST', `/api/templates/${sent.body.id}/approve`, { notes: 'Fine.' })
  assert.is(answer.status, 200, JSON.stringify(answer.body))
  return sent.body.id
}
const codes = (answer: { body: { items: { code: string; version: number }[] } }) =>
  answer.body.items.map(({ code, version }) => `${code} ${version}`)

templates('are submitted by anybody, made current by an administrator, and kept for existing boards', () =>
  withServer(async ({ user, db }) => {
    const ada = await user('Ada')
    const bob = await user('Bob')
    const sue = await user('Sue', 'admin')
    const sent = await ada.ask('POST', '/api/templates', intake)
    assert.equal(
      [sent.status, sent.body.version, sent.body.is_current, sent.body.status],
      [201, 1, false, 'waiting'],
    )
    const first: string = sent.body.id
    const path = `/api/templates/${first}`
    assert.is((await bob.ask('GET', path)).status, 404, 'a version that waits is its author’s')
    assert.equal(codes(await bob.ask('GET', '/api/templates')), [])
    assert.equal(codes(await sue.ask('GET', '/api/templates?scope=waiting')), ['CLIENT_INTAKE 1'])
    assert.is((await ada.ask('POST', `${path}/approve`, {})).status, 403)
    assert.is((await ada.ask('POST', '/api/boards', { template_id: first, variables: client() })).status, 409)
    assert.is((await ada.ask('POST', '/api/templates', intake)).status, 409, 'the code is taken')

    const both = await Promise.all(
      [1, 2, 3].map(() => sue.ask('POST', `${path}/approve`, { notes: 'Fine.' })),
    )
    assert.equal(both.map(({ status }) => status).sort(), [200, 409, 409])
    assert.equal(codes(await bob.ask('GET', '/api/templates?category=clients&board_type=intake')), [
      'CLIENT_INTAKE 1',
    ])
    const old = await bob.ask('POST', '/api/boards', { template_id: first, variables: client() })
    assert.equal(
      [old.status, old.body.board_type, old.body.has_record],
      [201, 'intake', true],
      JSON.stringify(old.body),
    )

    const versions = await Promise.all(
      [2, 3].map((n) =>
        ada.ask('POST', `${path}/versions`, {
          name: `Client intake ${n}`,
          content: drawing('Hello {{name}}', 'CPF {{cpf}}'),
        }),
      ),
    )
    assert.equal(versions.map(({ body }) => body.version).sort(), [2, 3])
    await Promise.all(versions.map(({ body }) => sue.ask('POST', `/api/templates/${body.id}/approve`)))
    const current = await db
      .selectFrom('board_templates')
      .select('version')
      .where('is_current', '=', true)
      .execute()
    assert.is(current.length, 1)
    assert.is(current[0]?.version, 3, 'the newer of two approved at once')
    assert.equal(codes(await bob.ask('GET', `${path}/versions`)).at(0), 'CLIENT_INTAKE 3')
    const stays = (await bob.ask('GET', `/api/boards/${old.body.id}/record`)).body
    assert.equal([stays.template.version, stays.template.id], [1, first])
    const gone = await bob.ask('POST', '/api/boards', { template_id: first, variables: client() })
    assert.equal([gone.status, typeof gone.body.error.details.current_template_id], [409, 'string'])

    const newest = versions.find(({ body }) => body.version === 3)?.body.id
    const compared = (await ada.ask('GET', `/api/templates/${newest}/compare`)).body
    assert.equal([compared.version, compared.previous_version], [3, 2])
    const toFirst = versions.find(({ body }) => body.version === 2)?.body.id
    const older = (await sue.ask('GET', `/api/templates/${toFirst}/compare`)).body
    assert.equal(older.texts[0], {
      id: 'text-0',
      before: '{{name}}, born {{ birth_date }}',
      after: 'Hello {{name}}',
    })
    assert.equal(older.elements.removed, ['text-2'])
    await nodeAssert.rejects(
      db.updateTable('board_templates').set({ name: 'Other' }).execute(),
      /stays as it is/,
    )
    await nodeAssert.rejects(
      db.updateTable('board_templates').set({ is_current: true }).where('version', '=', 1).execute(),
      /board_templates_one_current/,
    )
    const trail = await db
      .selectFrom('audit_logs')
      .select(['action', 'new_values'])
      .where('category', '=', 'template')
      .execute()
    assert.ok(
      trail.some(
        ({ new_values }) => new_values?.approval_notes === 'Fine.' && new_values.is_current === true,
      ),
    )

    const broken: [string, object][] = [
      ['no drawing', { content: { type: 'other' } }],
      [
        'a damaged element',
        { content: { type: 'excalidraw', elements: [{ ...textElement('a', 'x'), x: 'far' }] } },
      ],
      ['a variable that the schema lacks', { content: drawing('{{nobody}}') }],
      [
        'a keyword that is misspelt',
        { variables_schema: { type: 'object', properties: { name: { type: 'string', minLenght: 2 } } } },
      ],
      [
        'a reference elsewhere',
        { variables_schema: { type: 'object', properties: { name: { $ref: 'https://example.org/s' } } } },
      ],
      [
        'a field that is no simple value',
        { variables_schema: { type: 'object', properties: { name: { type: 'array' } } } },
      ],
      [
        'a pattern that cannot be read',
        { variables_schema: { type: 'object', properties: { name: { type: 'string', pattern: '(' } } } },
      ],
      ['an unknown key', { colour: 'red' }],
    ]
    for (const [what, change] of broken) {
      const answer = await ada.ask('POST', '/api/templates', { ...intake, code: 'BROKEN', ...change })
      assert.is(answer.status, 400, what)
    }
    // Content that was corrupted in the database makes no board.
    await sql`insert into ${sql.table('board_templates')} (code, name, category, version, is_current, approved_at, content, variables_schema)
      values ('DAMAGED', 'Damaged', 'x', 1, true, now(), '{"type":"excalidraw","elements":[{"id":5},null,7]}', '{"type":"object"}'),
        ('LYING', 'Lying', 'x', 1, true, now(), '{"elements":[]}', '{"type":"object","properties":{"a":7}}')`.execute(
      db,
    )
    const count = async () => (await db.selectFrom('boards').select('id').execute()).length
    const boardsBefore = await count()
    for (const { id, code } of (await bob.ask('GET', '/api/templates?category=x')).body.items) {
      const answer = await bob.ask('POST', '/api/boards', { template_id: id, variables: { a: 'x' } })
      assert.ok(answer.status >= 400 && answer.status < 500, `${code}: ${answer.status}`)
      assert.match(answer.body.error.message, /template|variable/i)
    }
    assert.is(await count(), boardsBefore, 'and none is left behind')
    await db.deleteFrom('board_templates').where('category', '=', 'x').execute()
    // A board becomes a template: its texts have their placeholders again.
    const saved = await bob.ask('POST', `/api/boards/${old.body.id}/template`, {
      code: 'FROM_BOARD',
      name: 'From a board',
      category: 'clients',
      variables_schema: intakeSchema,
    })
    assert.equal(
      [saved.status, saved.body.content.elements[0].text],
      [201, '{{name}}, born {{ birth_date }}'],
    )
    assert.is((await bob.ask('DELETE', `/api/templates/${saved.body.id}`)).status, 204)
    assert.is((await bob.ask('DELETE', `/api/templates/${newest}`)).status, 403)
    assert.is((await sue.ask('DELETE', `/api/templates/${newest}`)).status, 204)
    assert.equal(codes(await bob.ask('GET', '/api/templates')), [])
  }),
)

templates('that wait are visible only to their author and administrators, even through other versions', () =>
  withServer(async ({ user }) => {
    const ada = await user('Ada')
    const bob = await user('Bob')
    const sue = await user('Sue', 'admin')
    const first = await approved(ada, sue, intake)
    const versions = `/api/templates/${first}/versions`
    const secret = await ada.ask('POST', versions, { content: drawing('Not yet {{name}}') })
    assert.equal([secret.status, secret.body.version], [201, 2])
    const next = await bob.ask('POST', versions, { name: 'Intake of Bob' })
    assert.equal([next.status, next.body.version, next.body.previous_version_id], [201, 3, first])
    const compare = `/api/templates/${next.body.id}/compare`
    const texts = JSON.stringify([next.body, (await bob.ask('GET', compare)).body])
    assert.not.match(texts, /Not yet/)
    assert.is((await bob.ask('GET', compare)).body.previous_version, 1)
    assert.is((await sue.ask('GET', compare)).body.previous_version, 2)

    const waiting = await ada.ask('POST', '/api/templates', { ...intake, code: 'WAITING' })
    const taken = await bob.ask('POST', '/api/templates', { ...intake, code: 'WAITING' })
    assert.equal([taken.status, taken.body.error.details.template_id], [409, null])
    assert.not.match(JSON.stringify(taken.body), new RegExp(waiting.body.id))
  }),
)

templates(
  'ask for their variables and store them as a typed record, which the texts on the board follow',
  () =>
    withServer(async ({ user, db, open, actions }) => {
      const ada = await user('Ada')
      const eve = await user('Eve')
      const sue = await user('Sue', 'admin')
      const template = await approved(ada, sue, intake)
      const boards = () => db.selectFrom('boards').select('id').execute()
      const before = (await boards()).length
      const wrong: [string, object | undefined, string][] = [
        ['nothing', undefined, 'name'],
        ['one missing', { name: 'Ana', cpf: validCpf() }, 'birth_date'],
        ['a wrong type', client({ name: 7 }), 'name'],
        ['too short', client({ name: 'A' }), 'name'],
        ['markup', client({ name: '<b>Ana</b>' }), 'name'],
        ['a mark that turns the text around', client({ name: 'An\u202ea' }), 'name'],
        ['a placeholder', client({ name: '{{cpf}}' }), 'name'],
        ['a CPF with wrong digits', client({ cpf: '529.982.247-26' }), 'cpf'],
        ['a CPF of one digit', client({ cpf: '111.111.111-11' }), 'cpf'],
        ['a CPF with letters in between', client({ cpf: '529a982b247c25' }), 'cpf'],
        ['born tomorrow', client({ birth_date: '2999-01-01' }), 'birth_date'],
        ['born too early', client({ birth_date: '1850-01-01' }), 'birth_date'],
        ['no day', client({ birth_date: '1990-02-30' }), 'birth_date'],
        ['no e-mail', client({ email: 'ana at home' }), 'email'],
        ['no choice', client({ status: 'lost' }), 'status'],
        ['no CNPJ', client({ company: '12.ABC.345/01DE-36' }), 'company'],
        ['an unknown variable', client({ nickname: 'Aninha' }), 'nickname'],
      ]
      for (const [what, variables, field] of wrong) {
        const answer = await ada.ask('POST', '/api/boards', {
          template_id: template,
          ...(variables === undefined ? {} : { variables }),
        })
        assert.is(answer.status, 400, what)
        assert.ok(
          answer.body.error.details.issues.some(({ path }: { path: string }) => path === field),
          `${what}: ${answer.body.error.message}`,
        )
      }
      assert.is((await boards()).length, before, 'nothing is left of what was refused')

      const letters = validCnpj()
      const made = await ada.ask('POST', '/api/boards', {
        title: 'Ana',
        template_id: template,
        variables: client({
          cpf: '529.982.247-25',
          birth_date: '1984-05-17',
          company: letters.toLowerCase(),
        }),
      })
      assert.is(made.status, 201, JSON.stringify(made.body))
      const board: string = made.body.id
      const path = `/api/boards/${board}/record`
      const record = (await ada.ask('GET', path)).body
      assert.equal(record.variables, {
        name: 'Ana Lima',
        cpf: '52998224725',
        birth_date: '1984-05-17',
        company: letters,
        status: 'new',
      })
      assert.equal(
        [record.created_by, record.updated_by, record.created_by_name, record.deleted_at],
        [ada.id, ada.id, 'Ada', null],
      )
      const here = await open(board, { ticket: await ada.ticket(board) })
      const texts = () =>
        elementsOf(here.doc)
          .map(({ text }) => text)
          .sort()
      assert.equal(texts(), ['Ana Lima, born 1984-05-17', 'CPF *********25', 'Welcome'])

      const twice = await ada.ask('POST', '/api/boards', {
        template_id: template,
        variables: client({ cpf: '52998224725' }),
      })
      assert.equal([twice.status, twice.body.error.details.field], [409, 'cpf'])
      const race = await Promise.all(
        [1, 2, 3].map(() =>
          ada.ask('POST', '/api/boards', {
            template_id: template,
            variables: client({ cpf: '111.444.777-35' }),
          }),
        ),
      )
      assert.equal(race.map(({ status }) => status).sort(), [201, 409, 409])

      const changed = await ada.ask('PATCH', path, {
        variables: { name: 'Ana Souza', visits: 3, company: null },
      })
      assert.equal(
        [changed.status, changed.body.variables.name, changed.body.variables.company],
        [200, 'Ana Souza', undefined],
      )
      await eventually(() => texts().includes('Ana Souza, born 1984-05-17'))
      // A text that somebody rewrote by hand is kept.
      const [mine] = elementsOf(here.doc).filter(({ text }) => String(text).startsWith('Ana Souza'))
      nodeAssert(mine)
      writeElements(here.doc, [{ ...mine, text: 'Ana!', originalText: 'Ana!' }])
      await ada.ask('PATCH', path, { variables: { name: 'Ana Reis' } })
      const stale = await ada.ask('PATCH', path, {
        variables: { name: 'Late' },
        updated_at: record.updated_at,
      })
      assert.is(stale.status, 409)
      assert.ok(texts().includes('Ana!'), texts().join(' | '))
      assert.is((await ada.ask('PATCH', path, { variables: { cpf: '111.444.777-35' } })).status, 409)
      assert.is((await ada.ask('PATCH', path, { variables: { name: null } })).status, 400)

      await ada.grant(board, eve, 'view')
      const seen = (await eve.ask('GET', path)).body
      assert.equal(
        [seen.variables.cpf, seen.masked, seen.may_change],
        ['*********25', ['cpf', 'company'], false],
      )
      assert.is((await eve.ask('PATCH', path, { variables: { name: 'Eve' } })).status, 403)
      const rows = await db
        .selectFrom('audit_logs')
        .selectAll()
        .where('resource_type', '=', 'board_record')
        .where('board_id', '=', board)
        .orderBy('timestamp')
        .execute()
      assert.equal(
        rows.map(({ action }) => action),
        ['create', 'update', 'update'],
      )
      assert.equal(
        [rows[1]?.old_values, rows[1]?.new_values].map(
          (values) => (values?.record_values as { name: string } | undefined)?.name,
        ),
        ['Ana Lima', 'Ana Souza'],
      )
      assert.not.match(JSON.stringify(rows), /52998224725/)
      assert.ok((await actions(board)).includes('read'))

      const names = (answer: { body: { items: { variables: { name: string } }[] } }) =>
        answer.body.items.map(({ variables }) => variables.name)
      assert.equal(names(await ada.ask('GET', '/api/records?template=CLIENT_INTAKE&q=REIS')), ['Ana Reis'])
      assert.equal(names(await ada.ask('GET', '/api/records?template=CLIENT_INTAKE&q=529.982.247-25')), [
        'Ana Reis',
      ])
      assert.equal(
        names(await ada.ask('GET', '/api/records?template=CLIENT_INTAKE&q=529982')),
        [],
        'a part of an id finds nothing',
      )
      assert.equal(names(await eve.ask('GET', '/api/records?template=CLIENT_INTAKE')), ['Ana Reis'])
      const page = await ada.ask('GET', '/api/records?template=CLIENT_INTAKE&limit=1')
      assert.equal([page.body.items.length, typeof page.body.next_cursor], [1, 'string'])
      const next = await ada.ask(
        'GET',
        `/api/records?template=CLIENT_INTAKE&limit=1&cursor=${page.body.next_cursor}`,
      )
      assert.equal([names(next), next.body.next_cursor], [['Ana Reis'], null])
      const file = await ada.ask('GET', '/api/records/export?template=CLIENT_INTAKE&format=csv')
      assert.match(file.body, /^board_id,board_title,name,cpf,.*52998224725/s)
      assert.not.match(
        (await eve.ask('GET', '/api/records/export?template=CLIENT_INTAKE')).body,
        /52998224725/,
      )

      // While it is in the trash, its id is free; it can be restored only while the id still is.
      assert.is((await ada.ask('PATCH', path, { deleted: true })).status, 200)
      assert.is((await eve.ask('GET', path)).status, 404)
      assert.is(
        (
          await ada.ask('POST', '/api/boards', {
            template_id: template,
            variables: client({ cpf: '52998224725' }),
          })
        ).status,
        201,
      )
      assert.is((await ada.ask('PATCH', path, { deleted: false })).status, 409)
      assert.equal(
        await db
          .selectFrom('board_records')
          .select('id')
          .where('deleted_at', 'is not', null)
          .execute()
          .then((all) => all.length),
        1,
      )
      await make.record(db)
    }),
)

templates('are required for new boards of a type if one says so', () =>
  withServer(async ({ user }) => {
    const ada = await user('Ada')
    const sue = await user('Sue', 'admin')
    const schema = {
      type: 'object',
      properties: { owner: { type: 'string' }, status: { type: 'string', enum: ['free', 'let'] } },
      required: ['owner', 'status'],
    }
    const body = {
      code: 'PROPERTY',
      name: 'Property',
      category: 'properties',
      content: drawing('{{owner}}: {{status}}'),
      variables_schema: schema,
      board_types: ['property', 'flat'],
      is_required: true,
    }
    assert.is(
      (await ada.ask('POST', '/api/boards', { board_type: 'property' })).status,
      201,
      'nothing is required yet',
    )
    const template = await approved(ada, sue, body)
    const bare = await ada.ask('POST', '/api/boards', { board_type: 'property' })
    assert.equal([bare.status, bare.body.error.details.required_templates], [400, ['PROPERTY']])
    const variables = { owner: 'Rui', status: 'free' }
    const flat = await ada.ask('POST', '/api/boards', {
      board_type: 'flat',
      template_id: template,
      variables,
    })
    assert.equal([flat.status, flat.body.board_type], [201, 'flat'])
    assert.is(
      (await ada.ask('POST', '/api/boards', { board_type: 'garden', template_id: template, variables }))
        .status,
      400,
    )
    assert.is((await ada.ask('POST', '/api/boards', { variables })).status, 400)
    assert.is((await ada.ask('POST', '/api/boards', {})).status, 201)
    const changed = await ada.ask('PATCH', `/api/boards/${flat.body.id}/record`, {
      variables: { status: 'let' },
    })
    assert.equal([changed.body.variables, changed.body.updated_by], [{ owner: 'Rui', status: 'let' }, ada.id])
  }),
)

templates('have texts that eventually follow their record, whatever changes and crashes meanwhile', () =>
  withDatabase(async (database) => {
    const secret = 'of both servers, one after the other'
    const first = await startNode(database, { secret })
    const { user, open, db } = first.server
    const ada = await user('Ada')
    const template = await approved(ada, await user('Sue', 'admin'), intake)
    const made = await ada.ask('POST', '/api/boards', { template_id: template, variables: client() })
    const board = made.body.id
    const textOf = ({ doc }: { doc: Y.Doc }) =>
      elementsOf(doc)
        .map(({ text }) => String(text))
        .find((text) => text.includes('born'))
    const waiting = async () => (await db.selectFrom('record_texts_waiting').selectAll().execute()).length
    const here = await open(board, { ticket: await ada.ticket(board) })
    const path = `/api/boards/${board}/record`
    await Promise.all(
      Array.from({ length: 12 }, (_, n) => ada.ask('PATCH', path, { variables: { name: `Ana ${n}` } })),
    )
    const { name } = (await ada.ask('GET', path)).body.variables
    await eventually(() => textOf(here)?.startsWith(`${name}, born`))
    assert.is(await waiting(), 0)
    const ticket = await ada.ticket(board)
    await first.stop()
    // The state left by a server that dies between the record and the board; and the person who changed it is gone,
    // too.
    await database.pool.query(
      `update boardroom.board_records set variables = variables || '{"name": "Zoe"}', updated_by = null, updated_at = clock_timestamp()`,
    )
    assert.is(await waiting(), 1)
    const second = await startNode(database, { secret })
    try {
      const there = await second.server.open(board, { ticket })
      await eventually(() => textOf(there)?.startsWith('Zoe, born'))
      await eventually(async () => (await waiting()) === 0)
    } finally {
      await second.stop()
    }
  }),
)

templates.run()
