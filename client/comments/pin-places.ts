// The positions of pins on the screen: on the current state of their elements, only those in view, and those in one
// place grouped.
import { type Box, pointOn } from '../../shared/anchor.ts'
import type { Anchor, Place } from '../../shared/api/comments.ts'

export interface View {
  scrollX: number
  scrollY: number
  zoom: number
  width: number
  height: number
}

export interface Pinned {
  id: string
  anchor: Anchor
  place: Place | null
}

export interface PlacedPin<Item extends Pinned> {
  item: Item
  left: number
  top: number
}

export interface Cluster {
  key: string
  count: number
  left: number
  top: number
  /** Of the board. */
  x: number
  y: number
}

export type Elements = ReadonlyMap<string, Box & { isDeleted?: boolean }>

/** Its current board point; null while its element is deleted. */
export function pointOf({ anchor, place }: Pinned, elements: Elements): { x: number; y: number } | null {
  const element = anchor.element_id === undefined ? undefined : elements.get(anchor.element_id)
  // If the element is not known here at all, the original place of the pin is the best guess.
  if (element === undefined) return anchor
  if (element.isDeleted === true) return null
  return place === null ? anchor : pointOn(element, place)
}

/** The margin around the view, in pixels: pins move with the canvas for that distance. @see layer.tsx */
const margin = 190
/**
 * If more are in view and in its margin, they are grouped by grid cell; the cells grow until there are few groups.
 */
const mostPins = 200
const smallestCell = 64

export function placePins<Item extends Pinned>(
  items: readonly Item[],
  elements: Elements,
  view: View,
): { pins: PlacedPin<Item>[]; clusters: Cluster[] } {
  const pins: PlacedPin<Item>[] = []
  for (const item of items) {
    const point = pointOf(item, elements)
    if (point === null) continue
    const left = (point.x + view.scrollX) * view.zoom
    const top = (point.y + view.scrollY) * view.zoom
    if (left < -margin || top < -margin || left > view.width + margin || top > view.height + margin) continue
    pins.push({ item, left, top })
  }
  if (pins.length <= mostPins) return { pins, clusters: [] }
  for (let cell = smallestCell; ; cell *= 2) {
    const placed = grouped(pins, view, cell)
    if (placed.pins.length + placed.clusters.length <= mostPins) return placed
  }
}

function grouped<Item extends Pinned>(all: readonly PlacedPin<Item>[], view: View, cell: number) {
  const cells = new Map<string, PlacedPin<Item>[]>()
  for (const pin of all) {
    const key = `${Math.floor(pin.left / cell)}:${Math.floor(pin.top / cell)}`
    const inside = cells.get(key)
    if (inside === undefined) cells.set(key, [pin])
    else inside.push(pin)
  }
  const pins: PlacedPin<Item>[] = []
  const clusters: Cluster[] = []
  for (const [key, inside] of cells) {
    const [first] = inside
    if (inside.length === 1 && first !== undefined) pins.push(first)
    else {
      const left = inside.reduce((sum, pin) => sum + pin.left, 0) / inside.length
      const top = inside.reduce((sum, pin) => sum + pin.top, 0) / inside.length
      const [x, y] = [left / view.zoom - view.scrollX, top / view.zoom - view.scrollY]
      clusters.push({ key, count: inside.length, left, top, x, y })
    }
  }
  return { pins, clusters }
}

/** The topmost element under a point, and where on it. */
export function elementAt<Element extends Box & { id: string; isDeleted?: boolean }>(
  elements: readonly Element[],
  point: { x: number; y: number },
  placeOn: (box: Box, point: { x: number; y: number }) => Place,
): { id: string; place: Place } | null {
  for (let index = elements.length - 1; index >= 0; index--) {
    const element = elements[index]
    if (element === undefined || element.isDeleted === true || element.width === 0 || element.height === 0)
      continue
    const place = placeOn(element, point)
    if (place.x >= 0 && place.x <= 1 && place.y >= 0 && place.y <= 1) return { id: element.id, place }
  }
  return null
}
