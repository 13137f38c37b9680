// The rooms of this process, by board. A room is opened when it is needed, and closed when the last connection has left and
// everything is committed.
//
//   (none) ──> loading ──> open ──last one left, or failure──> closing ──everything committed──> (none)
//
// A join during closing waits until everything is stored, and then opens the board again.
import { BoardroomError } from '../errors.ts'
import type { Clock } from './clock.ts'
import { BoardLink } from './nodes/board-link.ts'
import type { Nodes } from './nodes/ports.ts'
import type { Fold, StoredBoard } from './ports.ts'
import { Room } from './room.ts'
import type { RoomOptions } from './room-options.ts'

/** The largest log that the room folds itself, in about a millisecond; larger ones are folded by the worker. */
const mostRowsHere = 100
const mostBytesHere = 64 * 1024
const waitForClosingMs = 10_000

type RoomState =
  | { name: 'loading'; ready: Promise<Room> }
  | { name: 'open'; room: Room }
  | { name: 'closing'; flushed: Promise<void> }

export interface OpenRoomsOptions extends Omit<RoomOptions, 'boardId' | 'onDone' | 'link'> {
  fold?: Fold
  /** Undefined if this is the only node. */
  nodes?: Nodes | undefined
}

export class OpenRooms {
  readonly #options: OpenRoomsOptions
  readonly #clock: Clock
  readonly #states = new Map<string, RoomState>()
  #isRefusing = false

  constructor(options: OpenRoomsOptions) {
    this.#options = options
    this.#clock = options.clock
  }

  get size(): number {
    return this.#states.size
  }

  has(boardId: string): boolean {
    return this.#states.has(boardId)
  }

  /** The board's room if it is open. */
  open(boardId: string): Room | null {
    const state = this.#states.get(boardId)
    return state?.name === 'open' ? state.room : null
  }

  /** Every open room, as a copy, so that rooms may be closed while iterating. */
  all(): Room[] {
    return Array.from(this.#states.values(), (state) => (state.name === 'open' ? state.room : null)).filter(
      (room) => room !== null,
    )
  }

  /** Opens no more rooms from now on. */
  refuse(): void {
    this.#isRefusing = true
  }

  /** Whether this room is still the board's open one, so that a connection may enter. @throws BoardroomError closing */
  mayEnter(room: Room): boolean {
    if (this.#isRefusing) throw restarts()
    return this.open(room.boardId) === room
  }

  /** The board's room, opened if necessary. @throws BoardroomError closing, or errors of `load` */
  async roomOf(boardId: string): Promise<Room> {
    for (;;) {
      if (this.#isRefusing) throw restarts()
      const state = this.#states.get(boardId) ?? this.#open(boardId)
      switch (state.name) {
        case 'open':
          return state.room
        case 'loading':
          await state.ready
          break
        case 'closing':
          await this.#within(state.flushed, waitForClosingMs)
          break
      }
    }
  }

  /** Runs `work` with the board's room, opened if necessary. `work` must hold the room open before its first await. */
  async withRoom<T>(boardId: string, work: (room: Room) => Promise<T>): Promise<T> {
    for (;;) {
      const room = await this.roomOf(boardId)
      if (this.open(boardId) === room) return await work(room)
    }
  }

  /** Reads a board from the log; a long log is folded into one state. @throws errors of the log or the fold */
  async load(boardId: string): Promise<StoredBoard> {
    const { log, fold } = this.#options
    const stored = await log.load(boardId)
    const { snapshot, updates } = stored
    if (updates.length === 0 || fold === undefined) return stored
    const bytes = updates.reduce((sum, update) => sum + update.length, snapshot?.length ?? 0)
    if (updates.length <= mostRowsHere && bytes <= mostBytesHere) return stored
    return { snapshot: await fold(stored), updates: [], authors: stored.authors }
  }

  /** Closes a room that was opened for a connection which did not enter. */
  closeIfEmpty(boardId: string): void {
    const room = this.open(boardId)
    if (room?.isEmpty) this.#done(room)
  }

  /** Resolves once the board's room is closed, if it is closing. */
  async closed(boardId: string): Promise<void> {
    const state = this.#states.get(boardId)
    if (state?.name === 'closing') await state.flushed
  }

  /** Closes all rooms. @returns whether everything was committed within `deadlineMs`. */
  async allClosed(deadlineMs: number): Promise<boolean> {
    const closed = Promise.all(Array.from(this.#states, ([boardId, state]) => this.#close(boardId, state)))
    return this.#within(closed, deadlineMs).then(
      () => true,
      () => false,
    )
  }

  #open(boardId: string): RoomState {
    const link = this.#link(boardId)
    const loaded = link === undefined ? this.load(boardId) : link.ready().then(() => this.load(boardId))
    const ready = loaded
      .then((stored) => {
        const options = { ...this.#options, boardId, link, onDone: () => this.#done(room) }
        const room: Room = new Room(options, stored)
        this.#states.set(boardId, { name: 'open', room })
        return room
      })
      .catch((error: unknown) => {
        this.#states.delete(boardId)
        link?.close()
        throw error
      })
    // Those who wait get the error; if nobody does, it must not be an unhandled rejection.
    ready.catch(() => undefined)
    const state: RoomState = { name: 'loading', ready }
    this.#states.set(boardId, state)
    return state
  }

  #link(boardId: string): BoardLink | undefined {
    const { nodes, log, logger, clock } = this.#options
    if (nodes === undefined) return undefined
    return new BoardLink({ boardId, nodes, log, clock, logger: logger.child({ boardId }) })
  }

  #done(room: Room): void {
    // Before the state is read, because a flush may end the room.
    room.flush()
    const { boardId } = room
    if (this.open(boardId) !== room) return
    // Whatever fails here, the board can be opened again and `idle` is called once.
    const flushed = room
      .finished()
      .then(() => room.close())
      .catch((error: unknown) =>
        this.#options.logger.error({ err: error, boardId }, 'a room could not be closed cleanly'),
      )
      .then(() => this.#states.delete(boardId))
      .then(() => this.#options.log.idle(boardId))
      .catch((error: unknown) =>
        this.#options.logger.error({ err: error, boardId }, 'a log could not be told that its board is idle'),
      )
    this.#states.set(boardId, { name: 'closing', flushed })
  }

  async #close(boardId: string, state: RoomState): Promise<void> {
    if (state.name === 'loading') await state.ready.catch(() => undefined)
    const room = this.open(boardId)
    if (room !== null) this.#done(room)
    await this.closed(boardId)
  }

  #within<T>(work: Promise<T>, ms: number): Promise<T> {
    return new Promise((resolve, reject) => {
      const timer = this.#clock.after(ms, () =>
        reject(
          new BoardroomError('database_unreachable', 'the board is still being saved; try again in a moment'),
        ),
      )
      work.then(resolve, reject).finally(() => timer.cancel())
    })
  }
}

const restarts = (): BoardroomError =>
  new BoardroomError('closing', 'the server is restarting; try again in a moment')
