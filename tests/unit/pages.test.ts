// The addresses of the client's pages: the server knows them, and answers "not found" elsewhere.
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { Hono } from 'hono'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { staticClient } from '../../server/http/static.ts'
import type { HttpEnv } from '../../server/routing/context.ts'

const client = fileURLToPath(new URL('../../../client', import.meta.url))
/** One address of each page; by its first word if there are several. */
const pages = [
  ...['/', '/folders/1', '/trash', '/sign-in', '/sign-up', '/setup', '/agents', '/consent', '/templates'],
  ...['/records', '/boards/1/record', '/boards/1/audit', '/invite', '/reset', '/account', '/admin'],
  ...['/admin/people', '/audit', '/embed/1', '/b/1'],
]

const addresses = suite('an address of the client')

addresses('is a page if the client has one, and not found otherwise', async () => {
  const app = new Hono<HttpEnv>().use(staticClient(client))
  const status = async (path: string) =>
    (await app.request(`http://localhost${path}`, { headers: { accept: 'text/html' } })).status
  for (const page of pages) assert.is(await status(page), 200, page)
  for (const nothing of ['/nothing', '/boards', '/folders', '/templates/1/2', '/boards/1/nothing'])
    assert.is(await status(nothing), 404, nothing)
})

addresses('is listed here for every page of the client', async () => {
  const router = await readFile(`${client}/app.tsx`, 'utf8')
  const known = new Set(pages.map((page) => page.split('/')[1]))
  const routed = [...router.matchAll(/first === '([^']*)'/g)].map(([, first = '']) => first)
  assert.ok(routed.length > 10)
  for (const first of routed) assert.ok(known.has(first), first)
})

addresses('of a file that a new build has removed is not found', async () => {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'boardroom-pages-'))
  try {
    await mkdir(path.join(folder, 'assets'))
    const file = path.join(folder, 'assets/main-1.js')
    await writeFile(file, 'export {}')
    const app = new Hono<HttpEnv>().use(staticClient(folder))
    const status = async (of: string) => (await app.request(`http://localhost/${of}`)).status
    await writeFile(path.join(folder, 'index.html'), '<!doctype html>')
    assert.is(await status('index.html'), 200)
    await rm(file)
    assert.is(await status('assets/main-1.js'), 404)
    await rm(path.join(folder, 'index.html'))
    assert.is(await status(''), 503)
  } finally {
    await rm(folder, { recursive: true })
  }
})

addresses.run()
