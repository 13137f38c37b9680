// The geometry of elements and of lines between them.
import type { SceneElement } from '../../../shared/element.ts'

export interface Box {
  x: number
  y: number
  width: number
  height: number
}

export const boxOf = (element: SceneElement): Box => ({
  x: Number(element.x),
  y: Number(element.y),
  width: Number(element.width),
  height: Number(element.height),
})

export function middleOfLine(line: SceneElement): { x: number; y: number } {
  const points = line.points as [number, number][] // from an element that was read or built here
  const [a = [0, 0], b = [0, 0]] = [
    points[Math.floor((points.length - 1) / 2)],
    points[Math.ceil((points.length - 1) / 2)],
  ]
  return { x: Number(line.x) + (a[0] + b[0]) / 2, y: Number(line.y) + (a[1] + b[1]) / 2 }
}

/** Position, size and points of a line, from its corners on the board. */
export function along(corners: readonly [number, number][]): Box & { points: [number, number][] } {
  const [[x, y] = [0, 0]] = corners
  const points = corners.map(([left, top]): [number, number] => [left - x, top - y])
  const xs = points.map(([left]) => left)
  const ys = points.map(([, top]) => top)
  const width = Math.max(...xs) - Math.min(...xs)
  const height = Math.max(...ys) - Math.min(...ys)
  return { x, y, width, height, points }
}

/** From the edge of one shape to the edge of the other. */
export function between(start: SceneElement, end: SceneElement): [number, number][] {
  if (start.id === end.id) {
    const { x, y, width, height } = boxOf(start)
    return [
      [x + width, y + height / 3],
      [x + width + 50, y + height / 3],
      [x + width + 50, y + (2 * height) / 3],
      [x + width + 6, y + (2 * height) / 3],
    ]
  }
  const a = centre(start)
  const b = centre(end)
  return [edge(start, b), edge(end, a)]
}

const centre = (element: SceneElement): [number, number] => {
  const { x, y, width, height } = boxOf(element)
  return [x + width / 2, y + height / 2]
}

function edge(element: SceneElement, towards: [number, number]): [number, number] {
  const [x, y] = centre(element)
  const [dx, dy] = [towards[0] - x, towards[1] - y]
  const far = Math.hypot(dx, dy)
  if (far === 0) return [x, y]
  const { width, height } = boxOf(element)
  const [u, v] = [Math.abs(dx) / (width / 2 || 1), Math.abs(dy) / (height / 2 || 1)]
  const share =
    element.type === 'ellipse' ? Math.hypot(u, v) : element.type === 'diamond' ? u + v : Math.max(u, v)
  const scale = Math.min(1, 1 / share + 6 / far)
  return [x + dx * scale, y + dy * scale]
}
