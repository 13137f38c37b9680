// Server-sent events, as every stream sends them: through proxies that would rather collect them, and often enough that
// both sides notice when the other has gone.
import type { Context } from 'hono'
import { type SSEStreamingApi, streamSSE } from 'hono/streaming'
import type { HttpEnv } from './context.ts'

/** Something is written at least this often: a proxy may hang up after 60 s of silence, and a listener who has gone is noticed at a write. */
export const keepAliveMs = 12_000

/**
 * Answers with a stream that `work` writes. It begins at once, with a comment, so that the headers are on their way.
 * nginx with `gzip` on for text/event-stream keeps everything back until the end unless it is told not to buffer.
 * @param onError what ended it, where that was no end of its own.
 */
export function eventStream(
  c: Context<HttpEnv>,
  work: (sse: SSEStreamingApi, gone: AbortSignal) => Promise<void>,
  onError: (error: Error) => void,
): Response {
  c.header('x-accel-buffering', 'no')
  return streamSSE(
    c,
    async (sse) => {
      const gone = new AbortController()
      sse.onAbort(() => gone.abort())
      const keepAlive = setInterval(() => void sse.write(': here\n\n').catch(() => gone.abort()), keepAliveMs)
      try {
        await sse.write(': begins\n\n')
        await work(sse, gone.signal)
      } finally {
        clearInterval(keepAlive)
      }
    },
    async (error) => onError(error),
  )
}
