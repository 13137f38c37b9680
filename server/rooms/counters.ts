// What rooms count since the start, for /metrics. Plain numbers that grow.

export interface Counters {
  joined: number
  left: number
  /** Updates applied, and windows that they went out in. */
  updates: number
  windows: number
  /** Updates that were tried on a copy first. */
  tried: number
  rejected: number
  resynced: number
  /** The same two together, by rule. @see docs/security.md */
  rules: Record<string, number>
  refused_level: number
  malformed: number
  /** Frames of text, over the limit, that ws could not read, of a kind that means nothing here. */
  text_frames: number
  frames_too_large: number
  frames_unreadable: number
  frames_ignored: number
  /** Entries of presence that their sender had no right to, or that are too large. */
  presence_ignored: number
  /** Questions for the state that were put off. */
  answers_delayed: number
  /** Connections that came in as viewers, or turned to it, for want of a seat, each once; boards that reached their size. */
  seats_missing: number
  boards_full: number
  /** Times a connection was paused for being over its budget. */
  slowed: number
  /** Connections that fell behind in reading, and those closed for it. */
  behind: number
  too_slow: number
  /** Runs of edits under the client id of somebody who was away; those whose owner came back with other ones. */
  relayed: number
  contested: number
  documents_built: number
  /** Ended because something threw on their behalf. */
  rooms_failed: number
  connections_failed: number
}

export const newCounters = (): Counters => ({
  joined: 0,
  left: 0,
  updates: 0,
  windows: 0,
  tried: 0,
  rejected: 0,
  resynced: 0,
  rules: {},
  refused_level: 0,
  malformed: 0,
  text_frames: 0,
  frames_too_large: 0,
  frames_unreadable: 0,
  frames_ignored: 0,
  presence_ignored: 0,
  answers_delayed: 0,
  seats_missing: 0,
  boards_full: 0,
  slowed: 0,
  behind: 0,
  too_slow: 0,
  relayed: 0,
  contested: 0,
  documents_built: 0,
  rooms_failed: 0,
  connections_failed: 0,
})
