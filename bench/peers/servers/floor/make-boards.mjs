// Creates the boards of a benchmark on floor-committed: one name per line in, `name<TAB>url` out.
import { readFileSync } from 'node:fs'
import pg from 'pg'

const { DATA_DIR, PORT } = process.env
const names = readFileSync(0, 'utf8').split('\n').filter(Boolean)
const client = new pg.Client(readFileSync(`${DATA_DIR}/floor-database`, 'utf8'))
await client.connect()
await client.query(`insert into sessions values ('ticket', 1, now() + interval '1 day')`)
await client.query(`insert into permissions select unnest($1::text[]), 1, 'edit'`, [names])
await client.end()
for (const name of names) console.log(`${name}\tws://127.0.0.1:${PORT}/${name}?ticket=ticket`)
