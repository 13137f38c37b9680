// The journal of what agents do to elements: what each property was before and is now, gathered for half a second, so
// that a drag is one line. By it, what an agent did is looked at and undone. The trail gets a line of counts for each.
import type { Logger } from 'pino'
import { isViolationOf } from '../accounts/users.ts'
import type { AuditTrail } from '../audit/trail.ts'
import type { Db } from '../database/database.ts'
import type { ElementEdit } from '../documents/element-properties.ts'
import { systemActor } from '../principal.ts'
import { forgetEdits, insertEdits } from './journal-queries.ts'

const gatherMs = 500
/** What could not be written is tried again so soon. */
const retryMs = 2000
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
  /** They are in the journal, and the trail is still to be told. */
  isInserted: boolean
}

/**
 * What the database does not take now waits here and is tried again. A crash may lose what waits: half a second of it,
 * or what came since the database was away; never of the board.
 */
export class AgentJournal {
  readonly #options: JournalOptions
  readonly #forgetting: NodeJS.Timeout
  #gathered = new Map<string, Gathered>()
  /** Oldest first; not gathered into any more. */
  #waiting: Gathered[] = []
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
      isInserted: false,
    }
    this.#gathered.set(key, gathered)
    for (const edit of edits) {
      const before = gathered.edits.get(edit.elementId)
      gathered.edits.set(edit.elementId, before === undefined ? edit : joined(before, edit))
    }
    this.#flushIn(gatherMs)
  }

  /** Resolves once everything added by now is written, or waits to be tried again, which the log says. */
  flush(): Promise<void> {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
    const gathered = [...this.#gathered.values()]
    this.#gathered = new Map()
    this.#writing = this.#writing.then(() => this.#write(gathered))
    return this.#writing
  }

  #flushIn(ms: number): void {
    this.#timer ??= setTimeout(() => void this.flush(), ms)
  }

  async close(): Promise<void> {
    clearInterval(this.#forgetting)
    await this.flush()
    if (this.#timer !== null) clearTimeout(this.#timer)
    for (const { boardId, agentId, edits } of this.#waiting)
      this.#options.log.error({ boardId, agentId, edits: edits.size }, 'edits of an agent were not journaled')
  }

  async #write(gathered: readonly Gathered[]): Promise<void> {
    const { db, trail, log } = this.#options
    const due = [...this.#waiting, ...gathered]
    this.#waiting = []
    for (const one of due) {
      const { boardId, agentId, agentName, edits } = one
      const all = [...edits.values()]
      const count = (change: ElementEdit['change']) => all.filter((edit) => edit.change === change).length
      try {
        if (!one.isInserted) await insertEdits(db, boardId, agentId, all)
        one.isInserted = true
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
        const fields = { err: error, boardId, agentId, edits: all.length }
        // A board that is gone has no journal any more.
        if (isViolationOf(error, 'agent_edits_board_id_fkey')) {
          log.info(fields, 'edits of an agent on a board that was deleted are not journaled')
          continue
        }
        log.warn(fields, 'edits of an agent were not journaled; trying again')
        this.#waiting.push(one)
      }
    }
    if (this.#waiting.length > 0) this.#flushIn(retryMs)
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
