import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { isHttps, isOurOrigin, publicUrlOf } from '../../server/http/origins.ts'

const rules = { publicUrl: undefined, allowedOrigins: [], host: '127.0.0.1', port: 4400 }
const origins = suite('which origins are ours')

origins('accepts localhost, 127.0.0.1, [::1] and HOST with our port', () => {
  const ours = [
    'http://localhost:4400',
    'http://127.0.0.1:4400',
    'http://[::1]:4400',
    'http://boards.lan:4400',
  ]
  for (const origin of ours) assert.ok(isOurOrigin({ ...rules, host: 'boards.lan' }, origin), origin)
})

origins('refuses the same hosts with another port', () => {
  for (const origin of ['http://localhost:3000', 'http://127.0.0.1', 'http://[::1]:4401']) {
    assert.not(isOurOrigin(rules, origin, 'localhost:4400'), origin)
  }
})

origins('accepts the public URL and the allowed origins whatever their case, default port or path', () => {
  const own = {
    ...rules,
    publicUrl: 'https://Boards.example.org/app/',
    allowedOrigins: ['https://app.example:443'],
  }
  assert.ok(isOurOrigin(own, 'https://boards.example.org'))
  assert.ok(isOurOrigin(own, 'https://app.example'))
  assert.not(isOurOrigin(own, 'http://boards.example.org'), 'another scheme')
  assert.not(isOurOrigin(own, 'https://boards.example.org.evil.example'))
  assert.not(isOurOrigin(own, 'https://evil.boards.example.org'))
})

origins('accepts no local page over http if people use https', () => {
  const own = { ...rules, publicUrl: 'https://boards.example.org' }
  for (const origin of ['http://localhost:4400', 'http://127.0.0.1:4400', 'http://[::1]:4400'])
    assert.not(isOurOrigin(own, origin, new URL(origin).host), origin)
  assert.ok(isOurOrigin({ ...own, allowedOrigins: ['http://localhost:4400'] }, 'http://localhost:4400'))
})

origins('accepts a LAN address if the request was sent to that very address', () => {
  assert.ok(isOurOrigin(rules, 'http://192.168.1.20:4400', '192.168.1.20:4400'))
  assert.ok(isOurOrigin(rules, 'http://[fd00::5]:4400', '[fd00::5]:4400'))
  assert.ok(isOurOrigin(rules, 'http://localhost:8080', 'localhost:8080'), 'a forwarded port')
  assert.not(isOurOrigin(rules, 'http://192.168.1.20:3000', '192.168.1.20:4400'))
  assert.not(isOurOrigin(rules, 'http://192.168.1.21:4400', '192.168.1.20:4400'))
})

origins('refuses a name that equals Host, because DNS rebinding makes any name point here', () => {
  assert.not(isOurOrigin(rules, 'http://rebound.example:4400', 'rebound.example:4400'))
})

origins('refuses a missing origin, the opaque one and anything that is not a web origin', () => {
  for (const origin of [
    undefined,
    null,
    '',
    'null',
    'file://',
    'localhost:4400',
    'http://u:p@localhost:4400',
    'javascript:1',
  ]) {
    assert.not(isOurOrigin(rules, origin, 'localhost:4400'), String(origin))
  }
})

origins('accepts an IPv6 HOST', () =>
  assert.ok(isOurOrigin({ ...rules, host: 'fd00::5' }, 'http://[fd00::5]:4400')),
)

origins('names the public URL, else the address that was typed, else localhost', () => {
  assert.is(
    publicUrlOf({ ...rules, publicUrl: 'https://x.example/b/' }, '10.0.0.1:4400'),
    'https://x.example/b',
  )
  assert.is(publicUrlOf(rules, '10.0.0.1:4400'), 'http://10.0.0.1:4400')
  assert.is(publicUrlOf(rules, 'evil.example'), 'http://localhost:4400')
  assert.is(publicUrlOf(rules), 'http://localhost:4400')
})

origins('treats a server as https according to its public URL', () => {
  assert.ok(isHttps({ ...rules, publicUrl: 'https://x.example' }))
  assert.not(isHttps(rules))
})

origins.run()
