// Arrows and the shapes that they are bound to refer to each other, in two places that two people can change at once.
import type { CanvasElement } from './canvas.ts'

/**
 * If two people each bind an arrow to the same shape at the same time, both write the shape's list of arrows, and one
 * arrow is lost from it: put it back, or the arrow would not follow when the shape is moved.
 * @param shown what has just changed
 * @param all the whole canvas, changed in place
 * @returns ids of the shapes that were changed
 */
export const rejoinArrows = (shown: readonly CanvasElement[], all: Map<string, CanvasElement>): string[] => {
  const rejoined: string[] = []
  const changed = new Set(shown.map(({ id }) => id))
  for (const arrow of [...all.values()]) {
    if (arrow.type !== 'arrow' || arrow.isDeleted === true) continue
    for (const end of [arrow.startBinding, arrow.endBinding]) {
      const targetId = typeof end === 'object' && end !== null && 'elementId' in end ? end.elementId : null
      if (typeof targetId !== 'string' || !(changed.has(arrow.id) || changed.has(targetId))) continue
      const target = all.get(targetId)
      if (target === undefined || target.isDeleted === true) continue
      const bound = Array.isArray(target.boundElements) ? target.boundElements : []
      if (bound.some((item) => item.id === arrow.id)) continue
      all.set(targetId, {
        ...target,
        boundElements: [...bound, { id: arrow.id, type: 'arrow' }],
        version: target.version + 1,
        versionNonce: Math.floor(Math.random() * 2 ** 31),
      })
      rejoined.push(targetId)
    }
  }
  return rejoined
}
