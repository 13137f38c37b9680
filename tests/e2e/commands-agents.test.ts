// Agents and the end of the server: killed right after "saved", and restarted under a client that does not notice.
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { MessageType } from '../../shared/protocol.ts'
import { elementsOf, writeElements } from '../../shared/scene.ts'
import { create, kill, type Server, serve, signedIn, withMadeFolder } from '../helpers/command-line.ts'
import { eventually } from '../helpers/eventually.ts'
import { RawClient } from '../helpers/raw-client.ts'

const agents = suite('agents and a server that stops')
const email = 'ada@example.org'
const rectangle = (id: string, x: number) => ({
  ...{ id, type: 'rectangle', x, y: 0, width: 10, height: 10 },
  ...{ strokeColor: '#1e1e1e', isDeleted: false },
})

/** Ada, her board, and an agent that may do everything on it. */
async function agentOn(server: Server, dataDir: string) {
  assert.is((await create(dataDir, email)).code, 0)
  const ada = await signedIn(server, email)
  const board: string = (await ada.ask('POST', '/api/boards', { title: 'Plans' })).body.id
  const { id, token } = (await ada.ask('POST', '/api/agents', { name: 'Drawer' })).body
  const all = { can_create: true, can_read: true, can_update: true, can_delete: true }
  const given = await ada.ask('POST', `/api/agents/${id}/grants`, { board_id: board, ...all })
  assert.is(given.status, 201)
  return { ada, board, id: id as string, token: token as string }
}

async function socketOf({ url }: Server, board: string, token: string): Promise<RawClient> {
  const client = new RawClient(`${url.replace('http', 'ws')}/ws/${board}`, { ticket: token })
  await client.opened
  await client.message(MessageType.hello)
  return client
}

agents('what an agent did can be undone after a kill -9 right after its "saved", and is in the trail', () =>
  withMadeFolder(async (dataDir) => {
    const first = await serve(dataDir)
    const { board, id, token } = await agentOn(first, dataDir)
    const since = new Date(Date.now() - 60_000).toISOString()
    const agent = await socketOf(first, board, token)
    const count = agent.edit((doc) => writeElements(doc, [rectangle('a', 0), rectangle('b', 50)]))
    await eventually(() => agent.saved >= count, { everyMs: 1 })
    kill(first.pid, 'SIGKILL')
    await first.ended

    const second = await serve(dataDir)
    const ada = await signedIn(second, email)
    await eventually(async () => {
      const rows = (await ada.ask('GET', `/api/boards/${board}/audit?action=update`)).body.items
      const told = rows.filter(({ agent_id }: { agent_id: string | null }) => agent_id === id)
      return told.length === 1 && told[0].actor_name === 'Drawer' && told[0].details.created === 2
    })
    const undone = await ada.ask('POST', `/api/boards/${board}/agents/${id}/undo`, { since })
    assert.equal([undone.status, undone.body], [200, { edits: 2, elements: 2, kept: 0 }])
    const seen = await socketOf(second, board, token)
    await eventually(() => seen.doc.getMap('elements').size === 2)
    assert.equal(
      elementsOf(seen.doc).map(({ isDeleted }) => isDeleted),
      [true, true],
    )
    await second.end()
  }),
)

agents('a client of the official SDK continues to work after a restart on the same port', () =>
  withMadeFolder(async (dataDir) => {
    const first = await serve(dataDir)
    const { board, token } = await agentOn(first, dataDir)
    const client = new Client({ name: 'test', version: '1' })
    const headers = { authorization: `Bearer ${token}` }
    await client.connect(
      // The SDK's own type conflicts with exactOptionalPropertyTypes.
      new StreamableHTTPClientTransport(new URL(`${first.url}/mcp`), { requestInit: { headers } }) as never,
    )
    const call = async (name: string, args: Record<string, unknown> = {}) => {
      const { content, isError } = await client.callTool({ name, arguments: { board_id: board, ...args } })
      assert.not.ok(isError, JSON.stringify(content))
      return JSON.stringify(content)
    }
    await call('add_elements', { elements: [{ id: 'one', type: 'rectangle', text: 'Before', x: 0, y: 0 }] })
    assert.match(await call('read_board'), 'Before')
    const { port } = new URL(first.url)
    await first.end()
    const second = await serve(dataDir, { env: { PORT: port } })
    await call('add_elements', { elements: [{ type: 'text', text: 'After', x: 0, y: 90 }] })
    await second.end('SIGKILL')
    const last = await serve(dataDir, { env: { PORT: port } })
    const read = await call('read_board')
    assert.match(read, 'Before')
    assert.match(read, 'After')
    assert.is((await client.listTools()).tools.length > 0, true)
    await client.close()
    await last.end()
  }),
)

agents.run()
