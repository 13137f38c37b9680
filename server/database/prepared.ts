// Prepared statements for frequent queries whose planning costs more than their execution: planning those of a join takes
// 2 ms. Postgres keeps their plans by name and connection.
import { createHash } from 'node:crypto'
import { sql } from 'kysely'

const mark = '/* prepared */'

/**
 * Marks a statement, anywhere in its text, as one whose plan is kept. Its text must always be the same, with everything
 * variable in parameters; it must name the columns it returns; and its generic plan must be good
 * (`explain (generic_plan)`).
 */
export const prepared = sql.raw(mark)

/** The names of the marked statements of one pool. */
export class PreparedStatements {
  readonly #names = new Map<string, string>()
  #isOff: boolean

  /** @param isOff behind a pooler, which may route a statement to a connection that does not know it. */
  constructor(isOff: boolean) {
    this.#isOff = isOff
  }

  /** @returns undefined if the statement is not marked. */
  nameOf(text: string): string | undefined {
    if (this.#isOff || !text.includes(mark)) return undefined
    const known = this.#names.get(text)
    if (known !== undefined) return known
    // From the text itself: several servers may share an embedder's pool.
    const name = `boardroom_${createHash('sha256').update(text).digest('hex').slice(0, 24)}`
    this.#names.set(text, name)
    return name
  }

  /** @returns whether `error` means that plans cannot be kept here; from then on none are. */
  notices(error: unknown): boolean {
    const isFault = error instanceof Error && 'code' in error && faults.includes(String(error.code))
    this.#isOff ||= isFault
    return isFault
  }
}

/**
 * 26000, 42P05: an undetected pooler routed it to a connection that does not know it, or one that already does. 0A000: a
 * newer version has changed the columns of a table. Nothing was executed.
 */
const faults = ['26000', '42P05', '0A000']
