// What comes out of an inspection, and what it is measured against.

/** The rule that refused an update for good; a label of metrics and notices. @see docs/security.md */
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

/** What this board lacks for the update, or who holds its client id: a full sync cures both. */
export type ResyncRule = 'gap' | 'missing_dependency' | 'unknown_delete' | 'client_id' | 'untried'

/** Clocks `fromClock` (inclusive) to `toClock` (exclusive) of one client that the board did not have. */
export interface Write {
  readonly clientId: number
  readonly fromClock: number
  readonly toClock: number
}

/** Relayed clocks that an update of their owner holds, all of them, as the board has them. */
export interface Shown extends Write {
  /** Some of it is gone from the board, and alive in the update. */
  isDeleted: boolean
  /** The update continues past them: it comes from the document that writes under the id. */
  isExtended: boolean
}

export type Verdict =
  | {
      outcome: 'ok'
      /** Client ids that had no clock on this board before. */
      newClients: readonly number[]
      /** At most one a client. */
      writes: readonly Write[]
      /** Everything in it is known and every deletion done: applying it changes nothing. */
      empty: boolean
      /** Names of root types that this update brings into being. */
      newRoots: readonly string[]
      /** The relayed clocks that it shows. */
      shown: readonly Shown[]
      /** Structs that may crowd each other: where there are any, try it on a copy before it is applied. @see dryRun */
      suspects: number
    }
  /** Drop it and send sync step 1: the sender, or the board, lacks something. Honest clients cause these. */
  | { outcome: 'resync'; rule: ResyncRule }
  /** Drop it and tell the sender; no honest client sends it. `message` holds no content of the board. */
  | {
      outcome: 'reject'
      rule: RejectRule
      message: string
      /** By rule `relayed`: the client id under which somebody else wrote. */
      clientId?: number
    }

/** Who may extend which client id. Asked once a client whose clocks the update extends, and before anything is applied. */
export type ClientIdRule = (
  clientId: number,
  /** The board already has clocks of it. */
  known: boolean,
  /** The first clock it would add: exactly where the board's knowledge ends. */
  fromClock: number,
) => 'ok' | 'resync' | 'reject' | { rule: RejectRule; message: string }

/** The clocks of a client id that somebody else brought in while the sender, whose id it is, was away. */
export type RelayedClocks = (clientId: number) => Write | null

export interface ValidationLimits {
  maxNewClientsPerUpdate: number
  maxNewRootsPerUpdate: number
  maxRootsPerBoard: number
  maxRootNameBytes: number
  maxKeyBytes: number
  /** Levels of arrays and objects in one value. */
  maxValueNesting: number
  /** Shared types inside each other, not counting the root. */
  maxTypeNesting: number
  /** Clocks of new GC structs and new deleted content together. */
  maxDeletedClocksPerUpdate: number
  /** Structs passed over in all searches of one update for places that others claim too; a million take up to 0.4 s. */
  maxConflictStepsPerUpdate: number
  /** Structs of one update; 200,000 take a second or two to apply. */
  maxStructsPerUpdate: number
  /** Values behind cuts through long structs, which Yjs copies for each; 20 million take up to 0.4 s. */
  maxCopiedValuesPerUpdate: number
  /** Structs behind cuts, which Yjs moves for each; 400 million take up to 0.5 s. */
  maxMovedStructsPerUpdate: number
  /** The fewest clocks of a struct and of a deleted range. */
  minClocks: number
  /** The clock that everything ends at or before. */
  maxClock: number
  /** Clocks of a map entry that is alive when the update is applied. */
  maxClocksOfMapEntry: number
  /** Not allowed as a map key, a root name, or a key inside a value. */
  forbiddenKey: string
  /** Deleted ranges that begin before the one read last; Yjs writes them in order. */
  maxRangesOutOfOrder: number
  /** Cuts with fewer values behind them are not counted as copies. */
  minCopiedValues: number
  /** Updates of fewer bytes hold too few structs for crowds to matter. */
  minCrowdBytes: number
}

/** How long an update that may be crowded is tried. */
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
  // Clocks fit into 31 bits, also in state vectors of other implementations.
  maxClock: 2 ** 31 - 1,
  maxClocksOfMapEntry: 1,
  // In a plain object it would set the prototype.
  forbiddenKey: '__proto__',
  maxRangesOutOfOrder: 1000,
  minCopiedValues: 1024,
  minCrowdBytes: 6 * 1024,
}
