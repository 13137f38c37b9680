// The fictional people act over HTTP and WebSocket like everybody else, against a server that listens on loopback
// meanwhile, so that every row, audit event and check is the same as after real use.
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import * as decoding from 'lib0/decoding'
import { WebSocket } from 'ws'
import * as Y from 'yjs'
import { encodeSync, MessageType, ownSubprotocol, SyncStep } from '../../shared/protocol.ts'
import { elementsOf, type SceneElement, writeElements } from '../../shared/scene.ts'
import type { BoardroomOptions } from '../boardroom.ts'

export interface Visitor {
  /** @throws Error where the server refuses. @returns the answer's JSON. */
  // biome-ignore lint/suspicious/noExplicitAny: answers of our own API, whose shapes its tests hold
  ask(method: string, path: string, body?: unknown, contentType?: string): Promise<any>
  /** The same, if a refusal is part of the story. @returns the status. */
  attempt(method: string, path: string, body?: unknown): Promise<number>
  /** Joins a board briefly. */
  visit(boardId: string): Promise<void>
  /** Joins a board, writes something on it, and leaves once that is saved. */
  write(boardId: string, note: { text: string; x: number; y: number }): Promise<void>
}

export interface Door {
  /** Somebody using a browser at `address`, which stores cookies. */
  visitor(address: string): Visitor
  /** What an agent does over MCP. @throws Error where a tool refuses */
  callTool(token: string, name: string, args: Record<string, unknown>): Promise<void>
  close(): Promise<void>
}

const browser = 'Mozilla/5.0 (X11; Linux x86_64; rv:146.0) Gecko/20100101 Firefox/146.0'

export async function openDoor(options: BoardroomOptions): Promise<Door> {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo // a TCP listener
  const { createBoardroom } = await import('../boardroom.ts') // so that --help does not wait for all of it
  const boardroom = await createBoardroom({
    ...options,
    host: '127.0.0.1',
    port,
    publicUrl: undefined,
    trustedProxies: ['127.0.0.1/32'],
  })
  server.on('request', (request, response) => {
    if (!boardroom.handleRequest(request, response)) response.writeHead(404).end()
  })
  server.on('upgrade', (request, socket, head) => {
    if (!boardroom.handleUpgrade(request, socket, head)) socket.destroy()
  })
  const origin = `http://127.0.0.1:${port}`
  return {
    visitor: (address) => visitorAt(origin, address),
    async callTool(token, name, args) {
      const answer = await fetch(`${origin}/mcp`, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${token}`,
          accept: 'application/json, text/event-stream',
          'content-type': 'application/json',
        },
        body: JSON.stringify({
          jsonrpc: '2.0',
          id: 1,
          method: 'tools/call',
          params: { name, arguments: args },
        }),
      })
      const said = (await answer.json()) as { result?: { isError?: boolean } }
      if (!answer.ok || said.result === undefined || said.result.isError === true)
        throw new Error(`${name}: ${answer.status} ${JSON.stringify(said).slice(0, 300)}`)
    },
    async close() {
      await boardroom.close({ drainMs: 0 })
      server.closeAllConnections()
      server.close()
    },
  }
}

function visitorAt(origin: string, address: string): Visitor {
  const cookies = new Map<string, string>()
  const headers = (): Record<string, string> => ({
    origin,
    'x-forwarded-for': address,
    'user-agent': browser,
    ...(cookies.size === 0
      ? {}
      : { cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; ') }),
  })
  const send = async (
    method: string,
    path: string,
    body: unknown,
    contentType: string,
  ): Promise<Response> => {
    const answer = await fetch(origin + path, {
      method,
      headers: { ...headers(), ...(body === undefined ? {} : { 'content-type': contentType }) },
      ...(body === undefined
        ? {}
        : { body: body instanceof Uint8Array ? new Uint8Array(body) : JSON.stringify(body) }),
    })
    for (const line of answer.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
      cookies.set(name, value)
    }
    return answer
  }
  const ask: Visitor['ask'] = async (method, path, body, contentType = 'application/json') => {
    const answer = await send(method, path, body, contentType)
    const text = await answer.text()
    if (!answer.ok)
      throw new Error(
        `${method} ${path.replace(/[0-9a-f-]{36}/g, '…')}: ${answer.status} ${text.slice(0, 300)}`,
      )
    return text === '' ? null : JSON.parse(text)
  }
  /** Stays until `isDone` accepts a message. @throws Error if the server refuses the join. */
  const join = async (
    boardId: string,
    isDone: (message: Uint8Array, socket: WebSocket) => boolean,
  ): Promise<void> => {
    const socket = new WebSocket(`${origin.replace('http', 'ws')}/ws/${boardId}`, [ownSubprotocol], {
      headers: headers(),
    })
    const closed = once(socket, 'close')
    const refused = closed.then(([code]) => {
      throw new Error(`the join was refused: ${code}`)
    })
    refused.catch(() => undefined) // closed at the end, when nobody waits for it any more
    const done = new Promise<void>((resolve) => {
      socket.on('message', (message: Buffer) => {
        if (isDone(message, socket)) resolve()
      })
    })
    await Promise.race([done, refused])
    socket.close()
    await closed
  }
  return {
    ask,
    async attempt(method, path, body) {
      const answer = await send(method, path, body, 'application/json')
      await answer.arrayBuffer()
      return answer.status
    },
    visit: (boardId) => join(boardId, () => true),
    async write(boardId, note) {
      const doc = new Y.Doc()
      let isWritten = false
      await join(boardId, (message, socket) => {
        const decoder = decoding.createDecoder(message)
        const type = decoding.readVarUint(decoder)
        if (type === MessageType.hello) socket.send(encodeSync(SyncStep.step1, Y.encodeStateVector(doc)))
        if (type === MessageType.saved) return true
        if (type !== MessageType.sync || decoding.readVarUint(decoder) === SyncStep.step1) return false
        Y.applyUpdate(doc, decoding.readVarUint8Array(decoder))
        if (isWritten) return false
        isWritten = true
        const before = Y.encodeStateVector(doc)
        writeElements(doc, [textElement(note, elementsOf(doc).at(-1))])
        socket.send(encodeSync(SyncStep.update, Y.encodeStateAsUpdate(doc, before)))
        return false
      })
    },
  }
}

/** A line of text, above the topmost element. */
const textElement = (
  { text, x, y }: { text: string; x: number; y: number },
  topmost: SceneElement | undefined,
): SceneElement => ({
  id: randomUUID(),
  type: 'text',
  index: `${topmost?.index ?? 'a0'}V`,
  ...{ x, y, width: text.length * 11, height: 25, angle: 0 },
  ...{ text, originalText: text, fontSize: 20, fontFamily: 5, lineHeight: 1.25, autoResize: true },
  ...{ textAlign: 'left', verticalAlign: 'top', containerId: null },
  ...{ strokeColor: '#1e1e1e', backgroundColor: 'transparent', fillStyle: 'solid', strokeStyle: 'solid' },
  ...{ strokeWidth: 2, roughness: 1, opacity: 100, seed: 1, roundness: null, frameId: null, link: null },
  ...{ groupIds: [], boundElements: null, locked: false, isDeleted: false },
})
