// Behind a real nginx that compresses what it can: event streams arrive as they are written, sockets pass, and nobody
// can read the metrics of the process through it.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { MessageType } from '../../shared/protocol.ts'
import { balancesByBoard } from '../helpers/by-board.ts'
import { eventually } from '../helpers/eventually.ts'
import { draw } from '../helpers/guests.ts'
import { natsProgram } from '../helpers/nats.ts'
import { findNginx, withNginx, withNginxBalancing } from '../helpers/nginx.ts'
import { RawClient } from '../helpers/raw-client.ts'
import { withServer } from '../helpers/server.ts'

const behind = suite('behind nginx')
const test = findNginx() === null ? behind.skip : behind
if (findNginx() === null) console.log('left out: no nginx here (apt-get install nginx-light)')

test('event streams come as they are written, over HTTP/1.0 and 1.1 to the server, with gzip on', () =>
  withServer(
    async ({ user, port }) => {
      const ada = await user('Ada', 'admin')
      const board = await ada.board('Old')
      await withNginx(port, async ({ origin, plainOrigin }) => {
        for (const way of [origin, plainOrigin]) {
          const json = await fetch(`${way}/api/boards/${board}`, { headers: { cookie: ada.cookie } })
          assert.is(json.headers.get('content-encoding'), 'gzip', 'it does compress other answers')
          for (const path of [
            `/api/boards/${board}/events`,
            `/api/boards/${board}/audit/stream`,
            '/api/audit/stream',
          ]) {
            const stream = await follow(`${way}${path}`, ada.cookie)
            const title = `${path} ${way}`
            assert.is((await ada.ask('PATCH', `/api/boards/${board}`, { title })).status, 200)
            await stream.until(title)
            await stream.cancel()
          }
        }
      })
    },
    { trustedProxies: ['127.0.0.1/32'] },
  ))

test('sockets pass, the trail names who came and not the proxy, and /metrics answers nobody', () =>
  withServer(
    async ({ user, port, ask, db }) => {
      const ada = await user('Ada')
      const board = await ada.board()
      const ticket = await ada.ticket(board)
      await withNginx(port, async ({ origin, plainOrigin }) => {
        const client = new RawClient(`${origin.replace('http', 'ws')}/ws/${board}`, {
          ticket,
          headers: { 'x-forwarded-for': '198.51.100.7' }, // from one more proxy, also on this machine
        })
        await client.message(MessageType.hello)
        await draw(client, 'drawn')
        client.close()
        const access = await eventually(() =>
          db.selectFrom('audit_logs').select('ip_address').where('action', '=', 'access').executeTakeFirst(),
        )
        assert.is(access.ip_address, '198.51.100.7')
        for (const way of [origin, plainOrigin]) assert.is((await fetch(`${way}/metrics`)).status, 403, way)
        assert.is((await ask('GET', '/metrics')).status, 200)
      })
    },
    { trustedProxies: ['127.0.0.1/32'] },
  ))

const balanced = natsProgram === null ? behind.skip : test
if (natsProgram === null) console.log('# skipped 1: no nats-server is installed')

balanced('balanced by board, all of a board are on one node, and on the other when that one goes', () =>
  balancesByBoard(withNginxBalancing),
)

behind.run()

/** An event stream as a browser requests it. Resolves once it has begun, which a buffering proxy would prevent. */
async function follow(url: string, cookie: string) {
  const gone = new AbortController()
  const answer = await fetch(url, { headers: { cookie, 'accept-encoding': 'gzip' }, signal: gone.signal })
  assert.is(answer.status, 200)
  const reader = answer.body?.pipeThrough(new TextDecoderStream()).getReader()
  let text = ''
  const until = async (expected: string): Promise<void> => {
    while (!text.includes(expected)) {
      const part = await reader?.read()
      if (part === undefined || part.done) throw new Error(`ended after ${text}`)
      text += part.value
    }
  }
  await until(': begins')
  return { until, cancel: async () => gone.abort() }
}
