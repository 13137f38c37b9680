// Input that a test sends at our guards must be harmless to plain Yjs: anybody who finds it here must not be able to
// harm other software with it. Each input is tried on a plain `Y.Doc` first, in a separate thread with limited time
// and memory. It fails the test if the thread hangs or dies, or leaves a document that can no longer be edited.
// Ordinary errors are fine.
import { availableParallelism, loadavg } from 'node:os'
import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from 'node:worker_threads'

/** Two seconds of CPU time: if several processes share a core, each gets only part of the elapsed time. */
const patienceMs = 2_000 * Math.max(1, (loadavg()[0] ?? 0) / availableParallelism())
const memoryMb = 64

/** An input and the updates that are applied before it, all version 1. */
export interface Trial {
  before: readonly Uint8Array[]
  /** An update; or a state vector that the document must answer. */
  input: Uint8Array
  kind: 'update' | 'state vector'
}

/** The input of the thread. */
export interface PlainYjsData {
  port: MessagePort
  /** Counts answers; the caller blocks on it. */
  answers: Int32Array
}

/** Works without returning to the event loop, so that any test can use it. */
class PlainYjs {
  readonly #worker: Worker
  readonly #port: MessagePort
  readonly #answers = new Int32Array(new SharedArrayBuffer(4))

  constructor() {
    const { port1, port2 } = new MessageChannel()
    this.#port = port1
    this.#worker = new Worker(new URL('./plain-yjs.js', import.meta.url), {
      workerData: { port: port2, answers: this.#answers } satisfies PlainYjsData,
      transferList: [port2],
      resourceLimits: { maxOldGenerationSizeMb: memoryMb },
    })
    this.#worker.on('error', () => undefined) // reported as no answer
    this.#worker.unref()
    port1.unref()
    // The first answer says that it has started, which does not count as work.
    this.#next(30_000)
  }

  /** @returns why the input is not harmless; null if it is. */
  ask(trial: Trial, ms: number): string | null {
    this.#port.postMessage(trial)
    const answer = this.#next(ms)
    return answer === null ? `takes plain Yjs more than ${ms} ms or ${memoryMb} MiB` : answer.harm
  }

  end(): void {
    void this.#worker.terminate()
  }

  #next(ms: number): { harm: string | null } | null {
    Atomics.wait(this.#answers, 0, 0, ms)
    Atomics.store(this.#answers, 0, 0)
    const received = receiveMessageOnPort(this.#port)
    return received === undefined ? null : (received.message as { harm: string | null })
  }
}

let plain: PlainYjs | null = null
const tried = new Map<string, string | null>()

/** @returns why an input would harm plain Yjs, in words; null if it is harmless. */
export function harmOf(trial: Trial, withinMs = patienceMs): string | null {
  const key = [trial.input, ...trial.before].map((bytes) => Buffer.from(bytes).toString('latin1')).join('|')
  const known = tried.get(key)
  if (known !== undefined) return known
  plain ??= new PlainYjs()
  const harm = plain.ask(trial, withinMs)
  tried.set(key, harm)
  if (harm !== null) {
    plain.end()
    plain = null
  }
  return harm
}

/** @throws Error if plain Yjs is harmed; its message contains no bytes. */
export function assertHarmless(trial: Trial): void {
  const harm = harmOf(trial)
  if (harm !== null) throw new Error(`this input has no place in a test: it ${harm}`)
}
