// One canvas element as it is stored in a document: which properties are shared, which of them are packed together as
// geometry, and what a property must look like. Other clients write to documents too, so nothing here trusts what it
// reads: one malformed element would crash the renderer of everyone who opens the board.

/**
 * An element of an Excalidraw scene, as plain JSON. `index` is its fractional index, its position in the canvas
 * order.
 */
export interface SceneElement {
  id: string
  type: string
  index?: string | null
  isDeleted?: boolean
  [property: string]: unknown
}

/** Properties that change together during a drag: packed into one value, `geo`, in this order. */
export const geometryKeys = [
  'x',
  'y',
  'width',
  'height',
  'angle',
  'points',
  'pressures',
  'startBinding',
  'endBinding',
  'fixedSegments',
  'startIsSpecial',
  'endIsSpecial',
] as const

/** Assigned by each client for itself, or meaningful only while a pointer is down: never shared. */
const localKeys = new Set([
  'version',
  'versionNonce',
  'updated',
  'lastCommittedPoint',
  'boundElementIds',
  'baseline',
])

const geometry = new Set<string>(geometryKeys)

export const isGeometryKey = (key: string): boolean => geometry.has(key)
export const isSharedKey = (key: string): boolean => !localKeys.has(key)

/**
 * Everything that can be drawn; not `selection` or types of later versions. Nor `iframe`: it would show everyone who
 * opens the board a page of the element's choice.
 */
const elementTypes = new Set([
  'rectangle',
  'diamond',
  'ellipse',
  'line',
  'arrow',
  'freedraw',
  'text',
  'image',
  'frame',
  'magicframe',
  'embeddable',
])

/** Excalidraw's own limit: it treats anything beyond as an error. No real drawing comes close. */
const furthest = 1e6
const mostPoints = 50_000
const mostText = 500_000
const mostListed = 10_000

/**
 * Whether Excalidraw can generate an index before and after it; otherwise it throws. The head encodes how many digits
 * follow, then comes a fraction without a trailing zero. @see https://github.com/rocicorp/fractional-indexing
 */
export const isIndex = (index: string): boolean => {
  const head = index.charCodeAt(0)
  const integer = head >= 97 && head <= 122 ? head - 95 : head >= 65 && head <= 90 ? 92 - head : 0
  if (integer === 0 || index.length < integer || index.length > 1000 || !/^[0-9A-Za-z]+$/.test(index))
    return false
  return index !== `A${'0'.repeat(26)}` && (index.length === integer || !index.endsWith('0'))
}

/** Other fill styles of the underlying library, such as dots, take time that grows with the square of the size. */
const fillStyles = new Set(['solid', 'hachure', 'cross-hatch', 'zigzag'])
/** Approximate number of hatching lines: ten times what covers a large screen. */
const mostHatchingLines = 20_000

type Check = (value: unknown) => boolean

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const number: Check = (value) =>
  typeof value === 'number' && Number.isFinite(value) && Math.abs(value) <= furthest
const between =
  (least: number, most: number): Check =>
  (value) =>
    typeof value === 'number' && value >= least && value <= most
const string: Check = (value) => typeof value === 'string' && value.length <= mostText
const boolean: Check = (value) => typeof value === 'boolean'
const or =
  (...checks: Check[]): Check =>
  (value) =>
    checks.some((check) => check(value))
const isNull: Check = (value) => value === null
const listOf =
  (item: Check, most = mostListed): Check =>
  (value) =>
    Array.isArray(value) && value.length <= most && value.every(item)
const pair: Check = (value) =>
  Array.isArray(value) && value.length >= 2 && number(value[0]) && number(value[1])
const having =
  (fields: Record<string, Check>): Check =>
  (value) =>
    isObject(value) && Object.entries(fields).every(([key, check]) => check(value[key]))
const anyString = or(string, isNull)
const orMissing =
  (check: Check): Check =>
  (value) =>
    value === undefined || check(value)
/** Later versions of Excalidraw use a point of the shape and a mode instead of `focus` and `gap`. */
const binding = or(
  isNull,
  having({
    elementId: string,
    focus: orMissing(number),
    gap: orMissing(number),
    fixedPoint: orMissing(or(isNull, pair)),
  }),
)

/** The required form of each known property. Invalid ones are left out, and the canvas uses its default. */
const checks = new Map<string, Check>(
  Object.entries({
    index: or(isNull, (value) => typeof value === 'string' && isIndex(value)),
    isDeleted: boolean,
    x: number,
    y: number,
    width: number,
    height: number,
    angle: number,
    points: listOf(pair, mostPoints),
    pressures: listOf(number, mostPoints),
    startBinding: binding,
    endBinding: binding,
    fixedSegments: or(isNull, listOf(having({ start: pair, end: pair, index: number }))),
    startIsSpecial: or(boolean, isNull),
    endIsSpecial: or(boolean, isNull),
    strokeColor: string,
    backgroundColor: string,
    fillStyle: (value) => typeof value === 'string' && fillStyles.has(value),
    strokeWidth: between(0, 1000),
    strokeStyle: string,
    roughness: between(0, 100),
    opacity: between(0, 100),
    roundness: or(isNull, having({ type: number })),
    groupIds: listOf(string),
    frameId: anyString,
    boundElements: or(isNull, listOf(having({ id: string, type: string }))),
    link: anyString,
    locked: boolean,
    customData: isObject,
    text: string,
    originalText: string,
    rawText: string,
    fontSize: between(0.1, 100_000),
    fontFamily: number,
    textAlign: string,
    verticalAlign: string,
    containerId: anyString,
    autoResize: boolean,
    lineHeight: between(0.1, 100),
    startArrowhead: anyString,
    endArrowhead: anyString,
    elbowed: boolean,
    simulatePressure: boolean,
    fileId: anyString,
    status: string,
    scale: pair,
    crop: or(
      isNull,
      having({
        x: number,
        y: number,
        width: number,
        height: number,
        naturalWidth: number,
        naturalHeight: number,
      }),
    ),
    name: anyString,
    // Any 31-bit number, far beyond any real coordinate.
    seed: (value: unknown) => typeof value === 'number' && Number.isFinite(value),
  }),
)
const linear = new Set(['line', 'arrow', 'freedraw'])

/**
 * The element that `raw` describes, with only valid properties; unknown ones are kept.
 * @returns null if it cannot be drawn: no id, an unknown type, no finite position and size, a line without points.
 */
export const readElement = (
  raw: Record<string, unknown>,
  mostHatching = mostHatchingLines,
): SceneElement | null => {
  const { id, type } = raw
  if (
    typeof id !== 'string' ||
    id === '' ||
    id.length > 200 ||
    typeof type !== 'string' ||
    !elementTypes.has(type)
  )
    return null
  const element: SceneElement = { id, type }
  for (const key in raw) {
    const value = raw[key]
    if (key === 'id' || key === 'type' || value === undefined || !isSharedKey(key)) continue
    const check = checks.get(key)
    if (check === undefined || check(value)) element[key] = value
  }
  if (element.x === undefined || element.y === undefined) return null
  if (element.width === undefined || element.height === undefined) return null
  if (linear.has(type) && !(Array.isArray(element.points) && element.points.length > 0)) return null
  if (type === 'text' && typeof element.text !== 'string') return null
  if (element.fillStyle !== undefined && element.fillStyle !== 'solid' && hatchingOf(element) > mostHatching)
    element.fillStyle = 'solid'
  element.angle ??= 0
  element.isDeleted ??= false
  return element
}

/**
 * How many lines fill the shape. Excalidraw draws one every four stroke widths, but never more than ten per point.
 */
const hatchingOf = ({ width, height, points, strokeWidth }: SceneElement): number => {
  let across = Math.abs(Number(width)) + Math.abs(Number(height))
  for (const point of Array.isArray(points) ? points : [])
    across = Math.max(across, Math.abs(point[0]) + Math.abs(point[1]))
  return across / Math.max(4 * Number(strokeWidth ?? 1), 0.1)
}

/** Equality of plain JSON values, ignoring the order of keys. */
export const sameJson = (a: unknown, b: unknown): boolean => {
  if (Object.is(a, b) || a === b) return true
  if (Array.isArray(a))
    return Array.isArray(b) && a.length === b.length && a.every((item, at) => sameJson(item, b[at]))
  if (!isObject(a) || !isObject(b)) return false
  const keys = Object.keys(a)
  return (
    keys.length === Object.keys(b).length &&
    keys.every((key) => Object.hasOwn(b, key) && sameJson(a[key], b[key]))
  )
}

/** A deep copy of a plain JSON value; ten times as fast as structuredClone, which handles any value. */
export const copyJson = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(copyJson)
  if (!isObject(value)) return value
  const copy: Record<string, unknown> = {}
  for (const key of Object.keys(value)) if (key !== '__proto__') copy[key] = copyJson(value[key])
  return copy
}
