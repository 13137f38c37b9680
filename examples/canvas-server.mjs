// The backend of canvas.html. BOARDROOM_URL=http://localhost:4400 BOARDROOM_KEY=brk_… node examples/canvas-server.mjs
// and open http://localhost:3000/?as=ada (a toy: any name is believed). The service key has the scopes boards,
// permissions and tickets; BOARDROOM_ALLOWED_ORIGINS of Boardroom contains this origin.
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { createClient } from 'boardroom/client'

const modules = /^\/modules\/((?:yjs|lib0|y-protocols|y-websocket)\/[\w./-]+?)(\.m?js)?$/

export function createApp({ boardroom, key }) {
  const client = createClient({ url: boardroom, token: key })
  let board = null // an app keeps the ids of its boards in its own database
  const enter = async (name) => {
    board ??= client.boards.create({ title: 'From another application' })
    const { id } = await board
    await client.permissions.grant(id, { external_id: name, level: 'edit' })
    const { ticket } = await client.tickets.create(id, { user: { external_id: name, name } })
    return JSON.stringify({ boardroom, board: id, ticket })
  }
  return async ({ url }, response) => {
    const { pathname, searchParams } = new URL(url, 'http://app')
    const send = (type, body) => response.writeHead(200, { 'content-type': type }).end(body)
    const [, file, end = '.js'] = modules.exec(pathname) ?? []
    try {
      if (file !== undefined) send('text/javascript', await readFile(`node_modules/${file}${end}`))
      else if (pathname === '/enter') send('application/json', await enter(searchParams.get('as') ?? 'ada'))
      else send('text/html', await readFile(new URL('canvas.html', import.meta.url)))
    } catch (error) {
      response.writeHead(502).end(error.message)
    }
  }
}

const { BOARDROOM_URL: boardroom, BOARDROOM_KEY: key } = process.env
if (key !== undefined) createServer(createApp({ boardroom, key })).listen(3000, 'localhost')
