// Texts with `{{variables}}` on a board, filled from its record, and filled again when the record changes. An element
// stores the text it was made from; if somebody has rewritten it by hand, it is left alone.
import type { SceneElement } from './element.ts'

/** Stored in an element's `customData`. */
interface Filled {
  template: string
  /** The last generated text. */
  text: string
}

const placeholder = /\{\{\s*([A-Za-z][A-Za-z0-9_]{0,63})\s*\}\}/g
const dataKey = 'boardroom_text'
/** An empty text would vanish from the canvas. */
const nothing = '–'

/** The names of the placeholders in a drawing's texts, without duplicates. */
export const variablesIn = (elements: readonly SceneElement[]): string[] => [
  ...new Set(
    elements.flatMap((element) => [...sourceOf(element).matchAll(placeholder)].map(([, name]) => name ?? '')),
  ),
]

/** The same elements, with the placeholders of each text filled. @param shown values by name, as people read them. */
export const fillElements = (
  elements: readonly SceneElement[],
  shown: Readonly<Record<string, string>>,
): SceneElement[] =>
  elements.map((element) => {
    const template = sourceOf(element)
    return hasPlaceholder(template) ? withText(element, template, shown) : element
  })

/** The elements whose text follows the record and is now outdated. */
export const refillElements = (
  elements: readonly SceneElement[],
  shown: Readonly<Record<string, string>>,
): SceneElement[] =>
  elements.flatMap((element) => {
    const filled = filledOf(element)
    if (filled === null || sourceOf(element) !== filled.text) return []
    const next = withText(element, filled.template, shown)
    return sourceOf(next) === filled.text ? [] : [next]
  })

/** The elements as stored in a template: texts that follow the record have their placeholders again. */
export const unfillElements = (elements: readonly SceneElement[]): SceneElement[] =>
  elements.map((element) => {
    const filled = filledOf(element)
    if (filled === null) return element
    const { [dataKey]: _, ...customData } = element.customData as Record<string, unknown>
    const bare = { ...element, customData }
    return sourceOf(element) === filled.text ? resized(bare, filled.template) : bare
  })

const hasPlaceholder = (text: string): boolean => text.search(placeholder) >= 0

/** Frames have names, texts a text; a wrapped text stores its unwrapped form as well. */
const sourceOf = ({ type, text, originalText, name }: SceneElement): string => {
  if (type === 'frame' || type === 'magicframe') return typeof name === 'string' ? name : ''
  if (type !== 'text') return ''
  return typeof originalText === 'string' ? originalText : typeof text === 'string' ? text : ''
}

function withText(
  element: SceneElement,
  template: string,
  shown: Readonly<Record<string, string>>,
): SceneElement {
  const text = template.replace(placeholder, (_, name: string) =>
    Object.hasOwn(shown, name) && shown[name] !== '' ? (shown[name] ?? nothing) : nothing,
  )
  const before =
    typeof element.customData === 'object' && element.customData !== null ? element.customData : {}
  const filled: Filled = { template, text }
  return resized({ ...element, customData: { ...before, [dataKey]: filled } }, text)
}

/** Estimated from its characters: a canvas measures it again when somebody edits the text. */
function resized(element: SceneElement, text: string): SceneElement {
  if (element.type !== 'text') return { ...element, name: text }
  const next = { ...element, text, originalText: text }
  if (typeof element.containerId === 'string' || element.autoResize === false) return next
  const fontSize = typeof element.fontSize === 'number' ? element.fontSize : 20
  const lineHeight = typeof element.lineHeight === 'number' ? element.lineHeight : 1.25
  const lines = text.split('\n')
  const longest = Math.max(...lines.map((line) => [...line].length))
  return {
    ...next,
    width: Math.max(1, longest * fontSize * 0.56),
    height: lines.length * fontSize * lineHeight,
  }
}

function filledOf({ customData }: SceneElement): Filled | null {
  if (typeof customData !== 'object' || customData === null) return null
  const filled = (customData as Record<string, unknown>)[dataKey] as Partial<Filled> | undefined
  return typeof filled?.template === 'string' && typeof filled.text === 'string'
    ? { template: filled.template, text: filled.text }
    : null
}
