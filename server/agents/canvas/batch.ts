// Applies an agent's batch to a document, all or nothing. It runs on a copy, which is discarded if this throws.
import * as Y from 'yjs'
import { readElement, type SceneElement } from '../../../shared/element.ts'
import { elementMaps, elementsOf, elementsRoot, writeElements } from '../../../shared/scene.ts'
import { type ElementEdit, editBetween, propertiesAt } from '../../documents/element-properties.ts'
import type { ElementRights } from '../../documents/element-touches.ts'
import { BoardroomError } from '../../errors.ts'
import { built, labelOf, sizeOfText } from './building.ts'
import type { Batch, ChangedElement } from './description.ts'
import { along, between, boxOf, middleOfLine } from './geometry.ts'
import type { Direction } from './layout.ts'
import { quoted } from './reading.ts'

const bits = { created: 'create', restored: 'create', updated: 'update', deleted: 'delete' } as const

/**
 * @returns what it did, element by element. @throws BoardroomError invalid_request | access_denied | conflict
 */
export function applyBatch(
  doc: Y.Doc,
  batch: Batch,
  rights: ElementRights,
  direction?: Direction,
): ElementEdit[] {
  if (isForeign(doc))
    throw new BoardroomError(
      'conflict',
      'this board is not a drawing of the bundled canvas; use a Yjs client instead',
    )
  refuseRepeats(
    'change',
    batch.change.map(({ id }) => id),
  )
  refuseRepeats('delete', batch.remove)
  const there = elementsOf(doc)
  const scene = new Map(there.map((element) => [element.id, element]))
  const next = new Map<string, SceneElement>()
  const edit = (id: string): SceneElement => {
    const found = next.get(id) ?? scene.get(id)
    if (found === undefined || found.isDeleted === true)
      throw new BoardroomError('invalid_request', `id: the board has no element ${id}; read it again`)
    const own = next.get(id) ?? { ...found }
    next.set(id, own)
    return own
  }
  const bound = boundIn(there)
  for (const change of batch.change) changeOne(change, edit, bound, scene, next)
  for (const id of batch.remove) {
    const isGone = next.get(id)?.isDeleted === true // with its shape, in this batch
    if (!isGone) edit(id).isDeleted = true
    // The text inside a shape is deleted with it.
    for (const label of bound.labels.get(id) ?? [])
      if (next.get(label.id)?.isDeleted !== true) edit(label.id).isDeleted = true
  }
  const now = there.map((element) => {
    const changed = next.get(element.id)
    // Without can_update, a shape's list of bound arrows cannot be changed; the arrows know their shapes anyway.
    return changed ?? { ...element }
  })
  for (const element of built(batch.add, now, direction)) next.set(element.id, element)
  if (rights.update)
    for (const element of now) {
      const before = scene.get(element.id)
      if (before !== undefined && element.boundElements !== before.boundElements)
        next.set(element.id, element)
    }
  for (const element of next.values())
    if (readElement(element as Record<string, unknown>) === null)
      throw new BoardroomError('invalid_request', `element ${quoted(element.id)} would be too far out`)
  const ids = [...next.keys()]
  const before = new Map(ids.map((id) => [id, propertiesAt(doc, id)]))
  writeElements(doc, [...next.values()])
  const edits = ids.flatMap((id) => editBetween(id, before.get(id) ?? null, propertiesAt(doc, id)) ?? [])
  for (const { elementId, change } of edits) {
    const bit = bits[change]
    if (!rights[bit])
      throw new BoardroomError(
        'access_denied',
        `element ${quoted(elementId)} would be ${change}, and this agent lacks can_${bit}; nothing was changed`,
      )
  }
  return edits
}

/** The root has content other than elements in maps. */
function isForeign(doc: Y.Doc): boolean {
  const root = doc.share.get(elementsRoot)
  if (root !== undefined && root._start !== null) return true
  const maps = elementMaps(doc)
  for (const value of maps.values()) return !(value instanceof Y.Map)
  return [...doc.share].some(
    ([name, other]) => name !== elementsRoot && (other._map.size > 0 || other._start !== null),
  )
}

/** Elements attached to others, by the id of the latter, because a batch looks them up with each change. */
interface Bound {
  /** Texts inside shapes and on lines. */
  labels: ReadonlyMap<string, readonly SceneElement[]>
  /** Lines with both ends bound to shapes. */
  lines: ReadonlyMap<string, readonly BoundLine[]>
}
interface BoundLine {
  id: string
  start: string
  end: string
}

function boundIn(there: readonly SceneElement[]): Bound {
  const labels = new Map<string, SceneElement[]>()
  const lines = new Map<string, BoundLine[]>()
  const put = <Value>(map: Map<string, Value[]>, key: string, value: Value) => {
    const values = map.get(key)
    if (values === undefined) map.set(key, [value])
    else values.push(value)
  }
  for (const element of there) {
    if (element.isDeleted === true) continue
    if (typeof element.containerId === 'string') put(labels, element.containerId, element)
    const [start, end] = [endOf(element.startBinding), endOf(element.endBinding)]
    if (start === null || end === null) continue
    for (const shape of new Set([start, end])) put(lines, shape, { id: element.id, start, end })
  }
  return { labels, lines }
}

const endOf = (binding: unknown): string | null =>
  typeof binding === 'object' && binding !== null && 'elementId' in binding ? String(binding.elementId) : null

function refuseRepeats(what: string, ids: readonly string[]): void {
  const seen = new Set<string>()
  for (const id of ids) {
    if (seen.has(id))
      throw new BoardroomError('invalid_request', `${what}: ${id} occurs twice; combine the changes`)
    seen.add(id)
  }
}

function changeOne(
  change: ChangedElement,
  edit: (id: string) => SceneElement,
  bound: Bound,
  scene: ReadonlyMap<string, SceneElement>,
  next: Map<string, SceneElement>,
): void {
  const element = edit(change.id)
  const before = boxOf(element)
  if (change.stroke_color !== undefined) element.strokeColor = change.stroke_color
  if (change.background_color !== undefined) element.backgroundColor = change.background_color
  if (change.stroke_style !== undefined) element.strokeStyle = change.stroke_style
  if (change.x !== undefined) element.x = change.x
  if (change.y !== undefined) element.y = change.y
  const isLine = Array.isArray(element.points)
  if ((change.width !== undefined || change.height !== undefined) && isLine)
    throw new BoardroomError(
      'invalid_request',
      `width, height: ${change.id} is a line; its size follows from its points`,
    )
  if (change.width !== undefined) element.width = change.width
  if (change.height !== undefined) element.height = change.height
  const label = bound.labels.get(change.id)?.[0]
  if (element.type === 'text') retext(element, change)
  else if (label !== undefined) {
    const own = edit(label.id)
    retext(own, change)
    recentre(own, element)
  } else if (change.text !== undefined && change.text !== '') {
    const made = labelOf(element, change.text, change.font_size)
    next.set(made.id, made)
  }
  const after = boxOf(element)
  const moved = (['x', 'y', 'width', 'height'] as const).some((key) => before[key] !== after[key])
  if (moved && !isLine) rejoin(change.id, edit, bound, scene)
}

function retext(text: SceneElement, { text: words, font_size: fontSize }: ChangedElement): void {
  if (words === undefined && fontSize === undefined) return
  if (words === '') {
    text.isDeleted = true
    return
  }
  text.text = words ?? text.text
  text.originalText = words ?? text.originalText ?? text.text
  text.fontSize = fontSize ?? text.fontSize ?? 20
  Object.assign(text, sizeOfText(String(text.text), Number(text.fontSize)))
}

function recentre(label: SceneElement, container: SceneElement): void {
  const { x, y, width, height } = boxOf(container)
  const middle = Array.isArray(container.points)
    ? middleOfLine(container)
    : { x: x + width / 2, y: y + height / 2 }
  label.x = middle.x - Number(label.width) / 2
  label.y = middle.y - Number(label.height) / 2
}

/** Arrows bound to a moved shape follow it. */
function rejoin(
  id: string,
  edit: (id: string) => SceneElement,
  bound: Bound,
  scene: ReadonlyMap<string, SceneElement>,
): void {
  for (const { id: lineId, start, end } of bound.lines.get(id) ?? []) {
    const [from, to] = [start, end].map((name) => (scene.get(name)?.isDeleted === false ? edit(name) : null))
    if (from == null || to == null) continue
    const line = edit(lineId)
    Object.assign(line, along(between(from, to)))
    for (const label of bound.labels.get(lineId) ?? []) recentre(edit(label.id), line)
  }
}

/** The existing elements, for reading. */
export const visible = (doc: Y.Doc): SceneElement[] =>
  elementsOf(doc).filter(({ isDeleted }) => isDeleted !== true)
