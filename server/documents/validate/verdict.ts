// The verdicts of validation, and its limits.

/** The rule by which an update is rejected, as in metrics and notices. @see docs/security.md */
export type RejectRule =
  | 'truncated'
  | 'trailing_bytes'
  | 'varint'
  | 'count'
  | 'client_twice'
  | 'no_structs'
  | 'length'
  | 'clock'
  | 'deleted_clocks'
  | 'info'
  | 'subdocument'
  | 'type'
  | 'json'
  | 'value'
  | 'nesting'
  | 'key'
  | 'utf8'
  | 'root_name'
  | 'roots'
  | 'type_nesting'
  | 'dependency_order'
  | 'dependency_cycle'
  | 'parent'
  | 'parent_changed'
  | 'map_entry'
  | 'conflicts'
  | 'splits'
  | 'delete_order'
  | 'structs'
  | 'new_clients'
  | 'client_id'
  | 'connection_client_ids'
  | 'board_client_ids'
  | 'relayed'

/** Why an update cannot be applied without a full sync: something is missing, or its client id is somebody else's. */
export type ResyncRule = 'gap' | 'missing_dependency' | 'unknown_delete' | 'client_id' | 'untried'

/** Clocks `fromClock` (inclusive) to `toClock` (exclusive) of one client that the board did not have. */
export interface Write {
  readonly clientId: number
  readonly fromClock: number
  readonly toClock: number
}

/** Relayed clocks that an update of their owner contains completely and identically to the board. */
export interface Shown extends Write {
  /** Some of them are deleted on the board but not in the update. */
  isDeleted: boolean
  /** The update continues past them, so it comes from the document that writes under the id. */
  isExtended: boolean
}

export type Verdict =
  | {
      outcome: 'ok'
      /** Client ids that had no clock on this board before. */
      newClients: readonly number[]
      /** At most one per client. */
      writes: readonly Write[]
      /** All its structs and deletions are known: applying it changes nothing. */
      empty: boolean
      /** Names of root types that this update creates. */
      newRoots: readonly string[]
      /** The relayed clocks that it shows. */
      shown: readonly Shown[]
      /** Structs that may crowd each other; if there are any, the update needs a dry run. @see dryRun */
      suspects: number
    }
  /** Drop it and send sync step 1: the sender or the board lacks something. Honest clients cause this too. */
  | { outcome: 'resync'; rule: ResyncRule }
  /** Drop it and tell the sender; no honest client sends it. `message` contains nothing from the board. */
  | {
      outcome: 'reject'
      rule: RejectRule
      message: string
      /** By rule `relayed`: the client id under which somebody else wrote. */
      clientId?: number
    }

/** Decides who may extend which client id. Called once per client that the update extends, before anything is applied. */
export type ClientIdRule = (
  clientId: number,
  /** The board already has clocks of it. */
  known: boolean,
  /** The first clock that it would add, which directly follows the known ones. */
  fromClock: number,
) => 'ok' | 'resync' | 'reject' | { rule: RejectRule; message: string }

/** The clocks that somebody else sent under the sender's client id while the sender was away. */
export type RelayedClocks = (clientId: number) => Write | null

export interface ValidationLimits {
  maxNewClientsPerUpdate: number
  maxNewRootsPerUpdate: number
  maxRootsPerBoard: number
  maxRootNameBytes: number
  maxKeyBytes: number
  /** Levels of arrays and objects in one value. */
  maxValueNesting: number
  /** Levels of shared types in each other, without the root. */
  maxTypeNesting: number
  /** Clocks of new GC structs and new deleted content together. */
  maxDeletedClocksPerUpdate: number
  /** Structs scanned in all searches of one update for contested places; a million take up to 0.4 s. */
  maxConflictStepsPerUpdate: number
  /** Structs in one update; 200,000 take a second or two to apply. */
  maxStructsPerUpdate: number
  /** Values that Yjs copies when it splits long structs; 20 million take up to 0.4 s. */
  maxCopiedValuesPerUpdate: number
  /** Structs that Yjs moves when it splits others; 400 million take up to 0.5 s. */
  maxMovedStructsPerUpdate: number
  /** The fewest clocks of a struct and of a deleted range. */
  minClocks: number
  /** The highest clock at which anything may end. */
  maxClock: number
  /** Clocks of a map entry that is live after the update. */
  maxClocksOfMapEntry: number
  /** Not allowed as a map key, a root name, or a key in a value. */
  forbiddenKey: string
  /** Deleted ranges that start before the previous one; Yjs writes them in order. */
  maxRangesOutOfOrder: number
  /** Splits with fewer values after them do not count as copies. */
  minCopiedValues: number
  /** Smaller updates have too few structs for crowds to matter. */
  minCrowdBytes: number
}

/** The limits of a dry run. */
export interface DryRunLimits {
  ms: number
  msPerStruct: number
}

export const defaultDryRunLimits: DryRunLimits = { ms: 400, msPerStruct: 0.005 }

export const defaultValidationLimits: ValidationLimits = {
  maxNewClientsPerUpdate: 256,
  maxNewRootsPerUpdate: 8,
  maxRootsPerBoard: 256,
  maxRootNameBytes: 128,
  maxKeyBytes: 1024,
  maxValueNesting: 64,
  maxTypeNesting: 100,
  maxDeletedClocksPerUpdate: 16 * 1024 * 1024,
  maxConflictStepsPerUpdate: 2_000_000,
  maxStructsPerUpdate: 200_000,
  maxCopiedValuesPerUpdate: 30_000_000,
  maxMovedStructsPerUpdate: 400_000_000,
  minClocks: 1,
  // Clocks fit into 31 bits, also in the state vectors of other implementations.
  maxClock: 2 ** 31 - 1,
  maxClocksOfMapEntry: 1,
  // In a plain object, this key would set the prototype.
  forbiddenKey: '__proto__',
  maxRangesOutOfOrder: 1000,
  minCopiedValues: 1024,
  minCrowdBytes: 6 * 1024,
}
