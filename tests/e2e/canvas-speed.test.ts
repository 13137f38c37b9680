// What a page may cost its visitor: bytes until it is loaded, and no harm from what another client has written.
import type { Page } from 'playwright-core'
import * as assert from 'uvu/assert'
import { WebSocket } from 'ws'
import { WebsocketProvider } from 'y-websocket'
import * as Y from 'yjs'
import { elementMaps, type SceneElement } from '../../shared/scene.ts'
import { draw, elementsOn, focusCanvas, saysSync } from '../helpers/board-page.ts'
import { canvasFile } from '../helpers/canvas-file.ts'
import type { CanvasServer } from '../helpers/canvas-server.ts'
import { eventually } from '../helpers/eventually.ts'
import { hostileElements } from '../helpers/hostile-elements.ts'

const speed = canvasFile('what a page costs')

/** Every script that the page has loaded so far, in transferred bytes. */
const scriptsOn = async (page: Page): Promise<{ name: string; bytes: number }[]> => {
  await page.waitForLoadState('networkidle')
  const entries: unknown = await page.evaluate(
    `performance.getEntriesByType('resource').filter(({ name }) => /\\.m?js$/.test(name)).map(({ name, encodedBodySize }) => ({ name, bytes: encodedBodySize }))`,
  )
  return entries as { name: string; bytes: number }[] // as created by the line above
}
const total = (scripts: { bytes: number }[]) => scripts.reduce((sum, { bytes }) => sum + bytes, 0)

speed.test(
  'a board loads less than 500 kB of script, also where only gzip is taken, and the list a fifth of it',
  async ({ ada, open }) => {
    const board = await open(`/b/${await ada.board()}`, { cookie: ada.cookie })
    await saysSync(board, 'Saved')
    const onBoard = await scriptsOn(board)
    assert.ok(total(onBoard) > 200_000 && total(onBoard) < 450_000, JSON.stringify(onBoard))
    const zipped = await Promise.all(
      onBoard.map(async ({ name }) => {
        const answer = await fetch(name, { headers: { 'accept-encoding': 'gzip' } })
        await answer.arrayBuffer()
        if (name.includes('/assets/'))
          assert.is(answer.headers.get('cache-control'), 'public, max-age=31536000, immutable', name)
        return { bytes: Number(answer.headers.get('content-length')) }
      }),
    )
    assert.ok(total(zipped) > 200_000 && total(zipped) < 500_000, `${total(zipped)} bytes with gzip`)
    const list = await open('/', { cookie: ada.cookie })
    await list.getByRole('button', { name: 'New board' }).first().waitFor()
    const onList = await scriptsOn(list)
    assert.ok(total(onList) < 100_000, JSON.stringify(onList))
  },
)

speed.test(
  'before styles and scripts are there, the page says what it does and shows the picture of the board',
  async ({ server, ada, open }) => {
    const boardId = await ada.board()
    const first = await open(`/b/${boardId}`, { cookie: ada.cookie })
    await saysSync(first, 'Saved')
    await focusCanvas(first)
    await draw(first, 'r', [300, 300], [500, 400])
    await first.getByRole('link', { name: 'All boards' }).click() // people who leave, leave a picture
    const picture = `${server.origin}/api/boards/${boardId}/thumbnail`
    await eventually(async () => (await fetch(picture, { headers: { cookie: ada.cookie } })).status === 200)

    let letThrough: () => void = () => {}
    const held = new Promise<void>((resolve) => {
      letThrough = resolve
    })
    const page = await open('/sign-in', { cookie: ada.cookie })
    await page.route('**/assets/**', async (route) => {
      await held
      await route.continue()
    })
    await page.goto(new URL(`/b/${boardId}`, page.url()).href, { waitUntil: 'commit' })
    await page.getByText('Opening the board').waitFor()
    await page.locator('#first-look img').waitFor()
    assert.is(await page.locator('.excalidraw').count(), 0)
    letThrough()
    await saysSync(page, 'Saved')
    await eventually(async () => (await page.locator('#first-look').count()) === 0)
    assert.is((await elementsOn(page)).length, 1)
  },
)

/** A custom client, which writes elements as it likes. */
const writeAsForeigner = async (
  { port }: CanvasServer,
  boardId: string,
  ticket: string,
  elements: Record<string, Record<string, unknown>>,
  work: () => Promise<void>,
): Promise<void> => {
  const doc = new Y.Doc()
  const provider = new WebsocketProvider(`ws://127.0.0.1:${port}/ws`, boardId, doc, {
    disableBc: true,
    protocols: ['boardroom.yjs', `boardroom.ticket.${ticket}`],
    WebSocketPolyfill: WebSocket as unknown as typeof globalThis.WebSocket, // ws has the browser's interface
  })
  try {
    await eventually(() => provider.synced)
    for (const [id, properties] of Object.entries(elements))
      elementMaps(doc).set(id, new Y.Map(Object.entries(properties)))
    await work()
  } finally {
    provider.destroy()
    doc.destroy()
  }
}

speed.test(
  'a board full of what no canvas can draw opens, is drawn on, and asks nobody else for anything',
  async ({ server, ada, open }) => {
    const boardId = await ada.board()
    const { ticket } = await ada.ask<{ ticket: string }>('POST', `/boards/${boardId}/tickets`, {})
    const early = await open(`/b/${boardId}`, { cookie: ada.cookie })
    await saysSync(early, 'Saved')
    const hostile = hostileElements()
    const good = { type: 'ellipse', geo: { x: 0, y: 0, width: 50, height: 50 }, index: 'a5' }
    await writeAsForeigner(server, boardId, ticket, { ...hostile, good }, async () => {
      // Both the page that was already open and one that opens now.
      const late = await open(`/b/${boardId}`, { cookie: ada.cookie })
      for (const page of [early, late]) {
        await eventually(async () => (await elementsOn(page)).some(({ id }) => id === 'good'))
        await saysSync(page, 'Saved')
        assert.is(await page.locator('iframe').count(), 0)
        await focusCanvas(page)
        await draw(page, 'd', [300, 500], [400, 600])
      }
      const isDrawn = ({ id, type }: SceneElement) => type === 'diamond' && !(id in hostile)
      await eventually(async () => (await ada.scene(boardId)).elements.filter(isDrawn).length === 2)
    })
  },
)

speed.run()
