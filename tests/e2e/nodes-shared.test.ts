// What two nodes share apart from plain edits: updates too large for a message, seats, versions.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { MessageType } from '../../shared/protocol.ts'
import { withDatabase } from '../helpers/database.ts'
import { eventually } from '../helpers/eventually.ts'
import { hasNats, withNats } from '../helpers/nats.ts'
import { withNodes } from '../helpers/nodes.ts'
import { startNode } from '../helpers/server.ts'

const shared = suite('two nodes share')

shared('an update larger than NATS allows, through the log', () =>
  withNats(
    (nats) =>
      withDatabase(async (database) => {
        const settings = { secret: 'a secret that all nodes of a test have', natsUrl: nats.url }
        const [one, other] = [await startNode(database, settings), await startNode(database, settings)]
        try {
          const ada = await one.server.user('Ada')
          const board = await ada.board()
          const ticket = await ada.ticket(board)
          const a = await one.server.raw(board, { ticket })
          const b = await other.server.raw(board, { ticket })
          const edit = a.edit((doc) => doc.getMap('m').set('large', 'x'.repeat(100_000)))
          a.edit((doc) => doc.getMap('m').set('small', 1))
          await eventually(() => b.doc.getMap('m').has('large') && b.doc.getMap('m').has('small'))
          assert.ok(a.saved >= edit || (await eventually(() => a.saved >= edit)))
        } finally {
          for (const node of [other, one]) await node.stop()
        }
      }),
    'max_payload: 65536\n',
  ),
)

shared(
  'seats: one that is taken on one node is missing on the other, and free there when it is released',
  () =>
    withNodes(
      async ({ one, other }) => {
        const ada = await one.user('Ada')
        const board = await ada.board()
        const ticket = await ada.ticket(board)
        const a = await one.raw(board, { ticket })
        assert.is((await a.message(MessageType.hello)).level, 'edit')
        const levelOf = async () => {
          const client = await other.raw(board, { ticket })
          const { level } = await client.message(MessageType.hello)
          return { client, level }
        }
        // Nodes inform each other a moment later.
        const b = await eventually(async () => {
          const { client, level } = await levelOf()
          if (level === 'view') return client
          client.terminate()
          return null
        })
        a.terminate()
        const now = await b.message(MessageType.level, ({ level }) => level === 'edit')
        assert.is(now.level, 'edit')
      },
      { maxWritersPerRoom: 1, maxConnectionsPerPrincipal: 100 },
    ),
)

shared('versions: restoring one on one node shows it on the other', () =>
  withNodes(async ({ one, other }) => {
    const ada = await one.user('Ada')
    const board = await ada.board()
    const ticket = await ada.ticket(board)
    const a = await one.raw(board, { ticket })
    const first = a.edit((doc) => doc.getMap('elements').set('k', 'first'))
    await eventually(() => a.saved >= first)
    const made = await ada.ask('POST', `/api/boards/${board}/versions`, { name: 'before' })
    assert.is(made.status, 201, JSON.stringify(made.body))
    const second = a.edit((doc) => doc.getMap('elements').set('k', 'second'))
    await eventually(() => a.saved >= second)
    const path = `/api/boards/${board}/versions/${made.body.id}/restore`
    const cookie = { cookie: ada.cookie, origin: other.origin }
    const restored = await other.ask('POST', path, {}, cookie)
    assert.ok(restored.status < 300, JSON.stringify(restored.body))
    await eventually(() => a.doc.getMap('elements').get('k') === 'first')
  }),
)

shared('titles, the background colour, who may draw, and being disconnected', () =>
  withNodes(async ({ one, other }) => {
    const ada = await one.user('Ada')
    const bob = await one.user('Bob')
    const board = await ada.board()
    await ada.grant(board, bob, 'edit')
    const there = await other.raw(board, { ticket: await bob.ticket(board) })
    const { connection_id: connectionId } = await there.message(MessageType.hello)
    const changed = await ada.ask('PATCH', `/api/boards/${board}`, {
      title: 'Next year',
      background: '#fff8e1',
    })
    assert.is(changed.status, 200, JSON.stringify(changed.body))
    const title = await there.message(MessageType.event, ({ type }) => type === 'title')
    assert.is(title.title, 'Next year')
    const background = await there.message(MessageType.event, ({ type }) => type === 'background')
    assert.is(background.background, '#fff8e1')

    const held = await ada.ask('POST', `/api/boards/${board}/moderation`, { mode: 'view_only', speakers: [] })
    assert.ok(held.status < 300, JSON.stringify(held.body))
    await there.message(MessageType.level, ({ level }) => level === 'view')
    const handed = await ada.ask('POST', `/api/boards/${board}/moderation`, {
      mode: 'view_only',
      speakers: [connectionId],
    })
    assert.ok(handed.status < 300, JSON.stringify(handed.body))
    await there.message(MessageType.level, ({ level }) => level === 'edit')

    const disconnected = await ada.ask('DELETE', `/api/boards/${board}/connections/${connectionId}`)
    assert.ok(disconnected.status < 300, JSON.stringify(disconnected.body))
    assert.is((await there.closed).code, 4403)
  }),
)

if (hasNats(3)) shared.run()
