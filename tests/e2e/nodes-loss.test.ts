// Lost messages are healed, a crashed node leaves nothing behind, and errors are reported in one line.

import { rejects } from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { connect } from '@nats-io/transport-node'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import * as Y from 'yjs'
import { MessageType } from '../../shared/protocol.ts'
import { withDatabase } from '../helpers/database.ts'
import { eventually } from '../helpers/eventually.ts'
import { hasNats, NatsWay, withNats } from '../helpers/nats.ts'
import { withNodes } from '../helpers/nodes.ts'
import { type StockClient, startNode } from '../helpers/server.ts'

const loss = suite('nodes and lost messages')
const wrong = suite('a misconfigured bus')

const same = (a: StockClient, b: StockClient): boolean =>
  Buffer.compare(Y.encodeStateAsUpdate(a.doc), Y.encodeStateAsUpdate(b.doc)) === 0

loss(
  'edits arrive through the log while NATS, or one direction to it, is down, and limits count on both nodes',
  () => {
    const way = new NatsWay()
    return withNodes(
      async ({ one, other, nats, database }) => {
        const ada = await one.user('Ada')
        const board = await ada.board()
        const a = await one.open(board, { ticket: await ada.ticket(board) })
        const b = await other.open(board, { ticket: await ada.ticket(board) })
        const both = async (name: string) => {
          a.doc.getMap('m').set(`${name} a`, name)
          b.doc.getMap('m').set(`${name} b`, name)
          await eventually(() => a.doc.getMap('m').has(`${name} b`) && b.doc.getMap('m').has(`${name} a`))
        }
        await both('whole')

        // A third connection of one person, wherever the first two are; nodes inform each other a moment later.
        await eventually(async () => {
          const third = await one.raw(board, { ticket: await ada.ticket(board) })
          await third.message(MessageType.hello).then(
            () => third.terminate(),
            () => undefined,
          )
          return (await third.closed).code === 4503
        })

        for (const [up, down] of [
          [true, false],
          [false, true],
          [true, true],
        ] as const) {
          way.isSilentUp = up
          way.isSilentDown = down
          await both(`silent ${up} ${down}`)
        }
        way.isSilentUp = false
        way.isSilentDown = false
        await nats.stop()
        await both('no NATS')
        for (let i = 0; i < 20; i++) a.doc.getArray('many').push([i])
        await nats.start()
        await both('NATS again')
        await eventually(() => same(a, b))

        // A message without the deployment's signature changes nothing, and neither does a replayed one.
        const stranger = await connect({ servers: `127.0.0.1:${nats.port}` })
        const heard: { subject: string; data: Uint8Array }[] = []
        stranger.subscribe('boardroom.>', {
          callback: (_error, { subject, data }) => {
            heard.push({ subject, data: data.slice() })
          },
        })
        await stranger.flush()
        await eventually(async () => {
          await both(randomBytes(4).toString('hex'))
          return heard.some(({ subject }) => subject.includes('.board.'))
        })
        for (const { subject, data } of heard.slice()) {
          stranger.publish(subject, data)
          stranger.publish(subject, randomBytes(data.length))
        }
        await stranger.flush()
        await both('after a stranger')
        await eventually(() => same(a, b))
        await stranger.close()

        const stored = new Y.Doc()
        await eventually(async () => {
          const rows = await database.db
            .selectFrom('board_updates')
            .select('data')
            .where('board_id', '=', board)
            .execute()
          for (const { data } of rows) Y.applyUpdate(stored, data)
          return stored.getArray('many').length === 20 && stored.getMap('m').has('after a stranger b')
        })
        way.close()
      },
      { maxConnectionsPerPrincipal: 2 },
      async (nats) => ({ natsUrl: await way.open(nats.port) }),
    )
  },
)

loss('the people of a node that dies disappear, and the edits it had shown are kept', () =>
  withNodes(async ({ one, nodes, database, start }) => {
    const ada = await one.user('Ada')
    const board = await ada.board()
    const a = await one.open(board, { ticket: await ada.ticket(board) })
    const third = await start()
    const b = await third.server.open(board, { ticket: await ada.ticket(board) })
    b.provider.awareness.setLocalStateField('x', 1)
    await eventually(() => a.provider.awareness.getStates().has(b.doc.clientID))
    b.doc.getText('t').insert(0, 'kept')
    await eventually(() => a.doc.getText('t').toString() === 'kept')
    nodes.splice(nodes.indexOf(third), 1)
    await third.stop()
    await eventually(() => !a.provider.awareness.getStates().has(b.doc.clientID))
    await eventually(
      async () => (await one.actions(board)).filter((action) => action === 'leave').length === 1,
    )
    const doc = new Y.Doc()
    Y.applyUpdate(doc, await one.boardroom.documents.read(board))
    assert.is(doc.getText('t').toString(), 'kept')
    assert.ok((await database.db.selectFrom('servers').selectAll().execute()).length >= 3)
  }),
)

wrong(
  'stops the start with one line: a token, another database, a node without the bus, no NATS server',
  () =>
    withNats(
      (nats) =>
        withDatabase(async (database) => {
          const secret = 'a secret that all nodes of a test have'
          await rejects(startNode(database, { secret, natsUrl: nats.url, natsToken: 'wrong' }), {
            code: 'invalid_config',
            message: /does not accept our credentials; check NATS_TOKEN/,
          })
          const node = await startNode(database, { secret, natsUrl: nats.url, natsToken: 'right' })
          await rejects(startNode(database, { secret, waitForServerMs: 0 }), { code: 'database_in_use' })
          await withDatabase((another) =>
            rejects(startNode(another, { secret, natsUrl: nats.url, natsToken: 'right' }), {
              code: 'invalid_config',
              message: /uses another database/,
            }),
          )
          await node.stop()
          await nats.stop()
          await rejects(startNode(database, { secret, natsUrl: nats.url, natsToken: 'right' }), {
            code: 'bus_unreachable',
            message: /does not answer .*; start it, or correct NATS_URL/,
          })
          await rejects(
            startNode(database, { secret, natsUrl: nats.url, natsCredentialsFile: '/nowhere.creds' }),
            { code: 'invalid_config', message: /^NATS_CREDENTIALS_FILE: \/nowhere.creds cannot be read/ },
          )
        }),
      'authorization { token: right }\n',
    ),
)

if (hasNats(3)) {
  loss.run()
  wrong.run()
}
