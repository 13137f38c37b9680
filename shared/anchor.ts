// Where a pin is on an element that moves, grows and turns. The same for the server, the bundled canvas and any other.

/** An element's rectangle before it is turned by `angle` (radians, clockwise) about its middle. */
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

/** The place of a point of the board on an element: parts of its width and height from its top left. */
export function placeOn(box: Box, point: Point): Point {
  const { x, y } = turned(point, middleOf(box), -box.angle)
  return { x: part(x - box.x, box.width), y: part(y - box.y, box.height) }
}

/** The point of the board where a place on an element is now. */
export const pointOn = (box: Box, place: Point): Point =>
  turned({ x: box.x + place.x * box.width, y: box.y + place.y * box.height }, middleOf(box), box.angle)

const middleOf = (box: Box): Point => ({ x: box.x + box.width / 2, y: box.y + box.height / 2 })

const turned = ({ x, y }: Point, about: Point, angle: number): Point => {
  const [sin, cos] = [Math.sin(angle), Math.cos(angle)]
  const [dx, dy] = [x - about.x, y - about.y]
  return { x: about.x + dx * cos - dy * sin, y: about.y + dx * sin + dy * cos }
}

/** A line has no height, and a point outside is near enough. */
const part = (length: number, of: number): number => (of === 0 ? 0 : Math.min(10, Math.max(-10, length / of)))
