// Statements that are asked so often that planning them costs more than answering: what a join asks is planned in 2 ms.
// Postgres keeps their plans, by name and connection.
import { createHash } from 'node:crypto'
import { sql } from 'kysely'

const mark = '/* prepared */'

/**
 * Marks a statement, anywhere in its text, as one whose plan is kept. Its text is the same every time, with everything
 * that differs in parameters; it names the columns it returns; and its plan without the parameters is a good one
 * (`explain (generic_plan)`).
 */
export const prepared = sql.raw(mark)

/** The names of the marked statements of one pool. */
export class PreparedStatements {
  readonly #names = new Map<string, string>()
  #isOff: boolean

  /** @param isOff behind a pooler, which may lead a statement to a connection that does not know it. */
  constructor(isOff: boolean) {
    this.#isOff = isOff
  }

  /** @returns undefined where the statement is not to be kept. */
  nameOf(text: string): string | undefined {
    if (this.#isOff || !text.includes(mark)) return undefined
    const known = this.#names.get(text)
    if (known !== undefined) return known
    // From the text itself: several servers may share an embedder's pool.
    const name = `boardroom_${createHash('sha256').update(text).digest('hex').slice(0, 24)}`
    this.#names.set(text, name)
    return name
  }

  /** @returns whether `error` says that plans cannot be kept here; from then on none is. */
  notices(error: unknown): boolean {
    const isFault = error instanceof Error && 'code' in error && faults.includes(String(error.code))
    this.#isOff ||= isFault
    return isFault
  }
}

/**
 * 26000, 42P05: a pooler nobody knew of has led it to a connection that does not know it, or to one that does. 0A000: a
 * newer version has changed the columns of a table meanwhile. Nothing was carried out.
 */
const faults = ['26000', '42P05', '0A000']
