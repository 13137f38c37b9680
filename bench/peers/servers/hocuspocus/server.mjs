// Hocuspocus with its defaults, unless FLUSH_DELAY (ms, or "false") is set. Its Database extension
// stores boards in SQLite with the statements of its SQLite extension, but through node:sqlite,
// because better-sqlite3 needs a native build. With REDIS_PORT it is one of several nodes, by the extension for that.
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { Database } from '@hocuspocus/extension-database'
import { Redis } from '@hocuspocus/extension-redis'
import { Server } from '@hocuspocus/server'

const { DATA_DIR, FLUSH_DELAY, PORT, REDIS_PORT } = process.env
const sqlite = new DatabaseSync(join(DATA_DIR, 'hocuspocus.sqlite'))
sqlite.exec('PRAGMA busy_timeout = 5000')
sqlite.exec(
  'CREATE TABLE IF NOT EXISTS documents (name varchar(255) NOT NULL, data blob NOT NULL, UNIQUE(name))',
)
const select = sqlite.prepare('SELECT data FROM documents WHERE name = ? ORDER BY rowid DESC')
const insert = sqlite.prepare(
  'INSERT INTO documents (name, data) VALUES (?, ?) ON CONFLICT(name) DO UPDATE SET data = excluded.data',
)

const options = {
  address: '127.0.0.1',
  port: Number(PORT),
  quiet: true,
  extensions: [
    new Database({
      fetch: async ({ documentName }) => select.get(documentName)?.data ?? null,
      store: async ({ documentName, state }) => {
        insert.run(documentName, state)
      },
    }),
    ...(REDIS_PORT === undefined ? [] : [new Redis({ host: '127.0.0.1', port: Number(REDIS_PORT) })]),
  ],
}
if (FLUSH_DELAY !== undefined) options.flushDelay = FLUSH_DELAY === 'false' ? false : Number(FLUSH_DELAY)

await new Server(options).listen()
