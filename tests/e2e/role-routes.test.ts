// Every existing route, sorted by whom it is for: so that new ones are considered, and the table of roles in
// docs/accounts.md is complete.
import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type OpenApi, operationsOf } from '../helpers/api-fuzz.ts'
import { type Person, withServer } from '../helpers/server.ts'

/** For administrators only; with the row of the table that says so. */
const administrators: Record<string, string[]> = {
  'see everybody who has an account': ['GET /users', 'GET /users/{user_id}'],
  'deactivate and activate an account': ['PATCH /users/{user_id}', 'GET /users/{user_id}/holdings'],
  'see and end the sessions of others': [
    'GET /users/{user_id}/sessions',
    'DELETE /users/{user_id}/sessions',
    'DELETE /users/{user_id}/sessions/{session_id}',
  ],
  'create a password-reset link for somebody': ['POST /users/{user_id}/password-reset'],
  "remove somebody's lost second factor": ['DELETE /users/{user_id}/two-factor'],
  "export and erase somebody's data": ['GET /people/{user_id}/export', 'POST /people/{user_id}/erase'],
  'invite users and admins': ['POST /invitations', 'GET /invitations', 'DELETE /invitations/{invitation_id}'],
  'create service keys': [
    'POST /service-keys',
    'GET /service-keys',
    'POST /service-keys/{key_id}/rotate',
    'DELETE /service-keys/{key_id}',
  ],
  'create webhooks': [
    'POST /webhooks',
    'GET /webhooks',
    'GET /webhooks/{webhook_id}',
    'PATCH /webhooks/{webhook_id}',
    'DELETE /webhooks/{webhook_id}',
    'POST /webhooks/{webhook_id}/rotate',
    'POST /webhooks/{webhook_id}/test',
    'GET /webhooks/{webhook_id}/deliveries',
    'POST /webhooks/{webhook_id}/deliveries/{delivery_id}/retry',
  ],
  'read the trail of the whole instance': ['GET /audit', 'GET /audit/stream', 'GET /audit/export'],
  'see who is connected, every share link, health and limits': [
    'GET /connections',
    'GET /share-links',
    'GET /instance',
  ],
}

/** For any signed-in user, about their own data; what administrators may do in addition is in the table. */
const own = [
  ...['GET /me', 'PATCH /me', 'GET /me/sessions', 'DELETE /me/sessions', 'DELETE /me/sessions/{session_id}'],
  ...['GET /sessions', 'DELETE /sessions', 'DELETE /sessions/{session_id}', 'POST /auth/change-password'],
  ...['POST /auth/two-factor/enable', 'POST /auth/two-factor/disable'],
  ...[
    'POST /auth/two-factor/generate-backup-codes',
    'GET /me/export',
    'GET /me/export/progress',
    'POST /me/erase',
  ],
  ...['GET /me/library', 'PUT /me/library', 'GET /me/mail', 'PUT /me/mail', 'GET /me/notifications'],
  ...['POST /me/notifications/read', 'POST /boards', 'GET /boards', 'GET /board-offers'],
  ...['POST /board-offers/{board_id}/answer', 'GET /library', 'POST /library', 'DELETE /library/{item_id}'],
  ...['GET /folders', 'POST /folders', 'GET /records', 'GET /records/export', 'GET /consent'],
  ...[
    'POST /consent',
    'DELETE /consent',
    'GET /templates',
    'POST /templates',
    'GET /templates/{template_id}',
  ],
  ...['DELETE /templates/{template_id}', 'GET /templates/{template_id}/versions'],
  ...['POST /templates/{template_id}/versions', 'POST /templates/{template_id}/approve'],
  ...['GET /templates/{template_id}/compare', 'POST /agents', 'GET /agents', 'GET /agents/{agent_id}'],
  ...['PATCH /agents/{agent_id}', 'DELETE /agents/{agent_id}', 'POST /agents/{agent_id}/grants'],
  ...['GET /agents/{agent_id}/grants', 'DELETE /agents/{agent_id}/grants/{grant_id}'],
  'GET /agents/{agent_id}/edits',
]

/** For anybody with the secret, the code or the address, and for everybody. */
const everybody = [
  ...['POST /auth/sign-in/email', 'POST /auth/sign-up/email', 'POST /setup', 'POST /setup/preview'],
  ...['POST /auth/sign-out', 'GET /auth/get-session', 'GET /auth/sso', 'POST /auth/sso/signed-out'],
  ...['GET /auth/callback/oidc', 'GET /auth/options', 'POST /auth/two-factor/verify-totp'],
  ...['POST /auth/two-factor/verify-backup-code', 'POST /invitations/preview', 'POST /invitations/accept'],
  ...[
    'POST /password-resets',
    'POST /password-resets/use',
    'POST /password-resets/preview',
    'POST /share-links/preview',
  ],
  ...['POST /share-links/exchange', 'GET /mail/stop', 'POST /mail/stop', 'GET /healthz', 'GET /readyz'],
  'GET /metrics', // or requires a token, this machine or an administrator
]

/** The level on this board or folder decides; administrators manage all of them. */
const byLevel = /^\w+ \/(boards\/\{board_id\}|folders\/\{folder_id\})(\/|$)/
/** Requested by people without access. */
const forOutsiders = /\/(access-requests|access-requests\/own|consent|offer|tickets|star)$/

const routes = suite('every route')

const ended = async (who: Person, method: string, path: string, body?: unknown): Promise<number> =>
  (await who.ask(method, path, body)).status

routes('is sorted by audience', () =>
  withServer(async ({ ask, user }) => {
    const table = readFileSync('docs/accounts.md', 'utf8')
    for (const row of Object.keys(administrators))
      assert.ok(table.includes(`\n| ${row} | yes | yes | no |\n`), `docs/accounts.md has no row: ${row}`)
    const document = (await ask('GET', '/api/openapi.json')).body as OpenApi
    const all = operationsOf(document).map(({ method, path }) => `${method} ${path.replace(/^\/api/, '')}`)
    const sorted = [...Object.values(administrators).flat(), ...own, ...everybody]
    const found = all.filter((operation) => !byLevel.test(operation))
    assert.equal(found.toSorted(), sorted.toSorted())

    const [una, ada] = [await user('Una'), await user('Ada', 'admin')]
    const other = await user('Other')
    const board = await other.board('Plans')
    const folder = (await other.ask('POST', '/api/folders', { name: 'Theirs' })).body.id
    const real = (operation: string): [method: string, path: string] => {
      const [method = '', path = ''] = operation.split(' ')
      const filled = path
        .replace('{user_id}', String(other.id))
        .replace('{board_id}', board)
        .replace('{folder_id}', folder)
        .replace(/\{(session_id|permission_id|delivery_id|connection_id)\}/, '1')
        .replace('{sha256}', 'a'.repeat(64))
        .replace('{principal}', 'user:1')
        .replace(/\{\w+\}/g, () => randomUUID())
      return [method, `/api${filled}`]
    }
    const bodies: Record<string, unknown> = {
      'PATCH /users/{user_id}': { name: 'Renamed' },
      'POST /people/{user_id}/erase': { confirm: other.email },
      'POST /invitations': { role: 'user' },
      'POST /service-keys': { name: 'App', issuer: 'app', scopes: ['boards'] },
      'POST /webhooks': { url: 'https://hooks.example/x', events: ['*'] },
      'PATCH /webhooks/{webhook_id}': { enabled: false },
    }
    for (const operation of Object.values(administrators).flat()) {
      const [method, path] = real(operation)
      assert.is(await ended(una, method, path, bodies[operation]), 403, operation)
      assert.is((await ask(method, path, bodies[operation])).status, 401, operation)
    }
    for (const operation of all.filter((each) => byLevel.test(each) && each.startsWith('GET '))) {
      const [method, path] = real(operation)
      if (forOutsiders.test(path)) continue
      const status = await ended(una, method, path)
      assert.ok([403, 404].includes(status), `${operation} as a stranger: ${status}`)
      if (path.endsWith('/stream') || path.endsWith('/events')) continue // they go on
      assert.ok(![401, 403].includes(await ended(ada, method, path)), `${operation} as an administrator`)
    }
  }),
)

routes.run()
