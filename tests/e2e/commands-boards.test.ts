// The commands that export and import boards.
import { readFile, truncate, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import * as Y from 'yjs'
import { encodeSync, MessageType, SyncStep } from '../../shared/protocol.ts'
import {
  answer,
  create,
  rows,
  run,
  type Server,
  serve,
  signedIn,
  withMadeFolder,
} from '../helpers/command-line.ts'
import { eventually } from '../helpers/eventually.ts'
import { RawClient } from '../helpers/raw-client.ts'

const commands = suite('boards from the command line')

const drawing = path.resolve('tests/fixtures/boards/hexagonal-architecture.excalidraw')

commands('boards are exported and imported as files while a server runs', () =>
  withMadeFolder(async (dataDir, folder) => {
    const server = await serve(dataDir)
    await create(dataDir, 'ada@example.org')
    const [made] = rows(
      await answer(dataDir, ['board', 'import', drawing, '--owner', 'ada@example.org', '--json']),
    )
    assert.is(made.elements, 582)
    const ada = await signedIn(server, 'ada@example.org')
    assert.is((await ada.ask('GET', `/api/boards/${made.id}`)).body.title, 'hexagonal-architecture')

    const { body } = await ada.ask('POST', `/api/boards/${made.id}/tickets`, {})
    const client = new RawClient(`${server.url.replace('http', 'ws')}/ws/${made.id}`, { ticket: body.ticket })
    await client.opened
    const count = client.edit((doc) => doc.getMap('notes').set('drawn', 'just now'))
    await eventually(() => client.saved >= count)
    const json = JSON.parse(await answer(dataDir, ['board', 'export', made.id, '--format', 'json']))
    assert.is(json.notes.drawn, 'just now', 'what is saved is in it')
    const [author] = rows(await answer(dataDir, ['board', 'authors', made.id, '--json']))
    assert.is(author.name, 'Somebody', 'who imported for herself and then drew')
    assert.equal([author.client_ids.length, author.client_ids.at(-1)], [2, client.doc.clientID])
    const file = path.join(folder, 'out.excalidraw')
    await answer(dataDir, ['board', 'export', made.id, '--output', file])
    assert.is(JSON.parse(await readFile(file, 'utf8')).elements.length, 582)
    assert.match((await run(dataDir, ['board', 'export', made.id, '--output', file])).stderr, /exists/)
    const update = path.join(folder, 'board.yjs')
    await answer(dataDir, ['board', 'export', made.id, '--format', 'yjs', '--output', update])
    const doc = new Y.Doc()
    Y.applyUpdate(doc, await readFile(update))
    assert.is(doc.getMap('elements').size, 582)

    const broken = path.join(folder, 'broken.excalidraw')
    await writeFile(broken, '{"type":"excalidraw"')
    const refused = await run(dataDir, ['board', 'import', broken])
    assert.is(refused.code, 1)
    assert.is(rows(await answer(dataDir, ['board', 'list', '--json'])).length, 2, 'and leaves no board')
    const refusals: [string, string | Buffer, RegExp][] = [
      ['empty.yjs', '', /is empty/],
      ['cut.txt', '{"type":"excalidraw","elements":[{"id"', /it is damaged/],
      ['notes.txt', 'Buy milk', /neither an .excalidraw file or library/],
      ['photo.jpg', Buffer.from([0xff, 0xd8, 0xff, 0xe0, 0, 16]), /a picture without a drawing inside/],
    ]
    const huge = path.join(folder, 'huge.excalidraw')
    await writeFile(huge, '')
    await truncate(huge, 3 * 1024 ** 3)
    assert.match((await run(dataDir, ['board', 'import', huge])).stderr, /an import reads at most 268435456/)
    assert.match((await run(dataDir, ['board', 'import', folder])).stderr, /is a folder/)
    for (const [name, content, message] of refusals) {
      await writeFile(path.join(folder, name), content)
      const { code, stderr } = await run(dataDir, ['board', 'import', path.join(folder, name)])
      assert.is(code, 1)
      assert.match(stderr, message)
    }
    assert.is(rows(await answer(dataDir, ['board', 'list', '--json'])).length, 2)
    const misnamed = path.join(folder, 'drawing.txt')
    await writeFile(misnamed, await readFile(drawing))
    const [third] = rows(await answer(dataDir, ['board', 'import', misnamed, '--json']))
    assert.is(third.elements, 582, 'by what is in it, and not by its name')
    const into = await run(dataDir, ['board', 'import', drawing, '--board', made.id])
    assert.match(into.stderr, new RegExp(`${server.pid}`), 'into a board only without a server')
    client.close()
    await server.end()
    await answer(dataDir, ['board', 'import', drawing, '--board', made.id])
  }),
)

commands('a rebuilt board keeps its content but not its history, and nobody can bring the old one back', () =>
  withMadeFolder(async (dataDir) => {
    const first = await serve(dataDir)
    await create(dataDir, 'ada@example.org')
    const ada = await signedIn(first, 'ada@example.org')
    const boardId = (await ada.ask('POST', '/api/boards', {})).body.id
    const join = async (server: Server) => {
      const { body } = await (await signedIn(server, 'ada@example.org')).ask(
        'POST',
        `/api/boards/${boardId}/tickets`,
        {},
      )
      const client = new RawClient(`${server.url.replace('http', 'ws')}/ws/${boardId}`, {
        ticket: body.ticket,
      })
      await client.opened
      return client
    }
    const old = await join(first)
    let count = 0
    for (let value = 0; value < 300; value++)
      count = old.edit((doc) => doc.getMap('notes').set('counter', `${value} ${'x'.repeat(50)}`))
    count = old.edit((doc) => {
      const gone = new Y.Map<unknown>(Object.entries({ id: 'gone', type: 'rectangle', isDeleted: true }))
      doc.getMap('elements').set('gone', gone)
      doc.getText('text').insert(0, 'kept')
    })
    await eventually(() => old.saved >= count)
    assert.match(
      (await run(dataDir, ['board', 'rebuild', boardId])).stderr,
      new RegExp(`${first.pid}`),
      'not beside a server',
    )
    await first.end()

    const [summary] = rows(await answer(dataDir, ['board', 'rebuild', boardId, '--json']))
    assert.ok(summary.bytes_after < summary.bytes_before, JSON.stringify(summary))
    assert.is(summary.forgotten_elements, 1)

    const second = await serve(dataDir)
    const late = await join(second)
    await eventually(() => late.doc.getMap('notes').get('counter') === `299 ${'x'.repeat(50)}`)
    assert.is(late.doc.getText('text').toString(), 'kept')
    assert.is(late.doc.getMap('elements').size, 0)
    const stale = await join(second)
    stale.send(encodeSync(SyncStep.step2, Y.encodeStateAsUpdate(old.doc)))
    await stale.message(MessageType.notice)
    const fresh = late.edit((doc) => doc.getMap('notes').set('after', true))
    await eventually(() => late.saved >= fresh)
    const { body } = await (await signedIn(second, 'ada@example.org')).ask(
      'GET',
      `/api/boards/${boardId}/document`,
    )
    assert.equal(body, { notes: { counter: `299 ${'x'.repeat(50)}`, after: true }, text: 'kept' })
    const versions = (
      await (await signedIn(second, 'ada@example.org')).ask('GET', `/api/boards/${boardId}/versions`)
    ).body
    assert.ok(versions.items.some(({ name }: { name: string | null }) => name === 'Before the rebuild'))
    await second.end()
  }),
)

commands.run()
