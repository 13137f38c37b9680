// Converts what files of earlier and later versions of Excalidraw contain, as version 0.18.1 restores it: old names,
// missing sizes, bindings in all their forms. This only reads what a file says; whether it can be drawn is checked
// afterwards.
// @see packages/excalidraw/data/restore.ts of Excalidraw 0.18.1

type Raw = Record<string, unknown>

const fontFamilies: Record<string, number> = {
  Virgil: 1,
  Helvetica: 2,
  Cascadia: 3,
  Excalifont: 5,
  Nunito: 6,
  'Lilita One': 7,
  'Comic Shanns': 8,
  'Liberation Sans': 9,
}
const defaultFontFamily = 5
const defaultFontSize = 20
const defaultLineHeight = 1.25
/** Types whose corners had a different radius when they were called sharp or round. */
const adaptive = new Set(['rectangle', 'embeddable', 'iframe', 'image'])
/** The average width of a character in the hand-drawn font, in font sizes: for texts without a known size. */
const letterWidth = 0.55

const numberOr = (value: unknown, otherwise: number): number =>
  typeof value === 'number' && Number.isFinite(value) ? value : otherwise
const isObject = (value: unknown): value is Raw =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** @returns a new object; values of a wrong type are kept, and the validation removes them. */
export const migrateElement = (raw: Raw): Raw => {
  const element: Raw = { ...raw }
  if (element.type === 'draw') element.type = 'line'
  for (const key of ['x', 'y', 'angle']) element[key] ??= 0
  if (Array.isArray(element.boundElementIds))
    element.boundElements ??= element.boundElementIds.map((id) => ({ id, type: 'arrow' }))
  if (element.strokeSharpness === 'round')
    element.roundness ??= { type: adaptive.has(String(element.type)) ? 1 : 2 }
  if (element.fillStyle === '') delete element.fillStyle
  switch (element.type) {
    case 'text':
      migrateText(element)
      break
    case 'line':
    case 'arrow':
      migrateLine(element)
      break
    case 'freedraw':
      if (isPoints(element.points)) sizeByPoints(element, element.points)
      break
  }
  element.width ??= 0
  element.height ??= 0
  turnOver(element)
  return element
}

function migrateText(text: Raw): void {
  if (typeof text.font === 'string') {
    const [size = '', family = ''] = text.font.split(' ')
    text.fontSize = Number.parseFloat(size) || defaultFontSize
    text.fontFamily = fontFamilies[family] ?? defaultFontFamily
    delete text.font
  }
  text.fontSize ??= defaultFontSize
  text.fontFamily ??= defaultFontFamily
  if (typeof text.text !== 'string')
    text.text = typeof text.originalText === 'string' ? text.originalText : ''
  const lines = String(text.text).split('\n')
  const fontSize = numberOr(text.fontSize, defaultFontSize)
  text.lineHeight ??=
    numberOr(text.height, 0) > 0 ? numberOr(text.height, 0) / lines.length / fontSize : defaultLineHeight
  const longest = lines.reduce((most, line) => Math.max(most, line.length), 0)
  if (numberOr(text.width, 0) === 0) text.width = longest * fontSize * letterWidth
  if (numberOr(text.height, 0) === 0)
    text.height = lines.length * fontSize * numberOr(text.lineHeight, defaultLineHeight)
}

/** Lines begin at their position: the first point is [0, 0], and the size is that of the points. */
function migrateLine(line: Raw): void {
  if (line.points === undefined || (isPoints(line.points) && line.points.length < 2)) {
    const end = [numberOr(line.width, 0), numberOr(line.height, 0)]
    if (end[0] !== 0 || end[1] !== 0) line.points = [[0, 0], end]
  }
  if (isPoints(line.points)) {
    const [[left, top] = [0, 0]] = line.points
    if (left !== 0 || top !== 0) {
      line.points = line.points.map(([x, y]) => [x - left, y - top])
      line.x = numberOr(line.x, 0) + left
      line.y = numberOr(line.y, 0) + top
    }
    if (isPoints(line.points)) sizeByPoints(line, line.points)
  }
  for (const key of ['startBinding', 'endBinding']) line[key] = migrateBinding(line, line[key])
}

function sizeByPoints(element: Raw, points: [number, number][]): void {
  // Not spread as arguments: a line may have fifty thousand.
  let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity]
  for (const [x, y] of points) {
    left = Math.min(left, x)
    top = Math.min(top, y)
    right = Math.max(right, x)
    bottom = Math.max(bottom, y)
  }
  // The value in the file is kept: if it is right, it differs from this one only in the last digit.
  if (typeof element.width !== 'number') element.width = right - left
  if (typeof element.height !== 'number') element.height = bottom - top
}

/** Files of later versions say at which point of the shape an arrow ends, and no longer how far from it. */
function migrateBinding(line: Raw, binding: unknown): unknown {
  if (!isObject(binding)) return null
  // An arrow with corners needs the point: without it, Excalidraw unbinds it from the shape.
  if (line.elbowed === true && !isPoint(binding.fixedPoint)) return null
  return { ...binding, focus: numberOr(binding.focus, 0) }
}

/** A negative size is a shape drawn from the opposite corner. */
function turnOver(element: Raw): void {
  for (const [place, size] of [
    ['x', 'width'],
    ['y', 'height'],
  ] as const) {
    const extent = element[size]
    if (typeof extent !== 'number' || extent >= 0) continue
    element[place] = numberOr(element[place], 0) + extent
    element[size] = -extent
  }
}

const isPoint = (value: unknown): value is [number, number] =>
  Array.isArray(value) && typeof value[0] === 'number' && typeof value[1] === 'number'
const isPoints = (value: unknown): value is [number, number][] =>
  Array.isArray(value) && value.length > 0 && value.every(isPoint)
