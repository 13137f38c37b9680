// What of a record who sees.
import { maskedId } from '../templates/national-ids.ts'
import type { Variables } from '../templates/variables.ts'

/** The values as people read them on a board, where everybody who may look sees them: masked. */
export function shownVariables(variables: Variables, masked: readonly string[]): Record<string, string> {
  const shown: Record<string, string> = {}
  for (const [name, value] of Object.entries(masksOf(variables, masked)))
    shown[name] = typeof value === 'boolean' ? (value ? 'yes' : 'no') : String(value)
  return shown
}

/** National ids are whole for people with an account who may change them. */
export const masksOf = (variables: Variables, masked: readonly string[]): Variables => ({
  ...variables,
  ...Object.fromEntries(
    masked.flatMap((name) =>
      variables[name] === undefined ? [] : [[name, maskedId(String(variables[name]))]],
    ),
  ),
})
