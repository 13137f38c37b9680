// A row of the trail in words. Complete values are in the export.
import type { AuditResponse } from '../../shared/api.ts'
import { auditTexts as texts } from '../texts/audit.ts'
import { atTime } from '../texts/format.ts'

/** Useful to programs, and in the export; noise for people. */
const noise =
  /^(id|board_id|created_at|updated_at|created_by|updated_by|granted_by|salt|token_sha256|server_id|connection_id|statement|key_id|level|reason|close_code|via|client_id|thread_id|comment_id|transport)$/
const userKeys = new Set([
  'user_id',
  'owner_id',
  'keeper_id',
  'from_user_id',
  'to_user_id',
  'accepted_by',
  'approved_by',
])
const timestamp = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:?\d\d)$/
const mostParts = 8
const longest = 60

type Row = Pick<
  AuditResponse,
  'action' | 'old_values' | 'new_values' | 'details' | 'resource_type' | 'resource_id' | 'user_id'
>

/** @param people names of users by their id, and labels of links, as far as they are known here */
export function detailsOf(
  row: Row,
  people: ReadonlyMap<number, string>,
  links: ReadonlyMap<string, string> = new Map(),
): string {
  const { old_values: before, new_values: after, details, resource_type } = row
  const parts = [...thingOf(row, people), ...wayOf(row)]
  for (const key of new Set([...Object.keys(before ?? {}), ...Object.keys(after ?? {})])) {
    const [was, is] = [before?.[key], after?.[key]]
    if (noise.test(key) && key !== 'level') continue
    // A change names the person it concerns.
    if (was === is && before !== null && after !== null && isSaid(is) && isWhose(row, key)) {
      parts.push(`${nameOf('user_id')}: ${shownValue(key, is, people)}`)
      continue
    }
    if (was === is || !(isSaid(was) || isSaid(is))) continue
    // The new level is shown next to the action.
    if (key === 'level' && (before === null || after === null)) continue
    // A person is shown by name if there is one.
    if (key.endsWith('_id') && isSaid((after ?? before)?.[key.replace(/_id$/, '_name')])) continue
    const say = (value: unknown) => shownValue(key, value, people)
    if (before === null) {
      // A setting that is off from the beginning is not worth mentioning.
      if (is !== false) parts.push(`${nameOf(key)}: ${say(is)}`)
    } else if (after === null) parts.push(`${nameOf(key)}: ${texts.was(say(was))}`)
    else if (!isSaid(was) && /_(at|by)$/.test(key)) parts.push(`${nameOf(key)}: ${say(is)}`)
    else parts.push(`${nameOf(key)}: ${say(was)} → ${say(is)}`)
  }
  for (const [key, value] of Object.entries(details ?? {})) {
    if (noise.test(key) || !isSaid(value)) continue
    if (key === 'filter' && typeof value === 'object') parts.push(...filterIn({ ...value }, people, links))
    else if (key === 'seconds') parts.push(texts.stayed(Number(value)))
    else parts.push(`${nameOf(key)}: ${shownValue(key, value, people)}`)
  }
  return parts.length === 0 ? spoken(resource_type ?? '') : parts.slice(0, mostParts).join(' · ')
}

export const spoken = (name: string): string => name.replaceAll('_', ' ')

/**
 * The object of the action; omitted for a board, which is shown next to it, and for people who did it to themselves.
 */
function thingOf(
  { resource_type, resource_id, user_id, old_values, new_values }: Row,
  people: ReadonlyMap<number, string>,
): string[] {
  const permission = new_values ?? old_values
  if (/^(board|folder)_permission$/.test(resource_type ?? '') && permission?.user_id === null)
    return [`${nameOf('user_id')}: ${texts.everyone}`]
  if (resource_type === 'user') {
    const id = Number(resource_id)
    return resource_id === null || id === user_id ? [] : [people.get(id) ?? texts.user(id)]
  }
  const said = texts.resources[resource_type ?? '']
  return said === undefined ? [] : [said]
}

/** How and with what access somebody joined, or why they left. */
function wayOf({ action, details }: Row): string[] {
  const { via, reason, close_code: code } = details ?? {}
  if (action === 'leave') {
    // The same code is used for people who lost access and for those who were only disconnected.
    const isSentAway = reason === texts.sentAway
    return typeof code === 'number' ? [isSentAway ? reason : (texts.left[code] ?? texts.leftBy(code))] : []
  }
  const said = [
    typeof via === 'string' ? (texts.via[via] ?? spoken(via)) : null,
    typeof reason === 'string' && reason !== 'none' ? (texts.reasons[reason] ?? spoken(reason)) : null,
  ]
  return said.filter((part) => part !== null)
}

/** The person whose permission, invitation or pen it is. */
const isWhose = ({ resource_type, user_id, new_values }: Row, key: string): boolean =>
  resource_type !== 'user' &&
  /^(user_id|guest_name|email)$/.test(key) &&
  !(key === 'user_id' && new_values?.user_id === user_id)

/** The filters of a request for the trail, with names. */
function filterIn(
  filter: Record<string, unknown>,
  people: ReadonlyMap<number, string>,
  links: ReadonlyMap<string, string>,
): string[] {
  const said = { ...filter }
  delete said.board_id // stands beside it
  return Object.entries(said).flatMap(([key, value]) => {
    if (!isSaid(value)) return []
    const shown =
      key === 'link_id'
        ? (links.get(String(value)) ?? String(value).slice(0, 8))
        : key === 'action'
          ? ((texts.actions as Record<string, string>)[String(value)] ?? spoken(String(value)))
          : shownValue(key, value, people)
    return [texts.filtered(texts.filters[key] ?? spoken(key), shown)]
  })
}

const nameOf = (key: string): string => texts.fields[key] ?? spoken(key)

const isSaid = (value: unknown): boolean => value !== null && value !== undefined && value !== ''

function shownValue(key: string, value: unknown, people: ReadonlyMap<number, string>): string {
  if (!isSaid(value)) return texts.nothing
  if (userKeys.has(key) && typeof value === 'number') return people.get(value) ?? texts.user(value)
  if (typeof value === 'boolean') return value ? texts.yes : texts.no
  if ((key === 'by' || key === 'moderation') && typeof value === 'string') return spoken(value)
  if (typeof value === 'string' && timestamp.test(value)) return atTime(value)
  const text = Array.isArray(value)
    ? value.map((item) => (typeof item === 'object' ? JSON.stringify(item) : String(item))).join(', ')
    : typeof value === 'object'
      ? JSON.stringify(value)
      : String(value)
  return text.length > longest ? `${text.slice(0, longest - 3)}…` : text
}
