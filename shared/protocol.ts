// The socket protocol: message numbers, subprotocols, close codes, and the JSON bodies of frames 64 and 66-68. Pure:
// no socket, no state. The same file is used by the server and the browser. See docs/protocol.md.
import * as decoding from 'lib0/decoding'
import * as encoding from 'lib0/encoding'
import type { ThreadResponse } from './api/comments.ts'
import type { Level } from './levels.ts'

/**
 * First varuint of every message. 0-3 are y-protocols; 64-69 are sent only to clients that offered `boardroom.v1`.
 */
export const MessageType = {
  sync: 0,
  awareness: 1,
  auth: 2,
  queryAwareness: 3,
  hello: 64,
  saved: 65,
  level: 66,
  event: 67,
  notice: 68,
  /** From a client: is the server reachable? From the server: yes. One byte in both directions. */
  ping: 69,
} as const

/** Second varuint of a sync message. */
export const SyncStep = { step1: 0, step2: 1, update: 2 } as const

/** Second varuint of an auth message. */
export const AuthStep = { permissionDenied: 0 } as const

/** Offered by a stock y-websocket client. */
export const stockSubprotocol = 'boardroom.yjs'
/** Offered by a client that understands frames 64-69. */
export const ownSubprotocol = 'boardroom.v1'
/** Prefix of the subprotocol that carries a ticket; never selected or echoed. */
export const ticketSubprotocolPrefix = 'boardroom.ticket.'

/** 44xx are decisions: a stock client stops. All others are temporary conditions: it reconnects. */
export const CloseCode = {
  normal: 1000,
  unsupportedData: 1003,
  restart: 1012,
  tooSlow: 1013,
  protocolViolation: 4400,
  notSignedIn: 4401,
  noAccess: 4403,
  noSuchBoard: 4404,
  boardDeleted: 4410,
  frameTooLarge: 4413,
  /** The board requires consent: the reason says where to give it. */
  consentNeeded: 4451,
  levelChanged: 4500,
  busy: 4503,
} as const
export type CloseCode = (typeof CloseCode)[keyof typeof CloseCode]

/**
 * The person behind a connection, as shown to other clients. `id` is stable for a person: `user:7`, `guest:<uuid>`.
 */
export interface PublicPrincipal {
  kind: 'user' | 'guest' | 'agent' | 'anonymous'
  id: string
  name: string
  /** Label of the share link that a guest used; only for people who manage the board. */
  link_label?: string
}

/** Frame 64, once, before the first sync message. */
export interface Hello {
  connection_id: string
  board_id: string
  principal: PublicPrincipal
  level: Level
  may_manage: boolean
  /** Why the level differs from what access would give, if it does. */
  reason?: LevelReason
  limits: {
    max_frame_bytes: number
    max_board_bytes: number
    max_file_bytes: number
    updates_per_second: number
    awareness_per_second: number
  }
}

export type LevelReason = 'access_changed' | 'board_full' | 'too_many_writers'

/** Frame 66: the level of the open socket from now on. */
export interface LevelChange {
  level: Level
  may_manage: boolean
  reason: LevelReason
}

/** Frame 67: something happened on the board outside the document. */
export type BoardEvent =
  | { type: 'title'; title: string }
  /** Null: white. */
  | { type: 'background'; background: string | null }
  | {
      type: 'comment'
      thread_id: string
      comment_id: string | null
      change: 'created' | 'updated' | 'deleted' | 'resolved' | 'reopened'
      /**
       * The current thread with only this comment, as it appears to somebody who has read nothing; missing if it
       * could not be read, and over `/events`: then it must be requested.
       */
      thread?: ThreadResponse
    }
  | { type: 'version'; version_id: string; change: 'created' | 'restored' }
  | { type: 'moderation'; mode: 'open' | 'view_only' }
  /** The team's library has changed; accounts request its contents over HTTP. */
  | { type: 'library' }
  /** A manager shows everybody a place: its centre, in board coordinates. */
  | { type: 'summon'; by: string; x: number; y: number; zoom: number }
  /** An access request was made or answered; managers request the details over HTTP. */
  | { type: 'access_request'; change: 'created' | 'answered' }
  | { type: 'joined' | 'left'; connection_id: string; principal: PublicPrincipal; level: Level }

/** Frame 68: a notice for the client's user. */
export interface Notice {
  code: string
  message: string
  /** Every sync frame up to this count ([0,1] and [0,2], in the order sent) is refused or already included. */
  refused_through?: number
}

const jsonMessage = (type: number, body: unknown): Uint8Array => {
  const encoder = encoding.createEncoder()
  encoding.writeVarUint(encoder, type)
  encoding.writeVarString(encoder, JSON.stringify(body))
  return encoding.toUint8Array(encoder)
}

export const encodeHello = (hello: Hello): Uint8Array => jsonMessage(MessageType.hello, hello)
export const encodeLevelChange = (change: LevelChange): Uint8Array => jsonMessage(MessageType.level, change)
export const encodeEvent = (event: BoardEvent): Uint8Array => jsonMessage(MessageType.event, event)
export const encodeNotice = (notice: Notice): Uint8Array => jsonMessage(MessageType.notice, notice)

/** @param count how many of the connection's [0,1] and [0,2] frames are committed or had no effect. */
export const encodeSaved = (count: number): Uint8Array => {
  const encoder = encoding.createEncoder()
  encoding.writeVarUint(encoder, MessageType.saved)
  encoding.writeVarUint(encoder, count)
  return encoding.toUint8Array(encoder)
}

export const encodePing = (): Uint8Array => Uint8Array.of(MessageType.ping)

/** The y-protocols auth message: sent to a stock client instead of frame 68. */
export const encodePermissionDenied = (reason: string): Uint8Array => {
  const encoder = encoding.createEncoder()
  encoding.writeVarUint(encoder, MessageType.auth)
  encoding.writeVarUint(encoder, AuthStep.permissionDenied)
  encoding.writeVarString(encoder, reason)
  return encoding.toUint8Array(encoder)
}

/** A sync message; `body` is a state vector (step 1) or an update v1 (step 2, update). */
export const encodeSync = (step: number, body: Uint8Array): Uint8Array => {
  const encoder = encoding.createEncoder()
  encoding.writeVarUint(encoder, MessageType.sync)
  encoding.writeVarUint(encoder, step)
  encoding.writeVarUint8Array(encoder, body)
  return encoding.toUint8Array(encoder)
}

/** The body of frame 64, 66, 67 or 68; the decoder is positioned after the message type. Only for trusted servers. */
export const readJsonBody = (decoder: decoding.Decoder): unknown =>
  JSON.parse(decoding.readVarString(decoder))

/** The version that holds the document from before its board was rebuilt. */
export const beforeRebuild = 'Before the rebuild'
