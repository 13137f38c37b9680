// Two nodes on one database behave as one: what happens on either happens on both.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import * as Y from 'yjs'
import { MessageType } from '../../shared/protocol.ts'
import { eventually } from '../helpers/eventually.ts'
import { hasNats } from '../helpers/nats.ts'
import { withNodes } from '../helpers/nodes.ts'
import type { StockClient } from '../helpers/server.ts'

const nodes = suite('two nodes on one database')

const textOf = (doc: Y.Doc): string => doc.getText('t').toString()
const seen = (client: StockClient): number[] =>
  [...client.provider.awareness.getStates().keys()].filter((id) => id !== client.doc.clientID)

nodes('behave as one: edits, presence, levels, events, who is here', () =>
  withNodes(async ({ one, other, database }) => {
    const ada = await one.user('Ada')
    const bob = await one.user('Bob')
    const board = await ada.board()
    await ada.grant(board, bob, 'edit')
    const a = await one.open(board, { ticket: await ada.ticket(board) })
    const b = await other.open(board, { ticket: await bob.ticket(board) })

    // Edits, in both directions and at once.
    a.doc.getText('t').insert(0, 'from one ')
    await eventually(() => textOf(b.doc) === 'from one ')
    b.doc.getText('t').insert(9, 'from other')
    await eventually(() => textOf(a.doc) === 'from one from other')
    for (let i = 0; i < 50; i++) {
      a.doc.getArray('a').push([i])
      b.doc.getArray('b').push([i])
    }
    await eventually(() => a.doc.getArray('b').length === 50 && b.doc.getArray('a').length === 50)
    assert.equal(Y.encodeStateAsUpdate(a.doc), Y.encodeStateAsUpdate(b.doc))

    // Presence: everybody exactly once, wherever they are.
    a.provider.awareness.setLocalStateField('user', { name: 'x' })
    b.provider.awareness.setLocalStateField('user', { name: 'y' })
    await eventually(() => seen(b).includes(a.doc.clientID) && seen(a).includes(b.doc.clientID))
    const state = b.provider.awareness.getStates().get(a.doc.clientID) as { user: { name: string } }
    assert.is(state.user.name, 'Ada')

    // "Saved" is reported once the database has it, and saved edits are there.
    const raw = await other.raw(board, { ticket: await bob.ticket(board) })
    await eventually(() => textOf(raw.doc) === 'from one from other')
    const edit = raw.edit((doc) => doc.getText('t').insert(0, 'raw '))
    await eventually(() => raw.saved >= edit)
    const stored = new Y.Doc()
    for (const { data } of await database.db
      .selectFrom('board_updates')
      .select('data')
      .where('board_id', '=', board)
      .orderBy('seq')
      .execute())
      Y.applyUpdate(stored, data)
    assert.ok(textOf(stored).startsWith('raw '))
    await eventually(() => textOf(a.doc).startsWith('raw '))

    // Who is here, requested from either; the event of a comment reaches the other.
    const here = await ada.ask('GET', `/api/boards/${board}/connections`)
    assert.is(here.body.items.length, 3, JSON.stringify(here.body))
    const thread = await ada.ask('POST', `/api/boards/${board}/threads`, {
      anchor: { x: 1, y: 2 },
      body: 'Look',
    })
    assert.is(thread.status, 201)
    await raw.message(MessageType.event, (event) => event.type === 'comment')

    // A level change made on one node ends what somebody may do on the other.
    await ada.grant(board, bob, 'view')
    await eventually(() => b.closes.includes(4500))
    const [bobs] = here.body.items.filter(
      (each: { principal: { name: string } }) => each.principal.name === 'Bob',
    )
    await eventually(async () => {
      const answer = await ada.ask('DELETE', `/api/boards/${board}/connections/${bobs.id}`)
      return answer.status === 204 || answer.status === 404
    })
    const rights = (await ada.ask('GET', `/api/boards/${board}/permissions`)).body.items
    const his = rights.find((each: { user_id: number }) => each.user_id === bob.id)
    await ada.ask('DELETE', `/api/boards/${board}/permissions/${his.id}`)
    await eventually(() => b.closes.includes(4403))
    assert.is((await raw.closed).code, 4403)
    await eventually(() => seen(a).length === 0)
  }),
)

if (hasNats(1)) nodes.run()
