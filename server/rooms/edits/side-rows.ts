// The rows that are committed with an edit: the journal of agents, and rows of the audit trail.
import { randomUUID } from 'node:crypto'
import type { AgentEdits, SideRows } from '../ports.ts'

/** Gives the rows for a change by the server; called after it is applied, and only if it changed something. */
export type Telling = () => Partial<Pick<SideRows, 'trail' | 'undone'>>

export function sideRowsOf(
  byAgents: readonly AgentEdits[],
  { trail = [], undone = [] }: ReturnType<Telling> = {},
): SideRows | null {
  if (byAgents.length === 0 && trail.length === 0 && undone.length === 0) return null
  return { id: randomUUID(), byAgents, trail, undone }
}
