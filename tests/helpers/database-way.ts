// The way from a server to its database, which a test can cut and open again.
import pg from 'pg'
import { Way } from './way.ts'

export class DatabaseWay extends Way {
  /** For each address of the database (Postgres, its pooler) once. @returns the same database by this way */
  async open(url: string): Promise<string> {
    const { host, port, user, password, database } = new pg.Client({ connectionString: url })
    const led = await this.lead(host.startsWith('/') ? { path: `${host}/.s.PGSQL.${port}` } : { host, port })
    return `postgres://${user}${password ? `:${password}` : ''}@127.0.0.1:${led}/${database}`
  }
}
