// The drawings used by the canvas benchmarks.
import { readFile } from 'node:fs/promises'

export type Elements = Record<string, unknown>[]

export const boardOf = async (name: string): Promise<Elements> => {
  const text = await readFile(
    new URL(`../../tests/fixtures/boards/${name}.excalidraw`, import.meta.url),
    'utf8',
  )
  return (JSON.parse(text) as { elements: Elements }).elements
}

/** Several drawings one below the other, until there are enough elements. */
export const largeBoard = async (leastElements: number): Promise<Elements> => {
  const elements: Elements = []
  for (let round = 0; elements.length < leastElements; round++) {
    for (const name of [
      'hexagonal-architecture',
      'data-viz',
      'presentation-bundle',
      'customer-journey-map',
    ]) {
      const renamed = JSON.stringify(await boardOf(name)).replaceAll(
        /"(id|elementId|containerId|frameId)":"([^"]+)"/g,
        `"$1":"$2-${round}"`,
      )
      for (const element of JSON.parse(renamed) as Elements) {
        const { index: _, ...rest } = element
        elements.push({ ...rest, y: Number(element.y) + round * 6000 })
      }
      if (elements.length >= leastElements) break
    }
  }
  return elements
}
