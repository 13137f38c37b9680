// Files that people take for drawings: their contents are found, and files without any say so.
import { deflateSync } from 'node:zlib'
import lzString from 'lz-string'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { work } from '../../server/documents/fold-worker.ts'
import { readDrawing } from '../../shared/drawing.ts'
import { asDrawing, drawingOfJson, findDrawing } from '../../shared/drawing-file.ts'
import { unpackLz } from '../../shared/lz.ts'

const files = suite('files with a drawing inside')

const shape = (id: string, more: object = {}) => ({
  id,
  type: 'rectangle',
  x: 10,
  y: 20,
  width: 100,
  height: 50,
  ...more,
})
const drawing = {
  type: 'excalidraw',
  version: 2,
  elements: [shape('a'), shape('ü')],
  appState: { viewBackgroundColor: '#fdf8f6' },
}
const json = JSON.stringify(drawing)
const mime = 'application/vnd.excalidraw+json'

/** As Excalidraw embeds it in images. */
const wrapped = JSON.stringify({
  version: '1',
  encoding: 'bstring',
  compressed: true,
  encoded: deflateSync(json).toString('latin1'),
})

const chunk = (type: string, body: Buffer): Buffer => {
  const length = Buffer.alloc(4)
  length.writeUInt32BE(body.length)
  return Buffer.concat([length, Buffer.from(type), body, Buffer.alloc(4)])
}
const png = (...chunks: Buffer[]): Buffer =>
  Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10]),
    chunk('IHDR', Buffer.alloc(13)),
    ...chunks,
    chunk('IEND', Buffer.alloc(0)),
  ])
const svg = (inside: string): Buffer =>
  Buffer.from(`<svg xmlns="http://www.w3.org/2000/svg">${inside}<rect/></svg>`)
const payload = `<!-- payload-type:${mime} --><!-- payload-version:2 --><!-- payload-start -->${Buffer.from(wrapped, 'latin1').toString('base64')}<!-- payload-end -->`
const note = (fence: string, body: string): Buffer =>
  Buffer.from(
    `---\nexcalidraw-plugin: parsed\n---\n# Words\nHarbour ^a\n\n%%\n## Drawing\n\`\`\`${fence}\n${body}\n\`\`\`\n%%`,
  )
const lines = (text: string): string => text.replace(/.{1,200}/g, '$&\n\n')

const imported = (body: Uint8Array) =>
  work.importScene({
    current: Uint8Array.of(0, 0),
    body,
    replace: false,
    limits: { maxNewClientsPerUpdate: 10, maxBoardBytes: 1_000_000 },
  })

const forms: Record<string, Buffer> = {
  'an .excalidraw file': Buffer.from(json),
  'a PNG': png(chunk('tEXt', Buffer.concat([Buffer.from(`${mime}\0`), Buffer.from(wrapped, 'latin1')]))),
  'an SVG': svg(payload),
  'a note of Obsidian': note('json', json),
  'a compressed note of Obsidian': note('compressed-json', lines(lzString.compressToBase64(json))),
}
for (const [name, body] of Object.entries(forms)) {
  files(`${name} gives the drawing in it`, () => {
    const result = imported(body)
    assert.is(result.outcome, 'ok')
    if (result.outcome !== 'ok') return
    assert.equal([result.elements, result.skipped, result.background], [2, 0, '#fdf8f6'])
  })
}

files('the items of a library are placed next to each other, each with separate ids', () => {
  const item = [
    shape('a', { boundElements: [{ id: 't', type: 'text' }] }),
    shape('b', { x: 200, groupIds: ['g'] }),
  ]
  for (const library of [
    {
      type: 'excalidrawlib',
      version: 2,
      libraryItems: [
        { id: '1', elements: item },
        { id: '2', elements: item },
      ],
    },
    { type: 'excalidrawlib', version: 1, library: [item, item] },
  ]) {
    const { elements = [] } = readDrawing(asDrawing(library)) ?? {}
    assert.is(new Set(elements.map(({ id }) => id)).size, 4)
    const [first, , third] = elements
    assert.ok(Number(third?.x) > Number(first?.x) + 200, 'they do not lie on each other')
  }
})

files('files without a drawing, and with a corrupt one, are distinguished', () => {
  const why = (body: Uint8Array): string => {
    const found = findDrawing(body, 1000)
    return found.name === 'nothing' ? found.why : found.name
  }
  assert.match(why(png()), /without a drawing/)
  assert.match(why(svg('')), /without a drawing/)
  assert.match(why(svg(payload.replace(/payload-start -->.{8}/, 'payload-start -->!'))), /damaged/)
  assert.match(why(Buffer.from('# Shopping')), /neither an .excalidraw file/)
  assert.match(why(Buffer.from([0xff, 0xd8, 0xff, 0xe0, 0, 16])), /a picture without a drawing/)
  assert.match(why(Buffer.alloc(0)), /empty/)
  for (const body of Object.values(forms)) {
    const result = imported(body.subarray(0, body.length / 2))
    assert.is(result.outcome, 'refused')
    if (result.outcome === 'refused')
      assert.match(result.message, /^expected an Excalidraw drawing: it is damaged/)
  }
  for (const body of [png(), svg('')])
    assert.match(why(body.subarray(0, body.length - 8)), /damaged: it ends too early/)
  assert.is(drawingOfJson('{"name":"package"}'), 'it is a JSON file, but not an Excalidraw drawing')
})

files('files that decompress to more than is allowed are refused', () => {
  const packed = lzString.compressToBase64('harbour '.repeat(100))
  assert.is(unpackLz(packed, 800), 'harbour '.repeat(100))
  assert.is(unpackLz(packed, 799), null)
  assert.is(unpackLz(packed.slice(0, -4), 800), null)
  assert.is(unpackLz('?', 800), null)
})

files.run()
