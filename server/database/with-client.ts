// Runs work that needs the same pool connection throughout: a manual transaction, a COPY.
import type { Pool, PoolClient } from 'pg'

const ignore = () => undefined

/** Runs `work` on a connection; if it fails, the connection is discarded together with any open transaction. */
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
