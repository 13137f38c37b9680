// Elements refer to each other: a text to its container, arrows to shapes, all to frames, and back. If one end is
// gone, the other is repaired: Excalidraw draws a text whose container is deleted, but nobody can select or erase it.
// The same rule is used when drawings are read and when documents are shown, so that every window arrives at the same
// result.
import { type SceneElement, sameJson } from './element.ts'

type Changes = Record<string, unknown>

interface Bound {
  id: string
  type: string
}

/**
 * The changes that repair `element`; null if nothing needs repair.
 * @param find returns the element with an id, or undefined. Deleted elements count as gone.
 */
export const mendingOf = (
  element: SceneElement,
  find: (id: string) => SceneElement | undefined,
): Changes | null => {
  const alive = (id: unknown): SceneElement | undefined => {
    const found = typeof id === 'string' ? find(id) : undefined
    return found === undefined || found.isDeleted === true ? undefined : found
  }
  const changes: Changes = {}
  for (const key of ['containerId', 'frameId'] as const)
    if (typeof element[key] === 'string' && alive(element[key]) === undefined) changes[key] = null
  for (const key of ['startBinding', 'endBinding'] as const) {
    const binding = element[key]
    if (typeof binding !== 'object' || binding === null || !('elementId' in binding)) continue
    if (element.type !== 'arrow' || alive(binding.elementId) === undefined) changes[key] = null
  }
  if (Array.isArray(element.boundElements)) {
    const bound = mendedBounds(element, element.boundElements as Bound[], alive)
    if (!sameJson(bound, element.boundElements)) changes.boundElements = bound
  }
  return Object.keys(changes).length === 0 ? null : changes
}

/** Without duplicates or missing elements. */
const mendedBounds = (
  element: SceneElement,
  bounds: readonly Bound[],
  alive: (id: unknown) => SceneElement | undefined,
): Bound[] => {
  const seen = new Set<string>()
  return bounds.filter(({ id }) => {
    const bound = alive(id)
    if (bound === undefined || seen.has(id)) return false
    // A text that has moved to another container no longer belongs here.
    if (bound.type === 'text' && typeof bound.containerId === 'string' && bound.containerId !== element.id)
      return false
    seen.add(id)
    return true
  })
}

/**
 * Repairs all elements of a drawing, and also links texts and containers if only one of the two refers to the other.
 */
export const mended = (elements: readonly SceneElement[]): SceneElement[] => {
  const byId = new Map(elements.map((element) => [element.id, element]))
  const change = (id: string, changes: Changes) => {
    const element = byId.get(id)
    if (element !== undefined) byId.set(id, { ...element, ...changes })
  }
  for (const { id } of elements) {
    const element = byId.get(id)
    if (element === undefined) continue
    const changes = mendingOf(element, (other) => byId.get(other))
    if (changes !== null) change(id, changes)
  }
  for (const { id, type } of elements) {
    const element = byId.get(id)
    if (element === undefined) continue
    for (const bound of boundsOf(element)) {
      const text = byId.get(bound.id)
      if (text?.type === 'text' && typeof text.containerId !== 'string') change(text.id, { containerId: id })
    }
    const container =
      type === 'text' && typeof element.containerId === 'string' ? byId.get(element.containerId) : undefined
    if (container === undefined || boundsOf(container).some((bound) => bound.id === id)) continue
    change(container.id, { boundElements: [...boundsOf(container), { type: 'text', id }] })
  }
  return elements.map((element) => byId.get(element.id) ?? element)
}

const boundsOf = ({ boundElements }: SceneElement): Bound[] =>
  Array.isArray(boundElements) ? (boundElements as Bound[]) : []
