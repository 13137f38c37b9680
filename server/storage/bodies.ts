// Request bodies of documents and files: held in memory as a whole, so all of them together have a bound.
import type { Context } from 'hono'
import { BoardroomError } from '../errors.ts'
import type { HttpEnv } from '../routing/context.ts'

const mostBytesAtOnce = 512 * 1024 * 1024

export class BodyBudget {
  #taken = 0

  /**
   * Read the body, hand it to `work`, and count it until that is done.
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
    if (this.#taken > 0 && this.#taken + declared > mostBytesAtOnce) {
      throw new BoardroomError('too_many_requests', 'too many uploads at this moment; try again')
    }
    this.#taken += declared
    try {
      const body = new Uint8Array(await c.req.arrayBuffer())
      if (body.length > maxBytes) throw tooLarge()
      if (body.length === 0) throw new BoardroomError('invalid_request', 'expected a body')
      return await work(body)
    } finally {
      this.#taken -= declared
    }
  }
}
