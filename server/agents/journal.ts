// The journal of agents' edits to elements: the old and new value of each property. Its rows are committed with the edit
// itself (see server/storage/log/queries.ts), so that a crash cannot separate them. Half a second later they are merged:
// a drag becomes one row, and the trail gets one row of counts per agent and board. The journal is what lists and undoes
// an agent's edits.
import type { Logger } from 'pino'
import { type AuditEvent, rowOf } from '../audit/event.ts'
import { insertEvents } from '../audit/queries.ts'
import type { Db } from '../database/database.ts'
import { type ElementEdit, joinedEdit } from '../documents/element-properties.ts'
import { systemActor } from '../principal.ts'
import { keepJoined, markTold, type UntoldRow, untoldEdits } from './journal-queries.ts'

const gatherMs = 500
/** The retry delay if the trail could not be written. */
const retryMs = 2000
const oftenMs = 3_600_000
const mostToldAtOnce = 1000
/** The most elements named in one row of the trail. */
const mostNamed = 50

export class AgentJournal {
  readonly #db: Db
  readonly #log: Logger
  readonly #often: NodeJS.Timeout
  #timer: NodeJS.Timeout | null = null
  #telling: Promise<void> = Promise.resolve()
  #isClosed = false

  constructor({ db, log }: { db: Db; log: Logger }) {
    this.#db = db
    this.#log = log
    // Also for rows of a server that crashed and did not restart.
    this.#often = setInterval(() => this.committed(), oftenMs)
    // Rows that a crash left unrecorded.
    this.committed()
  }

  /** An agent's edit was committed. */
  committed(): void {
    this.#tellIn(gatherMs)
  }

  /** Records what is not in the trail yet. Failures are logged and retried. */
  flush(): Promise<void> {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
    this.#telling = this.#telling.then(() => this.#tell())
    return this.#telling
  }

  async close(): Promise<void> {
    this.#isClosed = true
    clearInterval(this.#often)
    await this.flush()
  }

  #tellIn(ms: number): void {
    if (!this.#isClosed) this.#timer ??= setTimeout(() => void this.flush(), ms)
  }

  async #tell(): Promise<void> {
    try {
      while ((await this.#tellSome()) === mostToldAtOnce);
    } catch (error) {
      this.#log.warn({ err: error }, 'the edits of agents were not recorded in the trail; trying again')
      this.#tellIn(retryMs)
    }
  }

  /** Journal and trail change in one transaction, so that each row is recorded once. @returns how many */
  #tellSome(): Promise<number> {
    return this.#db.transaction().execute(async (trx) => {
      const rows = await untoldEdits(trx, mostToldAtOnce)
      if (rows.length === 0) return 0
      const events: AuditEvent[] = []
      for (const own of byAgentAndBoard(rows).values()) {
        const joined = byElement(own)
        for (const { last, edit, ids } of joined)
          if (ids.length > 0) await keepJoined(trx, last.id, edit, ids)
        events.push(eventOf(own, joined))
      }
      await markTold(
        trx,
        rows.map(({ id }) => id),
      )
      await insertEvents(trx, events.map(rowOf))
      return rows.length
    })
  }
}

/** The merged edit of one element. */
interface Joined {
  /** When the first of them was written, in ms. */
  since: number
  last: UntoldRow
  edit: ElementEdit
  /** The earlier rows that it replaces. */
  ids: string[]
}

function byAgentAndBoard(rows: readonly UntoldRow[]): Map<string, UntoldRow[]> {
  const all = new Map<string, UntoldRow[]>()
  for (const row of rows) {
    const key = `${row.board_id} ${row.agent_id}`
    const own = all.get(key)
    if (own === undefined) all.set(key, [row])
    else own.push(row)
  }
  return all
}

/** Merges rows of one element within half a second, however late this runs, because an undo goes back to a time between merged rows. */
function byElement(rows: readonly UntoldRow[]): Joined[] {
  const all: Joined[] = []
  const latest = new Map<string, Joined>()
  for (const row of rows) {
    const edit = editOf(row)
    // Edits that are already undone stay separate from later ones.
    const key = JSON.stringify([row.element_id, row.undone_at !== null])
    const before = latest.get(key)
    if (before !== undefined && Number(row.created_at) - before.since < gatherMs) {
      before.ids.push(before.last.id)
      before.edit = joinedEdit(before.edit, edit)
      before.last = row
    } else {
      const joined = { since: Number(row.created_at), last: row, edit, ids: [] }
      all.push(joined)
      latest.set(key, joined)
    }
  }
  return all
}

const editOf = ({ element_id, change, old_values, new_values }: UntoldRow): ElementEdit => ({
  elementId: element_id,
  change,
  oldValues: old_values,
  newValues: new_values,
})

function eventOf(rows: readonly UntoldRow[], joined: readonly Joined[]): AuditEvent {
  const [first] = rows
  if (first === undefined) throw new TypeError('nothing to record')
  const count = (change: ElementEdit['change']) => joined.filter(({ edit }) => edit.change === change).length
  return {
    action: 'update',
    actor: { ...systemActor, kind: 'agent', agentId: first.agent_id, name: first.agent_name },
    boardId: first.board_id,
    resourceType: 'document',
    details: {
      created: count('created') + count('restored'),
      updated: count('updated'),
      deleted: count('deleted'),
      elements: [...new Set(joined.map(({ edit }) => edit.elementId))].slice(0, mostNamed),
    },
  }
}
