#!/usr/bin/env node
// Entry point of the program: reports an unsupported Node version before any newer syntax is parsed, then runs the command line.
import { existsSync } from 'node:fs'

const [major, minor] = process.versions.node.split('.').map(Number)
if (major < 20 || (major === 20 && minor < 20)) {
  console.error(
    `boardroom: needs Node 20.20 or newer, this is ${process.versions.node}; get one from https://nodejs.org`,
  )
  process.exit(1)
}
const program = new URL('../dist/server/cli.js', import.meta.url)
if (!existsSync(program)) {
  console.error('boardroom: not built yet; run: npm run build (npm start does it by itself)')
  process.exit(1)
}
await import(program.href)
