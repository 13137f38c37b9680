// A large board on a slow line is one message that takes minutes, in which nothing else arrives.
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { WebSocket, WebSocketServer } from 'ws'
import { Awareness } from 'y-protocols/awareness'
import * as Y from 'yjs'
import { BoardProvider, type SocketClass } from '../../shared/client/provider.ts'
import { encodeHello, type Hello, ownSubprotocol } from '../../shared/protocol.ts'
import { HandClock } from '../helpers/canvas.ts'
import { eventually } from '../helpers/eventually.ts'

const answers = suite('the first answer')

answers('may take two minutes, once the server has said hello', async () => {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1', handleProtocols: () => ownSubprotocol })
  await once(server, 'listening')
  server.on('connection', (socket) => socket.send(encodeHello({} as Hello))) // and then nothing; nobody reads it
  const clock = new HandClock()
  const doc = new Y.Doc()
  let hasHello = false
  const provider = new BoardProvider({
    serverUrl: `ws://127.0.0.1:${(server.address() as AddressInfo).port}`, // a TCP port was requested
    boardId: 'large',
    doc,
    awareness: new Awareness(doc),
    socketClass: WebSocket as unknown as SocketClass, // ws has the browser's interface
    clock,
    listener: {
      hello: () => {
        hasHello = true
      },
      ...{ level: () => {}, event: () => {}, notice: () => {}, changed: () => {}, ended: () => {} },
      isSameDocument: () => true,
    },
  })
  /** As if nothing had been received for longer than the stock provider waits, plus ten seconds. */
  const isPatient = () => {
    provider.wsLastMessageReceived = 0
    clock.advance(10_000)
    return provider.wsLastMessageReceived > 0
  }
  try {
    provider.connect()
    await eventually(() => hasHello)
    for (let seconds = 10; seconds < 120; seconds += 10) assert.ok(isPatient(), `after ${seconds} s`)
    assert.not(isPatient())
  } finally {
    provider.destroy()
    doc.destroy()
    for (const socket of server.clients) socket.terminate()
    server.close()
  }
})

answers.run()
