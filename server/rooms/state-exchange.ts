// The sync protocol between one room and its clients: answers their sync step 1, and sends ours. If an answer needs the
// document, it is built first, and the connection that asked is not read until then.
import type * as Y from 'yjs'
import { SyncStep } from '../../shared/protocol.ts'
import type { Clock } from './clock.ts'
import type { Connection } from './connection/connection.ts'
import type { BoardDocument } from './document.ts'
import type { ClientIds } from './edits/client-ids.ts'
import type { EditWindow } from './edits/edit-window.ts'
import { syncFrame } from './frames.ts'
import { JoinFrames } from './join-frames.ts'
import type { LargeAnswers } from './large-answers.ts'
import { isEmptyStateVector } from './messages.ts'

/** An empty update v1. */
const nothing = Uint8Array.of(0, 0)

export class StateExchange {
  readonly #document: BoardDocument
  readonly #clientIds: ClientIds
  readonly #window: EditWindow
  readonly #frames: JoinFrames
  readonly #answers: LargeAnswers

  constructor(options: {
    document: BoardDocument
    clientIds: ClientIds
    window: EditWindow
    clock: Clock
    answers: LargeAnswers
  }) {
    this.#answers = options.answers
    this.#document = options.document
    this.#clientIds = options.clientIds
    this.#window = options.window
    this.#frames = new JoinFrames(options.document, options.clock)
  }

  /** The document has changed. */
  changed(): void {
    this.#frames.changed()
  }

  /** Answers sync step 1. */
  answer(connection: Connection, stateVector: Uint8Array): void {
    this.#window.flush()
    if (!connection.isOpen) return
    if (!connection.mayRead) {
      connection.outbox.answer([syncFrame(SyncStep.step2, nothing)])
      return
    }
    if (isEmptyStateVector(stateVector)) {
      // It has nothing, so asking it for everything before it gets the state costs nothing.
      if (!connection.wasAsked) this.ask(connection, stateVector)
      if (this.#frames.isReady) this.#answerWhole(connection)
      else this.#onceBuilt(connection, () => this.#answerWhole(connection))
      return
    }
    const { doc } = this.#document
    if (doc !== null) {
      this.#answerDifference(connection, doc, stateVector)
      return
    }
    const question = stateVector.slice()
    this.#onceBuilt(connection, (built) => this.#answerDifference(connection, built, question))
  }

  /** Sends sync step 1, unless a large board that nobody has edited yet would have to be scanned for it. */
  ask(connection: Connection, stateVector = this.#document.stateVector()): void {
    if (stateVector === null) return
    connection.wasAsked = true
    const question = this.#clientIds.questionFor(connection.principalKey, stateVector)
    connection.outbox.send(syncFrame(SyncStep.step1, question))
  }

  /** Sends what a connection missed while it did not read. */
  catchUp(connection: Connection, since: Uint8Array): void {
    // Only an update makes a connection fall behind, and updates are applied to a built document.
    const { doc } = this.#document
    if (doc === null || !connection.mayRead) return
    this.#window.flush()
    connection.outbox.answer([this.#frames.difference(doc, since, SyncStep.update)])
  }

  close(): void {
    this.#frames.close()
  }

  #onceBuilt(connection: Connection, answer: (doc: Y.Doc) => void): void {
    connection.hold('document')
    this.#window
      .build()
      .then(() => {
        const { doc } = this.#document
        if (!connection.isOpen || doc === null) return
        answer(doc)
        connection.release('document')
      })
      .catch((error: unknown) => connection.failed(error))
  }

  #answerWhole(connection: Connection): void {
    this.#frames.whole((pieces) => this.#answers.give(connection.outbox, pieces))
  }

  #answerDifference(connection: Connection, doc: Y.Doc, stateVector: Uint8Array): void {
    if (!connection.wasAsked) this.ask(connection)
    connection.outbox.answer([this.#frames.difference(doc, stateVector, SyncStep.step2)])
  }
}
