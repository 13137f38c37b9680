// Time as the canvas' machinery sees it: the browser's in production, moved by hand in tests.
export interface Clock {
  /** Milliseconds, of any epoch. */
  now(): number
  /** @returns takes the call back; harmless afterwards. */
  after(delayMs: number, call: () => void): () => void
}

export const systemClock: Clock = {
  now: () => performance.now(),
  after: (delayMs, call) => {
    const timer = setTimeout(call, delayMs)
    return () => clearTimeout(timer)
  },
}
