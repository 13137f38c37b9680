// @y/websocket-server's connection handler on the http + ws pair that its own bin script uses.
// Files in DATA_DIR hold the boards, through its setPersistence hook (which has no default).

import { readFileSync, writeFileSync } from 'node:fs'
import http from 'node:http'
import { join } from 'node:path'
import { setPersistence, setupWSConnection } from '@y/websocket-server/utils'
import WebSocket from 'ws'
import * as Y from 'yjs'

const { DATA_DIR, PORT } = process.env
const file = (name) => join(DATA_DIR, `${encodeURIComponent(name)}.bin`)

setPersistence({
  provider: null,
  bindState(name, doc) {
    let state
    try {
      state = readFileSync(file(name))
    } catch {
      return
    }
    Y.applyUpdate(doc, state)
  },
  async writeState(name, doc) {
    writeFileSync(file(name), Y.encodeStateAsUpdate(doc))
  },
})

const sockets = new WebSocket.Server({ noServer: true })
sockets.on('connection', (socket, request) => setupWSConnection(socket, request))
const server = http.createServer((_request, response) => response.end('ok'))
server.on('upgrade', (request, socket, head) => {
  sockets.handleUpgrade(request, socket, head, (ws) => sockets.emit('connection', ws, request))
})
server.listen(Number(PORT), '127.0.0.1')
