// Whose fault a failed statement is: the database's (try again later) or the rows' (never try those again).
import { BoardroomError } from '../errors.ts'

const sqlStateOf = (error: unknown): string | null =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : null

/**
 * SQLSTATE 22 (data), 23 (constraint), 54 (a limit of the database), P0 (raised by a trigger): these rows will never
 * be taken. Everything else, also what has no SQLSTATE, may pass another time.
 */
export const isRefusal = (error: unknown): boolean => /^(22|23|54|P0)...$/.test(sqlStateOf(error) ?? '')

/** SQLSTATE 23503: the row that this one refers to is not there (any more). */
export const isMissingReference = (error: unknown): boolean => sqlStateOf(error) === '23503'

/** Any error of a query as one that callers know. */
export const asUnreachable = (error: unknown): BoardroomError =>
  error instanceof BoardroomError
    ? error
    : new BoardroomError('database_unreachable', 'the database does not answer; try again', { cause: error })

/** SQLSTATE 26000, 42P05: a pooler has led a prepared statement to a connection that does not know it, or to one that does. */
export const isPoolersFault = (error: unknown): boolean =>
  ['26000', '42P05'].includes(sqlStateOf(error) ?? '')
