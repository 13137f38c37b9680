#!/usr/bin/env bash
# MCP SDK: after the server restarts, every call of a connected client fails until it is closed and connected again
#
# One would guess: The protocol requires a client to begin a new session when the server answers 404 to its session
#   id, so the SDK's client does that, or at least can be connected again.
# What happens: It sends the old id with every call, and each call is rejected. connect on the same client is
#   refused because it is already connected; only close, a new transport and connect restore it.
# Who runs into it: Servers that keep sessions in memory: after a deployment, connected agents must be restarted by
#   hand. Servers without sessions are not affected.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund @modelcontextprotocol/sdk@1.32.2 zod@4.6.7 >/dev/null || { echo 'could not install'; exit 2; }
cat >show.mjs <<'JS'
import assert from 'node:assert'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js'
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js'

console.log('@modelcontextprotocol/sdk', JSON.parse(readFileSync('node_modules/@modelcontextprotocol/sdk/package.json')).version)
let sessions = new Map()
const http = createServer(async (request, response) => {
  const id = request.headers['mcp-session-id']
  let transport = sessions.get(id)
  if (id && !transport) {
    const error = { jsonrpc: '2.0', error: { code: -32001, message: 'Session not found' }, id: null }
    return response.writeHead(404, { 'content-type': 'application/json' }).end(JSON.stringify(error))
  }
  if (!transport) {
    transport = new StreamableHTTPServerTransport({ sessionIdGenerator: randomUUID, onsessioninitialized: (id) => sessions.set(id, transport) })
    const server = new McpServer({ name: 'board', version: '1' })
    server.registerTool('hello', {}, async () => ({ content: [{ type: 'text', text: 'hello' }] }))
    await server.connect(transport)
  }
  await transport.handleRequest(request, response)
}).listen(0)
await once(http, 'listening')
const transport = () => new StreamableHTTPClientTransport(new URL(`http://127.0.0.1:${http.address().port}`))
const client = new Client({ name: 'agent', version: '1' })
const outcome = (promise) => promise.then(() => 'ok', () => 'fails')
const call = () => outcome(client.callTool({ name: 'hello', arguments: {} }))
await client.connect(transport())
const seen = { before: await call() }
sessions = new Map() // the restart: the new process knows no session
seen['first call after'] = await call()
seen['second call after'] = await call()
seen['connect again'] = await outcome(client.connect(transport()))
await client.close()
await client.connect(transport())
seen['after close and connect'] = await call()
console.log(seen)
assert.deepEqual(Object.values(seen), ['ok', 'fails', 'fails', 'fails', 'ok'])
process.exit()
JS
node show.mjs
