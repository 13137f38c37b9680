// JWTs of another sign-in system, over HTTP and on sockets: the valid ones, and every kind of invalid one.
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { foreignTokens, type JwksTimes } from '../../server/accounts/foreign-tokens.ts'
import type { BoardroomOptions } from '../../server/boardroom.ts'
import { configWith } from '../../server/config.ts'
import { BoardroomError } from '../../server/errors.ts'
import { withDatabase } from '../helpers/database.ts'
import { eventually } from '../helpers/eventually.ts'
import { type TestServer, withServer } from '../helpers/server.ts'

type KeyPair = Awaited<ReturnType<typeof generateKeyPair>>

const issuer = 'https://id.example.org'
const audience = 'boards'
const secret = 'a secret that two servers share, 32+'
const nowS = () => Math.floor(Date.now() / 1000)

/** @param change.undefined removes a claim. */
const claims = (change: Record<string, unknown> = {}): JWTPayload =>
  JSON.parse(
    JSON.stringify({
      iss: issuer,
      aud: audience,
      sub: 'u-1',
      name: 'Una',
      iat: nowS(),
      exp: nowS() + 300,
      ...change,
    }),
  )

const signed = (change: Record<string, unknown> = {}, key = secret, alg = 'HS256') =>
  new SignJWT(claims(change)).setProtectedHeader({ alg }).sign(new TextEncoder().encode(key))

const base64 = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')

const asks = async ({ ask }: TestServer, token: string, path = '/api/me') => {
  const { status, body } = await ask('GET', path, undefined, { authorization: `Bearer ${token}` })
  return { status, body, code: body.error?.code, message: body.error?.message as string | undefined }
}

const shared: Partial<BoardroomOptions> = { jwtIssuer: issuer, jwtAudience: [audience], jwtSecret: secret }
const tokens = suite('a token of another issuer')

tokens('identifies people over HTTP and on a socket, and every invalid one is refused with its reason', () =>
  withServer(async (server) => {
    const { boardroom, db, open, raw } = server
    const token = await signed()
    const me = await asks(server, token)
    assert.equal([me.status, me.body.name, me.body.role], [200, 'Una', 'user'])

    const una = { externalId: 'u-1', name: 'Una', issuer }
    const board = await boardroom.boards.create({ owner: una })
    const client = await open(board, { ticket: token })
    client.doc.getMap('notes').set('a', 1)
    await eventually(async () => (await boardroom.connections.list(board)).length === 1)
    assert.is((await boardroom.connections.list(board))[0]?.principal.name, 'Una')
    client.stop()
    const byHeader = await raw(board, { headers: { authorization: `Bearer ${token}` } })
    await eventually(async () => (await boardroom.connections.list(board)).length === 1)
    byHeader.terminate()
    assert.is((await asks(server, token, `/api/boards/${board}/permissions`)).status, 200, 'as its owner')

    // Grants by the issuer's own ids, among its people.
    await signed({ sub: 'u-2', name: 'Ulf' }).then((other) => asks(server, other))
    const granted = await server.ask(
      'POST',
      `/api/boards/${board}/permissions`,
      { external_id: 'u-2', level: 'view' },
      { authorization: `Bearer ${token}` },
    )
    assert.is(granted.status, 201, JSON.stringify(granted.body))

    const [header = '', payload = '', signature = ''] = token.split('.')
    const last = signature.at(-2) === 'A' ? 'B' : 'A'
    const bad: [what: string, token: string, reason: RegExp][] = [
      ['expired', await signed({ exp: nowS() - 60 }), /expired/],
      ['without an end', await signed({ exp: undefined }), /exp/],
      ['not valid yet', await signed({ nbf: nowS() + 120 }), /not valid yet/],
      ['of another issuer', await signed({ iss: 'https://other.example.org' }), /iss/],
      ['for another audience', await signed({ aud: 'shop' }), /aud/],
      ['for no audience', await signed({ aud: undefined }), /aud/],
      ['of nobody', await signed({ sub: undefined }), /sub/],
      ['of an empty id', await signed({ sub: '' }), /sub/],
      ['of an object', await signed({ sub: { id: 1 } }), /sub/],
      ['signed by another secret', await signed({}, 'some other secret of the right length'), /signature/],
      ['tampered with', `${header}.${base64(claims({ sub: 'u-9' }))}.${signature}`, /signature/],
      ['with a changed signature', `${header}.${payload}.${signature.slice(0, -2)}${last}A`, /signature/],
      ['unsigned', `${base64({ alg: 'none' })}.${payload}.`, /HS256/],
      ['saying an algorithm of key pairs', `${base64({ alg: 'RS256' })}.${payload}.${signature}`, /HS256/],
      ['too long', await signed({ more: 'x'.repeat(9000) }), /8192/],
    ]
    for (const [what, wrong, reason] of bad) {
      const answer = await asks(server, wrong)
      assert.equal([answer.status, answer.code], [401, 'not_signed_in'], what)
      assert.match(answer.message ?? '', reason, what)
      if (wrong.length < 4000)
        assert.is(await (await open(board, { ticket: wrong, waitFor: 'closed' })).closed, 4401, what)
    }
    const denied = await asks(server, bad[0]?.[1] ?? '', `/api/boards/${board}`)
    assert.is(denied.status, 401)
    await eventually(async () => (await server.actions(board)).includes('access_denied'))

    assert.is(
      (await asks(server, await signed({ exp: nowS() - 10 }))).status,
      200,
      'clocks may differ a little',
    )
    const odd = await asks(server, await signed({ sub: 77, name: '\u202eadmin\u0007\u2066' }))
    assert.equal([odd.status, odd.body.name], [200, 'admin'], 'a name has no marks of direction, no controls')
    const nameless = await asks(server, await signed({ sub: 'u-3', name: undefined }))
    assert.is(nameless.body.name, 'u-3')

    await db.updateTable('users').set({ is_active: false }).where('external_id', '=', 'u-1').execute()
    assert.equal((await asks(server, token)).code, 'not_signed_in', 'deactivated here')
  }, shared),
)

tokens('leaves other tokens to an embedder’s authenticate', () =>
  withServer(
    async (server) => {
      assert.is((await asks(server, await signed())).body.name, 'Una')
      const other = await asks(server, await signed({ iss: 'https://embedder.example.org' }))
      assert.is(other.body.name, 'Theirs')
    },
    {
      ...shared,
      authenticate: ({ headers }) =>
        headers.authorization === undefined ? null : { externalId: 't', name: 'Theirs' },
    },
  ),
)

/**
 * A key server that can be switched between answering, answering slowly, failing, sending nothing and sending half.
 */
async function withKeyServer(
  work: (keys: {
    url: string
    publish(keys: object[]): void
    behave(how: 'well' | 'slowly' | 'broken' | 'silent' | 'half'): void
    asked(): number
    /** Requests that the client has abandoned. */
    givenUp(): number
  }) => Promise<void>,
) {
  let keys: object[] = []
  let how = 'well'
  let asked = 0
  let givenUp = 0
  const server = createServer((_, response) => {
    asked++
    response.on('close', () => {
      if (!response.writableFinished) givenUp++
    })
    const body = JSON.stringify({ keys })
    const head = { 'content-type': 'application/json', 'content-length': body.length }
    if (how === 'broken') response.writeHead(500).end()
    else if (how === 'half') response.writeHead(200, head).write(body.slice(0, 5))
    else if (how === 'slowly') setTimeout(() => response.writeHead(200, head).end(body), 100)
    else if (how === 'well') response.writeHead(200, head).end(body)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo // a TCP port was requested
  try {
    await work({
      url: `http://127.0.0.1:${port}/jwks`,
      publish: (next) => (keys = next),
      behave: (next) => (how = next),
      asked: () => asked,
      givenUp: () => givenUp,
    })
  } finally {
    server.closeAllConnections()
    server.close()
  }
}

tokens('is verified with the keys that its issuer publishes, which may be unavailable for a while', () =>
  withKeyServer((keys) =>
    withServer(
      async (server) => {
        const pair = await generateKeyPair('ES256')
        const stranger = await generateKeyPair('ES256')
        const jwk = { ...(await exportJWK(pair.publicKey)), kid: 'one', alg: 'ES256' }
        const by = (privateKey: KeyPair['privateKey'], kid = 'one') =>
          new SignJWT(claims()).setProtectedHeader({ alg: 'ES256', kid }).sign(privateKey)
        keys.publish([jwk])
        keys.behave('broken')
        const away = await asks(server, await by(pair.privateKey))
        assert.equal([away.status, away.code], [503, 'issuer_unreachable'])
        const board = await server.boardroom.boards.create({})
        const token = await by(pair.privateKey)
        assert.is(await (await server.open(board, { ticket: token, waitFor: 'closed' })).closed, 4503)
        keys.behave('well')
        assert.is((await asks(server, token)).status, 200)
        keys.behave('broken')
        assert.is((await asks(server, token)).status, 200, 'keys that are known serve on')

        const asked = keys.asked()
        for (const unknown of ['two', 'three', 'four']) {
          const answer = await asks(server, await by(stranger.privateKey, unknown))
          assert.equal([answer.status, answer.code], [401, 'not_signed_in'], 'an unknown key')
        }
        assert.is(keys.asked(), asked, 'strangers do not make us ask again and again')
        assert.match((await asks(server, await by(stranger.privateKey))).message ?? '', /signature/)
        // The published key is public: it must not work as a shared secret.
        const confused = await new SignJWT(claims())
          .setProtectedHeader({ alg: 'HS256', kid: 'one' })
          .sign(new TextEncoder().encode(JSON.stringify(jwk)))
        assert.match(
          (await asks(server, confused)).message ?? '',
          /expected a token signed with one of RS256/,
        )
      },
      { jwtIssuer: issuer, jwtAudience: [audience], jwtJwksUrl: keys.url },
    ),
  ),
)

const publishedBy = async (kid: string) => {
  const { privateKey, publicKey } = await generateKeyPair('ES256')
  return {
    jwk: { ...(await exportJWK(publicKey)), kid, alg: 'ES256' },
    sign: (header: Record<string, unknown> = {}) =>
      new SignJWT(claims()).setProtectedHeader({ alg: 'ES256', kid, ...header }).sign(privateKey),
  }
}

const withTimes = (times: JwksTimes, work: (cast: TimesCast) => Promise<void>) =>
  withKeyServer((keys) =>
    withDatabase(async ({ db }) => {
      const settings = { jwtIssuer: issuer, jwtAudience: [audience], jwtJwksUrl: keys.url }
      const theirs = foreignTokens(db, configWith(settings), times)
      await work({
        keys,
        async outcome(token) {
          const before = Date.now()
          const said = await theirs?.identify(token).then(
            () => 'known',
            (error: unknown) => (error instanceof BoardroomError ? error.code : String(error)),
          )
          return { said, tookMs: Date.now() - before }
        },
      })
    }),
  )
interface TimesCast {
  keys: Parameters<Parameters<typeof withKeyServer>[0]>[0]
  outcome(token: string): Promise<{ said: string | undefined; tookMs: number }>
}

tokens('waits for slow keys, once for all requests, and gives up on those that do not arrive', () =>
  withTimes({ timeoutMs: 400, cooldownMs: 60_000, maxAgeMs: 60_000 }, async ({ keys, outcome }) => {
    const { jwk, sign } = await publishedBy('one')
    const token = await sign()
    keys.publish([jwk])
    for (const [i, how] of (['silent', 'half'] as const).entries()) {
      keys.behave(how)
      const answers = await Promise.all([1, 2, 3].map(() => outcome(token)))
      for (const { said, tookMs } of answers) {
        assert.is(said, 'issuer_unreachable', how)
        assert.ok(tookMs >= 300 && tookMs < 3000, `${how}: ${tookMs} ms`)
      }
      assert.is(keys.asked(), i + 1, 'one request for three')
      await eventually(() => keys.givenUp() === i + 1) // over for the key server too
    }
    keys.behave('slowly')
    const late = await Promise.all([1, 2, 3].map(() => outcome(token)))
    assert.equal([...new Set(late.map(({ said }) => said))], ['known'])
    assert.is(keys.asked(), 3)
    keys.behave('silent')
    const known = await outcome(token)
    assert.is(known.said, 'known')
    assert.ok(known.tookMs < 300, 'keys that are known wait for nobody')
    const stranger = await publishedBy('two')
    assert.is((await outcome(await stranger.sign())).said, 'not_signed_in')
    assert.is(keys.asked(), 3, 'nor does a stranger make them wait')
  }),
)

tokens('is verified with recently fetched keys, and not with outdated ones', () =>
  withTimes({ timeoutMs: 200, cooldownMs: 0, maxAgeMs: 500 }, async ({ keys, outcome }) => {
    const [one, two] = [await publishedBy('one'), await publishedBy('two')]
    keys.publish([one.jwk])
    assert.is((await outcome(await one.sign())).said, 'known')
    keys.behave('silent')
    assert.is((await outcome(await two.sign())).said, 'issuer_unreachable', 'is it a new key? nobody says')
    assert.is((await outcome(await one.sign())).said, 'known')
    await eventually(async () => (await outcome(await one.sign())).said === 'issuer_unreachable')
    keys.behave('well')
    keys.publish([two.jwk])
    assert.is((await outcome(await two.sign())).said, 'known')
    assert.is((await outcome(await one.sign())).said, 'not_signed_in', 'withdrawn')
  }),
)

tokens('cannot bring its own key, and says which of several it is signed with', () =>
  withTimes({ timeoutMs: 1000, cooldownMs: 0, maxAgeMs: 60_000 }, async ({ keys, outcome }) => {
    const [one, two, stranger] = [
      await publishedBy('one'),
      await publishedBy('two'),
      await publishedBy('one'),
    ]
    keys.publish([one.jwk, two.jwk])
    await withKeyServer(async (theirs) => {
      theirs.publish([stranger.jwk])
      for (const header of [{ jwk: stranger.jwk }, { jku: theirs.url }, { x5u: theirs.url }, {}])
        assert.is((await outcome(await stranger.sign(header))).said, 'not_signed_in', JSON.stringify(header))
      assert.is(theirs.asked(), 0)
    })
    assert.is((await outcome(await one.sign({ kid: undefined }))).said, 'not_signed_in')
    const critical = { crit: ['unknown'], unknown: true }
    const [, payload = '', signature = ''] = (await one.sign()).split('.')
    const header = base64({ alg: 'ES256', kid: 'one', ...critical })
    assert.is((await outcome(`${header}.${payload}.${signature}`)).said, 'not_signed_in')
    keys.publish([{ ...two.jwk, kid: 'three', kty: 'oct', k: 'AAAA' }])
    assert.is(
      (await outcome(await stranger.sign({ kid: 'three' }))).said,
      'not_signed_in',
      'a key that is no key',
    )
  }),
)

tokens('is valid any number of times until it expires, as docs/security.md says', () =>
  withServer(
    async (server) => {
      const token = await signed({ exp: nowS() + 3, aud: ['shop', audience] })
      const board = await server.boardroom.boards.create({
        owner: { externalId: 'u-1', name: 'Una', issuer },
      })
      assert.is((await asks(server, token)).status, 200)
      assert.is((await asks(server, token)).status, 200)
      const sockets = [await server.raw(board, { ticket: token }), await server.raw(board, { ticket: token })]
      await eventually(() => sockets.every((socket) => socket.bodies(64).length === 1))
      await eventually(async () => (await asks(server, token)).code === 'not_signed_in', { withinMs: 45_000 })
      assert.is(await (await server.open(board, { ticket: token, waitFor: 'closed' })).closed, 4401)
      for (const { socket } of sockets) assert.is(socket.readyState, socket.OPEN, 'what it opened stays')
    },
    { ...shared, jwtClockSkewSeconds: 0 },
  ),
)

tokens('are refused at the start if the settings contradict each other', () =>
  withDatabase(async ({ db }) => {
    const problem = (settings: Parameters<typeof configWith>[0]) => {
      try {
        return foreignTokens(db, configWith(settings)) === null ? 'none' : 'fine'
      } catch (error) {
        return error instanceof BoardroomError ? `${error.code}: ${error.message}` : String(error)
      }
    }
    const jwtJwksUrl = 'https://id.example.org/jwks'
    assert.is(problem({}), 'none')
    assert.is(problem({ jwtIssuer: issuer, jwtSecret: secret }), 'fine')
    assert.is(problem({ jwtIssuer: issuer, jwtJwksUrl, jwtAudience: ['boards'] }), 'fine')
    assert.match(problem({ jwtSecret: secret }), /invalid_config: BOARDROOM_JWT_ISSUER/)
    assert.match(problem({ jwtIssuer: issuer }), /exactly one of/)
    assert.match(problem({ jwtIssuer: issuer, jwtSecret: secret, jwtJwksUrl }), /exactly one of/)
    assert.match(problem({ jwtIssuer: issuer, jwtJwksUrl }), /BOARDROOM_JWT_AUDIENCE/)
    assert.match(problem({ jwtIssuer: 'boardroom:service', jwtSecret: secret }), /reserved/)
  }),
)

tokens.run()
