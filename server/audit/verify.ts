// Checks the whole trail: chain against itself, rows against the chain, erasures against their records, and the
// chain against heads that were kept elsewhere.
import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import type { Database } from '../database/database.ts'
import { BoardroomError } from '../errors.ts'
import { chainHead, type Place } from './queries.ts'
import {
  type ChainCheck,
  chainHashes,
  newestSealed,
  refilledErasure,
  verifyChain,
  verifyErasures,
  verifyRows,
} from './verify-queries.ts'

export type AuditProblemKind =
  | 'entry_missing'
  | 'entry_changed'
  | 'row_missing'
  | 'row_changed'
  | 'row_out_of_order'
  | 'row_unsealed'
  | 'erased_without_record'
  | 'erased_refilled'
  | 'head_mismatch'

export interface AuditProblem {
  kind: AuditProblemKind
  /** The number of the chain entry; null for a row that has none. */
  seq: number | null
  /** The audit row; null if only the chain is affected. */
  timestamp: string | null
  id: string | null
  /** A human-readable sentence. */
  message: string
}

export interface AuditVerification {
  ok: boolean
  /** Entries of the chain that were checked. */
  rows: number
  /** How many of them had their personal values properly erased. */
  erased: number
  firstProblem?: AuditProblem
}

export interface VerifyOptions {
  /** A file of heads, as written by AuditChain. */
  heads?: string
  onProgress?: (checked: number, total: number) => void
  /** How many sections of the chain are checked in parallel, each on a pool connection. Default: 2. */
  laneCount?: number
  /** The size of a section; default: 20,000 entries. */
  stretchLength?: number
}

const rowsAtOnce = 20_000

const sentences: Record<AuditProblemKind, string> = {
  entry_missing: 'entries before this one are missing from the chain',
  entry_changed: 'this chain entry was modified',
  row_missing: 'the row of this entry is missing, and was not removed by retention',
  row_changed: 'this row differs from the one that was sealed',
  row_out_of_order:
    'this row claims to be more than 15 minutes older than rows sealed before it: it was inserted later, or its transaction was open that long',
  row_unsealed:
    'this row is older than a minute and not in the chain: it was inserted later, or no server has run since',
  erased_without_record: 'the personal values of this row are missing, and there is no erase row for it',
  erased_refilled: 'this row was erased, and personal values were written into it afterwards',
  head_mismatch: 'the head recorded for this entry does not match the chain',
}

const problem = (kind: AuditProblemKind, seq: number | null, place: Place | null): AuditProblem => ({
  kind,
  seq,
  timestamp: place?.timestamp ?? null,
  id: place?.id ?? null,
  message: sentences[kind],
})

/** The connections that a check uses in parallel: two for sections of the chain, one for the rows. */
export const verifyConnections = 3

/**
 * Checks several sections of the chain in parallel, and at the same time whether every row is in the chain.
 * @returns the first problem in the order chain, unsealed rows, erasures, heads; a chain of a million rows in seconds.
 * @throws BoardroomError invalid_request (not a heads file) | database errors are passed on
 */
export async function verifyAudit(
  database: Database,
  options: VerifyOptions = {},
): Promise<AuditVerification> {
  const [{ rows, erased, problem }, unsealed] = await Promise.all([
    checkChain(database, options),
    firstUnsealed(database),
  ])
  const firstProblem =
    problem ?? unsealed ?? (await firstBadErasure(database)) ?? (await firstBadHead(database, options.heads))
  return firstProblem === null ? { ok: true, rows, erased } : { ok: false, rows, erased, firstProblem }
}

interface ChainFindings {
  rows: number
  erased: number
  problem: AuditProblem | null
}

/** Each lane takes the next section as soon as it is free; sections after a problem are skipped. */
async function checkChain(
  database: Database,
  { laneCount = 2, stretchLength = 20_000, onProgress = () => {} }: VerifyOptions,
): Promise<ChainFindings> {
  const total = (await chainHead(database))?.seq ?? 0
  const found: ChainFindings = { rows: 0, erased: 0, problem: null }
  let next = 1
  let newest: Promise<string | null> = Promise.resolve(null) // for all rows before `next`
  const lane = async (): Promise<void> => {
    while (next <= total && found.problem === null) {
      const first = next
      const last = Math.min(first + stretchLength - 1, total)
      next = last + 1
      const newestBefore = newest
      newest = newestBefore.then((before) => newestSealed(database, first, last, before))
      const [before] = await Promise.all([newestBefore, newest])
      const part = await verifyChain(database, first, last, before)
      found.rows += part.entries
      found.erased += part.erased
      const problem = problemOf(part, first, last)
      found.problem = earlierOf(found.problem, problem)
      if (problem === null) onProgress(found.rows, total)
    }
  }
  await Promise.all(Array.from({ length: laneCount }, lane))
  return found
}

const earlierOf = (one: AuditProblem | null, other: AuditProblem | null): AuditProblem | null =>
  one === null || (other !== null && Number(other.seq) < Number(one.seq)) ? other : one

/** The result of checking the entries `first` to `last`. */
function problemOf(part: ChainCheck, first: number, last: number): AuditProblem | null {
  if (part.problem === null && part.entries === last - first + 1) return null
  const place =
    part.problem_id === null || part.problem_timestamp === null
      ? null
      : { timestamp: part.problem_timestamp, id: part.problem_id }
  const kind = (part.problem ?? 'entry_missing') as AuditProblemKind // the result codes of verify_audit_chain are among them
  return problem(kind, part.problem_seq ?? last, place)
}

async function firstUnsealed(database: Database): Promise<AuditProblem | null> {
  let after: Place | null = null
  for (;;) {
    const part = await verifyRows(database, after, rowsAtOnce)
    if (part.unsealed_id !== null && part.unsealed_timestamp !== null) {
      return problem('row_unsealed', null, { timestamp: part.unsealed_timestamp, id: part.unsealed_id })
    }
    if (part.rows < rowsAtOnce || part.last_timestamp === null || part.last_id === null) return null
    after = { timestamp: part.last_timestamp, id: part.last_id }
  }
}

async function firstBadErasure(database: Database): Promise<AuditProblem | null> {
  const unrecorded = await verifyErasures(database)
  if (unrecorded !== null) return problem('erased_without_record', null, unrecorded)
  const refilled = await refilledErasure(database)
  return refilled === null ? null : problem('erased_refilled', null, refilled)
}

async function firstBadHead(database: Database, file: string | undefined): Promise<AuditProblem | null> {
  if (file === undefined) return null
  let batch = new Map<number, string>()
  const check = async (): Promise<AuditProblem | null> => {
    const known = await chainHashes(database, [...batch.keys()])
    for (const [seq, hash] of batch) if (known.get(seq) !== hash) return problem('head_mismatch', seq, null)
    batch = new Map()
    return null
  }
  for await (const head of headsOf(file)) {
    batch.set(head.seq, head.hash)
    const found = batch.size >= 1000 ? await check() : null
    if (found !== null) return found
  }
  return check()
}

/** @throws BoardroomError invalid_request, naming the line; a last line truncated by a power failure is ignored. */
async function* headsOf(file: string): AsyncGenerator<{ seq: number; hash: string }> {
  const lines = createInterface({
    input: createReadStream(file, 'utf8'),
    crlfDelay: Number.POSITIVE_INFINITY,
  })
  let number = 0
  let broken: BoardroomError | null = null
  try {
    for await (const line of lines) {
      number += 1
      if (broken !== null) throw broken
      if (line.trim() === '') continue
      const head = headOf(line)
      if (head !== null) yield head
      else
        broken = new BoardroomError(
          'invalid_request',
          `line ${number} of ${file} is not a head like {"seq":1,"hash":"…","at":"…"}`,
        )
    }
  } catch (error) {
    if (error instanceof BoardroomError) throw error
    throw new BoardroomError('invalid_request', `cannot read the heads in ${file}`, { cause: error })
  }
  if (broken !== null && number === 1) throw broken
}

const headOf = (line: string): { seq: number; hash: string } | null => {
  try {
    const head: unknown = JSON.parse(line)
    if (typeof head !== 'object' || head === null || !('seq' in head) || !('hash' in head)) return null
    const { seq, hash } = head
    return typeof seq === 'number' && Number.isSafeInteger(seq) && typeof hash === 'string'
      ? { seq, hash }
      : null
  } catch {
    return null // not JSON: the caller names the line
  }
}
