// The states of a connection's life, and how it ends.
import type { CloseCode } from '../../../shared/protocol.ts'
import type { Place } from '../access/seats.ts'

/** How a connection ends, and what to do with its socket. */
export interface Ending {
  code: number
  reason: string
  /** close: with the code. terminate: nobody would read a close frame. nothing: the socket has already ended. */
  socket: 'close' | 'terminate' | 'nothing'
}

/** What a connection may do, and why not more. */
export interface Standing extends Place {
  mayManage: boolean
}

export type Life =
  /** In no room yet. */
  | { name: 'joining'; standing: Standing }
  | { name: 'open'; standing: Standing }
  /** Silent for longer than a live client would be: not shown and not counted. */
  | { name: 'away'; standing: Standing }
  | { name: 'ended'; standing: Standing; ending: Ending }

export const closing = (code: CloseCode, reason: string): Ending => ({ code, reason, socket: 'close' })

/** Whether it was closed by a decision about its access or its messages: 44xx. */
export const isDecision = ({ code, socket }: Ending): boolean =>
  socket === 'close' && code >= 4400 && code < 4500
