// The connection from a server to its database, which a test can cut and restore.
import pg from 'pg'
import { Way } from './way.ts'

export class DatabaseWay extends Way {
  /**
   * Once for each address of the database (Postgres, its pooler). @returns the same database through this connection
   */
  async open(url: string): Promise<string> {
    const { host, port, user, password, database } = new pg.Client({ connectionString: url })
    const led = await this.lead(host.startsWith('/') ? { path: `${host}/.s.PGSQL.${port}` } : { host, port })
    return `postgres://${user}${password ? `:${password}` : ''}@127.0.0.1:${led}/${database}`
  }
}
