// Where shapes go that nobody placed: in layers along their arrows, by dagre. Its time grows with the square of what it
// is given, so larger drawings become a plain grid.
import dagre from '@dagrejs/dagre'

export interface Sized {
  id: string
  width: number
  height: number
}
export type Direction = 'TB' | 'BT' | 'LR' | 'RL'

/** About 0.3 s on a slow machine. */
const mostLaidOut = { nodes: 120, edges: 240 }
const gap = 60

/** The top left corners, beginning at 0, 0. */
export function laidOut(
  shapes: readonly Sized[],
  arrows: readonly { from: string; to: string }[],
  direction: Direction = 'TB',
): Map<string, { x: number; y: number }> {
  if (arrows.length === 0 || shapes.length > mostLaidOut.nodes || arrows.length > mostLaidOut.edges)
    return inAGrid(shapes)
  const graph = new dagre.graphlib.Graph({ multigraph: true })
  graph.setGraph({ rankdir: direction, nodesep: gap, ranksep: 80 })
  graph.setDefaultEdgeLabel(() => ({}))
  for (const { id, width, height } of shapes) graph.setNode(id, { width, height })
  arrows.forEach(({ from, to }, at) => {
    graph.setEdge(from, to, {}, String(at))
  })
  dagre.layout(graph)
  const corners = shapes.map(({ id, width, height }) => {
    const { x = 0, y = 0 } = graph.node(id)
    return { id, x: x - width / 2, y: y - height / 2 }
  })
  const left = Math.min(...corners.map(({ x }) => x))
  const top = Math.min(...corners.map(({ y }) => y))
  return new Map(corners.map(({ id, x, y }) => [id, { x: Math.round(x - left), y: Math.round(y - top) }]))
}

function inAGrid(shapes: readonly Sized[]): Map<string, { x: number; y: number }> {
  const columns = Math.ceil(Math.sqrt(shapes.length))
  const wide = Math.max(0, ...shapes.map(({ width }) => width)) + gap
  const high = Math.max(0, ...shapes.map(({ height }) => height)) + gap
  return new Map(
    shapes.map(({ id }, at) => [id, { x: (at % columns) * wide, y: Math.floor(at / columns) * high }]),
  )
}
