// One board of a node, where the test controls the messages of other nodes, the log and the time.
import { pino } from 'pino'
import { BoardLink } from '../../server/rooms/nodes/board-link.ts'
import {
  type BoardMessage,
  decodeBoardMessage,
  encodeBoardMessage,
} from '../../server/rooms/nodes/messages.ts'
import type { BoardListener, LinkedRoom } from '../../server/rooms/nodes/ports.ts'
import type { LogNews } from '../../server/rooms/ports.ts'
import { HandClock, HandLog } from './rooms.ts'

/** A log that counts how often it was searched for updates by others. */
class LookedLog extends HandLog {
  looks = 0

  async readSince(): Promise<LogNews> {
    this.looks++
    return { updates: [], authors: [], mark: null }
  }
}

export class LinkedBoard {
  readonly clock = new HandClock()
  readonly log = new LookedLog()
  /** The first bytes of others' updates, in the order in which they were applied. */
  readonly applied: number[] = []
  /** Nodes whose people were removed. */
  readonly left: string[] = []
  readonly sent: BoardMessage[] = []
  readonly board: BoardLink
  #listener: BoardListener | null = null

  constructor() {
    const { clock, log } = this
    const nodes = {
      open: (_: string, listener: BoardListener) => {
        this.#listener = listener
        const send = (body: Uint8Array) => {
          const message = decodeBoardMessage(body)
          if (message !== null) this.sent.push(message)
        }
        return { ready: Promise.resolve(), maxBytes: 1000, send, close: () => undefined }
      },
    }
    this.board = new BoardLink({ boardId: 'b', nodes, log, clock, logger: pino({ level: 'silent' }) })
    const room: LinkedRoom = {
      applyRemote: (updates) => this.applied.push(...updates.map(([first]) => first ?? -1)),
      isIncomplete: false,
      remotePresence: () => undefined,
      remoteNodeLeft: (nodeId) => this.left.push(nodeId),
      remoteEvent: () => undefined,
      remoteWriters: () => undefined,
      ownPresence: () => [],
      ownWriters: 0,
    }
    this.board.attach(room)
  }

  get heard(): BoardListener {
    if (this.#listener === null) throw new Error('nobody listens')
    return this.#listener
  }

  say(message: BoardMessage, nodeId = 'other'): void {
    this.heard.message(nodeId, encodeBoardMessage(message))
  }

  update(seq: number, byte: number, link?: number): void {
    this.say({ kind: 'update', seq, committed: 0, update: Uint8Array.of(byte), authors: [], link })
  }

  /** Time advances, second by second. */
  async pass(seconds: number): Promise<void> {
    for (let second = 0; second < seconds; second++) {
      await this.clock.advance(1000)
      this.heard.tick(false)
    }
    await this.clock.advance(0)
  }
}
