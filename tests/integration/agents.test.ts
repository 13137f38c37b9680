// Agents: created, granted access, followed live, stopped; over HTTP and on the socket of a stock client.
import { pino } from 'pino'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import * as Y from 'yjs'
import { AgentJournal } from '../../server/agents/journal.ts'
import { CloseCode, MessageType } from '../../shared/protocol.ts'
import { elementsOf, writeElements } from '../../shared/scene.ts'
import { eventually } from '../helpers/eventually.ts'
import { type Answer, type Person, type TestServer, withServer } from '../helpers/server.ts'
import { withoutTrailOf } from '../helpers/without-trail.ts'

const agents = suite('agents')

const rectangle = (id: string, more: Record<string, unknown> = {}) => ({
  id,
  type: 'rectangle',
  x: 10,
  y: 20,
  width: 100,
  height: 50,
  strokeColor: '#1e1e1e',
  isDeleted: false,
  ...more,
})

const all = { can_create: true, can_read: true, can_update: true, can_delete: true }

const ok = (answer: Answer) => {
  if (answer.status >= 300) throw new Error(`got ${answer.status}: ${JSON.stringify(answer.body)}`)
  return answer.body
}

const make = async (owner: Person, name: string): Promise<{ id: string; token: string }> =>
  ok(await owner.ask('POST', '/api/agents', { name }))

const asAgent =
  ({ ask }: TestServer, token: string) =>
  (method: string, path: string, body?: unknown) =>
    ask(method, path, body, { authorization: `Bearer ${token}` })

agents(
  'are created with a token that is shown once, and are listed, stopped and deleted by their owner',
  () =>
    withServer(async (server) => {
      const ada = await server.user('Ada')
      const bob = await server.user('Bob')
      const root = await server.user('Root', 'sysadmin')
      const made = await ada.ask('POST', '/api/agents', { name: 'Drawer', description: 'Draws flowcharts' })
      assert.is(made.status, 201)
      const { id, token } = made.body
      assert.match(token, /^bra_[\w-]{43}$/)
      assert.equal([made.body.is_active, made.body.owner_id, made.body.last_used_at], [true, ada.id, null])
      const { rows } = await server.pool.query(`select token_sha256 from boardroom.agents where id = $1`, [
        id,
      ])
      assert.not.match(JSON.stringify(rows), token, 'only the hash is kept')

      const listed = ok(await ada.ask('GET', '/api/agents')).items
      assert.equal(
        listed.map(({ name, token }: Record<string, string>) => [name, token]),
        [['Drawer', undefined]],
      )
      assert.equal(ok(await bob.ask('GET', '/api/agents')).items, [])
      assert.is(ok(await root.ask('GET', '/api/agents?scope=instance')).items.length, 1)
      assert.is((await bob.ask('GET', '/api/agents?scope=instance')).status, 403)

      for (const [body, status] of [
        [{ name: 'drawer' }, 409],
        [{ name: 'D' }, 400],
        [{ name: '   ' }, 400],
        [{ name: 'Other', is_active: false }, 400],
        [{}, 400],
      ] as const)
        assert.is((await ada.ask('POST', '/api/agents', body)).status, status, JSON.stringify(body))
      assert.is((await server.ask('POST', '/api/agents', { name: 'Nobody’s' })).status, 401)
      const asDrawer = asAgent(server, token)
      assert.is((await asDrawer('POST', '/api/agents', { name: 'Child' })).status, 403)
      assert.is((await bob.ask('PATCH', `/api/agents/${id}`, { is_active: false })).status, 403)
      assert.is((await bob.ask('DELETE', `/api/agents/${id}`)).status, 403)

      const me = ok(await asDrawer('GET', '/api/me'))
      assert.equal([me.kind, me.id, me.name, me.user_id], ['agent', `agent:${id}`, 'Drawer', null])
      assert.is.not(ok(await ada.ask('GET', `/api/agents/${id}`)).last_used_at, null)

      assert.is(ok(await ada.ask('PATCH', `/api/agents/${id}`, { is_active: false })).is_active, false)
      assert.is((await asDrawer('GET', '/api/me')).status, 401)
      ok(await root.ask('PATCH', `/api/agents/${id}`, { is_active: true }))
      assert.is((await asDrawer('GET', '/api/me')).status, 200)
      ok(await ada.ask('POST', `/api/agents/${id}/grants`, { board_id: null, can_read: true }))
      assert.is((await ada.ask('DELETE', `/api/agents/${id}`)).status, 204)
      assert.is((await asDrawer('GET', '/api/me')).status, 401)
      assert.is((await ada.ask('GET', `/api/agents/${id}`)).status, 404)

      const grants = await server.pool.query(`select from boardroom.user_agent_permissions`)
      assert.is(grants.rowCount, 0, 'its grants are gone with it')
      const trail = await server.pool.query(
        `select category, actor_name, resource_type, old_values->>'is_active' as old, new_values->>'is_active' as new
       from boardroom.audit_logs where action = 'agent_grant' order by timestamp, id`,
      )
      assert.equal(
        trail.rows.map(({ resource_type, old, new: now }) => `${resource_type} ${old} ${now}`).sort(),
        [
          'agent false true',
          'agent null true',
          'agent true false',
          'agent true null',
          'user_agent_permission null null',
          'user_agent_permission null null',
        ],
      )
      assert.ok(trail.rows.every(({ category, actor_name }) => category === 'agent' && actor_name !== null))
      const secrets = await server.pool.query(
        `select from boardroom.audit_logs where new_values ? 'token_sha256' or old_values ? 'token_sha256'`,
      )
      assert.is(secrets.rowCount, 0)
    }),
)

agents('may do what one person allows, on one board or on all of that person’s, and never more', () =>
  withServer(async (server) => {
    const ada = await server.user('Ada')
    const bob = await server.user('Bob')
    const root = await server.user('Root', 'sysadmin')
    const plans = await ada.board('Plans')
    const secrets = await bob.board('Secrets')
    const { id, token } = await make(ada, 'Drawer')
    const drawer = asAgent(server, token)
    const give = (who: Person, body: unknown) => who.ask('POST', `/api/agents/${id}/grants`, body)
    assert.is((await drawer('GET', `/api/boards/${plans}`)).status, 404)

    const given = await give(ada, { board_id: plans, can_read: true })
    assert.is(given.status, 201)
    assert.equal(
      [given.body.user_id, given.body.granted_by, given.body.board_title, given.body.can_update],
      [ada.id, ada.id, 'Plans', false],
    )
    assert.equal(ok(await drawer('GET', `/api/boards/${plans}`)).level, 'view')
    assert.is((await drawer('GET', `/api/boards/${secrets}`)).status, 404)
    assert.is(
      (await drawer('POST', `/api/boards/${plans}/threads`, { anchor: { x: 1, y: 1 }, body: 'Hm' })).status,
      403,
    )

    const again = await give(ada, { board_id: plans, can_read: true, can_create: true })
    assert.equal(
      [again.status, again.body.id],
      [200, given.body.id],
      'one row for a person, an agent and a board',
    )
    const thread = await drawer('POST', `/api/boards/${plans}/threads`, {
      anchor: { x: 1, y: 1 },
      body: 'Hm',
    })
    assert.equal([thread.status, thread.body.comments[0].author], [201, `agent:${id}`])
    const drawing = { type: 'excalidraw', elements: [rectangle('a')] }
    const replaced = await server.ask('POST', `/api/boards/${plans}/import`, drawing, {
      authorization: `Bearer ${token}`,
      'content-type': 'application/vnd.excalidraw+json',
    })
    assert.is(replaced.status, 403, 'who may only add does not import')

    // For every board of Bob's: only what he may do on them at the moment.
    ok(await give(bob, { board_id: null, ...all }))
    assert.is(ok(await drawer('GET', `/api/boards/${secrets}`)).level, 'edit')
    ok(await ada.grant(plans, bob, 'view'))
    ok(await root.ask('PATCH', `/api/boards/${secrets}`, { owner_id: root.id }))
    assert.is((await drawer('GET', `/api/boards/${secrets}`)).status, 404, 'Bob has nothing there any more')
    ok(await give(root, { board_id: null, ...all }))
    assert.is((await drawer('GET', `/api/boards/${secrets}`)).status, 200, 'it is Root’s own now')
    const others = await ada.board('Not Root’s')
    assert.is((await drawer('GET', `/api/boards/${others}`)).status, 404, 'administering is not lent')

    const past = new Date(Date.now() - 60_000).toISOString()
    for (const [body, status] of [
      [{ board_id: plans, can_read: true, expires_at: past }, 400],
      [{ board_id: plans }, 400],
      [{ can_read: true }, 400],
      [{ board_id: secrets, can_read: true }, 404],
      [{ board_id: plans, can_reed: true }, 400],
    ] as const)
      assert.is((await give(ada, body)).status, status, JSON.stringify(body))
    await server.pool.query(`update boardroom.agents set is_active = false`)
    assert.is((await give(ada, { board_id: plans, can_read: true })).status, 409)
    await server.pool.query(`update boardroom.agents set is_active = true`)

    const seen = ok(await ada.ask('GET', `/api/agents/${id}/grants`)).items
    assert.equal(
      seen.map((grant: Record<string, unknown>) => [grant.user_name, grant.board_title]),
      [
        ['Ada', 'Plans'],
        ['Bob', null],
        ['Root', null],
      ],
    )
    const bobs = ok(await bob.ask('GET', `/api/agents/${id}/grants`)).items
    assert.equal(
      bobs.map((grant: Record<string, unknown>) => grant.user_name),
      ['Bob'],
    )
    assert.is((await bob.ask('DELETE', `/api/agents/${id}/grants/${given.body.id}`)).status, 404)
    assert.is((await bob.ask('DELETE', `/api/agents/${id}/grants/${bobs[0].id}`)).status, 204)
    const who = ok(await ada.ask('GET', `/api/boards/${plans}/access`)).items
    const listed = who.find(({ principal }: { principal: { kind: string } }) => principal.kind === 'agent')
    assert.equal([listed.principal.name, listed.level], ['Drawer', 'edit'])
    assert.is((await ada.ask('DELETE', `/api/agents/${id}/grants/${given.body.id}`)).status, 204)
    assert.is((await drawer('GET', `/api/boards/${plans}`)).status, 404)
  }),
)

agents('join with a token or ticket, under their name, and leave at once when they lose access', () =>
  withServer(async (server) => {
    const ada = await server.user('Ada')
    const board = await ada.board()
    const { id, token } = await make(ada, 'Drawer')
    const give = async (more: object = {}) =>
      ok(await ada.ask('POST', `/api/agents/${id}/grants`, { board_id: board, ...all, ...more })).id
    const drawer = asAgent(server, token)
    const stranger = await server.open(board, { ticket: token, waitFor: 'closed' })
    assert.is(await stranger.closed, CloseCode.noAccess)
    const grant = await give()
    const ticket = ok(await drawer('POST', `/api/boards/${board}/tickets`)).ticket
    const byToken = await server.open(board, { ticket: token })
    const byTicket = await server.open(board, { ticket, via: 'query' })
    const here = ok(await ada.ask('GET', `/api/boards/${board}/connections`)).items
    assert.equal(
      here.map(({ principal, reason }: Record<string, unknown>) => [principal, reason]),
      Array(2).fill([{ kind: 'agent', id: `agent:${id}`, name: 'Drawer' }, 'agent']),
    )
    byToken.provider.awareness.setLocalStateField('user', { name: 'Ada', color: '#ff0000' })
    await eventually(() =>
      [...byTicket.provider.awareness.getStates().values()].some(
        ({ user, principal }) => user?.name === 'Drawer' && principal?.kind === 'agent',
      ),
    )
    assert.is(ok(await ada.ask('DELETE', `/api/agents/${id}/grants/${grant}`)), '')
    assert.equal([await byToken.closed, await byTicket.closed], [CloseCode.noAccess, CloseCode.noAccess])

    const ways: [name: string, code: number, sql: string, undo: string | null][] = [
      ['the grant deleted', 4403, `delete from boardroom.user_agent_permissions`, null],
      ['the grant expired', 4403, `update boardroom.user_agent_permissions set expires_at = now()`, null],
      [
        'the bits cleared',
        4403,
        `update boardroom.user_agent_permissions set can_create = false, can_read = false, can_update = false, can_delete = false`,
        null,
      ],
      [
        'the agent stopped',
        4401,
        `update boardroom.agents set is_active = false`,
        `update boardroom.agents set is_active = true`,
      ],
      [
        'its owner deactivated',
        4401,
        `update boardroom.users set is_active = false where name = 'Ada'`,
        `update boardroom.users set is_active = true where name = 'Ada'`,
      ],
    ]
    for (const [name, code, sql, undo] of ways) {
      await give()
      const client = await server.open(board, { ticket: token })
      await server.pool.query(sql)
      assert.is(await client.closed, code, name)
      client.stop()
      const back = await server.open(board, { ticket: token, waitFor: 'closed' })
      assert.is(await back.closed, code, `${name}, again`)
      back.stop()
      if (undo !== null) await server.pool.query(undo)
    }
    await give({ expires_at: new Date(Date.now() + 2000).toISOString() })
    const until = await server.open(board, { ticket: token })
    assert.is(await until.closed, CloseCode.noAccess, 'by the clock alone')
  }),
)

agents('of a deactivated owner cannot do anything any more, and get nothing new', () =>
  withServer(async (server) => {
    const ada = await server.user('Ada')
    const bob = await server.user('Bob')
    const board = await bob.board()
    const { id, token } = await make(ada, 'Drawer')
    const drawer = asAgent(server, token)
    const give = (more: object) => bob.ask('POST', `/api/agents/${id}/grants`, { board_id: board, ...more })
    ok(await give(all))
    assert.is((await drawer('GET', `/api/boards/${board}`)).status, 200)
    const { ticket } = ok(await drawer('POST', `/api/boards/${board}/tickets`))
    await server.pool.query(`update boardroom.users set is_active = false where name = 'Ada'`)
    const list = { jsonrpc: '2.0', id: 1, method: 'tools/list', params: {} }
    const accept = { accept: 'application/json, text/event-stream', authorization: `Bearer ${token}` }
    for (const [what, status] of [
      ['board', (await drawer('GET', `/api/boards/${board}`)).status],
      ['me', (await drawer('GET', '/api/me')).status],
      ['tickets', (await drawer('POST', `/api/boards/${board}/tickets`)).status],
      ['mcp', (await server.ask('POST', '/mcp', list, accept)).status],
    ])
      assert.is(status, 401, String(what))
    const late = await server.open(board, { ticket, waitFor: 'closed' })
    assert.is(await late.closed, 4401, 'nor by a ticket that it got before')
    assert.is((await give({ can_read: true })).status, 409)
    const { rows } = await server.pool.query('select can_update from boardroom.user_agent_permissions')
    assert.equal(rows, [{ can_update: true }], 'nothing changed')
  }),
)

agents('cannot read boards without a grant, by any route, and the trail says who tried', () =>
  withServer(async (server) => {
    const ada = await server.user('Ada')
    const bob = await server.user('Bob')
    const own = await ada.board('Ada’s')
    const other = await bob.board('Bob’s')
    await bob.ask('POST', `/api/boards/${other}/threads`, { anchor: { x: 1, y: 1 }, body: 'Between us' })
    const { id, token } = await make(ada, 'Drawer')
    ok(await ada.ask('POST', `/api/agents/${id}/grants`, { board_id: own, ...all }))
    const drawer = asAgent(server, token)
    const reads: [method: string, path: string, body?: unknown][] = [
      ['GET', ''],
      ['GET', '/document'],
      ['GET', '/threads'],
      ['GET', '/versions'],
      ['GET', '/authors'],
      ['GET', '/connections'],
      ['GET', '/access'],
      ['GET', '/audit'],
      ['GET', '/record'],
      ['GET', '/thumbnail'],
      ['GET', `/files/${'0'.repeat(64)}`],
      ['POST', '/duplicate'],
      ['POST', '/tickets'],
      ['POST', '/template', { code: 'THEIRS', name: 'Theirs', category: 'x' }],
      ['POST', `/agents/${id}/undo`, { since: new Date(0).toISOString() }],
    ]
    for (const [method, path, body] of reads) {
      const answer = await drawer(method, `/api/boards/${other}${path}`, body)
      assert.ok([403, 404].includes(answer.status), `${method} ${path}: ${answer.status}`)
      assert.not.match(JSON.stringify(answer.body), /Bob’s|Between us/)
    }
    const listed = JSON.stringify((await drawer('GET', '/api/boards')).body)
    assert.not.match(listed, other)
    const socket = await server.open(other, { ticket: token, waitFor: 'closed' })
    assert.is(await socket.closed, CloseCode.noAccess)
    const tried = await eventually(async () => {
      const { rows } = await server.pool.query(
        `select details->>'repeats' as more from boardroom.audit_logs where action = 'access_denied' and agent_id = $1 and board_id = $2`,
        [id, other],
      )
      return rows.length > 0 && rows
    })
    assert.ok(tried.length > 0)
  }),
)

agents('with single permissions add, change or delete elements, on a stock client', () =>
  withServer(async (server) => {
    const ada = await server.user('Ada')
    const board = await ada.board()
    const { id, token } = await make(ada, 'Drawer')
    const give = async (bits: object) =>
      ok(await ada.ask('POST', `/api/agents/${id}/grants`, { board_id: board, ...bits }))
    const human = await server.open(board, { ticket: await ada.ticket(board) })
    writeElements(human.doc, [rectangle('old'), rectangle('other'), rectangle('gone', { isDeleted: true })])
    const elementIn = (doc: Y.Doc, name: string) => {
      const map = doc.getMap('elements').get(name)
      if (!(map instanceof Y.Map)) throw new Error(`no element ${name}`)
      return map as Y.Map<unknown>
    }
    const seen = () => human.doc.getMap('elements').toJSON()
    const acts: Record<string, (doc: Y.Doc) => void> = {
      create: (doc) => writeElements(doc, [rectangle(`new-${doc.clientID}`)]),
      restore: (doc) => elementIn(doc, 'gone').set('isDeleted', false),
      update: (doc) => elementIn(doc, 'old').set('strokeColor', `#${doc.clientID.toString(16).slice(0, 6)}`),
      move: (doc) => elementIn(doc, 'old').set('geo', { x: doc.clientID, y: 1, width: 2, height: 3 }),
      unset: (doc) => elementIn(doc, 'old').delete('strokeColor'),
      delete: (doc) => elementIn(doc, 'other').set('isDeleted', true),
      remove: (doc) => doc.getMap('elements').delete('other'),
      replace: (doc) => doc.getMap('elements').set('old', new Y.Map([['type', 'ellipse']])),
      foreign: (doc) => doc.getMap('notes').set('by', doc.clientID),
      list: (doc) => doc.getArray('rows').push([doc.clientID]),
      mixed: (doc) =>
        doc.transact(() => {
          writeElements(doc, [rectangle(`mixed-${doc.clientID}`)])
          elementIn(doc, 'old').set('strokeColor', '#bada55')
          elementIn(doc, 'other').set('isDeleted', true)
        }),
    }
    const allowed: [bits: object, acts: string[]][] = [
      [{ can_read: true, can_create: true }, ['create', 'restore']],
      [{ can_read: true, can_update: true }, ['update', 'move', 'unset']],
      [{ can_read: true, can_delete: true }, ['delete', 'remove']],
      [
        { can_read: true, can_update: true, can_delete: true },
        ['update', 'move', 'unset', 'delete', 'remove', 'replace'],
      ],
    ]
    for (const [bits, may] of allowed) {
      await give(bits)
      for (const [name, act] of Object.entries(acts)) {
        await eventually(() => seen().other?.isDeleted === false && seen().gone?.isDeleted === true)
        const agent = await server.open(board, { ticket: token })
        const before = JSON.stringify(human.doc.toJSON())
        act(agent.doc)
        if (may.includes(name)) await eventually(() => JSON.stringify(human.doc.toJSON()) !== before)
        else {
          await agent.refused
          assert.is(JSON.stringify(human.doc.toJSON()), before, `${JSON.stringify(bits)} ${name}`)
        }
        agent.stop()
        writeElements(human.doc, [
          rectangle('old'),
          rectangle('other'),
          rectangle('gone', { isDeleted: true }),
        ])
      }
    }
  }),
)

agents('whose edit was refused can continue with what they may do, on the same connection', () =>
  withServer(async (server) => {
    const ada = await server.user('Ada')
    const board = await ada.board()
    const { id, token } = await make(ada, 'Drawer')
    ok(
      await ada.ask('POST', `/api/agents/${id}/grants`, {
        board_id: board,
        can_create: true,
        can_read: true,
      }),
    )
    const human = await server.open(board, { ticket: await ada.ticket(board) })
    writeElements(human.doc, [rectangle('old')])
    const agent = await server.open(board, { ticket: token })
    const old = agent.doc.getMap('elements').get('old') as Y.Map<unknown>
    old.set('strokeColor', '#ff0000')
    assert.match(await agent.refused, /may not change elements/)
    writeElements(agent.doc, [rectangle('first')])
    old.set('isDeleted', true)
    writeElements(agent.doc, [rectangle('second')])
    await eventually(() => human.doc.getMap('elements').has('second'))
    const json = human.doc.getMap('elements').toJSON()
    assert.equal(Object.keys(json).sort(), ['first', 'old', 'second'])
    assert.equal([json.old.strokeColor, json.old.isDeleted], ['#1e1e1e', false])
    // People who may do more from now on are not told, but may.
    ok(await ada.ask('POST', `/api/agents/${id}/grants`, { board_id: board, ...all }))
    const fresh = await server.open(board, { ticket: token })
    const same = fresh.doc.getMap('elements').get('old') as Y.Map<unknown>
    same.set('strokeColor', '#00ff00')
    await eventually(() => human.doc.getMap('elements').toJSON().old.strokeColor === '#00ff00')
    fresh.doc.getMap('notes').set('schema', 'foreign')
    await eventually(() => human.doc.getMap('notes').get('schema') === 'foreign')
  }),
)

agents('that may not read can add elements and receive nothing', () =>
  withServer(async (server) => {
    const ada = await server.user('Ada')
    const board = await ada.board()
    const { id, token } = await make(ada, 'Sensor')
    ok(await ada.ask('POST', `/api/agents/${id}/grants`, { board_id: board, can_create: true }))
    const human = await server.open(board, { ticket: await ada.ticket(board) })
    writeElements(human.doc, [rectangle('secret')])
    const agent = await server.open(board, { ticket: token })
    writeElements(agent.doc, [rectangle('reading')])
    await eventually(() => human.doc.getMap('elements').has('reading'))
    writeElements(human.doc, [rectangle('later')])
    writeElements(agent.doc, [rectangle('second')])
    await eventually(() => human.doc.getMap('elements').has('second'))
    assert.equal([...agent.doc.getMap('elements').keys()], ['reading', 'second'])
    const drawer = asAgent(server, token)
    assert.is((await drawer('GET', `/api/boards/${board}/document`)).status, 404)
    assert.is((await drawer('GET', `/api/boards/${board}/threads`)).status, 404)
    const raw = await server.raw(board, { ticket: token })
    await raw.message(MessageType.hello)
    ok(await ada.ask('POST', `/api/boards/${board}/threads`, { anchor: { x: 1, y: 2 }, body: 'Between us' }))
    const news = await raw.message(MessageType.event, ({ type }) => type === 'comment')
    assert.equal([news.change, news.thread], ['created', undefined])
    writeElements(agent.doc, [rectangle('secret', { x: 1 })])
    assert.match(await agent.refused, /may not/)
    assert.is(human.doc.getMap('elements').toJSON().secret.geo.x, 10)
  }),
)

agents('cannot keep an edit out of their journal, whatever they call an element', () =>
  withServer(async (server) => {
    const ada = await server.user('Ada')
    const board = await ada.board()
    const { id, token } = await make(ada, 'Drawer')
    ok(await ada.ask('POST', `/api/agents/${id}/grants`, { board_id: board, ...all }))
    const agent = await server.open(board, { ticket: token })
    const names = ['', 'x'.repeat(201), `${'x'.repeat(200)}y`, 'nul\u0000']
    agent.doc.transact(() => {
      const elements = agent.doc.getMap('elements')
      for (const name of names) elements.set(name, new Y.Map([['type', 'ellipse']]))
      elements.set('large', new Y.Map<unknown>([['count', 9007199254740993n]]))
    })
    const items = await eventually(async () => {
      const seen = ok(await ada.ask('GET', `/api/agents/${id}/edits`)).items
      return seen.length > 0 && (seen as { element_id: string; new_values: object }[])
    })
    assert.equal(
      items.map(({ element_id }) => element_id).sort(),
      [...names.slice(0, 3), 'nul\ufffd', 'large'].sort(),
    )
    assert.equal(items.find(({ element_id }) => element_id === 'large')?.new_values, {
      count: '9007199254740993',
    })
  }),
)

agents('cannot end a board, or keep an edit out of their journal, by the name of a property', () =>
  withServer(async (server) => {
    const ada = await server.user('Ada')
    const board = await ada.board()
    const { id, token } = await make(ada, 'Drawer')
    ok(await ada.ask('POST', `/api/agents/${id}/grants`, { board_id: board, ...all }))
    const human = await server.open(board, { ticket: await ada.ticket(board) })
    const agent = await server.open(board, { ticket: token })
    const named = new Y.Map<unknown>([
      ['type', 'ellipse'],
      ['nul\u0000', 1],
      ['customData', { list: [{ 'inside\u0000': 'a\u0000b' }] }],
    ])
    agent.doc.getMap('elements').set('odd', named)
    const [edit] = await eventually(async () => {
      const seen = ok(await ada.ask('GET', `/api/agents/${id}/edits`)).items
      return seen.length > 0 && (seen as { new_values: object }[])
    })
    assert.equal(edit?.new_values, { type: 'ellipse', nul: 1, customData: { list: [{ inside: 'ab' }] } })
    assert.is(human.provider.wsconnected, true)
    await eventually(() => human.doc.getMap('elements').has('odd'))
  }),
)

agents('are journaled with one row per element and half second, which the trail counts once', () =>
  withServer(async (server) => {
    const ada = await server.user('Ada')
    const board = await ada.board()
    const { id, token } = await make(ada, 'Drawer')
    ok(await ada.ask('POST', `/api/agents/${id}/grants`, { board_id: board, ...all }))
    const human = await server.open(board, { ticket: await ada.ticket(board) })
    writeElements(human.doc, [rectangle('old')])
    const agent = await server.open(board, { ticket: token })
    const old = agent.doc.getMap('elements').get('old') as Y.Map<unknown>
    const begin = performance.now()
    for (let x = 1; x <= 30; x++) {
      old.set('geo', { x, y: 1, width: 2, height: 3 })
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
    const halfSeconds = Math.ceil((performance.now() - begin) / 500)
    const rows = () => server.pool.query('select * from boardroom.agent_edits order by id')
    const last = await eventually(async () => {
      const all = (await rows()).rows
      return all.at(-1)?.new_values.geo.x === 30 && all.every(({ in_trail }) => in_trail) && all
    })
    assert.ok(last.length <= halfSeconds + 2, `${last.length} rows for a drag of 30 steps`)
    assert.equal([last[0].old_values.geo.x, last[0].change], [10, 'updated'])
    const told = await server.pool.query(
      `select details from boardroom.audit_logs where action = 'update' and agent_id = $1`,
      [id],
    )
    // Each row is in one line; on an overloaded machine there may be two of these half-second lines.
    const lines = told.rows.map(({ details }) => details)
    assert.is(
      lines.reduce((sum, { updated }) => sum + updated, 0),
      last.length,
    )
    for (const line of lines)
      assert.equal({ ...line, updated: 1 }, { created: 0, updated: 1, deleted: 0, elements: ['old'] })
  }),
)

agents('are journaled per half second even if the trail is written much later', () =>
  withServer(async (server) => {
    const ada = await server.user('Ada')
    const board = await ada.board()
    const { id } = await make(ada, 'Drawer')
    // The state left by a server that could not write its trail for some seconds.
    await server.pool.query(
      `insert into boardroom.agent_edits (board_id, agent_id, element_id, change, old_values, new_values, in_trail, created_at)
       select $1, $2, 'old', 'updated', jsonb_build_object('x', x), jsonb_build_object('x', x + 1), false,
         now() - make_interval(secs => 10 - x * 0.3) from generate_series(0, 5) x`,
      [board, id],
    )
    const journal = new AgentJournal({ db: server.db, log: pino({ level: 'silent' }) })
    await journal.flush()
    await journal.close()
    const { rows } = await server.pool.query(
      'select old_values, new_values, in_trail from boardroom.agent_edits order by id',
    )
    assert.equal(
      rows.map(({ old_values, new_values, in_trail }) => [old_values.x, new_values.x, in_trail]),
      [
        [0, 2, true],
        [2, 4, true],
        [4, 6, true],
      ],
    )
  }),
)

agents('are undone with the same result, and nothing counts as kept, if an undo was not recorded', () =>
  withServer(async (server) => {
    const ada = await server.user('Ada')
    const board = await ada.board()
    const { id, token } = await make(ada, 'Drawer')
    ok(await ada.ask('POST', `/api/agents/${id}/grants`, { board_id: board, ...all }))
    const human = await server.open(board, { ticket: await ada.ticket(board) })
    writeElements(human.doc, [rectangle('old'), rectangle('other')])
    const agent = await server.open(board, { ticket: token })
    const old = agent.doc.getMap('elements').get('old') as Y.Map<unknown>
    const since = new Date(Date.now() - 60_000).toISOString()
    agent.doc.transact(() => {
      old.set('strokeColor', '#ff0000')
      old.set('note', 'mine')
      old.delete('isDeleted')
    })
    agent.doc.transact(() => {
      writeElements(agent.doc, [rectangle('new'), rectangle('other', { isDeleted: true })])
      old.set('strokeColor', '#00ff00')
    })
    const elements = () => human.doc.getMap('elements').toJSON()
    await eventually(() => elements().new !== undefined && elements().old.strokeColor === '#00ff00')
    const undo = async () => ok(await ada.ask('POST', `/api/boards/${board}/agents/${id}/undo`, { since }))
    const first = await undo()
    assert.equal([first.elements, first.kept], [3, 0])
    await eventually(() => elements().old.strokeColor === '#1e1e1e')
    const after = elements()
    assert.equal([after.old.note, after.new.isDeleted, after.other.isDeleted], [undefined, true, false])
    // A server that crashed right after the edit has recorded nothing.
    await server.pool.query('update boardroom.agent_edits set undone_at = null')
    assert.equal(await undo(), first)
    assert.equal(elements(), after)
    assert.equal(await undo(), { edits: 0, elements: 0, kept: 0 })
  }),
)

agents('are not undone, and nothing is imported or restored, if the trail cannot record it', () =>
  withServer(async (server) => {
    const ada = await server.user('Ada')
    const board = await ada.board()
    const { id, token } = await make(ada, 'Drawer')
    ok(await ada.ask('POST', `/api/agents/${id}/grants`, { board_id: board, ...all }))
    const human = await server.open(board, { ticket: await ada.ticket(board) })
    writeElements(human.doc, [rectangle('old')])
    const elements = async () =>
      ok(await ada.ask('GET', `/api/boards/${board}/document`)).elements as Record<
        string,
        { strokeColor: string }
      >
    await eventually(async () => (await elements()).old !== undefined)
    // Anybody who has seen a change sends it back; here nobody has.
    human.provider.destroy()
    const version = ok(await ada.ask('POST', `/api/boards/${board}/versions`, { name: 'First' })).id
    const agent = await server.open(board, { ticket: token })
    ;(agent.doc.getMap('elements').get('old') as Y.Map<unknown>).set('strokeColor', '#ff0000')
    const before = await eventually(async () => {
      const now = await elements()
      return now.old?.strokeColor === '#ff0000' && now
    })
    agent.provider.destroy()
    await eventually(
      async () => ok(await ada.ask('GET', `/api/boards/${board}/connections`)).items.length === 0,
    )
    const steps = {
      undo: () =>
        ada.ask('POST', `/api/boards/${board}/agents/${id}/undo`, {
          since: new Date(Date.now() - 60_000).toISOString(),
        }),
      import: () =>
        ada.ask('POST', `/api/boards/${board}/import?replace=true`, { elements: { new: rectangle('new') } }),
      restore: () => ada.ask('POST', `/api/boards/${board}/versions/${version}/restore`),
    }
    for (const [name, step] of Object.entries(steps)) {
      const refused = await withoutTrailOf(server.db, ['update', 'restore'], step)
      assert.is(refused.status, 500, `${name} ${JSON.stringify(refused.body)}`)
      assert.equal(await elements(), before, name)
    }
    ok(await steps.undo())
    assert.is((await elements()).old?.strokeColor, '#1e1e1e')
    const { rows } = await server.pool.query(
      'select count(*)::int as left from boardroom.agent_edits where undone_at is null',
    )
    assert.is(rows[0].left, 0)
    const said = await server.pool.query(
      `select details ->> 'undone' as undone from boardroom.audit_logs where resource_type = 'agent' and action = 'update'`,
    )
    assert.equal(said.rows, [{ undone: '1' }])
    ok(await steps.import())
    assert.equal(Object.keys(await elements()), ['new'])
    ok(await steps.restore())
    assert.is((await elements()).old?.strokeColor, '#1e1e1e')
  }),
)

agents('that replace a drawing with a file can be undone like any other edit', () =>
  withServer(async (server) => {
    const ada = await server.user('Ada')
    const board = await ada.board()
    const { id, token } = await make(ada, 'Drawer')
    ok(await ada.ask('POST', `/api/agents/${id}/grants`, { board_id: board, ...all }))
    const human = await server.open(board, { ticket: await ada.ticket(board) })
    writeElements(human.doc, [rectangle('old')])
    const since = new Date(Date.now() - 60_000).toISOString()
    const read = async () =>
      server.ask('GET', `/api/boards/${board}/document`, undefined, {
        authorization: `Bearer ${token}`,
        accept: 'application/vnd.excalidraw+json',
      })
    await eventually(async () => JSON.stringify((await read()).body).includes('old'))
    const drawing = { type: 'excalidraw', version: 2, elements: [rectangle('new')] }
    ok(
      await server.ask('POST', `/api/boards/${board}/import?replace=true`, drawing, {
        authorization: `Bearer ${token}`,
        'content-type': 'application/vnd.excalidraw+json',
      }),
    )
    const shown = () =>
      elementsOf(human.doc)
        .filter(({ isDeleted }) => isDeleted !== true)
        .map((element) => element.id)
    await eventually(() => shown().join() === 'new')
    ok(await ada.ask('POST', `/api/boards/${board}/agents/${id}/undo`, { since }))
    await eventually(() => shown().join() === 'old')
  }),
)

agents.run()
