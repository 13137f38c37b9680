// Giving, viewing and withdrawing consent. A valid record lets its person in; database triggers record every change and
// end the sockets of people who withdraw.
import type {
  ConsentAsked,
  ConsentCreate,
  ConsentRecord,
  ConsentResponse,
  ConsentTextCreate,
  ConsentTextResponse,
} from '../../../shared/api/consent.ts'
import { transactionAs } from '../../audit/actor.ts'
import type { Db } from '../../database/database.ts'
import type { Row } from '../../database/tables.ts'
import { BoardroomError } from '../../errors.ts'
import type { Actor, Identity } from '../../principal.ts'
import type { AskedText } from './instance-text.ts'
import {
  type BoardText,
  type ConsentPerson,
  endTextOfBoard,
  insertRecord,
  insertText,
  lockPerson,
  recordsOf,
  reviveText,
  standingRecord,
  textOfBoard,
  textOfVersion,
  withdrawRecord,
  withdrawStanding,
} from './queries.ts'

export interface ConsentDeps {
  db: Db
  /** The instance's text; null: none. */
  instanceText: AskedText | null
}

/** The most records shown per person. */
const mostRecords = 200

/** @throws BoardroomError not_signed_in (nobody known) | access_denied (agents) */
function consentPerson({ principal }: Identity): ConsentPerson {
  switch (principal.kind) {
    case 'user':
      return { userId: principal.userId }
    case 'guest':
      return { guestId: principal.guestId }
    case 'agent':
      throw new BoardroomError('access_denied', 'an agent cannot give consent; the person it acts for does')
    case 'anonymous':
      throw new BoardroomError('not_signed_in', 'sign in or open a share link first, then accept')
  }
}

/**
 * What somebody is asked to accept, and what they have accepted. Anonymous people see the instance's text.
 * @param boardId also includes this board's text; the asker may open the board.
 */
export async function readConsent(
  deps: ConsentDeps,
  identity: Identity,
  boardId: string | null,
): Promise<ConsentResponse> {
  const { kind } = identity.principal
  const person = kind === 'user' || kind === 'guest' ? consentPerson(identity) : null
  const records = person === null ? [] : await recordsOf(deps.db, person, mostRecords)
  const ofBoard = boardId === null ? undefined : await textOfBoard(deps.db, boardId)
  const { instanceText } = deps
  const texts = [
    ...(instanceText === null ? [] : [askedOf(instanceText, null, null)]),
    ...(ofBoard === undefined ? [] : [askedOf(textOf(ofBoard), ofBoard.board_id, ofBoard.board_title)]),
  ]
  const asked = texts.map((text) => ({ ...text, given: records.some((record) => stands(record, text)) }))
  return {
    required: asked.some(({ given }) => !given),
    consent_version: instanceText?.consentVersion ?? null,
    privacy_policy_version: instanceText?.privacyPolicyVersion ?? null,
    asked,
    given: records.map(recordResponse),
  }
}

/**
 * Accepts a text. A valid record is kept, unless the categories differ, in which case a new one replaces it.
 * @returns the valid record, and whether it is new.
 * @throws BoardroomError not_signed_in | not_found (nothing is asked) | conflict (another version is asked) |
 * invalid_request (categories)
 */
export async function giveConsent(
  deps: ConsentDeps,
  identity: Identity,
  actor: Actor,
  body: ConsentCreate,
): Promise<{ record: ConsentRecord; isNew: boolean }> {
  const person = consentPerson(identity)
  const boardId = body.board_id ?? null
  const asked = await askedNow(deps, boardId)
  if (asked === null) {
    throw new BoardroomError(
      'not_found',
      boardId === null
        ? 'this server does not require consent'
        : 'this board does not require consent of its own',
    )
  }
  refuseOtherVersion(asked, body)
  const categories = acceptedCategories(asked, body.consent_categories)
  return transactionAs(deps.db, actor, async (trx) => {
    await lockPerson(trx, person)
    const standing = await standingRecord(trx, person, boardId, asked)
    if (standing !== undefined && sameNames(standing.consent_categories, categories))
      return { record: recordResponse(standing), isNew: false }
    if (standing !== undefined) await withdrawRecord(trx, standing.id)
    const { ip, userAgent } = actor
    const record = await insertRecord(trx, person, { ...asked, boardId, categories, ip, userAgent })
    return { record: recordResponse(record), isNew: true }
  })
}

/** Withdraws the consent to the instance's or a board's text; access ends at once. Idempotent. */
export async function withdrawConsent(
  deps: ConsentDeps,
  identity: Identity,
  actor: Actor,
  boardId: string | null,
): Promise<number> {
  const person = consentPerson(identity)
  return transactionAs(deps.db, actor, async (trx) => {
    await lockPerson(trx, person)
    return withdrawStanding(trx, person, boardId)
  })
}

/**
 * Makes a board require consent to this text. Published versions cannot be changed.
 * @throws BoardroomError conflict if the version exists with another text
 */
export async function askOnBoard(
  deps: ConsentDeps,
  actor: Actor,
  boardId: string,
  body: ConsentTextCreate,
): Promise<ConsentTextResponse> {
  const text: AskedText = {
    consentVersion: body.consent_version,
    privacyPolicyVersion: body.privacy_policy_version,
    body: body.text,
    requiredCategories: body.required_categories,
    optionalCategories: body.optional_categories,
  }
  await transactionAs(deps.db, actor, async (trx) => {
    const known = await textOfVersion(trx, boardId, text)
    if (known !== undefined && !sameText(textOf(known), text)) {
      throw new BoardroomError(
        'conflict',
        `version ${text.consentVersion} was published with another text or other categories; use a new version for this one`,
      )
    }
    if (known?.ended_at === null) return
    await endTextOfBoard(trx, boardId)
    if (known === undefined) await insertText(trx, boardId, text, actor.userId)
    else await reviveText(trx, known.id)
  })
  return readBoardText(deps, boardId)
}

/** @throws BoardroomError not_found if the board does not require consent */
export async function readBoardText(deps: ConsentDeps, boardId: string): Promise<ConsentTextResponse> {
  const row = await textOfBoard(deps.db, boardId)
  if (row === undefined)
    throw new BoardroomError('not_found', 'this board does not require consent of its own')
  const { given: _, board_title: __, ...text } = askedOf(textOf(row), boardId, null)
  return { ...text, created_at: row.created_at.toISOString(), ended_at: null }
}

export const askNoMore = (deps: ConsentDeps, actor: Actor, boardId: string): Promise<boolean> =>
  transactionAs(deps.db, actor, (trx) => endTextOfBoard(trx, boardId))

/**
 * Refuses people who have not accepted the instance's text, for routes that do not concern a board.
 * @throws BoardroomError consent_needed
 */
export async function requireInstanceConsent(
  deps: ConsentDeps & { consentUrl(): string },
  identity: Identity,
): Promise<void> {
  const { kind } = identity.principal
  if (deps.instanceText === null || (kind !== 'user' && kind !== 'guest')) return
  const { required } = await readConsent(deps, identity, null)
  if (!required) return
  const url = deps.consentUrl()
  throw new BoardroomError('consent_needed', `consent is required: ${url}`, { details: { consent_url: url } })
}

async function askedNow(deps: ConsentDeps, boardId: string | null): Promise<AskedText | null> {
  if (boardId === null) return deps.instanceText
  const row = await textOfBoard(deps.db, boardId)
  return row === undefined ? null : textOf(row)
}

function refuseOtherVersion(asked: AskedText, body: ConsentCreate): void {
  const { consentVersion, privacyPolicyVersion } = asked
  if (body.consent_version === consentVersion && body.privacy_policy_version === privacyPolicyVersion) return
  throw new BoardroomError(
    'conflict',
    `the current versions are consent_version ${consentVersion} and privacy_policy_version ${privacyPolicyVersion}; read and accept those`,
    { details: { consent_version: consentVersion, privacy_policy_version: privacyPolicyVersion } },
  )
}

function acceptedCategories(asked: AskedText, accepted: readonly string[]): string[] {
  const { requiredCategories, optionalCategories } = asked
  const missing = requiredCategories.filter((name) => !accepted.includes(name))
  if (missing.length > 0) {
    throw new BoardroomError(
      'invalid_request',
      `consent_categories: ${missing.join(', ')} must be included; they are required`,
      { details: { missing_categories: missing } },
    )
  }
  const known = [...requiredCategories, ...optionalCategories]
  const unknown = known.length === 0 ? [] : accepted.filter((name) => !known.includes(name))
  if (unknown.length > 0) {
    throw new BoardroomError(
      'invalid_request',
      `consent_categories: expected some of ${known.join(', ')}, got ${unknown.join(', ')}`,
      { details: { unknown_categories: unknown } },
    )
  }
  return [...accepted].sort()
}

const sameNames = (some: readonly string[], others: readonly string[]): boolean =>
  some.length === others.length && some.every((name) => others.includes(name))

const sameText = (one: AskedText, other: AskedText): boolean =>
  one.body === other.body &&
  sameNames(one.requiredCategories, other.requiredCategories) &&
  sameNames(one.optionalCategories, other.optionalCategories)

const textOf = (row: Row<'consent_texts'> | BoardText): AskedText => ({
  consentVersion: row.consent_version,
  privacyPolicyVersion: row.privacy_policy_version,
  body: row.body,
  requiredCategories: row.required_categories,
  optionalCategories: row.optional_categories,
})

const askedOf = (text: AskedText, boardId: string | null, title: string | null): ConsentAsked => ({
  board_id: boardId,
  board_title: title,
  consent_version: text.consentVersion,
  privacy_policy_version: text.privacyPolicyVersion,
  text: text.body,
  required_categories: [...text.requiredCategories],
  optional_categories: [...text.optionalCategories],
  given: false,
})

const stands = (record: Row<'consent_records'>, asked: ConsentAsked): boolean =>
  record.withdrawn_at === null &&
  record.board_id === asked.board_id &&
  record.consent_version === asked.consent_version &&
  record.privacy_policy_version === asked.privacy_policy_version &&
  asked.required_categories.every((name) => record.consent_categories.includes(name))

const recordResponse = (row: Row<'consent_records'>): ConsentRecord => ({
  id: row.id,
  board_id: row.board_id,
  user_id: row.user_id,
  guest_id: row.guest_id,
  consent_version: row.consent_version,
  privacy_policy_version: row.privacy_policy_version,
  consent_categories: row.consent_categories,
  accepted_at: row.accepted_at.toISOString(),
  withdrawn_at: row.withdrawn_at?.toISOString() ?? null,
  ip_address: row.ip_address,
  user_agent: row.user_agent,
  created_at: row.created_at.toISOString(),
})
