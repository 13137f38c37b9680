// Giving, seeing and taking back consent. A record in force lets its person in; the database's triggers record
// every change, and end the sockets of people who withdraw it.
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
  /** What the instance asks; null: nothing. */
  instanceText: AskedText | null
}

/** Records shown of one person. */
const mostRecords = 200

/** @throws BoardroomError not_signed_in (nobody known) | access_denied (agents) */
export function consentPerson({ principal }: Identity): ConsentPerson {
  switch (principal.kind) {
    case 'user':
      return { userId: principal.userId }
    case 'guest':
      return { guestId: principal.guestId }
    case 'agent':
      throw new BoardroomError('access_denied', 'an agent cannot accept; the person who let it in does')
    case 'anonymous':
      throw new BoardroomError('not_signed_in', 'sign in, or open a share link, and accept then')
  }
}

/**
 * What is asked of somebody, and what they have given. Nobody known sees what the instance asks.
 * @param boardId also what this board asks, whose asker may open it.
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
 * Accepts a text. A record in force stays; other categories of the same version take its place.
 * @returns the record now in force, and whether it is new.
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
      boardId === null ? 'this server asks for no consent' : 'this board asks for no consent of its own',
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

/** Withdraws what is in force, of the instance's text or of a board's: access ends at once. Doing it twice is no error. */
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
 * From now on a board asks for this text. A version that was published stays as it was.
 * @throws BoardroomError conflict where the version has another text
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
        `version ${text.consentVersion} was published with another text or other categories; give this one a version of its own`,
      )
    }
    if (known?.ended_at === null) return
    await endTextOfBoard(trx, boardId)
    if (known === undefined) await insertText(trx, boardId, text, actor.userId)
    else await reviveText(trx, known.id)
  })
  return readBoardText(deps, boardId)
}

/** @throws BoardroomError not_found where the board asks nothing */
export async function readBoardText(deps: ConsentDeps, boardId: string): Promise<ConsentTextResponse> {
  const row = await textOfBoard(deps.db, boardId)
  if (row === undefined) throw new BoardroomError('not_found', 'this board asks for no consent of its own')
  const { given: _, board_title: __, ...text } = askedOf(textOf(row), boardId, null)
  return { ...text, created_at: row.created_at.toISOString(), ended_at: null }
}

export const askNoMore = (deps: ConsentDeps, actor: Actor, boardId: string): Promise<boolean> =>
  transactionAs(deps.db, actor, (trx) => endTextOfBoard(trx, boardId))

/**
 * Refuses people who have not accepted what the instance asks, before any board is concerned.
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
  throw new BoardroomError('consent_needed', `consent needed: ${url}`, { details: { consent_url: url } })
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
    `what is asked is consent_version ${consentVersion} with privacy_policy_version ${privacyPolicyVersion}; read and accept those`,
    { details: { consent_version: consentVersion, privacy_policy_version: privacyPolicyVersion } },
  )
}

function acceptedCategories(asked: AskedText, accepted: readonly string[]): string[] {
  const { requiredCategories, optionalCategories } = asked
  const missing = requiredCategories.filter((name) => !accepted.includes(name))
  if (missing.length > 0) {
    throw new BoardroomError(
      'invalid_request',
      `consent_categories: ${missing.join(', ')} must be among them; without them nobody comes in`,
      { details: { missing_categories: missing } },
    )
  }
  const known = [...requiredCategories, ...optionalCategories]
  const unknown = known.length === 0 ? [] : accepted.filter((name) => !known.includes(name))
  if (unknown.length > 0) {
    throw new BoardroomError(
      'invalid_request',
      `consent_categories: expected some of ${known.join(', ')}, not ${unknown.join(', ')}`,
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
