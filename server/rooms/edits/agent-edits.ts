// What an agent changes in elements with an update, which are read before and after it. For the agent's journal, which
// is committed together with the update.
import type * as Y from 'yjs'
import {
  type ElementEdit,
  type ElementProperties,
  editBetween,
  propertiesAt,
} from '../../documents/element-properties.ts'
import type { Touches } from '../../documents/element-touches.ts'
import type { AgentEdits } from '../ports.ts'

export type Readings = ReadonlyMap<string, ElementProperties | null>

export const readingsOf = ({ elements }: Touches, doc: Y.Doc): Readings =>
  new Map(Array.from(elements.keys(), (id) => [id, propertiesAt(doc, id)]))

/** The agent's changes since `before` was read. */
export function agentEdits(agentId: string, before: Readings, doc: Y.Doc): AgentEdits[] {
  const edits: ElementEdit[] = []
  for (const [id, properties] of before) {
    const edit = editBetween(id, properties, propertiesAt(doc, id))
    if (edit !== null) edits.push(edit)
  }
  return edits.length === 0 ? [] : [{ agentId, edits }]
}

/** The id of an agent, from a principal `agent:<id>`; null for other principals. */
export const agentOf = (author: string): string | null =>
  author.startsWith('agent:') ? author.slice('agent:'.length) : null
