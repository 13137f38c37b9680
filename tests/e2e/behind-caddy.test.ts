// Behind a real Caddy that balances several nodes as docs/proxy.md shows it.
import { suite } from 'uvu'
import { balancesByBoard } from '../helpers/by-board.ts'
import { findCaddy, withCaddyBalancing } from '../helpers/caddy.ts'
import { hasNats } from '../helpers/nats.ts'

const behind = suite('behind Caddy')
const test = findCaddy() === null ? behind.skip : behind
if (findCaddy() === null) console.log('left out: no Caddy here (apt-get install caddy)')

test('balanced by board, all of a board are on one node, and on the other when that one goes', () =>
  balancesByBoard(withCaddyBalancing))

if (hasNats(1)) behind.run()
