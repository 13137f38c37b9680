// Request bodies of documents and files are held in memory as a whole, so their total is bounded. A request without room
// waits for a while, with its body still unread.
import type { Context } from 'hono'
import { BoardroomError } from '../errors.ts'
import type { HttpEnv } from '../routing/context.ts'

const defaultMostBytes = 160 * 1024 * 1024
/** Below the request time-out, so that the response still arrives. */
const defaultPatienceMs = 8000
const mostWaiting = 200

export class BodyBudget {
  readonly #mostBytes: number
  readonly #patienceMs: number
  readonly #waiting: { bytes: number; enter: () => void }[] = []
  #taken = 0

  constructor({ mostBytes = defaultMostBytes, patienceMs = defaultPatienceMs } = {}) {
    this.#mostBytes = mostBytes
    this.#patienceMs = patienceMs
  }

  /**
   * Reads the body, passes it to `work`, and counts it until that is done. A body of unknown length counts as `maxBytes`.
   * @throws BoardroomError too_large | too_many_requests | invalid_request (empty)
   */
  async with<Result>(
    c: Context<HttpEnv>,
    maxBytes: number,
    work: (body: Uint8Array) => Promise<Result>,
  ): Promise<Result> {
    const declared = Number(c.req.header('content-length') ?? maxBytes)
    const tooLarge = () =>
      new BoardroomError('too_large', `the body is larger than ${maxBytes} bytes`, {
        details: { max_bytes: maxBytes },
      })
    if (declared > maxBytes) throw tooLarge()
    await this.#enter(declared)
    try {
      const body = new Uint8Array(await c.req.arrayBuffer())
      if (body.length > maxBytes) throw tooLarge()
      if (body.length === 0)
        throw new BoardroomError('invalid_request', 'expected a body, got none: the file is empty')
      return await work(body)
    } finally {
      this.#leave(declared)
    }
  }

  /** First come, first served, so that small bodies do not overtake a large one for ever. */
  async #enter(bytes: number): Promise<void> {
    if (this.#waiting.length === 0 && this.#hasRoom(bytes)) {
      this.#taken += bytes
      return
    }
    const busy = () =>
      new BoardroomError('too_many_requests', 'too many uploads at the moment; try again in a few seconds')
    if (this.#waiting.length >= mostWaiting) throw busy()
    await new Promise<void>((resolve, reject) => {
      const entry = {
        bytes,
        enter: () => {
          clearTimeout(timer)
          resolve()
        },
      }
      const timer = setTimeout(() => {
        this.#waiting.splice(this.#waiting.indexOf(entry), 1)
        reject(busy())
        this.#admit()
      }, this.#patienceMs)
      this.#waiting.push(entry)
    })
  }

  #leave(bytes: number): void {
    this.#taken -= bytes
    this.#admit()
  }

  #admit(): void {
    for (
      let next = this.#waiting[0];
      next !== undefined && this.#hasRoom(next.bytes);
      next = this.#waiting[0]
    ) {
      this.#waiting.shift()
      this.#taken += next.bytes
      next.enter()
    }
  }

  /** A single body is always admitted, however large: its route has its own limit. */
  #hasRoom(bytes: number): boolean {
    return this.#taken === 0 || this.#taken + bytes <= this.#mostBytes
  }
}
