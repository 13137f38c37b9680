// An open board without its page: what it reports about saving, levels and the end, with a real server.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type * as Y from 'yjs'
import { CloseCode } from '../../shared/protocol.ts'
import { elementMaps, elementsOf, writeChanges } from '../../shared/scene.ts'
import { eventually } from '../helpers/eventually.ts'
import { shape, withBoard, withSession } from '../helpers/session.ts'

const live = suite('an open board')

live('says saving, and saved only when the server has committed', () =>
  withBoard(({ server, ada, boardId }) =>
    withSession(server, ada, boardId, async ({ session, canvas, said }) => {
      await eventually(() => session.state.sync.name === 'saved')
      said.length = 0
      canvas.draw(shape('a'))
      await eventually(() => said.includes('saving') && session.state.sync.name === 'saved')
      assert.is((await ada.scene(boardId)).elements.length, 1)
    }),
  ),
)

live('counts unsent changes while the server is unavailable, and sends them later', () =>
  withBoard(({ server, ada, boardId }) =>
    withSession(server, ada, boardId, async ({ session, canvas }) => {
      await server.stop()
      await eventually(() => session.state.sync.name === 'offline')
      canvas.draw(shape('a'))
      canvas.draw(shape('b'))
      canvas.change('a', { x: 7 })
      await eventually(() => session.state.sync.name === 'offline' && session.state.sync.changes === 2)
      await server.start()
      await eventually(() => session.state.sync.name === 'saved')
      assert.equal(
        (await ada.scene(boardId)).elements.map(({ id, x }) => [id, x]),
        [
          ['a', 7],
          ['b', 0],
        ],
      )
    }),
  ),
)

live('sends what a document listener writes in response to the server’s answer', () =>
  withBoard(({ server, ada, boardId }) =>
    withSession(server, ada, boardId, async ({ session }) => {
      await eventually(() => session.state.sync.name === 'saved')
      session.leave()
      await withSession(server, ada, boardId, async ({ canvas }) => {
        canvas.draw(shape('a'))
        await eventually(async () => (await ada.scene(boardId)).elements.length === 1)
      })
      const elements = elementMaps(session.doc)
      elements.observe(() => {
        if (!elements.has('b'))
          writeChanges(session.doc, [{ id: 'b', properties: { ...shape('b'), index: 'a9' } }], 'a listener')
      })
      session.comeBack()
      await eventually(async () => (await ada.scene(boardId)).elements.length === 2)
    }),
  ),
)

live('respects its level, and writes nothing below edit', () =>
  withBoard(async ({ server, ada, grace, boardId, grant }) => {
    await grant('edit')
    await withSession(server, grace, boardId, async ({ session, canvas }) => {
      canvas.draw(shape('a'))
      await eventually(() => session.state.sync.name === 'saved' && elementsOf(session.doc).length === 1)
      await eventually(async () => (await ada.scene(boardId)).elements.length === 1)
      await grant('comment')
      await eventually(() => session.state.level === 'comment')
      canvas.draw(shape('b'))
      session.flush()
      assert.is(elementsOf(session.doc).length, 1)
      assert.is(session.state.kept, null)
      await grant('edit')
      await eventually(() => session.state.level === 'edit')
      canvas.draw(shape('c'))
      await eventually(async () => (await ada.scene(boardId)).elements.some(({ id }) => id === 'c'))
    })
  }),
)

live('offers the changes it may no longer make, and shows the server’s state', () =>
  withBoard(async ({ server, grace, boardId, grant }) => {
    await grant('edit')
    await withSession(server, grace, boardId, async ({ session, canvas }) => {
      await server.stop()
      await eventually(() => session.state.sync.name === 'offline')
      canvas.draw(shape('mine'))
      await eventually(() => session.state.sync.name === 'offline' && session.state.sync.changes === 1)
      await server.db
        .updateTable('board_permissions')
        .set({ level: 'view' })
        .where('user_id', '=', grace.id)
        .execute()
      await server.start()
      await eventually(() => session.state.level === 'view' && session.state.kept !== null)
      assert.equal(
        session.state.kept?.elements.map(({ id }) => id),
        ['mine'],
      )
      assert.is(session.state.kept?.changes, 1)
      await eventually(() => canvas.elements().length === 0)
    })
  }),
)

live('ends with the server’s reason when access is removed, and keeps what was not saved', () =>
  withBoard(async ({ server, ada, grace, boardId, grant }) => {
    const { id } = (await grant('edit')) as { id: number }
    await withSession(server, grace, boardId, async ({ session, canvas }) => {
      await ada.ask('DELETE', `/boards/${boardId}/permissions/${id}`)
      await eventually(() => session.state.ended !== null)
      assert.is(session.state.ended?.code, CloseCode.noAccess)
      canvas.draw(shape('late'))
      assert.is((await ada.scene(boardId)).elements.length, 0)
    })
  }),
)

live('does not open without access', () =>
  withBoard(({ server, grace, boardId }) =>
    withSession(server, grace, boardId, async ({ session }) => {
      assert.is(session.state.ended?.code, CloseCode.noAccess)
      assert.is(session.state.hello, null)
    }),
  ),
)

live('stores a copy on the device only for people who may write, and deletes it when they may not', () =>
  withBoard(async ({ server, grace, boardId, grant }) => {
    const opened: string[] = []
    const cleared: string[] = []
    const openStore = (name: string, _doc: Y.Doc) => {
      opened.push(name)
      return {
        state: 'kept' as const,
        whenLoaded: Promise.resolve(),
        saved: () => {},
        close: () => Promise.resolve(),
        clear: async () => {
          cleared.push(name)
        },
      }
    }
    await grant('view')
    await withSession(
      server,
      grace,
      boardId,
      async ({ session }) => {
        assert.equal(opened, [])
        await grant('edit')
        await eventually(() => opened.length === 1)
        assert.ok(opened[0]?.includes(boardId) && opened[0].includes(`user:${grace.id}`))
        await grant('view')
        await eventually(() => cleared.length === 1 && session.state.level === 'view')
      },
      { openStore },
    )
  }),
)

live.run()
