// Somebody who stays on a board with the stock provider, draws, and joins the next node whenever a connection ends,
// as behind a proxy.
import { setTimeout as delay } from 'node:timers/promises'
import { WebSocket } from 'ws'
import { readAuthMessage } from 'y-protocols/auth'
import { WebsocketProvider } from 'y-websocket'
import * as Y from 'yjs'
import { MessageType } from '../../shared/protocol.ts'
import type { Random } from './random.ts'

/**
 * After these codes a client may reconnect: the server stops, is busy, or asks for it; or the connection was lost.
 */
const passing = (code: number): boolean =>
  [1000, 1001, 1005, 1006, 1011, 1012, 1013].includes(code) || code >= 4500

export interface Drawer {
  doc: Y.Doc
  /** The node that it is connected to, or is trying to reach. */
  readonly where: string
  readonly isSynced: boolean
  /** Close codes in order of arrival. */
  readonly closes: readonly number[]
  /** Connections that failed. */
  readonly failedTries: number
  /** Client ids of everybody shown, in order. */
  readonly seen: number[]
  /** Draws until `rest`. */
  draw(nextKey: () => string, random: Random): void
  rest(): void
  /** Keys of what it drew since the last call. */
  takeDrawn(): string[]
  /** Sets its presence. */
  show(round: number): void
  /** Unexpected events. */
  takeProblems(): string[]
  stop(): void
}

export function drawerOf(options: {
  boardId: string
  ticket: string
  first: string
  next: () => string
}): Drawer {
  const { boardId, ticket, first, next } = options
  const doc = new Y.Doc()
  const provider = new WebsocketProvider(first, boardId, doc, {
    disableBc: true,
    maxBackoffTime: 200,
    protocols: ['boardroom.yjs', `boardroom.ticket.${ticket}`],
    WebSocketPolyfill: WebSocket as unknown as typeof globalThis.WebSocket, // ws has the browser's interface
  })
  const problems: string[] = []
  let drawn: string[] = []
  let isDrawing = false
  const closes: number[] = []
  let failedTries = 0
  provider.on('connection-error', () => failedTries++)
  provider.on('connection-close', (event) => {
    provider.serverUrl = next()
    if (event !== null) closes.push(event.code)
    if (event !== null && !passing(event.code)) problems.push(`sent away: ${event.code} ${event.reason}`)
  })
  provider.messageHandlers[MessageType.auth] = (_encoder, decoder) =>
    readAuthMessage(decoder, doc, (_doc, reason) => problems.push(`refused: ${reason}`))
  return {
    doc,
    closes,
    get isSynced() {
      return provider.synced
    },
    get failedTries() {
      return failedTries
    },
    get where() {
      return provider.serverUrl
    },
    get seen() {
      return [...provider.awareness.getStates().keys()].sort()
    },
    draw(nextKey, random) {
      isDrawing = true
      void (async () => {
        while (isDrawing) {
          const key = nextKey()
          doc.getMap('elements').set(key, key)
          drawn.push(key)
          await delay(10 + random.below(60))
        }
      })()
    },
    rest() {
      isDrawing = false
    },
    takeDrawn() {
      const keys = drawn
      drawn = []
      return keys
    },
    show: (round) => provider.awareness.setLocalStateField('round', round),
    takeProblems: () => problems.splice(0),
    stop() {
      isDrawing = false
      provider.destroy()
      doc.destroy()
    },
  }
}
