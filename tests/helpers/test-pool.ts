// A test's own connections. A pool reports that it has ended before its connections are closed, so dropping the
// database after that may still end one of them: without a listener, that would end the process.
import pg from 'pg'

export const testPool = (config: pg.PoolConfig): pg.Pool => heard(new pg.Pool(config))

/** For one that must not have a listener before. */
export const endPool = (pool: pg.Pool): Promise<void> => heard(pool).end()

const heard = (pool: pg.Pool): pg.Pool => pool.on('error', () => undefined)
