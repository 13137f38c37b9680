// A picture of a board: an SVG of plain shapes, rendered by resvg with the canvas's fonts, which have to be passed to it:
// it has none of its own and would silently leave texts out.
import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { renderAsync } from '@resvg/resvg-js'
import { isColor } from '../../../shared/color.ts'
import type { SceneElement } from '../../../shared/element.ts'

const margin = 20
const mostPixels = 1600
const mostElements = 5000

const fontFolder = fileURLToPath(new URL('../../../../assets/fonts/', import.meta.url))
let fontFiles: string[] | null = null

/** A PNG, at most 1600 pixels wide and high. @returns null if there is nothing to see. */
export async function pictureOf(elements: readonly SceneElement[]): Promise<Buffer | null> {
  const seen = elements.slice(0, mostElements)
  if (seen.length === 0) return null
  fontFiles ??= readdirSync(fontFolder)
    .filter((name) => name.endsWith('.ttf'))
    .sort()
    .map((name) => fontFolder + name)
  const { svg, width, height } = svgOf(seen)
  const scale = Math.min(2, mostPixels / Math.max(width, height))
  const rendered = await renderAsync(svg, {
    font: { loadSystemFonts: false, fontFiles, defaultFontFamily: 'Excalifont' },
    fitTo: { mode: 'width', value: Math.max(1, Math.round(width * scale)) },
    background: '#ffffff',
  })
  return rendered.asPng()
}

function svgOf(elements: readonly SceneElement[]): { svg: string; width: number; height: number } {
  let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity]
  for (const element of elements) {
    for (const [x, y] of cornersOf(element)) {
      left = Math.min(left, x)
      top = Math.min(top, y)
      right = Math.max(right, x)
      bottom = Math.max(bottom, y)
    }
  }
  const width = right - left + 2 * margin
  const height = bottom - top + 2 * margin
  const lines = new Set(elements.filter(({ points }) => Array.isArray(points)).map(({ id }) => id))
  const body = elements.map((element) => drawn(element, lines)).join('\n')
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="${left - margin} ${top - margin} ${width} ${height}" width="${width}" height="${height}">
${body}
</svg>`
  return { svg, width, height }
}

function cornersOf(element: SceneElement): [number, number][] {
  const [x, y, width, height] = [element.x, element.y, element.width, element.height].map(Number) as [
    number,
    number,
    number,
    number,
  ]
  const points = pointsOf(element)
  if (points !== null) return points.map(([dx, dy]) => [x + dx, y + dy])
  const reach = Number(element.angle) === 0 ? 0 : (Math.hypot(width, height) - Math.min(width, height)) / 2
  return [
    [x - reach, y - reach],
    [x + width + reach, y + height + reach],
  ]
}

const pointsOf = ({ points }: SceneElement): [number, number][] | null =>
  Array.isArray(points) ? (points as [number, number][]) : null // validated when the element was read

/** @param lines ids of lines; texts on them get a halo. */
function drawn(element: SceneElement, lines: ReadonlySet<string>): string {
  const [x, y, width, height] = [element.x, element.y, element.width, element.height].map(Number) as [
    number,
    number,
    number,
    number,
  ]
  const angle = (Number(element.angle) * 180) / Math.PI
  const turn = angle === 0 ? '' : ` transform="rotate(${angle} ${x + width / 2} ${y + height / 2})"`
  const opacity = typeof element.opacity === 'number' ? element.opacity / 100 : 1
  const isOnLine = typeof element.containerId === 'string' && lines.has(element.containerId)
  const halo = isOnLine ? ' paint-order="stroke" stroke="#ffffff" stroke-width="8"' : ''
  return `<g opacity="${opacity}"${turn}${halo}>${inside(element, x, y, width, height)}</g>`
}

function inside(element: SceneElement, x: number, y: number, width: number, height: number): string {
  const look = lookOf(element)
  switch (element.type) {
    case 'rectangle':
      return `<rect x="${x}" y="${y}" width="${width}" height="${height}" rx="${element.roundness ? Math.min(16, width / 4, height / 4) : 0}" ${look}/>`
    case 'ellipse':
      return `<ellipse cx="${x + width / 2}" cy="${y + height / 2}" rx="${width / 2}" ry="${height / 2}" ${look}/>`
    case 'diamond':
      return `<polygon points="${x + width / 2},${y} ${x + width},${y + height / 2} ${x + width / 2},${y + height} ${x},${y + height / 2}" ${look}/>`
    case 'text':
      return textOf(element, x, y, width)
    case 'arrow':
    case 'line':
    case 'freedraw':
      return lineOf(element, x, y, look)
    case 'frame':
    case 'magicframe':
      return `<rect x="${x}" y="${y}" width="${width}" height="${height}" fill="none" stroke="#bbbbbb"/>`
    default:
      // Images and embedded pages, whose content is elsewhere.
      return `<rect x="${x}" y="${y}" width="${width}" height="${height}" fill="#f1f3f5" stroke="#adb5bd" stroke-dasharray="6 4"/>`
  }
}

const colorOr = (value: unknown, otherwise: string): string => (isColor(value) ? value : otherwise)

function lookOf({ strokeColor, backgroundColor, strokeWidth, strokeStyle }: SceneElement): string {
  const width = typeof strokeWidth === 'number' ? strokeWidth : 2
  const dash =
    strokeStyle === 'dashed'
      ? ` stroke-dasharray="${8 + width} ${6 + width}"`
      : strokeStyle === 'dotted'
        ? ` stroke-dasharray="1.5 ${5 + width}"`
        : ''
  return `fill="${colorOr(backgroundColor, 'none')}" stroke="${colorOr(strokeColor, '#1e1e1e')}" stroke-width="${width}" stroke-linejoin="round" stroke-linecap="round"${dash}`
}

function lineOf(element: SceneElement, x: number, y: number, look: string): string {
  const points = (pointsOf(element) ?? []).map(([dx, dy]): [number, number] => [x + dx, y + dy])
  const isFilled = element.type !== 'arrow' && element.backgroundColor !== 'transparent'
  const shape = `<polyline points="${points.map(([px, py]) => `${px},${py}`).join(' ')}" ${isFilled ? look : look.replace(/fill="[^"]*"/, 'fill="none"')}/>`
  const end = points.at(-1)
  const before = points.at(-2)
  if (element.type !== 'arrow' || !element.endArrowhead || end === undefined || before === undefined)
    return shape
  const direction = Math.atan2(end[1] - before[1], end[0] - before[0])
  const wings = [-0.45, 0.45].map((turn) => [
    end[0] - 18 * Math.cos(direction + turn),
    end[1] - 18 * Math.sin(direction + turn),
  ])
  return `${shape}<polyline points="${wings[0]?.join(',')} ${end.join(',')} ${wings[1]?.join(',')}" ${look.replace(/fill="[^"]*"/, 'fill="none"').replace(/ stroke-dasharray="[^"]*"/, '')}/>`
}

const families: Record<number, string> = {
  2: 'Liberation Sans',
  3: 'Cascadia Code',
  6: 'Liberation Sans',
  9: 'Liberation Sans',
}

function textOf(element: SceneElement, x: number, y: number, width: number): string {
  const size = typeof element.fontSize === 'number' ? element.fontSize : 20
  const step = size * (typeof element.lineHeight === 'number' ? element.lineHeight : 1.25)
  const [anchor, at] =
    element.textAlign === 'center'
      ? ['middle', x + width / 2]
      : element.textAlign === 'right'
        ? ['end', x + width]
        : ['start', x]
  const family = families[Number(element.fontFamily)] ?? 'Excalifont'
  const lines = String(element.text).split('\n')
  const spans = lines.map(
    (line, row) => `<text x="${at}" y="${y + row * step + step / 2 + size * 0.33}">${escaped(line)}</text>`,
  )
  return `<g font-family="${family}, Excalifont, Liberation Sans" font-size="${size}" text-anchor="${anchor}" fill="${colorOr(element.strokeColor, '#1e1e1e')}">${spans.join('')}</g>`
}

/** XML cannot represent most control characters. */
const escaped = (text: string): string =>
  text
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are removed
    .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '')
    .toWellFormed()
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
