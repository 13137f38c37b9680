// Hocuspocus with its defaults, unless FLUSH_DELAY (ms, or "false") is set. Its Database extension
// stores boards in SQLite with the statements of its SQLite extension, but through node:sqlite,
// because better-sqlite3 needs a native build.
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { Database } from '@hocuspocus/extension-database'
import { Server } from '@hocuspocus/server'

const { DATA_DIR, FLUSH_DELAY, PORT } = process.env
const sqlite = new DatabaseSync(join(DATA_DIR, 'hocuspocus.sqlite'))
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
  ],
}
if (FLUSH_DELAY !== undefined) options.flushDelay = FLUSH_DELAY === 'false' ? false : Number(FLUSH_DELAY)

await new Server(options).listen()
