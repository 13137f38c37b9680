// A board is rebuilt while windows have it open: their content is no longer part of any history, and none of it may
// come back by itself; unsaved edits still belong to their user.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { elementMaps } from '../../shared/scene.ts'
import { eventually } from '../helpers/eventually.ts'
import { type Opened, rebuild, shape, withBoard, withSession } from '../helpers/session.ts'

const rebuilt = suite('a window on a board that was rebuilt')

const isSaved = ({ session }: Opened) => eventually(() => session.state.sync.name === 'saved')
const isAway = ({ session }: Opened) => eventually(() => session.state.sync.name === 'offline')
const idsIn = ({ session }: Opened) => [...elementMaps(session.doc).keys()].sort()

rebuilt(
  'continues with the new document, for editors and viewers, and brings back nothing of the old one',
  () =>
    withBoard(async ({ server, ada, grace, boardId, grant }) => {
      await grant('view')
      await withSession(server, ada, boardId, (editor) =>
        withSession(server, grace, boardId, async (viewer) => {
          editor.canvas.draw(shape('kept'))
          editor.canvas.draw(shape('gone'))
          editor.canvas.change('gone', { isDeleted: true })
          editor.canvas.draw(shape('gone too'))
          await isSaved(editor)
          editor.canvas.change('gone too', { isDeleted: true })
          await eventually(() => viewer.canvas.find('gone too')?.isDeleted === true)
          await isSaved(editor)
          await server.stop()
          await Promise.all([isAway(editor), isAway(viewer)])
          await rebuild(server, boardId)
          await server.start()
          for (const window of [editor, viewer]) {
            await eventually(() => window.session.state.isReady && idsIn(window).join() === 'kept')
            assert.is(window.session.state.kept, null)
          }
          await isSaved(editor)
          editor.canvas.draw(shape('new'))
          await eventually(() => viewer.canvas.find('new'))
          await isSaved(editor)
          const { elements } = await ada.scene(boardId)
          assert.equal(elements.map(({ id }) => id).sort(), ['kept', 'new'])
          assert.equal(idsIn(viewer), ['kept', 'new'])
        }),
      )
    }),
)

rebuilt('offers what was not saved, and shows the current board', () =>
  withBoard(({ server, ada, boardId }) =>
    withSession(server, ada, boardId, async (window) => {
      const { canvas, session } = window
      canvas.draw(shape('moved'))
      await isSaved(window)
      await server.stop()
      await isAway(window)
      canvas.draw(shape('mine'))
      canvas.change('moved', { x: 7 })
      await eventually(() => session.state.sync.name === 'offline' && session.state.sync.changes === 2)
      await rebuild(server, boardId)
      await server.start()
      const kept = await eventually(() => session.state.kept)
      assert.is(kept.changes, 2)
      assert.equal(
        kept.elements.map(({ id, x }) => [id, x]),
        [
          ['moved', 7],
          ['mine', 0],
        ],
      )
      await isSaved(window)
      assert.equal(idsIn(window), ['moved'])
      assert.is(canvas.find('moved')?.x, 0)
      assert.is(canvas.find('mine'), undefined)
    }),
  ),
)

rebuilt.run()
