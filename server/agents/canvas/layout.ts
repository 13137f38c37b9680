// Places shapes without coordinates: in layers along their arrows, by dagre. Its running time is quadratic, so larger
// drawings become a plain grid.
import dagre from '@dagrejs/dagre'

export interface Sized {
  id: string
  width: number
  height: number
}
export type Direction = 'TB' | 'BT' | 'LR' | 'RL'

/** Takes under half a second on a slow machine. Spans: the layers that all arrows cross in total, each a node to dagre. */
const mostLaidOut = { nodes: 120, edges: 240, spans: 600 }
const gap = 60

/** The top left corners, starting at 0, 0. */
export function laidOut(
  shapes: readonly Sized[],
  arrows: readonly { from: string; to: string }[],
  direction: Direction = 'TB',
  most = mostLaidOut,
): Map<string, { x: number; y: number }> {
  if (arrows.length === 0 || shapes.length > most.nodes || arrows.length > most.edges) return inAGrid(shapes)
  if (spansOf(shapes, arrows) > most.spans) return inAGrid(shapes)
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

/** The most layers that the arrows can cross in total, with each shape as far down as its longest path from the top. */
function spansOf(shapes: readonly Sized[], arrows: readonly { from: string; to: string }[]): number {
  const next = new Map<string, string[]>(shapes.map(({ id }) => [id, []]))
  for (const { from, to } of arrows) if (from !== to) next.get(from)?.push(to)
  const before = new Map<string, Set<string>>(shapes.map(({ id }) => [id, new Set()]))
  const order: string[] = []
  const seen = new Map<string, 'on the way' | 'done'>()
  const visit = (id: string): void => {
    seen.set(id, 'on the way')
    for (const to of next.get(id) ?? []) {
      // An arrow that closes a cycle is reversed, as in dagre.
      if (seen.get(to) === 'on the way') before.get(id)?.add(to)
      else {
        before.get(to)?.add(id)
        if (!seen.has(to)) visit(to)
      }
    }
    seen.set(id, 'done')
    order.push(id)
  }
  for (const { id } of shapes) if (!seen.has(id)) visit(id)
  const layers = new Map<string, number>()
  for (const id of order.reverse())
    layers.set(id, Math.max(0, ...[...(before.get(id) ?? [])].map((other) => (layers.get(other) ?? 0) + 1)))
  return arrows.reduce(
    (sum, { from, to }) => sum + Math.abs((layers.get(from) ?? 0) - (layers.get(to) ?? 0)),
    0,
  )
}

function inAGrid(shapes: readonly Sized[]): Map<string, { x: number; y: number }> {
  const columns = Math.ceil(Math.sqrt(shapes.length))
  const wide = Math.max(0, ...shapes.map(({ width }) => width)) + gap
  const high = Math.max(0, ...shapes.map(({ height }) => height)) + gap
  return new Map(
    shapes.map(({ id }, at) => [id, { x: (at % columns) * wide, y: Math.floor(at / columns) * high }]),
  )
}
