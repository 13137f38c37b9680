// Server-sent events for all streams: they get through proxies that would buffer them, and something is sent often
// enough for both sides to notice when the other is gone.
import type { Context } from 'hono'
import { type SSEStreamingApi, streamSSE } from 'hono/streaming'
import type { HttpEnv } from './context.ts'

/** Something is written at least this often: a proxy may hang up after 60 s of silence, and only a write reveals that a listener is gone. */
const keepAliveMs = 12_000

/**
 * Responds with a stream that `work` writes. It starts with a comment, so that the headers are sent at once.
 * With `gzip` on for text/event-stream, nginx holds everything back until the end unless told not to buffer.
 * @param onError called with the error, if one ended the stream.
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
