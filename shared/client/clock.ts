// The clock of the canvas code: the browser's in production, advanced by hand in tests.
export interface Clock {
  /** Milliseconds since any epoch. */
  now(): number
  /** @returns cancels the call; harmless afterwards. */
  after(delayMs: number, call: () => void): () => void
}

export const systemClock: Clock = {
  now: () => performance.now(),
  after: (delayMs, call) => {
    const timer = setTimeout(call, delayMs)
    return () => clearTimeout(timer)
  },
}
