// What an agent does to elements by an update: they are read before and after. For its journal, which is committed
// together with the update.
import type * as Y from 'yjs'
import {
  type ElementEdit,
  type ElementProperties,
  editBetween,
  propertiesAt,
} from '../../documents/element-properties.ts'
import type { Touches } from '../../documents/element-touches.ts'

export type Readings = ReadonlyMap<string, ElementProperties | null>

export const readingsOf = ({ elements }: Touches, doc: Y.Doc): Readings =>
  new Map(Array.from(elements.keys(), (id) => [id, propertiesAt(doc, id)]))

/** What was done since `before` was read. */
export const editsSince = (before: Readings, doc: Y.Doc): ElementEdit[] =>
  Array.from(before, ([id, properties]) => editBetween(id, properties, propertiesAt(doc, id))).filter(
    (edit) => edit !== null,
  )

/** The agent that is this author, `agent:<id>`; null where it is somebody else. */
export const agentOf = (author: string): string | null =>
  author.startsWith('agent:') ? author.slice('agent:'.length) : null
