import { SignJWT, UnsecuredJWT } from 'jose'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { looksLikeTicket, makeTicket, readTicket, ticketKeyOf } from '../../server/accounts/tickets.ts'
import type { Identity } from '../../server/principal.ts'

const board = '0b9a1f3e-6a0b-4a3b-9a52-2f4a5f6f7a10'
const otherBoard = '11111111-6a0b-4a3b-9a52-2f4a5f6f7a10'
const key = ticketKeyOf('a secret of at least thirty-two characters')
const nowMs = Date.UTC(2026, 0, 1)
const hourMs = 3_600_000

const ada: Identity = {
  principal: { kind: 'user', userId: 7, name: 'Ada', role: 'user' },
  via: 'session',
  sessionId: '31',
  boardId: null,
  maxLevel: null,
}
const guest: Identity = {
  ...ada,
  principal: { kind: 'guest', guestId: otherBoard, name: 'Gast' },
  via: 'guest',
  sessionId: null,
}
const nobody: Identity = { ...guest, principal: { kind: 'anonymous', id: 'x' }, via: 'anonymous' }

const tickets = suite('tickets')

tickets('contain the person, the board, the session and the cap, and may be used again', async () => {
  const { ticket, expiresAt } = await makeTicket(key, ada, { boardId: board, maxLevel: 'comment', nowMs })
  const claims = {
    subject: { kind: 'user', userId: 7 },
    boardId: board,
    sessionId: '31',
    maxLevel: 'comment',
  }
  assert.equal(readTicket(key, ticket, board, nowMs), claims)
  assert.equal(readTicket(key, ticket, board.toUpperCase(), nowMs), claims)
  assert.is(expiresAt.getTime(), nowMs + 12 * hourMs)
  assert.ok(looksLikeTicket(ticket))
})

tickets('are issued for guests and for anonymous people', async () => {
  const forGuest = await makeTicket(key, guest, { boardId: board, nowMs })
  const forNobody = await makeTicket(key, nobody, { boardId: board, nowMs })
  const bare = { boardId: board, sessionId: null, maxLevel: null }
  assert.equal(readTicket(key, forGuest.ticket, board, nowMs), {
    ...bare,
    subject: { kind: 'guest', guestId: otherBoard },
  })
  assert.equal(readTicket(key, forNobody.ticket, board, nowMs), {
    ...bare,
    subject: { kind: 'anonymous' },
  })
})

tickets('expire', async () => {
  const { ticket } = await makeTicket(key, ada, { boardId: board, expiresInS: 60, nowMs })
  assert.type(readTicket(key, ticket, board, nowMs + 59_000), 'object')
  assert.is(readTicket(key, ticket, board, nowMs + 60_000), 'expired')
})

tickets('never live longer than a day, however they were requested or signed', async () => {
  const { expiresAt } = await makeTicket(key, ada, { boardId: board, expiresInS: 1e9, nowMs })
  assert.is(expiresAt.getTime(), nowMs + 24 * hourMs)
  const long = await new SignJWT({ board })
    .setProtectedHeader({ alg: 'HS256', typ: 'boardroom-ticket' })
    .setSubject('user:7')
    .setAudience('boardroom')
    .setIssuedAt(nowMs / 1000)
    .setExpirationTime(nowMs / 1000 + 1e6)
    .sign(key)
  assert.is(readTicket(key, long, board, nowMs), 'malformed')
})

tickets('are accepted by a node whose clock is behind', async () => {
  const { ticket } = await makeTicket(key, ada, { boardId: board, nowMs })
  assert.type(readTicket(key, ticket, board, nowMs - 5000), 'object')
})

tickets('open no other board', async () => {
  const { ticket } = await makeTicket(key, ada, { boardId: board, nowMs })
  assert.is(readTicket(key, ticket, otherBoard, nowMs), 'other_board')
  assert.is(readTicket(key, ticket, null, nowMs), 'other_board')
})

tickets('are invalid once a bit is changed, or with another secret', async () => {
  const { ticket } = await makeTicket(key, ada, { boardId: board, nowMs })
  const [header = '', , signature = ''] = ticket.split('.')
  const forged = Buffer.from(
    JSON.stringify({ sub: 'user:1', board, aud: 'boardroom', iat: nowMs / 1000, exp: nowMs / 1000 + 60 }),
  )
  assert.is(
    readTicket(key, `${header}.${forged.toString('base64url')}.${signature}`, board, nowMs),
    'malformed',
  )
  assert.is(
    readTicket(ticketKeyOf('another secret of thirty-two characters'), ticket, board, nowMs),
    'malformed',
  )
})

tickets('are not accepted without a signature (alg none)', async () => {
  const unsigned = new UnsecuredJWT({ board })
    .setSubject('user:1')
    .setAudience('boardroom')
    .setIssuedAt(nowMs / 1000)
    .setExpirationTime(nowMs / 1000 + 60)
    .encode()
  const [, payload] = unsigned.split('.')
  const header = Buffer.from(JSON.stringify({ alg: 'none', typ: 'boardroom-ticket' })).toString('base64url')
  assert.is(readTicket(key, unsigned, board, nowMs), 'malformed')
  assert.is(readTicket(key, `${header}.${payload}.`, board, nowMs), 'malformed')
})

tickets('are refused if our key signed them for another purpose', async () => {
  const sign = (typ: string, claims: Record<string, unknown>) =>
    new SignJWT({
      board,
      sub: 'user:7',
      aud: 'boardroom',
      iat: nowMs / 1000,
      exp: nowMs / 1000 + 60,
      ...claims,
    })
      .setProtectedHeader({ alg: 'HS256', typ })
      .sign(key)
  assert.type(readTicket(key, await sign('boardroom-ticket', {}), board, nowMs), 'object')
  assert.is(readTicket(key, await sign('JWT', {}), board, nowMs), 'malformed')
  assert.is(readTicket(key, await sign('boardroom-ticket', { aud: 'x' }), board, nowMs), 'malformed')
  assert.is(readTicket(key, await sign('boardroom-ticket', { sub: 'root' }), board, nowMs), 'malformed')
  assert.is(readTicket(key, await sign('boardroom-ticket', { sub: 'user:1e3' }), board, nowMs), 'malformed')
  assert.is(readTicket(key, await sign('boardroom-ticket', { board: 5 }), board, nowMs), 'malformed')
})

tickets('handle any garbage', async () => {
  for (const rubbish of ['', '.', '..', 'a.b.c', '\u0000', 'x'.repeat(10_000), '{"alg":"HS256"}']) {
    assert.is(readTicket(key, rubbish, board, nowMs), 'malformed', rubbish.slice(0, 20))
    assert.not(looksLikeTicket(rubbish))
  }
})

tickets('cannot issue tickets, or a stolen one would never expire', async () => {
  const error = await makeTicket(key, { ...ada, via: 'ticket', boardId: board }, { boardId: board }).catch(
    (e: unknown) => e,
  )
  assert.match(String(error), /a ticket cannot create another one/)
})

tickets.run()
