// The backend of examples/canvas.html: it knows its own people and asks Boardroom for their tickets with a service key
// (scopes boards, permissions, tickets). Boardroom has this origin in BOARDROOM_ALLOWED_ORIGINS.
//   BOARDROOM_URL=http://localhost:4400 BOARDROOM_KEY=brk_… node examples/canvas-server.mjs
//   open http://localhost:3000/?as=ada        the name is the proof, so this is a toy sign-in
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'

export function createApp({ boardroom, key }) {
  const ask = async (path, body) => {
    const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' }
    const answer = await fetch(`${boardroom}/api${path}`, {
      method: 'POST',
      headers,
      body: JSON.stringify(body),
    })
    if (!answer.ok) throw new Error((await answer.json()).error.message)
    return answer.json()
  }
  let board = null // an app keeps the id of its boards in its own database
  const enter = async (name) => {
    board ??= ask('/boards', { title: 'From another application' })
    const { id } = await board
    await ask(`/boards/${id}/permissions`, { external_id: name, level: 'edit' })
    const { ticket } = await ask(`/boards/${id}/tickets`, { user: { external_id: name, name } })
    return { boardroom, board: id, ticket }
  }
  return async (request, response) => {
    const { pathname, searchParams } = new URL(request.url, 'http://app')
    const send = (type, body) => response.writeHead(200, { 'content-type': type }).end(body)
    const module =
      /^\/modules\/((?:yjs|lib0|y-protocols|y-websocket)\/[\w/-]+(?:\.common)?)(?:\.m?js)?$/.exec(
        pathname,
      )?.[1]
    try {
      if (pathname === '/') send('text/html', await readFile(new URL('canvas.html', import.meta.url)))
      else if (pathname === '/enter')
        send('application/json', JSON.stringify(await enter(/^[a-z]{2,20}$/.exec(searchParams.get('as'))[0])))
      else if (module !== undefined)
        send(
          'text/javascript',
          await readFile(`node_modules/${module}.${pathname.endsWith('.mjs') ? 'mjs' : 'js'}`),
        )
      else response.writeHead(404).end()
    } catch (error) {
      response.writeHead(502).end(error.message)
    }
  }
}

if (process.env.BOARDROOM_KEY !== undefined) {
  const app = createApp({ boardroom: process.env.BOARDROOM_URL, key: process.env.BOARDROOM_KEY })
  createServer(app).listen(3000, 'localhost', () => console.log('open http://localhost:3000/?as=ada'))
}
