// The tasks of the document worker with their inputs and results, which are cloned between threads.

import type { LeftOut } from '../../shared/drawing.ts'
import type { FoundElement } from './element-box.ts'
import type { Folded } from './folding.ts'
import type { Rebuilt } from './rebuilding.ts'
import type { DryRunAnswer, DryRunQuestion } from './validate/crowds.ts'

export interface ImportLimits {
  maxNewClientsPerUpdate: number
  /** The size of the resulting document in bytes. */
  maxBoardBytes: number
}

/** The effect of an import. Refusals are results and not errors: an error means a bug or a broken document. */
export type Imported =
  | { outcome: 'refused'; message: string }
  | { outcome: 'too_large'; bytes: number }
  | {
      outcome: 'ok'
      update: Uint8Array | null
      elements: number
      skipped: number
      leftOut: LeftOut[]
      /** The background colour, if the file has one. */
      background: string | null
      files: EmbeddedFile[]
    }

/** An image embedded in a drawing; `id` is the SHA-256 of its content in lower-case hex. */
export interface EmbeddedFile {
  id: string
  data: Uint8Array
}

/** times: of the updates, ms since 1970. */
export interface StoredLog {
  snapshot: Uint8Array | null
  updates: Uint8Array[]
  times: number[]
  withVersion: boolean
}

export interface Tasks {
  fold: { ask: StoredLog; answer: Folded }
  /** Null for boards that cannot be folded. */
  foldAll: { ask: { logs: StoredLog[] }; answer: (Folded | null)[] }
  join: { ask: { snapshot: Uint8Array | null; updates: Uint8Array[] }; answer: Uint8Array }
  cut: { ask: { state: Uint8Array }; answer: Uint8Array[] }
  dryRun: { ask: DryRunQuestion; answer: DryRunAnswer }
  /** Yjs v1 -> packed as a version. */
  pack: { ask: { state: Uint8Array }; answer: Uint8Array }
  unpack: { ask: { packed: Uint8Array }; answer: Uint8Array }
  difference: { ask: { current: Uint8Array; target: Uint8Array }; answer: Uint8Array | null }
  rebuild: { ask: { state: Uint8Array }; answer: Rebuilt }
  element: { ask: { state: Uint8Array; id: string }; answer: FoundElement }
  /** UTF-8 JSON. */
  json: { ask: { state: Uint8Array }; answer: Uint8Array }
  /** UTF-8 JSON of an `.excalidraw` file. */
  scene: { ask: { state: Uint8Array }; answer: Uint8Array }
  importUpdate: {
    ask: { current: Uint8Array; update: Uint8Array; ownClients: number[]; limits: ImportLimits }
    answer: Imported
  }
  importJson: {
    ask: { current: Uint8Array; body: Uint8Array; replace: boolean; limits: ImportLimits }
    answer: Imported
  }
  importScene: {
    ask: { current: Uint8Array; body: Uint8Array; replace: boolean; limits: ImportLimits }
    answer: Imported
  }
}

export type TaskName = keyof Tasks
export type Ask<Name extends TaskName> = Tasks[Name]['ask']
export type Answer<Name extends TaskName> = Tasks[Name]['answer']
