// Drawings in the forms found in people's files, read as by every import.
import { readFileSync } from 'node:fs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { bytesOfDataUrl } from '../../shared/data-url.ts'
import { describeLeftOut, readDrawing } from '../../shared/drawing.ts'

const read = (name: string) => {
  const drawing = readDrawing(JSON.parse(readFileSync(`tests/fixtures/drawings/${name}.excalidraw`, 'utf8')))
  assert.ok(drawing)
  return drawing
}
const byId = (name: string) => new Map(read(name).elements.map((element) => [element.id, element]))

const drawings = suite('drawings as files hold them')

drawings('keep arrows on their shapes, even in the format of later versions', () => {
  const arrow = byId('newbinding').get('X')
  assert.equal(arrow?.startBinding, { elementId: 'A', fixedPoint: [1, 0.5001], mode: 'orbit', focus: 0 })
  assert.equal(byId('newbinding').get('A')?.boundElements, [{ id: 'X', type: 'arrow' }])
})

drawings('from 2020 have lines that were called draw', () => {
  const line = byId('draw-type').get('d1')
  assert.is(line?.type, 'line')
  assert.is(read('draw-type').leftOut.length, 0)
})

drawings('with duplicate ids are kept complete, each element under a separate id', () => {
  const { elements, leftOut } = read('dup-ids')
  assert.equal(
    elements.map(({ id }) => id),
    ['a', 'a-2', 't', 't-2'],
  )
  assert.is(leftOut.length, 0)
})

drawings('assign the second copy of a text to the second copy of its container', () => {
  const box = { id: 'box', type: 'rectangle', x: 0, y: 0, width: 9, height: 9 }
  const text = { id: 'text', type: 'text', x: 0, y: 0, text: 'a', containerId: 'box' }
  const bound = [{ id: 'text', type: 'text' }]
  const drawing = readDrawing({
    elements: [{ ...box, boundElements: bound }, text, { ...box, boundElements: bound }, text],
  })
  assert.equal(
    drawing?.elements.map(({ id, containerId, boundElements }) => [id, containerId, boundElements]),
    [
      ['box', undefined, [{ id: 'text', type: 'text' }]],
      ['text', 'box', undefined],
      ['box-2', undefined, [{ id: 'text-2', type: 'text' }]],
      ['text-2', 'box-2', undefined],
    ],
  )
})

drawings('without sizes get them from their points and texts', () => {
  const elements = byId('no-size')
  assert.equal([elements.get('ar')?.width, elements.get('ar')?.height], [100, 0])
  assert.ok(Number(elements.get('tx')?.width) > 50)
  assert.is(elements.get('tx')?.height, 25)
  assert.is(elements.size, 4)
})

drawings('include their images, however the data URL is written', () => {
  const { images } = read('images-data-urls')
  assert.is(images.size, 10)
  assert.is(images.get('f-octet')?.type, 'image/png')
  assert.is(images.get('f-jfif')?.type, 'image/jpeg')
  assert.is(images.get('f-charset-quoted')?.type, 'image/svg+xml')
  assert.equal(bytesOfDataUrl('data:;base64,_-8'), new Uint8Array([255, 239]))
  assert.is(bytesOfDataUrl('https://example.org/a.png'), null)
  assert.is(bytesOfDataUrl('data:image/png;base64,%%%'), null)
})

drawings('include the background colour, if it is valid', () => {
  assert.is(read('dark-background').background, '#0d1117')
  const withColor = (viewBackgroundColor: unknown) =>
    readDrawing({ elements: [], appState: { viewBackgroundColor } })?.background
  assert.is(withColor('rgb(1, 2, 3)'), 'rgb(1, 2, 3)')
  assert.is(withColor('transparent'), 'transparent')
  for (const none of ['url(https://example.org)', 'red; color: blue', 7, null, '#12'])
    assert.is(withColor(none), null)
})

drawings('repair references to anything that is not in the file', () => {
  const drawing = readDrawing({
    elements: [
      { id: 't', type: 'text', x: 0, y: 0, text: 'a', containerId: 'gone', frameId: 'gone' },
      {
        id: 'r',
        type: 'rectangle',
        x: 0,
        y: 0,
        width: 9,
        height: 9,
        boundElements: [{ id: 'gone', type: 'text' }],
      },
      {
        id: 'l',
        type: 'arrow',
        points: [
          [5, 5],
          [9, 5],
        ],
        startBinding: { elementId: 'gone' },
      },
    ],
  })
  const [text, shape, arrow] = drawing?.elements ?? []
  assert.equal([text?.containerId, text?.frameId], [null, null])
  assert.equal(shape?.boundElements, [])
  assert.equal(
    [arrow?.startBinding, arrow?.x, arrow?.points],
    [
      null,
      5,
      [
        [0, 0],
        [4, 0],
      ],
    ],
  )
})

drawings('name what is left out, element by element', () => {
  const drawing = readDrawing({
    elements: [
      { id: 'page', type: 'iframe', x: 0, y: 0, width: 9, height: 9 },
      { id: 'odd', type: 'hologram', x: 0, y: 0, width: 9, height: 9 },
      null,
      { id: 'pic', type: 'image', x: 0, y: 0, width: 9, height: 9, fileId: 'f' },
    ],
    files: { f: { dataURL: 'data:text/plain,hello' } },
  })
  assert.equal(
    drawing?.leftOut.map(({ id, type }) => [id, type]),
    [
      ['page', 'iframe'],
      ['odd', 'hologram'],
      ['', ''],
      ['pic', 'image'],
    ],
  )
  const sentence = describeLeftOut(drawing?.leftOut ?? [])
  assert.match(sentence, '4 elements were left out: iframe "page": pages inside a board are not shown')
  assert.match(sentence, 'and 1 more')
})

drawings.run()
