// The counters of rooms since the start, for /metrics.

export interface Counters {
  joined: number
  left: number
  /** Updates applied, and windows in which they were sent. */
  updates: number
  windows: number
  /** Updates that needed a dry run. */
  tried: number
  rejected: number
  resynced: number
  /** Both of these by rule. @see docs/security.md */
  rules: Record<string, number>
  refused_level: number
  malformed: number
  /** Text frames, frames over the limit, frames that ws could not read, and frames of an unknown type. */
  text_frames: number
  frames_too_large: number
  frames_unreadable: number
  frames_ignored: number
  /** Awareness entries that their sender may not send, or that are too large. */
  presence_ignored: number
  /** Answers to sync step 1 that were delayed. */
  answers_delayed: number
  /** Connections that got view because no seat was free, each once; and boards that reached their size limit. */
  seats_missing: number
  boards_full: number
  /** How often a connection was paused because it was over its budget. */
  slowed: number
  /** Connections that read too slowly for updates, and those closed because of it. */
  behind: number
  too_slow: number
  /** Runs of edits under the client id of somebody who was away, and those whose owner came back with other edits. */
  relayed: number
  contested: number
  documents_built: number
  /** Ended because of an unexpected error. */
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
