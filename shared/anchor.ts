// The position of a pin on an element that moves, grows and rotates; shared by the server, the bundled canvas and
// other clients.

/** An element's rectangle before rotation by `angle` (radians, clockwise) around its centre. */
export interface Box {
  x: number
  y: number
  width: number
  height: number
  angle: number
}

export interface Point {
  x: number
  y: number
}

/** The place of a board point on an element, as fractions of width and height from its top left corner. */
export function placeOn(box: Box, point: Point): Point {
  const { x, y } = turned(point, middleOf(box), -box.angle)
  return { x: part(x - box.x, box.width), y: part(y - box.y, box.height) }
}

/** The current board point of a place on an element. */
export const pointOn = (box: Box, place: Point): Point =>
  turned({ x: box.x + place.x * box.width, y: box.y + place.y * box.height }, middleOf(box), box.angle)

const middleOf = (box: Box): Point => ({ x: box.x + box.width / 2, y: box.y + box.height / 2 })

const turned = ({ x, y }: Point, about: Point, angle: number): Point => {
  const [sin, cos] = [Math.sin(angle), Math.cos(angle)]
  const [dx, dy] = [x - about.x, y - about.y]
  return { x: about.x + dx * cos - dy * sin, y: about.y + dx * sin + dy * cos }
}

/** A line has no height; a point slightly outside is close enough. */
const part = (length: number, of: number): number => (of === 0 ? 0 : Math.min(10, Math.max(-10, length / of)))
