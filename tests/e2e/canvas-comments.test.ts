// Comments as experienced by people at the canvas: pins, the panel, mentions, being offline, a phone.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { Page } from 'playwright-core'
import * as assert from 'uvu/assert'
import { draw, elementsOn, focusCanvas, saysSync } from '../helpers/board-page.ts'
import { canvasFile } from '../helpers/canvas-file.ts'
import { gone } from '../helpers/canvas-server.ts'
import { eventually } from '../helpers/eventually.ts'

const comments = canvasFile('comments at the canvas')
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

/** The problems that axe finds in `selector`. */
const faults = async (page: Page, selector: string): Promise<string[]> => {
  await page.evaluate(axe)
  const found: unknown = await page.evaluate(
    `axe.run(${JSON.stringify(selector)}).then(({ violations }) => violations.map(({ id, nodes }) => id + ': ' + nodes.map(({ html }) => html).join(' ')))`,
  )
  return found as string[]
}

const shot = async (page: Page, name: string): Promise<void> => {
  const folder = process.env.TEST_SCREENSHOTS
  if (folder !== undefined) await page.screenshot({ path: `${folder}/comments-${name}.png` })
}

const pins = (page: Page) => page.locator('.pin')
const panel = (page: Page) => page.getByRole('complementary', { name: 'Comments' })

const comment = async (page: Page, at: [number, number], body: string): Promise<void> => {
  await page.keyboard.press('c')
  await page.getByTestId('placing').waitFor()
  await page.mouse.click(...at)
  await panel(page).getByRole('textbox', { name: 'New comment' }).fill(body)
  await panel(page).getByRole('button', { name: 'Send' }).click()
}

comments.test(
  'owner, member and guest talk about an element whose pin goes where it goes',
  async ({ ada, grace, server, open }) => {
    const board = await ada.board()
    await server.boardroom().permissions.grant({ boardId: board, user: grace.id, level: 'edit', by: ada.id })
    const { url } = await ada.link(board, 'comment', { label: 'Reviewers' })
    const owner = await open(`/b/${board}`, { cookie: ada.cookie })
    await saysSync(owner, 'Saved')
    await focusCanvas(owner)
    await draw(owner, 'r', [300, 300], [500, 400])
    await saysSync(owner, 'Saved')
    await owner.keyboard.press('Escape')

    const guest = await open(url)
    await guest.getByLabel('Your name').fill('Katherine')
    await guest.getByRole('button', { name: 'Open the board' }).click()
    await eventually(async () => (await elementsOn(guest)).length === 1)
    await guest.locator('.excalidraw').first().focus()
    // Their view begins with the drawing in its middle.
    await comment(guest, [600, 426], 'Is this **wide** enough? <b>No</b> <img src=x onerror=alert(1)>')
    await panel(guest).getByText('<b>No</b>', { exact: false }).waitFor()
    assert.is(await panel(guest).locator('.comment-body b, .comment-body img').count(), 0, 'markup is text')
    assert.is(await panel(guest).locator('.comment-body strong').textContent(), 'wide')

    // The owner sees the pin at once, unread, and replies with a mention.
    await pins(owner).first().waitFor()
    await owner.getByRole('button', { name: 'Comments, 1 unread' }).waitFor()
    const stood = await pins(owner).first().boundingBox()
    await pins(owner).first().hover()
    await owner.mouse.wheel(0, 40)
    await eventually(async () => (await pins(owner).first().boundingBox())?.y === (stood?.y ?? 0) - 40)
    await owner.mouse.wheel(0, -40)
    await pins(owner).first().click()
    await panel(owner).getByText('Is this', { exact: false }).waitFor()
    await owner.getByRole('button', { name: 'Comments', exact: true }).waitFor()
    const answer = panel(owner).getByRole('textbox', { name: 'Answer' })
    await answer.pressSequentially('Ask @gra')
    await panel(owner).getByRole('option', { name: 'Grace' }).waitFor()
    await shot(owner, 'mention')
    assert.equal(await faults(owner, '.comments-panel'), [])
    const asked: string[] = []
    guest.on('request', (request) => asked.push(`${request.method()} ${new URL(request.url()).pathname}`))
    await answer.press('Enter')
    await answer.press('Control+Enter')
    await panel(guest).getByText('@Grace').waitFor()
    assert.equal(
      asked.filter((request) => request.startsWith('GET')),
      [],
      'the news brought it along',
    )
    const told = await grace.ask<{ items: { kind: string; excerpt: string }[] }>('GET', '/me/notifications')
    assert.equal(
      told.items.map(({ kind, excerpt }) => [kind, excerpt]),
      [['mention', 'Ask @Grace']],
    )
    await shot(owner, 'thread')
    await panel(owner).getByRole('button', { name: 'All threads' }).click()
    await panel(owner).getByText('2 comments').waitFor()
    assert.equal(await faults(owner, '.comments-panel'), [])
    await shot(owner, 'list')

    // The element moves, and everybody's pin moves with it; it is deleted, and the pin disappears; undo restores it.
    const before = await pins(guest).first().boundingBox()
    await panel(owner).getByRole('button', { name: 'Close' }).click()
    await focusCanvas(owner)
    await owner.keyboard.press('Control+a')
    for (let step = 0; step < 10; step++) await owner.keyboard.press('ArrowDown')
    await eventually(async () => {
      const after = await pins(guest).first().boundingBox()
      assert.ok(before !== null && after !== null && after.y > before.y + 5)
      return true
    })
    await owner.keyboard.press('Delete')
    await eventually(async () => (await pins(owner).count()) === 0)
    await owner.keyboard.press('Control+z')
    await eventually(async () => (await pins(owner).count()) === 1)

    // The member finds it on the boards page, and resolves it.
    const member = await open('/', { cookie: grace.cookie })
    await member.getByText('1 unread thread').waitFor({ state: 'attached' })
    await shot(member, 'boards')
    await member.getByRole('button', { name: 'Notifications, 1 unread' }).click()
    await member.getByRole('link', { name: 'Ada mentioned you on Plans' }).click()
    await saysSync(member, 'Saved')
    await panel(member).getByRole('button', { name: 'Resolve' }).click()
    await panel(member).getByText('Resolved by Grace').waitFor()
    await eventually(async () => (await pins(owner).count()) === 0)
    const { rows } = await server.pool.query(
      `select details ->> 'change' as change from boardroom.audit_logs where action = 'comment' order by timestamp`,
    )
    assert.equal(
      rows.map(({ change }) => change),
      ['created', 'created', 'resolved'],
    )
  },
)

comments.test(
  'what is written without the network is kept over a reload and sent in order',
  async ({ ada, open, server }) => {
    const board = await ada.board()
    const page = await open(`/b/${board}`, { cookie: ada.cookie, expected: gone })
    await saysSync(page, 'Saved')
    await page.getByRole('button', { name: 'Comments', exact: true }).click()
    await panel(page).getByRole('button', { name: 'Close' }).click()
    await focusCanvas(page)
    await server.stop()
    await saysSync(page, 'Offline')
    await comment(page, [400, 300], 'First')
    await panel(page).getByText('Waiting to be sent').waitFor()
    await panel(page).getByRole('textbox', { name: 'Answer' }).fill('Second')
    await panel(page).getByRole('button', { name: 'Send' }).click()
    await panel(page).getByRole('textbox', { name: 'Answer' }).fill('A draft')
    await panel(page).getByText('Second').waitFor()
    await eventually(async () =>
      ((await page.evaluate('JSON.stringify(localStorage)')) as string).includes('A draft'),
    )
    await server.start()
    await page.reload()
    await saysSync(page, 'Saved')
    await eventually(async () => {
      const { items } = await ada.ask<{ items: { comments: { body: string }[] }[] }>(
        'GET',
        `/boards/${board}/threads`,
      )
      assert.equal(
        items.map((thread) => thread.comments.map(({ body }) => body)),
        [['First', 'Second']],
      )
      return true
    })
    await pins(page).first().click()
    await eventually(
      async () => (await panel(page).getByRole('textbox', { name: 'Answer' }).inputValue()) === 'A draft',
    )
  },
)

comments.test(
  'a link leads to a thread, on a phone too, and the keyboard alone places a comment',
  async ({ ada, open }) => {
    const board = await ada.board()
    const { id } = await ada.ask<{ id: string }>('POST', `/boards/${board}/threads`, {
      anchor: { x: 5000, y: 5000 },
      body: 'Far away: https://example.org/plan',
    })
    const phone = await open(`/b/${board}?thread=${id}`, {
      cookie: ada.cookie,
      viewport: { width: 390, height: 760 },
      hasTouch: true,
    })
    await saysSync(phone, 'Saved')
    await panel(phone).getByText('Far away', { exact: false }).waitFor()
    await pins(phone).first().waitFor()
    const link = panel(phone).getByRole('link', { name: 'https://example.org/plan' })
    assert.match((await link.getAttribute('rel')) ?? '', 'noopener')
    assert.equal(await faults(phone, '.comments-panel'), [])
    await shot(phone, 'phone')
    await panel(phone).getByRole('textbox', { name: 'Answer' }).fill('Half a thought')
    await phone.reload()
    await eventually(
      async () =>
        (await panel(phone).getByRole('textbox', { name: 'Answer' }).inputValue()) === 'Half a thought',
    )
    await panel(phone).getByRole('button', { name: 'Close' }).click()
    await phone.locator('.excalidraw').first().focus()
    await phone.keyboard.press('c')
    await phone.getByTestId('placing').waitFor()
    await phone.keyboard.press('Enter')
    await panel(phone).getByRole('textbox', { name: 'New comment' }).pressSequentially('By keys')
    await phone.keyboard.press('Control+Enter')
    await eventually(async () => {
      const { items } = await ada.ask<{ items: unknown[] }>('GET', `/boards/${board}/threads`)
      return items.length === 2
    })
  },
)

comments.test(
  'two thousand threads are asked for in pages, shown in part, and move with the canvas as one',
  async ({ ada, open, server }) => {
    const board = await ada.board()
    await server.pool.query(`
      begin; set local boardroom.copying = 'on'; set local search_path = boardroom;
      insert into threads (board_id, anchor, created_by, created_by_name, created_at)
        select '${board}', jsonb_build_object('x', (n % 50) * 60 - 1000, 'y', (n / 50) * 60 - 1000), 'user:${ada.id}', 'Ada',
          now() - n * interval '1 second' from generate_series(1, 2000) n;
      insert into comments (thread_id, author, author_name, body, created_at)
        select t.id, 'user:${ada.id}', 'Ada', 'Word ' || n, t.created_at + n * interval '1 ms'
        from threads t, generate_series(1, 10) n;
      commit`)
    const page = await open('/', { cookie: ada.cookie })
    const asked: string[] = []
    page.on('request', (request) => asked.push(new URL(request.url()).pathname))
    await page.goto(new URL(`/b/${board}`, page.url()).href)
    await saysSync(page, 'Saved')
    await pins(page).first().waitFor()
    await eventually(() => asked.filter((path) => path.includes('/threads')).length === 10)
    await page.getByRole('button', { name: 'Comments', exact: true }).click()
    await eventually(async () => (await page.locator('.thread-card').count()) === 50)
    assert.is(asked.filter((path) => path.includes('/threads')).length, 10, 'a list asks for nothing more')
    assert.ok(
      (await pins(page).count()) <= 200,
      'pins out of view are not there, and many near each other are one',
    )
    await page.mouse.move(400, 600)
    // The list has loaded next to them, which may move them.
    await page.evaluate(`new Promise((resolve) => {
      let quiet = setTimeout(resolve, 500)
      new MutationObserver(() => {
        clearTimeout(quiet)
        quiet = setTimeout(resolve, 500)
      }).observe(document.querySelector('.pins'), { subtree: true, childList: true, attributeFilter: ['style'] })
    })`)
    // Until the scrolling has come to rest, when all are placed anew.
    const placedAnew = await page.evaluate(`new Promise((resolve) => {
      let placedAnew = 0
      const moving = document.querySelector('.pins > div')
      new MutationObserver((changes) => {
        for (const { target } of changes) target === moving ? resolve(placedAnew) : placedAnew++
      }).observe(document.querySelector('.pins'), { subtree: true, childList: true, attributeFilter: ['style'] })
      const canvas = document.querySelector('.excalidraw canvas.interactive')
      for (let turn = 0; turn < 5; turn++)
        canvas.dispatchEvent(new WheelEvent('wheel', { deltaY: 10, bubbles: true, cancelable: true }))
    })`)
    assert.is(placedAnew, 0)
  },
)

comments.test('whoever may only look reads and has no tool', async ({ ada, open }) => {
  const board = await ada.board()
  await ada.ask('POST', `/boards/${board}/threads`, { anchor: { x: 0, y: 0 }, body: 'For your eyes' })
  const { url } = await ada.link(board, 'view')
  const viewer = await open(url)
  await viewer.getByLabel('Your name').fill('Vera')
  await viewer.getByRole('button', { name: 'Open the board' }).click()
  await saysSync(viewer, 'Read-only')
  await viewer.getByRole('button', { name: 'Comments, 1 unread' }).click()
  await panel(viewer).getByText('For your eyes').click()
  await viewer.getByRole('button', { name: 'Comments', exact: true }).waitFor()
  assert.is(await panel(viewer).getByRole('textbox').count(), 0)
  assert.is(await viewer.getByRole('button', { name: 'Comment (C)' }).count(), 0)
  await viewer.locator('.excalidraw').first().focus()
  await viewer.keyboard.press('c')
  assert.is(await viewer.getByTestId('placing').count(), 0)
})

comments.run()
