// A worker thread for slow work on documents: the handle starts it on first use, sends one task at a time, and replaces
// it if it dies or hangs.
import { Worker } from 'node:worker_threads'
import type { Logger } from 'pino'
import { BoardroomError } from '../errors.ts'
import { joinedByBytes } from './joining.ts'
import type { Answer, Ask, TaskName } from './tasks.ts'

interface Waiting {
  name: TaskName
  ask: unknown
  resolve(answer: never): void
  reject(error: Error): void
}

export interface DocumentWorkerOptions {
  log: Logger
  /** A task that takes longer terminates the thread; only its caller gets an error. */
  timeoutMs?: number
  /** The most queued tasks; beyond that, callers are told to try again. */
  maxWaiting?: number
  /** Gives the thread a lower priority than the main thread, so that rooms come first. Only on Linux. */
  isPatient?: boolean
}

/** @throws (every method) BoardroomError too_many_requests | closing; Error if the document cannot be read. */
export class DocumentWorker {
  readonly #log: Logger
  readonly #timeoutMs: number
  readonly #maxWaiting: number
  readonly #isPatient: boolean
  readonly #waiting: Waiting[] = []
  #current: Waiting | null = null
  #timer: NodeJS.Timeout | undefined
  #thread: Worker | null = null
  #lastId = 0
  #isClosed = false

  constructor({ log, timeoutMs = 120_000, maxWaiting = 64, isPatient = false }: DocumentWorkerOptions) {
    this.#log = log
    this.#timeoutMs = timeoutMs
    this.#maxWaiting = maxWaiting
    this.#isPatient = isPatient
  }

  /** Sends a task to the thread. Its bytes are copied, so they still belong to the caller. */
  run<Name extends TaskName>(name: Name, ask: Ask<Name>): Promise<Answer<Name>> {
    if (this.#isClosed) return Promise.reject(new BoardroomError('closing', 'the server is closing'))
    if (this.#waiting.length >= this.#maxWaiting) {
      return Promise.reject(
        new BoardroomError(
          'too_many_requests',
          'too many documents are being processed; try again in a moment',
        ),
      )
    }
    return new Promise((resolve, reject) => {
      this.#waiting.push({ name, ask, resolve, reject })
      this.#next()
    })
  }

  /** A board's rows as one Yjs v1 state: the `Fold` that rooms use. */
  async foldStored({ snapshot, updates }: Ask<'join'>): Promise<Uint8Array> {
    try {
      return await this.run('join', { snapshot, updates })
    } catch (error) {
      if (error instanceof BoardroomError) throw error
      throw new BoardroomError('board_unreadable', 'this board cannot be read', { cause: error })
    }
  }

  /**
   * The same from their bytes alone, in a tenth of the time and without the thread, if the updates simply follow each
   * other. The result still contains overwritten content; if that makes it `mostBytes` or larger, the thread does it after all.
   */
  async joinStored(stored: Ask<'join'>, mostBytes: number): Promise<Uint8Array> {
    const { snapshot, updates } = stored
    const all = snapshot === null ? updates : [snapshot, ...updates]
    const isLarge = all.reduce((sum, update) => sum + update.length, 0) >= mostBytes
    const joined = isLarge ? null : await joinedByBytes(all)
    return joined ?? (await this.foldStored(stored))
  }

  /** Terminates the thread; queued tasks are refused. */
  async close(): Promise<void> {
    this.#isClosed = true
    const thread = this.#thread
    this.#drop(new BoardroomError('closing', 'the server is closing'))
    for (const { reject } of this.#waiting.splice(0))
      reject(new BoardroomError('closing', 'the server is closing'))
    await thread?.terminate()
  }

  #next(): void {
    if (this.#current !== null) return
    const current = this.#waiting.shift()
    if (current === undefined) {
      this.#thread?.unref()
      return
    }
    this.#current = current
    this.#thread ??= this.#start()
    this.#thread.ref()
    this.#timer = setTimeout(() => {
      this.#log.error({ task: current.name, timeoutMs: this.#timeoutMs }, 'the document worker hangs')
      const hung = this.#thread
      this.#drop(new Error(`no result within ${this.#timeoutMs} ms`))
      hung
        ?.terminate()
        .catch((error: unknown) => this.#log.warn({ err: error }, 'a worker thread did not terminate'))
    }, this.#timeoutMs)
    const transfer: ArrayBuffer[] = []
    this.#thread.postMessage(
      { id: ++this.#lastId, name: current.name, ask: exact(current.ask, transfer) },
      transfer,
    )
  }

  #start(): Worker {
    const thread = new Worker(new URL('./fold-worker.js', import.meta.url), {
      workerData: { isPatient: this.#isPatient },
    })
    thread.on('message', ({ id, answer, error }: { id: number; answer: never; error?: string }) => {
      if (thread !== this.#thread || id !== this.#lastId) return
      const current = this.#settle()
      if (error === undefined) current?.resolve(answer)
      else current?.reject(new Error(error))
      this.#next()
    })
    const ended = (error: Error) => {
      if (thread !== this.#thread) return
      this.#log.error({ err: error, task: this.#current?.name }, 'the document worker exited')
      this.#drop(error)
    }
    thread.on('error', ended)
    thread.on('exit', (code) => ended(new Error(`the document worker exited with code ${code}`)))
    return thread
  }

  #settle(): Waiting | null {
    clearTimeout(this.#timer)
    const current = this.#current
    this.#current = null
    return current
  }

  /** The thread is unusable: the next task starts another. */
  #drop(error: Error): void {
    this.#thread = null
    this.#settle()?.reject(error)
    if (!this.#isClosed) this.#next()
  }
}

/** The same task with bytes in separate buffers: a view would be cloned with its whole underlying buffer. */
function exact(value: unknown, transfer: ArrayBuffer[]): unknown {
  if (value instanceof Uint8Array) {
    const copy = new Uint8Array(value)
    transfer.push(copy.buffer)
    return copy
  }
  if (Array.isArray(value)) {
    // Cloning thousands of small updates is faster than transferring them, because each transfer needs its own handle.
    if (value.length > 16 && value.every((item) => item instanceof Uint8Array))
      return value.map((item) => new Uint8Array(item))
    return value.map((item) => exact(item, transfer))
  }
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, exact(item, transfer)]))
}
