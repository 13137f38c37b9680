// Connections of a test's own. A pool calls itself ended before its connections are closed, so whoever drops the database
// after that may still end one of them: unheard, that would end the process.
import pg from 'pg'

export const testPool = (config: pg.PoolConfig): pg.Pool => heard(new pg.Pool(config))

/** For one that must have no listener before. */
export const endPool = (pool: pg.Pool): Promise<void> => heard(pool).end()

const heard = (pool: pg.Pool): pg.Pool => pool.on('error', () => undefined)
