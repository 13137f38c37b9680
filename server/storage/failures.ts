// Tells apart why a statement failed: because of the database (retry later) or because of the rows (never retry).
import { BoardroomError } from '../errors.ts'

const sqlStateOf = (error: unknown): string | null =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : null

/**
 * SQLSTATE 22 (data), 23 (constraint), 54 (a limit of the database), P0 (raised by a trigger): these rows will never be
 * accepted. Everything else, including errors without SQLSTATE, may succeed later.
 */
export const isRefusal = (error: unknown): boolean => /^(22|23|54|P0)...$/.test(sqlStateOf(error) ?? '')

/** SQLSTATE 23503: the referenced row does not exist (any more). */
export const isMissingReference = (error: unknown): boolean => sqlStateOf(error) === '23503'

/** Any error of a query as a BoardroomError. */
export const asUnreachable = (error: unknown): BoardroomError =>
  error instanceof BoardroomError
    ? error
    : new BoardroomError('database_unreachable', 'the database does not answer; try again', { cause: error })

/** SQLSTATE 26000, 42P05: a pooler sent a prepared statement to a connection that lacks it, or that already has it. */
export const isPoolerError = (error: unknown): boolean => ['26000', '42P05'].includes(sqlStateOf(error) ?? '')
