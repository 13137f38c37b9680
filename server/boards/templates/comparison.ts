// What changed between two versions of a template. Pure.
import type { TemplateComparison } from '../../../shared/api/templates.ts'
import { readDrawing } from '../../../shared/drawing.ts'
import type { SceneElement } from '../../../shared/element.ts'
import { sameElement } from '../../../shared/scene.ts'
import type { TemplateRow } from './queries.ts'

/** @param before the previous version; undefined: everything in `after` is new. */
export function comparisonOf(before: TemplateRow | undefined, after: TemplateRow): TemplateComparison {
  const older = byId(before)
  const newer = byId(after)
  const textOf = (element: SceneElement | undefined) =>
    element?.type === 'text' ? String(element.originalText ?? element.text ?? '') : null
  const ids = [...new Set([...older.keys(), ...newer.keys()])]
  return {
    version: after.version,
    previous_version: before?.version ?? null,
    fields: (['name', 'description', 'category', 'board_types', 'is_required', 'display_order'] as const)
      .map((field) => ({ field, before: before?.[field] ?? null, after: after[field] }))
      .filter((change) => JSON.stringify(change.before) !== JSON.stringify(change.after)),
    variables: changesOf(
      propertiesOf(before),
      propertiesOf(after),
      (a, b) => JSON.stringify(a) === JSON.stringify(b),
    ),
    elements: changesOf(older, newer, sameButPlace),
    texts: ids
      .map((id) => ({ id, before: textOf(older.get(id)), after: textOf(newer.get(id)) }))
      .filter((text) => text.before !== text.after),
  }
}

const propertiesOf = (template: TemplateRow | undefined): Map<string, unknown> =>
  new Map(Object.entries((template?.variables_schema.properties ?? {}) as Record<string, unknown>)) // as it was validated

/** The z-order of an element, which every canvas rewrites. */
const sameButPlace = (a: SceneElement, b: SceneElement): boolean =>
  sameElement({ ...a, index: null }, { ...b, index: null })

const byId = (template: TemplateRow | undefined): Map<string, SceneElement> =>
  new Map((readDrawing(template?.content)?.elements ?? []).map((element) => [element.id, element]))

function changesOf<Value>(
  before: ReadonlyMap<string, Value>,
  after: ReadonlyMap<string, Value>,
  isSame: (a: Value, b: Value) => boolean,
): { added: string[]; removed: string[]; changed: string[] } {
  const changed = [...after].filter(([key, value]) => {
    const old = before.get(key)
    return old !== undefined && !isSame(old, value)
  })
  return {
    added: [...after.keys()].filter((key) => !before.has(key)),
    removed: [...before.keys()].filter((key) => !after.has(key)),
    changed: changed.map(([key]) => key),
  }
}
