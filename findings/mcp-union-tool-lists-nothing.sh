#!/usr/bin/env bash
# MCP SDK: a tool whose input is a union is listed with no properties at all, yet its calls are validated against the union
#
# One would guess: A discriminated union is valid JSON Schema (`oneOf`), so clients see it, or the SDK refuses it
#   when the tool is registered.
# What happens: tools/list returns an empty object schema without an error. Calls are validated against the real
#   union, so a model is told that there is nothing to fill in and is then refused for missing fields. Plain
#   objects are listed in full.
# Who runs into it: Authors of tools such as "add a rectangle or a text": tests with handwritten calls pass.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund @modelcontextprotocol/sdk@1.32.2 zod@4.6.7 >/dev/null || { echo 'could not install'; exit 2; }
cat >show.mjs <<'JS'
import assert from 'node:assert'
import { readFileSync } from 'node:fs'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { InMemoryTransport } from '@modelcontextprotocol/sdk/inMemory.js'
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js'
import * as z from 'zod'

for (const name of ['@modelcontextprotocol/sdk', 'zod']) console.log(name, JSON.parse(readFileSync(`node_modules/${name}/package.json`)).version)
const rectangle = z.object({ kind: z.literal('rectangle'), width: z.number() })
const text = z.object({ kind: z.literal('text'), words: z.string() })
const server = new McpServer({ name: 'board', version: '1' })
const done = async () => ({ content: [] })
server.registerTool('add', { inputSchema: z.discriminatedUnion('kind', [rectangle, text]) }, done)
server.registerTool('addRectangle', { inputSchema: rectangle }, done)
const client = new Client({ name: 'agent', version: '1' })
const [one, other] = InMemoryTransport.createLinkedPair()
await Promise.all([server.connect(one), client.connect(other)])

const listed = Object.fromEntries((await client.listTools()).tools.map((tool) => [tool.name, Object.keys(tool.inputSchema.properties ?? {})]))
const refused = async (args) => (await client.callTool({ name: 'add', arguments: args })).isError ?? false
const seen = { listed, 'as listed, refused': await refused({}), 'as registered, refused': await refused({ kind: 'text', words: 'hello' }) }
console.log(seen)
assert.deepEqual(seen, { listed: { add: [], addRectangle: ['kind', 'width'] }, 'as listed, refused': true, 'as registered, refused': false })
process.exit()
JS
node show.mjs
