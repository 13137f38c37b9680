// The sample in the README, as printed, with a viewer and an editor in one process: what the server refuses from the
// viewer must not reach the board through the editor.
import { readFile } from 'node:fs/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { WebSocket } from 'ws'
import { WebsocketProvider } from 'y-websocket'
import * as Y from 'yjs'
import { eventually } from '../helpers/eventually.ts'
import { withServer } from '../helpers/server.ts'

const sample = suite('the sample of the README')

interface Opened {
  doc: Y.Doc
  provider: WebsocketProvider
}

const close = ({ doc, provider }: Opened): void => {
  provider.destroy()
  doc.destroy()
}

/** Node 20 has no WebSocket of its own; a browser needs none passed in. */
class NodeProvider extends WebsocketProvider {
  constructor(url: string, room: string, doc: Y.Doc, options: object) {
    super(url, room, doc, { ...options, WebSocketPolyfill: WebSocket as never }) // the types know only the browser's
  }
}

async function samples(wsUrl: string): Promise<(boardId: string, ticket: string) => Opened> {
  const readme = await readFile('README.md', 'utf8')
  const block = [...readme.matchAll(/```js\n([\s\S]*?)```/g)].find(([, code]) =>
    code?.includes('new WebsocketProvider('),
  )?.[1]
  assert.ok(block, 'the README has a sample with WebsocketProvider')
  const code = block
    .replace(/^import .*$/gm, '')
    .replace("'ws://localhost:4400/ws'", JSON.stringify(`${wsUrl}`))
  const run = new Function(
    'WebsocketProvider',
    'Y',
    'boardId',
    'ticket',
    'freshTicket',
    `${code}\nreturn { doc, provider }`,
  )
  return (boardId, ticket) => run(NodeProvider, Y, boardId, ticket, async () => ticket) as Opened
}

sample('keeps what a viewer types out of the board, with an editor in the same process', () =>
  withServer(async ({ user, wsUrl }) => {
    const [ada, bob] = [await user('Ada'), await user('Bob')]
    const board = await ada.board()
    await ada.grant(board, bob, 'view')
    const open = await samples(wsUrl)
    const viewer = open(board, await bob.ticket(board))
    const editor = open(board, await ada.ticket(board))
    try {
      await eventually(() => viewer.provider.synced && editor.provider.synced)
      viewer.doc.getMap('notes').set('refused', true)
      editor.doc.getMap('notes').set('accepted', true)
      await eventually(() => viewer.doc.getMap('notes').get('accepted') === true)
      editor.provider.disconnect()
      editor.provider.connect()
      await eventually(() => editor.provider.synced)
      assert.equal(editor.doc.getMap('notes').toJSON(), { accepted: true })
      const third = open(board, await ada.ticket(board))
      await eventually(() => third.provider.synced)
      assert.equal(third.doc.getMap('notes').toJSON(), { accepted: true })
      close(third)
    } finally {
      close(viewer)
      close(editor)
    }
  }),
)

sample.run()
