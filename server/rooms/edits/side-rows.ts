// What is committed with an edit: what agents did by it, and what whoever asked for it has the trail say.
import { randomUUID } from 'node:crypto'
import type { AgentEdits, SideRows } from '../ports.ts'

/** Of a change by the server; asked for once it is applied, and not where it changes nothing. */
export type Telling = () => Partial<Pick<SideRows, 'trail' | 'undone'>>

export function sideRowsOf(
  byAgents: readonly AgentEdits[],
  { trail = [], undone = [] }: ReturnType<Telling> = {},
): SideRows | null {
  if (byAgents.length === 0 && trail.length === 0 && undone.length === 0) return null
  return { id: randomUUID(), byAgents, trail, undone }
}
