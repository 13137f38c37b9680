// The messages between nodes about a board. An unknown kind, and unknown bytes at the end of a message, belong to a newer
// version and are ignored. See docs/nodes.md.

import { randomUUID } from 'node:crypto'
import * as decoding from 'lib0/decoding'
import * as encoding from 'lib0/encoding'
import type { BoardEvent } from '../../../shared/protocol.ts'
import type { AgentEdits, Author, SideRows } from '../ports.ts'

const Kind = { opened: 1, state: 2, update: 3, committed: 4, presence: 5, event: 6, closed: 7 } as const

/** The awareness state of one client id. */
export interface PresenceEntry {
  clientId: number
  clock: number
  isGone: boolean
  /** @see Speaker */
  key: string
  principalKey: string
  /** Client id, clock and state as clients get them. */
  encoded: Uint8Array
}

/**
 * `committed`: the sender has committed everything up to this number. `link`: identifies the sender's opening of the
 * board; its numbers and states belong to that one, and a new link starts from nothing.
 */
export type BoardMessage =
  /** The sender has opened the board and has no state of other nodes. */
  | { kind: 'opened'; link?: number | undefined }
  /** `quietMs`: milliseconds since its last commit; `writers`: seats taken. */
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
      /** Committed with the update, also by a node that commits it in the sender's place. */
      sideRows?: SideRows | null | undefined
    }
  | { kind: 'committed'; seq: number; committed: number; link?: number | undefined }
  /** `isNews`: sent as it happened; otherwise repeated for a node that opened the board. */
  | { kind: 'presence'; isNews: boolean; entries: readonly PresenceEntry[]; link?: number | undefined }
  | { kind: 'event'; event: BoardEvent }
  /** `seq`: the highest number that the sender used. */
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
  if (message.kind === 'update' && message.link !== undefined) writeSideRows(encoder, message.sideRows)
  return encoding.toUint8Array(encoder)
}

/** @returns null if the kind is unknown; byte arrays are views of `body`. @throws if bytes are missing. */
export function decodeBoardMessage(body: Uint8Array): BoardMessage | null {
  const decoder = decoding.createDecoder(body)
  const varUint = () => decoding.readVarUint(decoder)
  /** Missing in messages from nodes with an older version. */
  const added = () => (decoding.hasContent(decoder) ? varUint() : undefined)
  switch (varUint()) {
    case Kind.opened:
      return { kind: 'opened', link: added() }
    case Kind.closed:
      return { kind: 'closed', seq: added(), link: added() }
    case Kind.state:
      return {
        kind: 'state',
        seq: varUint(),
        committed: varUint(),
        quietMs: varUint(),
        writers: varUint(),
        link: added(),
      }
    case Kind.update:
      return {
        kind: 'update',
        seq: varUint(),
        committed: varUint(),
        update: decoding.readVarUint8Array(decoder),
        authors: authorsOf(decoding.readVarString(decoder)),
        link: added(),
        sideRows: sideRowsOf(decoder),
      }
    case Kind.committed:
      return { kind: 'committed', seq: varUint(), committed: varUint(), link: added() }
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
      return { kind: 'presence', isNews, entries, link: added() }
    }
    case Kind.event:
      return { kind: 'event', event: JSON.parse(decoding.readVarString(decoder)) as BoardEvent } // authenticated by SignedBus
    default:
      return null
  }
}

/** As two strings, because nodes with an older version know only the first. */
function writeSideRows(encoder: encoding.Encoder, sideRows: SideRows | null | undefined): void {
  const { byAgents = [], ...rest } = sideRows ?? {}
  encoding.writeVarString(encoder, byAgents.length === 0 ? '' : JSON.stringify(byAgents))
  encoding.writeVarString(encoder, sideRows ? JSON.stringify(rest) : '')
}

function sideRowsOf(decoder: decoding.Decoder): SideRows | null | undefined {
  if (!decoding.hasContent(decoder)) return undefined
  const edits = decoding.readVarString(decoder)
  const byAgents: AgentEdits[] = edits === '' ? [] : JSON.parse(edits)
  const rest = decoding.hasContent(decoder) ? decoding.readVarString(decoder) : ''
  if (rest !== '') return { ...(JSON.parse(rest) as Omit<SideRows, 'byAgents'>), byAgents } // authenticated by SignedBus
  return byAgents.length === 0 ? null : { id: randomUUID(), byAgents, trail: [], undone: [] }
}

const authorsOf = (json: string): Author[] => (json === '' ? [] : (JSON.parse(json) as Author[])) // authenticated by SignedBus
