// One connection of the pool for work that needs the same one throughout: a transaction by hand, a COPY.
import type { Pool, PoolClient } from 'pg'

const ignore = () => undefined

/** Runs `work` on a connection; where it fails, the connection is thrown away with whatever is open on it. */
export async function withClient<Result>(
  pool: Pool,
  work: (client: PoolClient) => Promise<Result>,
): Promise<Result> {
  const client = await pool.connect()
  client.on('error', ignore) // one that dies between two statements: the next statement says so
  let failure: Error | undefined
  try {
    return await work(client)
  } catch (error) {
    failure = error instanceof Error ? error : new Error(String(error))
    throw error
  } finally {
    client.off('error', ignore)
    client.release(failure)
  }
}
