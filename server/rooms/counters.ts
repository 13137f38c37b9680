// What rooms count since the start, for /metrics. Plain numbers that grow.

export interface Counters {
  joined: number
  left: number
  /** Updates applied, and windows that they went out in. */
  updates: number
  windows: number
  rejected: number
  resynced: number
  refused_level: number
  malformed: number
  /** Times a connection was paused for being over its budget. */
  slowed: number
  /** Connections that fell behind in reading, and those closed for it. */
  behind: number
  too_slow: number
  relayed: number
  documents_built: number
  rooms_failed: number
}

export const newCounters = (): Counters => ({
  joined: 0,
  left: 0,
  updates: 0,
  windows: 0,
  rejected: 0,
  resynced: 0,
  refused_level: 0,
  malformed: 0,
  slowed: 0,
  behind: 0,
  too_slow: 0,
  relayed: 0,
  documents_built: 0,
  rooms_failed: 0,
})
