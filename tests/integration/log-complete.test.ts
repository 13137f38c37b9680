// Whatever changes a board, on a real server and its database: nothing is in the live document that the log lacks.
import { rejects } from 'node:assert/strict'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type * as Y from 'yjs'
import { asBuffer, readBoard } from '../../server/storage/log/queries.ts'
import { eventually } from '../helpers/eventually.ts'
import { assertComplete, documentOf } from '../helpers/log-complete.ts'
import { type TestServer, withServer } from '../helpers/server.ts'

const complete = suite('the log after every operation')

/** Once everything that was handed to the log is committed. */
async function assertLogComplete({ boardroom, database }: TestServer, boardId: string): Promise<void> {
  await eventually(async () => {
    const live = await boardroom.documents.read(boardId)
    const { snapshot, updates } = (await readBoard(database, boardId)) ?? { snapshot: null, updates: [] }
    assertComplete(live, documentOf({ snapshot: snapshot?.state ?? null, updates }))
    return true
  })
}

complete('has everything, even after a change that throws, an import and a restore', () =>
  withServer(async (server) => {
    const { user, open, boardroom } = server
    const ada = await user('Ada')
    const board = await ada.board()
    const client = await open(board, { ticket: await ada.ticket(board) })
    const elements = client.doc.getMap('elements')
    elements.set('drawn', 1)
    await assertLogComplete(server, board)

    const half = (doc: Y.Doc) => {
      doc.getMap('elements').set('half', 1)
      throw new Error('a fault of the embedder')
    }
    await rejects(boardroom.documents.edit(board, half), /a fault of the embedder/)
    await assertLogComplete(server, board)
    await boardroom.documents.edit(board, (doc) => void doc.getMap('elements').set('by the server', 1))
    await eventually(() => elements.has('by the server'))
    await assertLogComplete(server, board)

    const named = await ada.ask('POST', `/api/boards/${board}/versions`, { name: 'before' })
    assert.is(named.status, 201)
    const body = JSON.stringify({ elements: { imported: { id: 'imported', type: 'rectangle' } } })
    const format = 'application/json'
    await boardroom.documents.import(board, { format, body: asBuffer(Buffer.from(body)), replace: true })
    await eventually(() => elements.has('imported'))
    await assertLogComplete(server, board)
    const restored = await ada.ask('POST', `/api/boards/${board}/versions/${named.body.id}/restore`)
    assert.is(restored.status, 200)
    await eventually(() => elements.has('drawn'))
    await assertLogComplete(server, board)

    elements.delete('drawn')
    await assertLogComplete(server, board)
    client.stop()
    await eventually(async () => (await boardroom.connections.list(board)).length === 0)
    await assertLogComplete(server, board)
    assert.not.ok((await open(board, { ticket: await ada.ticket(board) })).doc.getMap('elements').has('half'))
  }),
)

complete.run()
