// What nodes say to each other about a board. A kind that is not known, and what stands behind the fields that are,
// belongs to a newer version and is passed over. See docs/nodes.md.

import { randomUUID } from 'node:crypto'
import * as decoding from 'lib0/decoding'
import * as encoding from 'lib0/encoding'
import type { BoardEvent } from '../../../shared/protocol.ts'
import type { AgentEdits, Author, SideRows } from '../ports.ts'

const Kind = { opened: 1, state: 2, update: 3, committed: 4, presence: 5, event: 6, closed: 7 } as const

/** One client id of presence. `encoded`: client id, clock and state as clients get them. */
export interface PresenceEntry {
  clientId: number
  clock: number
  isGone: boolean
  /** Who speaks for it: by connection, as a person, and as author. */
  key: string
  principalKey: string
  encoded: Uint8Array
}

/**
 * `committed`: everything of the sender up to this number is in the log. `link`: which opening of the board by the sender
 * the numbers and states belong to; another one begins anew, whether or not its beginning was heard.
 */
export type BoardMessage =
  /** The sender has opened the board, and knows nothing of anybody. */
  | { kind: 'opened'; link?: number | undefined }
  /** `quietMs`: since the newest commit; `writers`: seats that are taken. */
  | {
      kind: 'state'
      seq: number
      committed: number
      quietMs: number
      writers: number
      link?: number | undefined
    }
  | {
      kind: 'update'
      seq: number
      committed: number
      update: Uint8Array
      authors: readonly Author[]
      link?: number | undefined
      /** Whoever commits it in the sender's place commits this along. */
      beside?: SideRows | null | undefined
    }
  | { kind: 'committed'; seq: number; committed: number; link?: number | undefined }
  /** `isNews`: as it happened, and not said again for somebody who comes in. */
  | { kind: 'presence'; isNews: boolean; entries: readonly PresenceEntry[]; link?: number | undefined }
  | { kind: 'event'; event: BoardEvent }
  /** `seq`: the last number that there was. */
  | { kind: 'closed'; seq?: number | undefined; link?: number | undefined }

export function encodeBoardMessage(message: BoardMessage): Uint8Array {
  const encoder = encoding.createEncoder()
  encoding.writeVarUint(encoder, Kind[message.kind])
  switch (message.kind) {
    case 'opened':
      break
    case 'closed':
      if (message.seq !== undefined) encoding.writeVarUint(encoder, message.seq)
      break
    case 'state':
      encoding.writeVarUint(encoder, message.seq)
      encoding.writeVarUint(encoder, message.committed)
      encoding.writeVarUint(encoder, message.quietMs)
      encoding.writeVarUint(encoder, message.writers)
      break
    case 'update':
      encoding.writeVarUint(encoder, message.seq)
      encoding.writeVarUint(encoder, message.committed)
      encoding.writeVarUint8Array(encoder, message.update)
      encoding.writeVarString(encoder, message.authors.length === 0 ? '' : JSON.stringify(message.authors))
      break
    case 'committed':
      encoding.writeVarUint(encoder, message.seq)
      encoding.writeVarUint(encoder, message.committed)
      break
    case 'presence':
      encoding.writeVarUint(encoder, message.isNews ? 1 : 0)
      encoding.writeVarUint(encoder, message.entries.length)
      for (const entry of message.entries) {
        encoding.writeVarUint(encoder, entry.clientId)
        encoding.writeVarUint(encoder, entry.clock)
        encoding.writeVarUint(encoder, entry.isGone ? 1 : 0)
        encoding.writeVarString(encoder, entry.key)
        encoding.writeVarString(encoder, entry.principalKey)
        encoding.writeVarUint8Array(encoder, entry.encoded)
      }
      break
    case 'event':
      encoding.writeVarString(encoder, JSON.stringify(message.event))
      break
  }
  if ('link' in message && message.link !== undefined) encoding.writeVarUint(encoder, message.link)
  if (message.kind === 'update' && message.link !== undefined) writeBeside(encoder, message.beside)
  return encoding.toUint8Array(encoder)
}

/** @returns null where the kind is not known. @throws where the bytes are cut off. Byte arrays are views of `body`. */
export function decodeBoardMessage(body: Uint8Array): BoardMessage | null {
  const decoder = decoding.createDecoder(body)
  const varUint = () => decoding.readVarUint(decoder)
  /** Nodes of before did not say it. */
  const later = () => (decoding.hasContent(decoder) ? varUint() : undefined)
  switch (varUint()) {
    case Kind.opened:
      return { kind: 'opened', link: later() }
    case Kind.closed:
      return { kind: 'closed', seq: later(), link: later() }
    case Kind.state:
      return {
        kind: 'state',
        seq: varUint(),
        committed: varUint(),
        quietMs: varUint(),
        writers: varUint(),
        link: later(),
      }
    case Kind.update:
      return {
        kind: 'update',
        seq: varUint(),
        committed: varUint(),
        update: decoding.readVarUint8Array(decoder),
        authors: authorsOf(decoding.readVarString(decoder)),
        link: later(),
        beside: besideOf(decoder),
      }
    case Kind.committed:
      return { kind: 'committed', seq: varUint(), committed: varUint(), link: later() }
    case Kind.presence: {
      const isNews = varUint() === 1
      const entries = Array.from({ length: varUint() }, () => ({
        clientId: varUint(),
        clock: varUint(),
        isGone: varUint() === 1,
        key: decoding.readVarString(decoder),
        principalKey: decoding.readVarString(decoder),
        encoded: decoding.readVarUint8Array(decoder),
      }))
      return { kind: 'presence', isNews, entries, link: later() }
    }
    case Kind.event:
      return { kind: 'event', event: JSON.parse(decoding.readVarString(decoder)) as BoardEvent } // signed by one of us
    default:
      return null
  }
}

/** In two texts: nodes of before know the first of them alone. */
function writeBeside(encoder: encoding.Encoder, beside: SideRows | null | undefined): void {
  const { byAgents = [], ...rest } = beside ?? {}
  encoding.writeVarString(encoder, byAgents.length === 0 ? '' : JSON.stringify(byAgents))
  encoding.writeVarString(encoder, beside ? JSON.stringify(rest) : '')
}

function besideOf(decoder: decoding.Decoder): SideRows | null | undefined {
  if (!decoding.hasContent(decoder)) return undefined
  const edits = decoding.readVarString(decoder)
  const byAgents: AgentEdits[] = edits === '' ? [] : JSON.parse(edits)
  const rest = decoding.hasContent(decoder) ? decoding.readVarString(decoder) : ''
  if (rest !== '') return { ...(JSON.parse(rest) as Omit<SideRows, 'byAgents'>), byAgents } // signed by one of us
  return byAgents.length === 0 ? null : { id: randomUUID(), byAgents, trail: [], undone: [] }
}
const authorsOf = (json: string): Author[] => (json === '' ? [] : (JSON.parse(json) as Author[])) // signed by one of us
