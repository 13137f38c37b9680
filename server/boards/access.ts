// The only place that decides what a principal may do on a board, and why. Fails closed.
import { allows, capLevel, type Level } from '../../shared/levels.ts'
import type { Db } from '../database/database.ts'
import { BoardroomError } from '../errors.ts'
import type { Identity } from '../principal.ts'
import type { Access, AccessDecision, AccessSubject, AgentRights } from '../rooms/ports.ts'
import { type AccessFacts, type AskedConsent, type AsQuestion, accessFactsOf } from './access-queries.ts'

/** The highest level that a board may grant to everyone; `off`: none. */
export type PublicBoards = 'off' | Level

/** The consent required before the first join, and where to give it. */
export interface ConsentRule {
  /** The instance's text; boards may require more. */
  asked: AskedConsent | null
  /** The page, or the route if no pages are served. */
  urlFor(boardId: string): string
}

const noConsent: ConsentRule = { asked: null, urlFor: (boardId) => `/consent?board=${boardId}` }

/** Decides from the database every time, without a cache, so that revoked access is never granted again. */
export class BoardAccess implements Access {
  readonly #db: Db
  readonly #publicBoards: PublicBoards
  readonly #consent: ConsentRule

  constructor(db: Db, publicBoards: PublicBoards, consent: ConsentRule = noConsent) {
    this.#db = db
    this.#publicBoards = publicBoards
    this.#consent = consent
  }

  async decide(subjects: readonly AccessSubject[]): Promise<AccessDecision[]> {
    if (subjects.length === 0) return []
    const facts = await accessFactsOf(this.#db, subjects.map(questionOf), this.#consent.asked)
    const bySubject = subjects.map((): AccessFacts[] => [])
    for (const row of facts) bySubject[row.subject]?.push(row)
    return subjects.map((subject, index) => {
      const rows = bySubject[index] ?? []
      const decision = decisionOf(subject, rows, this.#publicBoards)
      return withConsent(decision, subject, rows, this.#consent)
    })
  }

  /** The decision about a single subject. */
  async decideOne(subject: AccessSubject): Promise<AccessDecision> {
    const [decision] = await this.decide([subject])
    if (decision === undefined) throw new BoardroomError('internal', 'no decision about a subject')
    return decision
  }
}

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i
const integer = /^\d{1,9}$/

/** A malformed id refers to nothing. */
const questionOf = (subject: AccessSubject): AsQuestion => ({
  boardId: uuid.test(subject.boardId) ? subject.boardId : null,
  userId: subject.userId,
  guestId: subject.guestId !== null && uuid.test(subject.guestId) ? subject.guestId : null,
  agentId: subject.agentId !== null && uuid.test(subject.agentId) ? subject.agentId : null,
  sessionId: subject.sessionId !== null && integer.test(subject.sessionId) ? Number(subject.sessionId) : null,
  keyId: subject.keyId !== undefined && uuid.test(subject.keyId) ? subject.keyId : null,
})

/** The subject of a request or a socket on one board. A ticket for another board is anonymous there. */
export function subjectOf(identity: Identity, boardId: string): AccessSubject {
  const { principal } = identity
  const known = identity.boardId === null || identity.boardId.toLowerCase() === boardId.toLowerCase()
  return {
    boardId,
    userId: known && principal.kind === 'user' ? principal.userId : null,
    guestId: known && principal.kind === 'guest' ? principal.guestId : null,
    agentId: known && principal.kind === 'agent' ? principal.agentId : null,
    sessionId: known ? identity.sessionId : null,
    maxLevel: identity.maxLevel,
    ...(identity.via === 'ticket' ? { byTicket: true as const } : {}),
    ...(identity.keyId === undefined ? {} : { keyId: identity.keyId }),
  }
}

const nothing = {
  level: null,
  mayManage: false,
  reason: 'none',
  linkId: null,
  linkLabel: null,
  board: 'live',
  credential: 'valid',
  nextChangeAt: null,
  agent: null,
} as const satisfies AccessDecision

/** The decision that follows from the facts about one subject. Pure. */
function decisionOf(
  subject: AccessSubject,
  rows: readonly AccessFacts[],
  publicBoards: PublicBoards,
): AccessDecision {
  const own = rows.find((row) => row.grant_level === null)
  if (own === undefined) return nothing
  if (hasEnded(subject, own)) return { ...nothing, credential: 'ended' }
  const administers = own.role === 'admin' || own.role === 'sysadmin'
  if (own.board === 'missing') return administers ? { ...nothing, board: 'missing' } : nothing

  if (subject.agentId !== null) return decisionOfAgent(subject, own, rows, publicBoards)
  const best = sourcesOf(own, publicBoards).reduce<Source | null>(better, null)
  if (best === null) return nothing
  const manages = (own.is_owner && own.role !== null) || administers
  const decision: AccessDecision = {
    level: capLevel(moderated(best.level, own, manages), subject.maxLevel),
    mayManage: manages && subject.maxLevel === null && subject.byTicket !== true,
    reason: best.reason,
    linkId: best.reason === 'link' ? own.link_id : null,
    linkLabel: best.reason === 'link' ? own.link_label : null,
    board: 'live',
    credential: 'valid',
    nextChangeAt: earliest(own.session_expires_at, own.guest_expires_at, own.key_expires_at, best.endsAt),
    agent: null,
  }
  return own.board === 'deleted' ? { ...decision, board: 'deleted', level: null, reason: 'none' } : decision
}

/** Withholds the level until the person has given the required consent. For an agent, its grantor's consent counts. */
function withConsent(
  decision: AccessDecision,
  subject: AccessSubject,
  rows: readonly AccessFacts[],
  consent: ConsentRule,
): AccessDecision {
  if (decision.level === null || subject.agentId !== null) return decision
  if (rows.find((row) => row.grant_level === null)?.lacks_consent === false) return decision
  const { boardId } = subject
  return {
    ...decision,
    level: null,
    awaitsConsent: { url: consent.urlFor(boardId), level: decision.level },
  }
}

/**
 * An agent acts for the users who gave it grants: never beyond a grant, and never beyond what that user may do now. The
 * rights from several users add up.
 */
function decisionOfAgent(
  subject: AccessSubject,
  own: AccessFacts,
  rows: readonly AccessFacts[],
  publicBoards: PublicBoards,
): AccessDecision {
  const agent = { read: false, comment: false, create: false, update: false, delete: false }
  let nextChangeAt: Date | null = null
  let hadRights = false
  for (const row of rows) {
    if (row.grant_level === null || row.role === null || row.lacks_consent) continue
    // A grant for all boards does not extend to boards that the user can open only as an administrator.
    const sources = sourcesOf(row, publicBoards).filter(
      ({ reason }) => !(row.grant_everywhere && reason === 'administrator'),
    )
    const most = sources.reduce<Source | null>(better, null)
    if (most === null) continue
    hadRights = true
    nextChangeAt = earliest(nextChangeAt, most.endsAt, row.grant_expires_at)
    const level = capLevel(moderated(most.level, own, false), subject.maxLevel)
    const mayEdit = allows(level, 'edit')
    agent.read ||= row.grant_read
    agent.comment ||= (row.grant_create || row.grant_update) && allows(level, 'comment')
    agent.create ||= row.grant_create && mayEdit
    agent.update ||= row.grant_update && mayEdit
    agent.delete ||= row.grant_delete && mayEdit
  }
  if (!hadRights) return nothing
  const level = levelOfAgent(agent)
  const isDeleted = own.board === 'deleted'
  return {
    ...nothing,
    level: isDeleted ? null : level,
    reason: isDeleted || level === null ? 'none' : 'agent',
    board: isDeleted ? 'deleted' : 'live',
    nextChangeAt,
    agent,
  }
}

/** On the socket, where each element is checked as well. */
function levelOfAgent({ read, comment, create, update, delete: mayDelete }: AgentRights): Level | null {
  if (create || update || mayDelete) return 'edit'
  if (comment) return 'comment'
  return read ? 'view' : null
}

/** While a board is view only, just managers and speakers may write. */
const moderated = (level: Level, { is_view_only, speaks }: AccessFacts, manages: boolean): Level => {
  if (!is_view_only || manages) return level
  return speaks ? 'edit' : 'view'
}

/** Whether the subject's credentials have ended: signed out, deactivated, expired. */
const hasEnded = (subject: AccessSubject, facts: AccessFacts): boolean =>
  (subject.userId !== null && facts.role === null) ||
  (subject.guestId !== null && facts.guest_expires_at === null) ||
  (subject.agentId !== null && facts.agent_active !== true) ||
  (subject.sessionId !== null && facts.session_expires_at === null) ||
  (subject.keyId !== undefined && !facts.key_lives)

interface Source {
  level: Level
  reason: AccessDecision['reason']
  /** The time when the credentials expire. */
  endsAt: Date | null
}

/** Everything that one row grants. At the same level the first one wins, so that lasting reasons come before temporary ones. */
function sourcesOf(row: AccessFacts, publicBoards: PublicBoards): Source[] {
  const isAccount = row.role !== null
  const administers = row.role === 'admin' || row.role === 'sysadmin'
  const everyone = (level: Level | null): Level | null =>
    publicBoards === 'off' || level === null ? null : capLevel(level, publicBoards)
  const candidates: [AccessDecision['reason'], Level | null, Date | null][] = [
    ['owner', isAccount && row.is_owner ? 'edit' : null, null],
    ['administrator', administers ? 'edit' : null, null],
    ['permission', isAccount ? row.own_level : null, null],
    ['permission', isAccount ? row.invited_level : null, null],
    ['folder', isAccount ? (row.owns_folder ? 'edit' : row.folder_level) : null, null],
    ['members', isAccount ? row.members_level : null, null],
    ['public', everyone(row.public_level), null],
    ['folder', everyone(row.folder_public_level), null],
    ['link', row.link_level, row.link_expires_at],
  ]
  const sources = candidates.flatMap(([reason, level, endsAt]): Source[] =>
    level === null ? [] : [{ level, reason, endsAt }],
  )
  return sources
}

const better = (best: Source | null, source: Source): Source =>
  best !== null && allows(best.level, source.level) ? best : source

const earliest = (...moments: (Date | null)[]): Date | null =>
  moments.reduce(
    (first, moment) => (moment !== null && (first === null || moment < first) ? moment : first),
    null,
  )
