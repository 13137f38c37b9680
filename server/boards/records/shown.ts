// Which parts of a record are shown to whom.
import { maskedId } from '../templates/national-ids.ts'
import type { Variables } from '../templates/variables.ts'

/** The values for the texts on a board, which every viewer sees: masked. */
export function shownVariables(variables: Variables, masked: readonly string[]): Record<string, string> {
  const shown: Record<string, string> = {}
  for (const [name, value] of Object.entries(masksOf(variables, masked)))
    shown[name] = typeof value === 'boolean' ? (value ? 'yes' : 'no') : String(value)
  return shown
}

/** Only people with an account who may change them see full national ids. */
export const masksOf = (variables: Variables, masked: readonly string[]): Variables => ({
  ...variables,
  ...Object.fromEntries(
    masked.flatMap((name) =>
      variables[name] === undefined ? [] : [[name, maskedId(String(variables[name]))]],
    ),
  ),
})
