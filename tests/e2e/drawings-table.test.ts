// The table of docs/drawings.md: what Excalidraw makes of a file, in a browser, and what Boardroom makes of it.
import { readFileSync } from 'node:fs'
import * as assert from 'uvu/assert'
import { readDrawing } from '../../shared/drawing.ts'
import type { SceneElement } from '../../shared/element.ts'
import { saysSync } from '../helpers/board-page.ts'
import { canvasFile } from '../helpers/canvas-file.ts'

const fixture = (name: string): unknown[] =>
  JSON.parse(readFileSync(`tests/fixtures/drawings/${name}.excalidraw`, 'utf8')).elements
const box = (id: string, more: Record<string, unknown> = {}) => ({
  id,
  type: 'rectangle',
  x: 0,
  y: 0,
  width: 100,
  height: 50,
  ...more,
})
const line = (more: Record<string, unknown>) => ({
  id: 'l',
  type: 'line',
  x: 10,
  y: 10,
  points: [
    [0, 0],
    [50, 20],
  ],
  ...more,
})

type Made = Map<string, SceneElement>
interface Case {
  elements: unknown[]
  /** The results of both are equal in these properties; without them only `check` is called. */
  same?: readonly string[]
  check?: (excalidraw: Made, here: Made) => void
}

/** By the first column of the table. */
const cases: Record<string, Case> = {
  'arrows bound with `fixedPoint` and `mode`': {
    elements: fixture('newbinding'),
    same: ['type', 'startBinding', 'endBinding', 'boundElements'],
  },
  'a corner arrow bound without `fixedPoint`': {
    elements: [
      box('a'),
      {
        ...line({ id: 'arrow', elbowed: true }),
        type: 'arrow',
        startBinding: { elementId: 'a', focus: 0, gap: 1 },
      },
    ],
    same: ['type', 'startBinding'],
  },
  'type `draw` (2020)': { elements: fixture('draw-type'), same: ['type', 'points', 'width', 'height'] },
  '`boundElementIds`, `font`, `strokeSharpness`': {
    elements: [
      box('a', { boundElementIds: ['arrow'], strokeSharpness: 'round' }),
      { ...line({ id: 'arrow' }), type: 'arrow', startBinding: { elementId: 'a', focus: 0, gap: 1 } },
      { id: 't', type: 'text', x: 0, y: 0, width: 40, height: 25, text: 'old', font: '20px 1' },
    ],
    same: ['type', 'roundness', 'boundElements', 'fontSize', 'fontFamily'],
  },
  'several elements with one id': {
    elements: [box('a'), box('a', { x: 200 })],
    check: (excalidraw, here) => {
      assert.is(excalidraw.size, 2)
      assert.equal([...here.keys()], ['a', 'a-2'])
    },
  },
  'lines and arrows without width and height': { elements: [line({})], same: ['width', 'height'] },
  'a text without width and height': {
    elements: [{ id: 't', type: 'text', x: 0, y: 0, text: 'some words', fontSize: 20, fontFamily: 5 }],
    check: (excalidraw, here) => {
      assert.not(Number(excalidraw.get('t')?.width) > 0)
      assert.ok(Number(here.get('t')?.width) > 0)
    },
  },
  'a first point other than `[0, 0]`': {
    elements: [
      line({
        points: [
          [5, 5],
          [50, 20],
        ],
      }),
    ],
    same: ['x', 'y', 'points'],
  },
  'a shape without any size': {
    elements: [box('a'), box('none', { width: 0, height: 0 })],
    same: ['type'],
  },
  'a text without letters': {
    elements: [box('a'), { id: 't', type: 'text', x: 0, y: 0, text: '' }],
    check: (excalidraw, here) => {
      assert.ok(excalidraw.has('t'))
      assert.equal([...here.keys()], ['a'])
    },
  },
  'references to what is not in the file': {
    elements: [
      box('a', { boundElements: [{ id: 'gone', type: 'arrow' }], frameId: 'gone' }),
      { ...line({ id: 'arrow' }), type: 'arrow', startBinding: { elementId: 'gone', focus: 0, gap: 1 } },
      { id: 't', type: 'text', x: 0, y: 0, width: 40, height: 25, text: 'free', containerId: 'gone' },
    ],
    same: ['startBinding', 'containerId', 'frameId', 'boundElements'],
  },
  'deleted elements': { elements: [box('a'), box('deleted', { isDeleted: true })], same: ['type'] },
  'type `iframe`, types of later versions': {
    elements: [box('a'), box('frame', { type: 'iframe' }), box('later', { type: 'hologram' })],
    check: (excalidraw, here) => {
      assert.is(excalidraw.has('later'), false)
      assert.equal([...here.keys()], ['a'])
    },
  },
}
/** Covered elsewhere: unit/drawing, with all ten. */
const elsewhere = ['images with data URLs in any spelling']

const { test, run } = canvasFile('the table of drawings')

test('documents how Excalidraw and Boardroom handle every form of input', async ({ ada, open }) => {
  const table = readFileSync('docs/drawings.md', 'utf8').split('\n## ')[0]
  const forms = [...(table ?? '').matchAll(/^\| (.+?) \| .+? \| (.+?) \|$/gm)]
    .map(([, form = '', here = '']) => ({ form, here }))
    .filter(({ form }) => form !== 'in the file' && form !== '---')
  assert.equal(forms.map(({ form }) => form).sort(), [...Object.keys(cases), ...elsewhere].sort())
  const boardId = await ada.board()
  const page = await open(`/b/${boardId}`, { cookie: ada.cookie })
  await saysSync(page, 'Saved')
  for (const [form, { elements, same, check }] of Object.entries(cases)) {
    const file = JSON.stringify({ type: 'excalidraw', version: 2, source: 'test', elements })
    const drawing = readDrawing(JSON.parse(file))
    const made = (await page.evaluate(loaded(file))) as SceneElement[]
    const excalidraw: Made = new Map(made.map((element) => [element.id, element]))
    const here: Made = new Map(drawing?.elements.map((element) => [element.id, element]))
    check?.(excalidraw, here)
    if (same === undefined) continue
    const shared = (all: Made) =>
      Object.fromEntries([...all].map(([id, element]) => [id, same.map((key) => [key, whole(element[key])])]))
    assert.equal(shared(here), shared(excalidraw), form)
  }
  for (const { form, here } of forms)
    if (form in cases) assert.is(cases[form]?.same !== undefined, here === 'the same', `${form}: ${here}`)
})

/** To a canvas, an empty list and a missing one are the same. */
const whole = (value: unknown): unknown =>
  value === undefined || (Array.isArray(value) && value.length === 0) ? null : value

/** In the page: what the editor itself makes of a file when it opens one, before it is shared with anybody. */
const loaded = (file: string): string => `(async () => {
  const root = document.querySelector('.excalidraw')
  let fiber = root[Object.keys(root).find((name) => name.startsWith('__reactFiber$'))]
  while (fiber && !fiber.stateNode?.scene) fiber = fiber.return
  const app = fiber.stateNode
  let made = []
  const show = app.syncActionResult
  app.syncActionResult = ({ elements }) => { made = elements }
  try {
    await app.loadFileToCanvas(new File([${JSON.stringify(file)}], 'a.excalidraw', { type: 'application/json' }), null)
  } finally {
    app.syncActionResult = show
    app.setState({ isLoading: false })
  }
  return JSON.parse(JSON.stringify(made))
})()`

run()
