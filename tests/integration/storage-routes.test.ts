// Documents, versions and files over HTTP, on a real database; the room is a fake one over the real log.

import { rejects } from 'node:assert/strict'
import { createHash, randomUUID } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import * as Y from 'yjs'
import type { AuditEvent } from '../../server/audit/event.ts'
import { backgrounds } from '../../server/boards/background.ts'
import { threadsJson } from '../../server/comments/export-queries.ts'
import { configWith } from '../../server/config.ts'
import { BoardroomError } from '../../server/errors.ts'
import { actorOf, type Identity } from '../../server/principal.ts'
import { errorHandler } from '../../server/routing/errors.ts'
import { newRouter } from '../../server/routing/router.ts'
import type { StorageDeps } from '../../server/storage/deps.ts'
import { copyDocument } from '../../server/storage/documents.ts'
import { getFile, putFile } from '../../server/storage/files/files.ts'
import { storageRoutes } from '../../server/storage/routes.ts'
import { allows, type Level } from '../../shared/levels.ts'
import { sceneOf, writeElements } from '../../shared/scene.ts'
import { make } from '../helpers/factories.ts'
import { documentFrom, type TestStorage, updateOf, withStorage } from '../helpers/storage.ts'
import { withoutTrailOf } from '../helpers/without-trail.ts'

interface TestRoutes extends TestStorage {
  board: string
  /** The room's document: what its collaborators see. */
  room: Y.Doc
  recorded: (AuditEvent | Record<string, unknown>)[]
  ask(
    method: string,
    path: string,
    options?: {
      body?: unknown
      type?: string
      accept?: string
      level?: Level | null
      headers?: Record<string, string>
    },
  ): Promise<Response>
}

const guestId = '0b0e7b7e-0000-4000-8000-000000000001'
const identity: Identity = {
  principal: { kind: 'guest', guestId, name: 'Gus' },
  via: 'guest',
  sessionId: null,
  boardId: null,
  maxLevel: null,
}

const withRoutes = (
  work: (test: TestRoutes) => Promise<void>,
  limits: Partial<StorageDeps['config']> = {},
): Promise<void> =>
  withStorage(async (storage) => {
    const { id: board } = await make.board(storage.db)
    const room = new Y.Doc()
    const recorded: TestRoutes['recorded'] = []
    let asked: Level | null = 'edit'
    const deps: StorageDeps = {
      backgrounds: backgrounds(storage.db, storage.schema),
      threadsJson: (boardId) => threadsJson(storage.db, boardId),
      database: storage.database,
      worker: storage.worker,
      catchUp: (boardId) => storage.compaction.catchUp(boardId),
      config: configWith(limits),
      trail: {
        record: async (event) => void recorded.push(event),
        recordRead: async (_actor, boardId, route) =>
          void recorded.push({ read: `${boardId === board} ${route}` }),
      },
      requireLevel: async (_identity, boardId, level) => {
        if (boardId !== board || asked === null)
          throw new BoardroomError('not_found', 'there is no such board')
        if (!allows(asked, level)) throw new BoardroomError('access_denied', `this needs ${level}`)
        return {
          level: asked,
          mayManage: false,
          reason: 'link',
          linkId: null,
          linkLabel: null,
          board: 'live',
          credential: 'valid',
          nextChangeAt: null,
          agent: null,
        }
      },
      live: {
        document: async () => Y.encodeStateAsUpdate(room),
        applyAsServer: async (boardId, update, author, tell) => {
          assert.is(boardId, board)
          assert.is(author, `guest:${guestId}`)
          Y.applyUpdate(room, update)
          await storage.updateLog.append(boardId, update, [])
          recorded.push(...(tell().trail ?? []))
          return true
        },
      },
    }
    const app = newRouter()
    app.onError(errorHandler(storage.log))
    app.use(async (c, next) => {
      c.set('identity', identity)
      c.set('actor', actorOf(identity, '127.0.0.1', null))
      await next()
    })
    app.route('/', storageRoutes(deps))
    const ask: TestRoutes['ask'] = async (
      method,
      path,
      { body, type, accept, level = 'edit', headers = {} } = {},
    ) => {
      asked = level
      const isRaw = body instanceof Uint8Array || typeof body === 'string' || body === undefined
      return app.request(`/boards/${board}${path}`, {
        method,
        headers: {
          ...(body === undefined ? {} : { 'content-type': type ?? 'application/json' }),
          ...(accept === undefined ? {} : { accept }),
          ...headers,
        },
        ...(body === undefined ? {} : { body: isRaw ? (body as string) : JSON.stringify(body) }),
      })
    }
    await work({ ...storage, board, room, recorded, ask })
  })

const rectangle = (id: string, x = 0) => ({
  id,
  type: 'rectangle',
  index: 'a0',
  x,
  y: 0,
  width: 5,
  height: 5,
  isDeleted: false,
})
const excalidraw = 'application/vnd.excalidraw+json'
const png = Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), Buffer.alloc(50, 7)])
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')
const codeOf = async (answer: Response) => [
  answer.status,
  ((await answer.json()) as { error: { code: string } }).error.code,
]

const documents = suite('documents over HTTP')

documents('come as a Yjs update, as JSON and as an Excalidraw file, recorded before the body', () =>
  withRoutes(async ({ ask, room, recorded }) => {
    writeElements(room, [rectangle('one', 7)])
    const update = await ask('GET', '/document', { accept: 'application/octet-stream', level: 'view' })
    const copy = new Y.Doc()
    Y.applyUpdate(copy, new Uint8Array(await update.arrayBuffer()))
    assert.equal(copy.getMap('elements').toJSON(), room.getMap('elements').toJSON())
    const json = await ask('GET', '/document', { accept: 'text/html;q=0.5, application/json;q=0.4' })
    assert.equal(await json.json(), room.toJSON())
    const scene = await ask('GET', '/document', { accept: excalidraw })
    assert.equal(await scene.json(), sceneOf(room))
    assert.match(scene.headers.get('content-disposition') ?? '', /attachment; filename="board.excalidraw"/)
    assert.equal(recorded, Array(3).fill({ read: 'true document' }))
  }),
)

documents('are refused in an unknown format, with a list of known ones, and without access', () =>
  withRoutes(async ({ ask, recorded }) => {
    const answer = await ask('GET', '/document', { accept: 'text/html' })
    assert.is(answer.status, 415)
    assert.match(await answer.text(), /application\/json or application\/octet-stream/)
    assert.equal(await codeOf(await ask('GET', '/document', { level: null })), [404, 'not_found'])
    assert.is(recorded.length, 0)
  }),
)

documents('are imported from what was exported, and give the same drawing', () =>
  withRoutes(async ({ ask, room }) => {
    for (const name of ['data-viz', 'presentation-bundle']) {
      const body = await readFile(`tests/fixtures/boards/${name}.excalidraw`).catch(() => null)
      if (body === null) continue
      assert.is((await ask('POST', '/import?replace=true', { body, type: excalidraw })).status, 200)
      const first = await (await ask('GET', '/document', { accept: excalidraw })).text()
      const again = await ask('POST', '/import?replace=true', { body: first, type: excalidraw })
      assert.is(((await again.json()) as { changed: boolean }).changed, false)
      assert.is(await (await ask('GET', '/document', { accept: excalidraw })).text(), first)
      assert.ok(sceneOf(room).elements.length > 10)
    }
  }),
)

documents('are added to the existing content, or replace it', () =>
  withRoutes(async ({ ask, room, board, updateLog }) => {
    writeElements(room, [rectangle('old')])
    const file = { type: 'excalidraw', elements: [rectangle('new')] }
    await ask('POST', '/import', { body: file, type: excalidraw })
    assert.equal(
      sceneOf(room)
        .elements.map(({ id }) => id)
        .sort(),
      ['new', 'old'],
    )
    await ask('POST', '/import?replace=true', { body: file, type: excalidraw })
    assert.equal(
      sceneOf(room).elements.map(({ id }) => id),
      ['new'],
    )
    assert.is(
      room.getMap<Y.Map<unknown>>('elements').get('old')?.get('isDeleted'),
      true,
      'deleted, not missing',
    )
    assert.is((await updateLog.load(board)).updates.length, 2, 'committed')
  }),
)

documents('include their images as files of the board, under the id of their content', () =>
  withRoutes(async ({ ask, room, db }) => {
    const dataURL = `data:image/png;base64,${png.toString('base64')}`
    const image = { ...rectangle('pic'), type: 'image', fileId: 'random-id', status: 'pending' }
    const body = {
      type: 'excalidraw',
      elements: [image],
      files: { 'random-id': { dataURL }, unused: { dataURL: 'data:,x' } },
    }
    const answer = await ask('POST', '/import', { body, type: excalidraw })
    assert.is(((await answer.json()) as { files: number }).files, 1)
    assert.is(sceneOf(room).elements[0]?.fileId, sha256(png))
    assert.equal(await db.selectFrom('board_files').select(['id', 'mime']).execute(), [
      { id: sha256(png), mime: 'image/png' },
    ])
  }),
)

documents('are merged from a Yjs update, but only from a self-contained one', () =>
  withRoutes(async ({ ask, room }) => {
    const other = new Y.Doc()
    const first = updateOf(other, () => other.getMap('m').set('a', 1))
    const second = updateOf(other, () => other.getMap('m').set('b', 2))
    const post = (body: Uint8Array, query = '') =>
      ask('POST', `/import${query}`, { body, type: 'application/octet-stream' })
    assert.equal(await codeOf(await post(second)), [400, 'invalid_request'])
    assert.equal(await codeOf(await post(first, '?replace=true')), [400, 'invalid_request'])
    assert.is((await post(Y.encodeStateAsUpdate(other))).status, 200)
    assert.equal(room.getMap('m').toJSON(), { a: 1, b: 2 })
    const third = updateOf(other, () => other.getMap('m').set('c', 3))
    assert.equal(
      await codeOf(await post(third)),
      [400, 'invalid_request'],
      'a client id that belongs to somebody else',
    )
    for (const bytes of [Uint8Array.of(1, 255, 255), Uint8Array.of(9), new Uint8Array(300).fill(255)]) {
      assert.equal(await codeOf(await post(bytes)), [400, 'invalid_request'])
    }
  }),
)

documents('accept the JSON of roots: the named ones become exactly that, the others stay', () =>
  withRoutes(async ({ ask, room }) => {
    writeElements(room, [rectangle('one'), rectangle('two')])
    room.getText('notes').insert(0, 'hello')
    const json = (await (await ask('GET', '/document')).json()) as {
      elements: Record<string, Record<string, unknown>>
    }
    const { two: _two, ...rest } = json.elements
    const wanted = { ...rest, three: json.elements.one, one: { ...json.elements.one, strokeColor: 'red' } }
    assert.is((await ask('POST', '/import', { body: { elements: wanted } })).status, 200)
    assert.equal(room.getMap('elements').toJSON(), wanted)
    assert.ok(room.getMap('elements').get('three') instanceof Y.Map)
    assert.is(room.getText('notes').toString(), 'hello')
    await ask('POST', '/import?replace=true', { body: { notes: 'help' } })
    assert.is(room.getText('notes').toString(), 'help')
    assert.is(room.getMap('elements').size, 0)
  }),
)

documents('are refused clearly when they are malformed, foreign, too deep or too large', () =>
  withRoutes(
    async ({ ask, room }) => {
      const refusals: [unknown, string, number][] = [
        ['{"type":', excalidraw, 400],
        ['[]', excalidraw, 400],
        [{ type: 'drawio', elements: [] }, excalidraw, 400],
        ['5', 'application/json', 400],
        [{ elements: 5 }, 'application/json', 400],
        [`{"m":{"a":${'['.repeat(100)}${']'.repeat(100)}}}`, 'application/json', 400],
        [{ m: { ['k'.repeat(2000)]: 1 } }, 'application/json', 400],
        ['x', 'text/plain', 415],
        [{ m: { a: 'x'.repeat(150_000) } }, 'application/json', 413],
        ['y'.repeat(300_000), 'application/json', 413],
      ]
      for (const [body, type, status] of refusals) {
        const answer = await ask('POST', '/import', { body, type })
        assert.is(answer.status, status, JSON.stringify(body).slice(0, 40))
      }
      assert.equal(await codeOf(await ask('POST', '/import', { body: {}, level: 'comment' })), [
        403,
        'access_denied',
      ])
      assert.is(room.share.size, 0)
    },
    { maxBoardBytes: 140_000 },
  ),
)

documents(
  'that are truncated, empty, or of another type get the reason for every type, and change nothing',
  () =>
    withRoutes(async ({ ask, room }) => {
      const folder = 'tests/fixtures/drawings'
      const drawings = readdirSync(folder).filter((name) => name.endsWith('.excalidraw'))
      assert.ok(drawings.length >= 8)
      const messageOf = async (body: Uint8Array, type: string): Promise<string> => {
        const answer = await ask('POST', '/import', { body, type })
        assert.is(answer.status, 400)
        const { error } = (await answer.json()) as { error: { message: string } }
        return error.message
      }
      for (const name of drawings) {
        const whole = readFileSync(`${folder}/${name}`)
        const cut = whole.subarray(0, whole.length >> 1)
        for (const type of [excalidraw, 'image/png', 'image/svg+xml', 'text/markdown'])
          assert.match(await messageOf(cut, type), /^expected an Excalidraw drawing: it is damaged/)
        assert.match(await messageOf(cut, 'application/json'), /^expected a JSON object/)
        assert.match(await messageOf(whole, 'application/json'), /got a drawing: send a drawing as/)
        assert.match(await messageOf(whole, 'application/octet-stream'), /expected a Yjs update, got a text/)
      }
      for (const type of [excalidraw, 'application/json', 'application/octet-stream'])
        assert.match(await messageOf(new Uint8Array(), type), /the file is empty/)
      const photo = new Uint8Array([0xff, 0xd8, 0xff, 0xe0, 0, 16])
      assert.match(await messageOf(photo, 'image/png'), /a picture without a drawing inside/)
      assert.is(room.share.size, 0)
    }),
)

documents('are copied to another board with log, snapshot, authors and files', () =>
  withRoutes(async ({ ask, board, updateLog, compaction, db }) => {
    const doc = new Y.Doc()
    await updateLog.append(
      board,
      updateOf(doc, () => doc.getMap('m').set('a', 1)),
      [{ clientId: 5, principal: 'user:1' }],
    )
    await compaction.fold(board, false)
    await updateLog.append(
      board,
      updateOf(doc, () => doc.getMap('m').set('b', 2)),
      [],
    )
    await ask('PUT', `/files/${sha256(png)}`, { body: png })
    const { id: copy } = await make.board(db)
    await db.transaction().execute((trx) => copyDocument(trx, board, copy))
    const stored = await updateLog.load(copy)
    assert.equal(documentFrom(stored).getMap('m').toJSON(), { a: 1, b: 2 })
    assert.equal(stored.authors, [{ clientId: 5, principal: 'user:1' }])
    assert.is(
      (await db.selectFrom('board_files').select('id').where('board_id', '=', copy).execute()).length,
      1,
    )
  }),
)

const versions = suite('versions over HTTP')

versions('are not kept if the trail cannot record it', () =>
  withRoutes(async ({ ask, room, db }) => {
    writeElements(room, [rectangle('one')])
    const refused = await withoutTrailOf(db, ['create'], () =>
      ask('POST', '/versions', { body: { name: 'First' } }),
    )
    assert.is(refused.status, 500)
    assert.equal(await db.selectFrom('board_versions').select('id').execute(), [])
    assert.is((await ask('POST', '/versions', { body: { name: 'First' } })).status, 201)
  }),
)

versions('are named, listed newest first in pages, viewed, and restored for everyone', () =>
  withRoutes(async ({ ask, room, recorded, db }) => {
    writeElements(room, [rectangle('one'), rectangle('two')])
    const made = await ask('POST', '/versions', { body: { name: ' First ' } })
    assert.is(made.status, 201)
    const version = (await made.json()) as { id: string; name: string }
    assert.is(version.name, 'First')
    writeElements(room, [
      { ...rectangle('one', 99) },
      { ...rectangle('two'), isDeleted: true },
      rectangle('three'),
    ])
    for (const name of ['Second', 'Third']) await ask('POST', '/versions', { body: { name } })
    const page = (await (await ask('GET', '/versions?limit=2', { level: 'view' })).json()) as {
      items: { name: string }[]
      next_cursor: string
    }
    assert.equal(
      page.items.map(({ name }) => name),
      ['Third', 'Second'],
    )
    const next = (await (await ask('GET', `/versions?limit=2&cursor=${page.next_cursor}`)).json()) as {
      items: { name: string }[]
      next_cursor: null
    }
    assert.equal([next.items.map(({ name }) => name), next.next_cursor], [['First'], null])
    const look = (await (await ask('GET', `/versions/${version.id}`, { accept: excalidraw })).json()) as {
      elements: { id: string }[]
    }
    assert.equal(look.elements.map(({ id }) => id).sort(), ['one', 'two'])
    let seen = 0
    room.on('update', () => seen++)
    const answer = await ask('POST', `/versions/${version.id}/restore`)
    const restored = (await answer.json()) as { changed: boolean; former_version_id: string }
    assert.is(restored.changed, true)
    assert.is(seen, 1)
    assert.equal(
      sceneOf(room)
        .elements.map(({ id, x }) => `${id} ${x}`)
        .sort(),
      ['one 0', 'two 0'],
    )
    assert.equal(await (await ask('POST', `/versions/${version.id}/restore`)).json(), {
      changed: false,
      former_version_id: null,
    })
    const kept = await db.selectFrom('board_versions').select('id').where('name', 'is', null).execute()
    assert.equal(kept, [{ id: restored.former_version_id }], 'what was there before the restore')
    assert.equal(
      recorded.map((event) => ('action' in event ? event.action : event.read)),
      ['true version', 'restore', 'restore'],
    )
    const rows = await db
      .selectFrom('audit_logs')
      .select(['new_values', 'guest_id'])
      .where('resource_type', '=', 'version')
      .orderBy('timestamp')
      .execute()
    assert.equal(
      rows.map(({ new_values, guest_id }) => [new_values?.version, guest_id]),
      [
        ['First', guestId],
        ['Second', guestId],
        ['Third', guestId],
      ],
    )
  }),
)

versions('of another board, cursors of another list and lower levels are refused', () =>
  withRoutes(async ({ ask, db }) => {
    const { id: other } = await make.board(db)
    const foreign = await make.version(db, { board_id: other })
    for (const id of [foreign.id, randomUUID()]) {
      assert.equal(await codeOf(await ask('GET', `/versions/${id}`)), [404, 'not_found'])
      assert.equal(await codeOf(await ask('POST', `/versions/${id}/restore`)), [404, 'not_found'])
    }
    const cursor = Buffer.from(JSON.stringify([other, '2026-01-01 00:00:00+00', randomUUID()])).toString(
      'base64url',
    )
    for (const bad of [cursor, 'x', '%00'])
      assert.equal(await codeOf(await ask('GET', `/versions?cursor=${bad}`)), [400, 'invalid_request'])
    assert.is((await ask('POST', '/versions', { body: { name: 'x' }, level: 'comment' })).status, 403)
    assert.is((await ask('POST', `/versions/${foreign.id}/restore`, { level: 'view' })).status, 403)
  }),
)

const files = suite('files over HTTP')

files('are stored under the hash of their content, repeatedly without harm, and read with access', () =>
  withRoutes(async ({ ask, db, recorded }) => {
    const path = `/files/${sha256(png)}`
    for (let times = 0; times < 2; times++) {
      const put = await ask('PUT', path, { body: png, type: 'text/html' })
      assert.equal(await put.json(), { id: sha256(png), mime: 'image/png', size: png.length })
    }
    assert.equal(await db.selectFrom('board_files').select(['created_by']).execute(), [
      { created_by: `guest:${guestId}` },
    ])
    const got = await ask('GET', path, { level: 'view' })
    assert.is(got.headers.get('content-type'), 'image/png')
    assert.equal(Buffer.from(await got.arrayBuffer()), png)
    assert.equal(recorded, [{ read: 'true file' }])
    assert.is(
      (await ask('GET', path, { headers: { 'if-none-match': got.headers.get('etag') ?? '' } })).status,
      304,
    )
    assert.is((await ask('GET', path, { level: null })).status, 404)
    assert.is((await ask('PUT', path, { body: png, level: 'comment' })).status, 403)
    assert.is((await ask('GET', `/files/${'0'.repeat(64)}`)).status, 404)
    assert.is((await ask('GET', '/files/ABC')).status, 400)
  }),
)

files('are stored once, deleted with the last board that shows them, and readable on no other board', () =>
  withRoutes(async ({ ask, database, db, board }) => {
    const id = sha256(png)
    await ask('PUT', `/files/${id}`, { body: png })
    const contents = () => db.selectFrom('file_contents').select('sha256').execute()
    const { id: copy } = await make.board(db)
    const { id: stranger } = await make.board(db)
    await db.transaction().execute((trx) => copyDocument(trx, board, copy))
    assert.equal(await contents(), [{ sha256: id }])
    assert.equal((await getFile({ database }, copy, id)).data, png)
    await rejects(getFile({ database }, stranger, id), { code: 'not_found' })
    await db.deleteFrom('boards').where('id', '=', board).execute()
    assert.equal((await getFile({ database }, copy, id)).data, png)
    await db.deleteFrom('boards').where('id', '=', copy).execute()
    assert.equal(await contents(), [])
  }),
)

files('added to one board while the last other one is deleted are kept', () =>
  withRoutes(async ({ ask, db }) => {
    const id = sha256(png)
    for (let round = 0; round < 10; round++) {
      const { id: other } = await make.board(db)
      await db
        .insertInto('file_contents')
        .values({ sha256: id, data: png })
        .onConflict((conflict) => conflict.doNothing())
        .execute()
      await make.file(db, { board_id: other, id, content: id, size: png.length })
      const [put] = await Promise.all([
        ask('PUT', `/files/${id}`, { body: png }),
        db.deleteFrom('boards').where('id', '=', other).execute(),
      ])
      assert.is(put.status, 200)
      assert.is((await ask('GET', `/files/${id}`)).status, 200)
      await db.deleteFrom('board_files').execute()
    }
  }),
)

files('are refused when the hash, the type or the size is wrong', () =>
  withRoutes(
    async ({ ask, db }) => {
      const put = async (data: Buffer, id = sha256(data)) =>
        codeOf(await ask('PUT', `/files/${id}`, { body: data }))
      assert.equal(await put(png, '0'.repeat(64)), [400, 'invalid_request'])
      assert.equal(await put(Buffer.from('<html><svg></svg></html>')), [415, 'unsupported_media_type'])
      assert.equal(await put(Buffer.alloc(2000, 1)), [413, 'too_large'])
      const images = [1, 2].map((fill) => Buffer.concat([png, Buffer.alloc(400, fill)]))
      const results = await Promise.all(
        images.map((data) => ask('PUT', `/files/${sha256(data)}`, { body: data })),
      )
      assert.equal(results.map(({ status }) => status).sort(), [200, 413], 'together they are too much')
      assert.is((await db.selectFrom('board_files').select('id').execute()).length, 1)
    },
    { maxFileBytes: 1024, maxFilesBytes: 800 },
  ),
)

files(
  'on all boards of one owner have a common limit, each content counted once, even if two arrive at once',
  () =>
    withRoutes(
      async ({ ask, db, board, database }) => {
        const { owner_id } = await db
          .selectFrom('boards')
          .select('owner_id')
          .where('id', '=', board)
          .executeTakeFirstOrThrow()
        const [{ id: second }, { id: third }] = [
          await make.board(db, { owner_id }),
          await make.board(db, { owner_id }),
        ]
        const other = await make.board(db)
        const config = { ...configWith({}), maxFilesBytesPerUser: 1000 }
        const image = (fill: number) => Buffer.concat([png, Buffer.alloc(400, fill)])
        const putOn = (boardId: string, data: Buffer) =>
          putFile({ database, config }, { boardId, id: sha256(data), data, author: 'user:1' }).then(
            () => 'kept',
            (error: BoardroomError) => error.details?.limit,
          )
        assert.is((await ask('PUT', `/files/${sha256(image(1))}`, { body: image(1) })).status, 200)
        assert.is(await putOn(second, image(1)), 'kept', 'the same content takes no more room')
        assert.equal((await Promise.all([putOn(second, image(2)), putOn(third, image(3))])).sort(), [
          'files_bytes_per_user',
          'kept',
        ])
        assert.is(await putOn(other.id, image(4)), 'kept', 'on a board of somebody else')
        const refused = await ask('PUT', `/files/${sha256(image(5))}`, { body: image(5) })
        assert.is(refused.status, 413)
        const { error } = (await refused.json()) as {
          error: { code: string; message: string; details: unknown }
        }
        assert.is(error.code, 'too_large')
        assert.match(error.message, /have 916 bytes together.*the limit is 1000/)
        assert.equal(error.details, {
          limit: 'files_bytes_per_user',
          max_files_bytes: 1000,
          files_bytes: 916,
        })
      },
      { maxFilesBytesPerUser: 1000 },
    ),
)

files('that are SVG are sandboxed and never opened as a page', () =>
  withRoutes(async ({ ask }) => {
    const svg = Buffer.from(
      '<?xml version="1.0"?><!-- x --><svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
    )
    await ask('PUT', `/files/${sha256(svg)}`, { body: svg })
    const { headers } = await ask('GET', `/files/${sha256(svg)}`)
    assert.is(headers.get('content-type'), 'image/svg+xml')
    assert.match(headers.get('content-security-policy') ?? '', /default-src 'none'.*sandbox/)
    assert.match(headers.get('content-disposition') ?? '', /^attachment/)
    assert.is(headers.get('x-content-type-options'), 'nosniff')
  }),
)

files('that are the thumbnail are small, PNG or WebP, and only the newest stays', () =>
  withRoutes(async ({ ask, db }) => {
    const webp = Buffer.concat([Buffer.from('RIFF0000WEBPVP8 '), Buffer.alloc(20)])
    for (const body of [png, webp]) assert.is((await ask('PUT', '/thumbnail', { body })).status, 200)
    assert.is((await ask('GET', '/thumbnail', { level: 'view' })).headers.get('content-type'), 'image/webp')
    assert.is((await db.selectFrom('board_files').select('id').execute()).length, 1)
    const jpeg = Buffer.concat([Buffer.from([255, 216, 255]), Buffer.alloc(20)])
    assert.is((await ask('PUT', '/thumbnail', { body: jpeg })).status, 415)
    assert.is(
      (await ask('PUT', '/thumbnail', { body: Buffer.concat([png, Buffer.alloc(256 * 1024)]) })).status,
      413,
    )
    assert.is((await ask('PUT', '/thumbnail', { body: png, level: 'view' })).status, 403)
  }),
)

documents.run()
versions.run()
files.run()
