// Builds complete canvas elements, as Excalidraw creates them, from simple descriptions.
import { randomBytes } from 'node:crypto'
import type { SceneElement } from '../../../shared/element.ts'
import { BoardroomError } from '../../errors.ts'
import type { NewElement } from './description.ts'
import { along, type Box, between, boxOf, middleOfLine } from './geometry.ts'
import { type Direction, laidOut } from './layout.ts'

const fontFamily = 5
const lineHeight = 1.25
const letterWidth = 0.55

const randomId = (): string => randomBytes(12).toString('base64url')

const isLine = (type: string): boolean => type === 'arrow' || type === 'line'

/** Roughly the size that the canvas will measure. */
export function sizeOfText(text: string, fontSize: number): { width: number; height: number } {
  const lines = text.split('\n')
  const longest = lines.reduce((most, line) => Math.max(most, [...line].length), 1)
  return {
    width: Math.ceil(longest * fontSize * letterWidth),
    height: Math.ceil(lines.length * fontSize * lineHeight),
  }
}

const refuse = (message: string) => new BoardroomError('invalid_request', message)

/**
 * @param there the existing elements in canvas order, including deleted ones, whose ids are taken.
 * @returns the new elements in canvas order.
 * @throws BoardroomError invalid_request, naming the description
 */
export function built(
  descriptions: readonly NewElement[],
  there: readonly SceneElement[],
  direction: Direction = 'TB',
): SceneElement[] {
  const known = new Map(there.map((element) => [element.id, element]))
  const named = descriptions.map((one) => ({ ...one, id: one.id ?? randomId() }))
  for (const { id } of named) {
    if (known.has(id)) throw refuse(`id: the board already has an element ${id}; choose another id`)
    known.set(id, { id, type: '' })
  }
  if (new Set(named.map(({ id }) => id)).size < named.length)
    throw refuse('id: two elements of this batch have the same id')
  const made = new Map<string, SceneElement>()
  const texts: SceneElement[] = []
  const shapes = named.filter(({ type }) => !isLine(type))
  const places = placesFor(shapes, named, there, direction)
  for (const shape of shapes) {
    const place = places.get(shape.id) ?? { x: 0, y: 0 }
    const element = shape.type === 'text' ? freeText(shape, place) : shapeOf(shape, place)
    made.set(shape.id, element)
    if (shape.type !== 'text' && shape.text) texts.push(labelOf(element, shape.text, shape.font_size))
  }
  const ends = new Map([
    ...there.filter(({ isDeleted }) => isDeleted !== true).map((e) => [e.id, e] as const),
    ...made,
  ])
  const lines = named.filter(({ type }) => isLine(type))
  for (const line of lines) {
    const element = lineOf(line, ends)
    made.set(line.id, element)
    if (line.text) texts.push(labelOf(element, line.text, line.font_size))
  }
  let index = there.reduce<string | null>(
    (last, element) =>
      typeof element.index === 'string' && element.index > (last ?? '') ? element.index : last,
    null,
  )
  return [...made.values(), ...texts].map((element) => {
    index = indexAfter(index)
    return { ...element, index }
  })
}

type Named = NewElement & { id: string }

const sizeFor = ({ type, text = '', font_size = 20, width, height }: Named) => {
  const words = sizeOfText(text, font_size)
  if (type === 'text') return words
  // Only part of an ellipse or a diamond has room for text.
  const room = type === 'rectangle' ? 1 : type === 'ellipse' ? 1.42 : 2
  return {
    width: width ?? Math.max(120, Math.ceil((words.width + 30) * room)),
    height: height ?? Math.max(60, Math.ceil((words.height + 20) * room)),
  }
}

function placesFor(
  shapes: readonly Named[],
  all: readonly Named[],
  there: readonly SceneElement[],
  direction: Direction,
): Map<string, { x: number; y: number }> {
  const places = new Map<string, { x: number; y: number }>()
  const free: { id: string; width: number; height: number }[] = []
  for (const shape of shapes) {
    if (shape.x !== undefined && shape.y !== undefined) places.set(shape.id, { x: shape.x, y: shape.y })
    else free.push({ id: shape.id, ...sizeFor(shape) })
  }
  if (free.length === 0) return places
  const ids = new Set(free.map(({ id }) => id))
  const arrows = all.flatMap(({ from, to }) =>
    from !== undefined && to !== undefined && ids.has(from) && ids.has(to) ? [{ from, to }] : [],
  )
  const seen = there.filter(({ isDeleted }) => isDeleted !== true).map(boxOf)
  const placed = shapes.flatMap((shape): Box[] => {
    const place = places.get(shape.id)
    return place === undefined ? [] : [{ ...place, ...sizeFor(shape) }]
  })
  const boxes = [...seen, ...placed]
  const left = boxes.reduce(
    (most, { x, width }) => Math.max(most, x + width + 100),
    boxes.length === 0 ? 0 : -900_000,
  )
  const top = boxes.reduce((least, { y }) => Math.min(least, y), boxes.length === 0 ? 0 : 900_000)
  for (const [id, { x, y }] of laidOut(free, arrows, direction)) places.set(id, { x: left + x, y: top + y })
  return places
}

const base = (one: Named, type: string, box: Box): SceneElement => ({
  id: one.id,
  type,
  ...box,
  angle: 0,
  strokeColor: one.stroke_color ?? '#1e1e1e',
  backgroundColor: one.background_color ?? 'transparent',
  fillStyle: 'solid',
  strokeWidth: 2,
  strokeStyle: one.stroke_style ?? 'solid',
  roughness: 1,
  opacity: 100,
  groupIds: [],
  frameId: null,
  roundness: null,
  seed: randomBytes(4).readUInt32LE() >>> 1,
  boundElements: [],
  link: null,
  locked: false,
  isDeleted: false,
})

function shapeOf(one: Named, place: { x: number; y: number }): SceneElement {
  const roundness = one.type === 'rectangle' ? { type: 3 } : { type: 2 }
  return { ...base(one, one.type, { ...place, ...sizeFor(one) }), roundness }
}

function freeText(one: Named, place: { x: number; y: number }): SceneElement {
  const { text = '', font_size: fontSize = 20 } = one
  if (text === '') throw refuse(`text: a text element needs one (${one.id})`)
  return {
    ...base(one, 'text', { ...place, ...sizeOfText(text, fontSize) }),
    ...textProperties(text, fontSize, 'left', 'top'),
  }
}

const textProperties = (text: string, fontSize: number, textAlign: string, verticalAlign: string) => ({
  text,
  originalText: text,
  fontSize,
  fontFamily,
  textAlign,
  verticalAlign,
  containerId: null as string | null,
  autoResize: true,
  lineHeight,
})

/** The text inside a shape or on an arrow, and binds it. */
export function labelOf(container: SceneElement, text: string, fontSize = 20): SceneElement {
  const label: Named = { id: `${container.id.slice(0, 90)}-text`, type: 'text' }
  const size = sizeOfText(text, fontSize)
  const { x, y, width, height } = boxOf(container)
  const middle = Array.isArray(container.points)
    ? middleOfLine(container)
    : { x: x + width / 2, y: y + height / 2 }
  const bound = Array.isArray(container.boundElements) ? container.boundElements : []
  container.boundElements = [...bound, { id: label.id, type: 'text' }]
  return {
    ...base(label, 'text', { x: middle.x - size.width / 2, y: middle.y - size.height / 2, ...size }),
    ...textProperties(text, fontSize, 'center', 'middle'),
    containerId: container.id,
  }
}

function lineOf(one: Named, ends: ReadonlyMap<string, SceneElement>): SceneElement {
  const { id, type, from, to, points } = one
  const isArrow = type === 'arrow'
  const more = {
    roundness: { type: 2 },
    startArrowhead: null,
    endArrowhead: isArrow ? 'arrow' : null,
    ...(isArrow ? { elbowed: false } : {}),
  }
  if (from === undefined && to === undefined) {
    const corners = (points ?? [
      [one.x ?? 0, one.y ?? 0],
      [(one.x ?? 0) + (one.width ?? 100), (one.y ?? 0) + (one.height ?? 0)],
    ]) as [number, number][]
    return {
      ...base(one, type, { x: 0, y: 0, width: 0, height: 0 }),
      ...more,
      ...along(corners),
      startBinding: null,
      endBinding: null,
    }
  }
  if (from === undefined || to === undefined)
    throw refuse(`from, to: an arrow or line between elements needs both (${id})`)
  const [start, end] = [from, to].map((name) => {
    const element = ends.get(name)
    if (element === undefined)
      throw refuse(`from, to: there is no element ${name} for ${id} to start or end at`)
    if (Array.isArray(element.points)) throw refuse(`from, to: ${name} is a line; expected a shape or a text`)
    return element
  }) as [SceneElement, SceneElement]
  for (const shape of new Set([start, end])) {
    const bound = Array.isArray(shape.boundElements) ? shape.boundElements : []
    shape.boundElements = [...bound, { id, type }]
  }
  return {
    ...base(one, type, { x: 0, y: 0, width: 0, height: 0 }),
    ...more,
    ...along(between(start, end)),
    startBinding: { elementId: start.id, focus: 0, gap: 6 },
    endBinding: { elementId: end.id, focus: 0, gap: 6 },
  }
}

const digits = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'

/** The next whole fractional index: a0 … az, b00 … @see https://github.com/rocicorp/fractional-indexing */
export function indexAfter(index: string | null): string {
  const head = index?.charCodeAt(0) ?? 0
  if (index === null || head < 97 || head > 122) return 'a0'
  const length = head - 95
  const places = [...index.slice(1, length)].map((digit) => digits.indexOf(digit))
  for (let at = places.length - 1; at >= 0; at--) {
    const value = places[at] ?? 0
    if (value < 61) {
      places[at] = value + 1
      return index[0] + places.map((place) => digits[place]).join('')
    }
    places[at] = 0
  }
  return String.fromCharCode(head + 1) + '0'.repeat(length)
}
