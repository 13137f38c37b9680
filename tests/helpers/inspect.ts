// Short validations of single updates: the result of a rule for an input that is harmless to plain Yjs.
import * as Y from 'yjs'
import { dryRun } from '../../server/documents/validate/crowds.ts'
import { validateUpdate } from '../../server/documents/validate/validate.ts'
import {
  type ClientIdRule,
  type DryRunLimits,
  defaultValidationLimits,
  type ValidationLimits,
  type Verdict,
} from '../../server/documents/validate/verdict.ts'
import { assertHarmless } from './harmless.ts'
import { contentOf, type Struct, writeUpdate } from './update-writer.ts'

export interface Terms {
  doc?: Y.Doc
  clientIds?: ClientIdRule
  /** The limits that are lowered. */
  limits?: Partial<ValidationLimits>
  trial?: DryRunLimits
}

/** @throws Error if the update would harm plain Yjs */
export function inspect(
  update: Uint8Array,
  { doc = new Y.Doc(), clientIds = () => 'ok', limits, trial }: Terms = {},
): Verdict {
  const snapshot = Y.encodeStateAsUpdate(doc)
  assertHarmless({ kind: 'update', before: [snapshot], input: update })
  const verdict = validateUpdate(update, doc, clientIds, { ...defaultValidationLimits, ...limits })
  if (verdict.outcome !== 'ok' || verdict.suspects === 0) return verdict
  const { isTooCrowded } = dryRun({ snapshot, updates: [], update, structs: verdict.suspects, trial })
  return isTooCrowded ? { outcome: 'reject', rule: 'conflicts', message: 'after a trial' } : verdict
}

/** `ok`, `resync gap`, `reject length`, … */
export const short = (verdict: Verdict): string =>
  verdict.outcome === 'ok' ? 'ok' : `${verdict.outcome} ${verdict.rule}`

export const outcome = (update: Uint8Array, terms?: Terms): string => short(inspect(update, terms))

export const ada = 1
export const mallory = 9

export const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values)
export const char: Struct = { ref: 4, parent: 'text', content: contentOf.string('x') }
export const from = (client: number, clock: number, ...structs: Struct[]) => ({ client, clock, structs })

/** A board on which Ada has written `hello` (clocks 0-4). */
export function boardOfAda(): Y.Doc {
  const doc = new Y.Doc()
  doc.clientID = 4_000_000_000
  Y.applyUpdate(doc, writeUpdate([from(ada, 0, { ...char, content: contentOf.string('hello') })]))
  return doc
}
