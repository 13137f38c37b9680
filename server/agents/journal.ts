// The journal of what agents do to elements: what each property was before and is now, gathered for half a second, so
// that a drag is one line. By it, what an agent did is looked at and undone. The trail gets a line of counts for each.
import type { Logger } from 'pino'
import type { AuditTrail } from '../audit/trail.ts'
import type { Db } from '../database/database.ts'
import type { ElementEdit } from '../documents/element-properties.ts'
import { systemActor } from '../principal.ts'
import { forgetEdits, insertEdits } from './journal-queries.ts'

const gatherMs = 500
const forgetEveryMs = 3_600_000
const keptDays = 30
/** Elements named in one line of the trail. */
const mostNamed = 50

export interface JournalOptions {
  db: Db
  trail: Pick<AuditTrail, 'record'>
  log: Logger
}

interface Gathered {
  boardId: string
  agentId: string
  agentName: string
  edits: Map<string, ElementEdit>
}

/** A crash may lose the last half second of it, never of the board. */
export class AgentJournal {
  readonly #options: JournalOptions
  readonly #forgetting: NodeJS.Timeout
  #gathered = new Map<string, Gathered>()
  #timer: NodeJS.Timeout | null = null
  #writing: Promise<void> = Promise.resolve()

  constructor(options: JournalOptions) {
    this.#options = options
    this.#forgetting = setInterval(() => {
      forgetEdits(options.db, keptDays).catch((error: unknown) =>
        options.log.warn({ err: error }, 'old edits of agents not forgotten; trying again in an hour'),
      )
    }, forgetEveryMs)
  }

  add(boardId: string, agent: { id: string; name: string }, edits: readonly ElementEdit[]): void {
    const key = `${boardId} ${agent.id}`
    const gathered = this.#gathered.get(key) ?? {
      boardId,
      agentId: agent.id,
      agentName: agent.name,
      edits: new Map(),
    }
    this.#gathered.set(key, gathered)
    for (const edit of edits) {
      const before = gathered.edits.get(edit.elementId)
      gathered.edits.set(edit.elementId, before === undefined ? edit : joined(before, edit))
    }
    this.#timer ??= setTimeout(() => void this.flush(), gatherMs)
  }

  /** Resolves once everything added by now is written, or could not be, which the log says. */
  flush(): Promise<void> {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
    const gathered = [...this.#gathered.values()]
    this.#gathered = new Map()
    this.#writing = this.#writing.then(() => this.#write(gathered))
    return this.#writing
  }

  async close(): Promise<void> {
    clearInterval(this.#forgetting)
    await this.flush()
  }

  async #write(gathered: readonly Gathered[]): Promise<void> {
    const { db, trail, log } = this.#options
    for (const { boardId, agentId, agentName, edits } of gathered) {
      const all = [...edits.values()]
      const count = (change: ElementEdit['change']) => all.filter((edit) => edit.change === change).length
      try {
        await insertEdits(db, boardId, agentId, all)
        await trail.record({
          action: 'update',
          actor: { ...systemActor, kind: 'agent', agentId, name: agentName },
          boardId,
          resourceType: 'document',
          details: {
            created: count('created') + count('restored'),
            updated: count('updated'),
            deleted: count('deleted'),
            elements: all.slice(0, mostNamed).map(({ elementId }) => elementId),
          },
        })
      } catch (error) {
        log.warn({ err: error, boardId, agentId, edits: all.length }, 'edits of an agent were not journaled')
      }
    }
  }
}

/** Two edits of one element as one: from before the first to after the second. */
function joined(first: ElementEdit, second: ElementEdit): ElementEdit {
  const oldValues = { ...first.oldValues }
  const newValues = { ...first.newValues }
  for (const key of new Set([...Object.keys(second.oldValues), ...Object.keys(second.newValues)])) {
    const isKnown = key in first.oldValues || key in first.newValues
    if (!isKnown && key in second.oldValues) oldValues[key] = second.oldValues[key]
    if (key in second.newValues) newValues[key] = second.newValues[key]
    else delete newValues[key]
  }
  const change = first.change === 'created' || second.change === 'updated' ? first.change : second.change
  return { elementId: first.elementId, change, oldValues, newValues }
}
