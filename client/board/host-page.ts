// Messages between an embedded board and the page around it. The server decides which pages may embed it
// (frame-ancestors), so no other page receives a message; messages contain nothing that the page could not know.
import type { BoardEvent } from '../../shared/protocol.ts'
import type { BoardSession } from '../session.ts'

export type HostMessage =
  /** The drawing is shown. */
  | { type: 'ready'; level: string | null }
  | { type: 'level'; level: string | null }
  /** Whether everything that was drawn here is committed. */
  | { type: 'saved'; saved: boolean }
  | { type: 'event'; event: BoardEvent }
  /** The board ended here, with a close code from docs/protocol.md. */
  | { type: 'ended'; code: number; reason: string }
  /** It could not be opened. */
  | { type: 'failed'; code: string; message: string }

const hostOrigin = (): string => {
  const known = window.location.ancestorOrigins?.[0] ?? originOf(document.referrer)
  return known === undefined || known === 'null' ? '*' : known
}

const originOf = (address: string): string | undefined =>
  URL.canParse(address) ? new URL(address).origin : undefined

export const tellHost = (boardId: string, message: HostMessage): void => {
  if (window.parent === window) return
  window.parent.postMessage({ source: 'boardroom', board_id: boardId, ...message }, hostOrigin())
}

/** `{target: 'boardroom', type: 'ticket', ticket}`: the page provides another ticket, for example after 4401. */
export const hearTickets = (take: (ticket: string) => void): (() => void) => {
  const hear = ({ source, data }: MessageEvent<unknown>) => {
    if (source !== window.parent || window.parent === window) return
    if (typeof data !== 'object' || data === null || !('target' in data) || data.target !== 'boardroom')
      return
    if ('type' in data && data.type === 'ticket' && 'ticket' in data && typeof data.ticket === 'string')
      take(data.ticket)
  }
  window.addEventListener('message', hear)
  return () => window.removeEventListener('message', hear)
}

/** Tells the embedding page about everything that happens to a session. @returns a function that stops it */
export const tellOf = (boardId: string, session: BoardSession): (() => void) => {
  let told: { level: string | null; isReady: boolean; isSaved: boolean | null; hasEnded: boolean } = {
    level: null,
    isReady: false,
    isSaved: null,
    hasEnded: false,
  }
  const look = () => {
    const { level, isReady, sync, ended } = session.state
    const now = {
      level,
      isReady: told.isReady || isReady,
      isSaved: isReady ? sync.name === 'saved' : told.isSaved,
      hasEnded: ended !== null,
    }
    const before = told
    told = now
    if (now.isReady && !before.isReady) tellHost(boardId, { type: 'ready', level })
    else if (before.isReady && now.level !== before.level) tellHost(boardId, { type: 'level', level })
    if (now.isSaved !== null && now.isSaved !== before.isSaved)
      tellHost(boardId, { type: 'saved', saved: now.isSaved })
    if (ended !== null && !before.hasEnded) tellHost(boardId, { type: 'ended', ...ended })
  }
  const stopState = session.subscribe(look)
  const stopEvents = session.onEvent((event) => {
    if (event.type !== 'comment') return tellHost(boardId, { type: 'event', event })
    const { thread: _written, ...rest } = event // what people write is only for those who may open the board
    tellHost(boardId, { type: 'event', event: rest })
  })
  look()
  return () => {
    stopState()
    stopEvents()
  }
}
