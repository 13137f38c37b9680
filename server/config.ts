// The configuration: one schema, a sentence and a default for every field. A flag beats the environment beats
// the default; an unknown flag is an error that names the nearest one. Only cli.ts reads argv and env.
import { z } from 'zod'
import { didYouMean } from './did-you-mean.ts'
import { BoardroomError } from './errors.ts'
import { retentionSetting } from './retention.ts'

const whole = (least: number, most: number) =>
  z.coerce.number(`expected a whole number from ${least} to ${most}`).int().min(least).max(most)
const list = z
  .string()
  .default('')
  .transform((value) =>
    value
      .split(',')
      .map((part) => part.trim())
      .filter((part) => part !== ''),
  )
/** As libpq reads them: where the host is a socket folder, it is in the query and not before the path. */
const postgresUrl = z
  .string()
  .refine(
    (value) =>
      /^postgres(ql)?:\/\//.test(value) &&
      URL.canParse(value.replace(/^(\w+:\/\/[^@/]*@?)\//, '$1localhost/')),
    'expected a URL like postgres://user:password@host:5432/name',
  )
const url = (protocols: string[], example: string) =>
  z
    .string()
    .refine(
      (value) => URL.canParse(value) && protocols.includes(new URL(value).protocol),
      `expected a URL like ${example}`,
    )
const protocolOf = (value: string): string => (URL.canParse(value) ? new URL(value).protocol : '')
const version = z.string().trim().min(1).max(50, 'expected at most 50 characters')
const KiB = 1024
const MiB = 1024 * KiB

/** Environment name -> schema. The field name in code is the camelCase of it without `BOARDROOM_`. */
export const fields = {
  HOST: z.string().default('127.0.0.1').describe('the address to listen on'),
  PORT: whole(0, 65535).default(4400).describe('the port to listen on; 0 picks a free one'),
  DATABASE_URL: postgresUrl
    .optional()
    .describe('an external Postgres, version 15 or newer; if unset, the embedded one is started'),
  BOARDROOM_DATABASE_DIRECT_URL: postgresUrl
    .optional()
    .describe('the same database without PgBouncer in between, for LISTEN and session locks'),
  BOARDROOM_DATABASE_SCHEMA: z
    .string()
    .regex(/^[a-z_][a-z0-9_]{0,39}$/, 'expected lower case letters, digits and _, at most 40')
    .default('boardroom')
    .describe('the schema for all tables'),
  BOARDROOM_DATABASE_POOL: whole(3, 200).default(10).describe('the size of the connection pool'),
  NATS_URL: z
    .string()
    .refine(
      (value) => value.split(',').every((part) => /^(nats|tls):$/.test(protocolOf(part.trim()))),
      'expected a URL like nats://127.0.0.1:4222, or several separated by commas',
    )
    .optional()
    .describe(
      'the NATS server that lets several nodes share one external database; if unset, a single process serves it',
    ),
  NATS_TOKEN: z.string().min(1).optional().describe('the token for NATS, if it requires one'),
  NATS_CREDENTIALS_FILE: z.string().min(1).optional().describe('a .creds file for NATS, if it requires one'),
  NATS_CA_FILE: z
    .string()
    .min(1)
    .optional()
    .describe("the CA that signed the NATS server's certificate, as PEM"),
  NATS_CERT_FILE: z
    .string()
    .min(1)
    .optional()
    .describe('our client certificate for NATS, if it requires one, as PEM'),
  NATS_KEY_FILE: z.string().min(1).optional().describe('the private key of that certificate, as PEM'),
  BOARDROOM_DATA_DIR: z
    .string()
    .min(1)
    .default('./data')
    .describe('the folder for the embedded database, the secret and the audit heads'),
  BOARDROOM_PUBLIC_URL: url(['http:', 'https:'], 'https://boards.example.org')
    .optional()
    .describe('the address that people type into their browser; default http://localhost:PORT'),
  BOARDROOM_BOARD_URL: z
    .string()
    .refine((value) => value.includes('{board_id}'), 'expected a URL with {board_id} in it')
    .optional()
    .describe(
      'the URL template of board pages, if you bring your own canvas: https://app.example/b/{board_id}',
    ),
  BOARDROOM_SECRET: z
    .string()
    .min(32, 'expected at least 32 characters; make one with: openssl rand -base64 32')
    .optional()
    .describe(
      'signs tickets and sessions; required with an external database, otherwise generated and kept in the data folder',
    ),
  BOARDROOM_ALLOWED_ORIGINS: list.describe(
    'additional origins whose pages may use cookies and the API, comma-separated',
  ),
  BOARDROOM_FRAME_ANCESTORS: list.describe('origins that may embed the pages in a frame'),
  BOARDROOM_TRUSTED_PROXIES: list.describe('addresses and CIDRs whose X-Forwarded-For header is trusted'),
  BOARDROOM_JWT_ISSUER: z
    .string()
    .max(255)
    .optional()
    .describe(
      'the issuer (claim iss) whose JWTs are accepted as proof of identity; also needs a JWKS_URL or a SECRET',
    ),
  BOARDROOM_JWT_AUDIENCE: list.describe(
    'the accepted audiences (claim aud), comma-separated; required with a JWKS_URL',
  ),
  BOARDROOM_JWT_JWKS_URL: url(['http:', 'https:'], 'https://id.example.org/.well-known/jwks.json')
    .optional()
    .describe('the URL where the issuer publishes its keys'),
  BOARDROOM_JWT_SECRET: z
    .string()
    .min(32, 'expected at least 32 characters')
    .optional()
    .describe('the secret that the issuer signs with (HS256, HS384, HS512), instead of published keys'),
  BOARDROOM_JWT_USER_CLAIM: z
    .string()
    .min(1)
    .default('sub')
    .describe("the claim with the person's id, which becomes their external_id here"),
  BOARDROOM_JWT_NAME_CLAIM: z
    .string()
    .min(1)
    .default('name')
    .describe("the claim with the person's name; if it is missing, the id is shown"),
  BOARDROOM_JWT_CLOCK_SKEW_SECONDS: whole(0, 600)
    .default(30)
    .describe("how many seconds the issuer's clock may be off"),
  BOARDROOM_OIDC_ISSUER: url(['http:', 'https:'], 'https://id.example.org')
    .optional()
    .describe(
      'single sign-on: the issuer URL of the OpenID Connect provider, exactly as in its iss claim; also needs CLIENT_ID and CLIENT_SECRET',
    ),
  BOARDROOM_OIDC_CLIENT_ID: z
    .string()
    .min(1)
    .optional()
    .describe('the client id of this server at the provider'),
  BOARDROOM_OIDC_CLIENT_SECRET: z
    .string()
    .min(1)
    .optional()
    .describe('the client secret of this server at the provider'),
  BOARDROOM_OIDC_NAME: z
    .string()
    .trim()
    .min(1)
    .max(60)
    .default('single sign-on')
    .describe("the provider's name on the button: Sign in with …"),
  BOARDROOM_OIDC_SCOPES: z
    .string()
    .transform((value) => value.split(/[\s,]+/).filter((scope) => scope !== ''))
    .refine((scopes) => scopes.includes('openid'), 'expected scopes, openid among them')
    .default(['openid', 'email', 'profile'])
    .describe(
      'the scopes to request, separated by spaces; default openid email profile; offline_access also asks for consent',
    ),
  BOARDROOM_OIDC_GROUPS_CLAIM: z
    .string()
    .min(1)
    .default('groups')
    .describe("the claim with the person's groups"),
  BOARDROOM_OIDC_ROLES: list
    .refine(
      (pairs) => pairs.every((pair) => /^(sysadmin|admin|user)=./.test(pair)),
      'expected role=group, separated by commas; roles are sysadmin, admin and user',
    )
    .describe(
      'which group has which role, applied at each sign-in: sysadmin=it-leads,admin=it,user=staff; if unset, administrators assign roles here',
    ),
  BOARDROOM_OIDC_ACCOUNTS: z
    .enum(['everybody', 'groups', 'known'])
    .default('everybody')
    .describe(
      'who may sign in: everybody at the provider, members of the groups in ROLES, or known accounts only',
    ),
  BOARDROOM_PASSWORDS: z
    .enum(['on', 'off'])
    .default('on')
    .describe('whether accounts may have passwords; off allows only single sign-on, except for sysadmins'),
  BOARDROOM_SIGN_UP: z
    .enum(['invite', 'open'])
    .default('invite')
    .describe('who may create an account: invite (people invited by an administrator) or open (everybody)'),
  BOARDROOM_REQUIRE_2FA: z
    .enum(['off', 'admins', 'all'])
    .default('off')
    .describe('which people who sign in with a password must have a second factor: off, admins or all'),
  BOARDROOM_PUBLIC_BOARDS: z
    .enum(['off', 'view', 'comment', 'edit'])
    .default('edit')
    .describe('the highest level that a board may grant to everyone: off, view, comment or edit'),
  BOARDROOM_SMTP_URL: url(['smtp:', 'smtps:'], 'smtp://user:password@mail.example.org:587')
    .optional()
    .describe('the SMTP server for outgoing mail; if unset, no mail is sent and everything else works'),
  BOARDROOM_MAIL_FROM: z
    .string()
    .regex(/^[^\r\n]*[^\s@<>]+@[^\s@<>]+>?$/, 'expected an address like Boardroom <boards@example.org>')
    .optional()
    .describe(
      'the sender of outgoing mail: Boardroom <boards@example.org>; default boardroom@ the host of the public URL',
    ),
  BOARDROOM_MAIL_DIGEST_MINUTES: whole(1, 1440)
    .default(10)
    .describe(
      'how many minutes comments are collected into one mail; those read in the meantime are left out',
    ),
  BOARDROOM_WEBHOOK_PRIVATE_NETWORKS: list.describe(
    'private networks that webhooks may reach, as comma-separated addresses and CIDRs (127.0.0.0/8, 10.0.0.0/8); none by default',
  ),
  BOARDROOM_COMMENTS_PER_MINUTE: whole(1, 100_000)
    .default(60)
    .describe(
      'how many comments, edits and resolutions one person (or one address, for anonymous people) may make per minute',
    ),
  BOARDROOM_AGENT_CALLS_PER_MINUTE: whole(1, 100_000)
    .default(240)
    .describe('how many requests one agent may send to /mcp per minute'),
  BOARDROOM_MAX_THREADS_PER_BOARD: whole(1, 1_000_000)
    .default(10_000)
    .describe('the most comment threads on one board'),
  BOARDROOM_MAX_COMMENTS_PER_THREAD: whole(1, 100_000)
    .default(1000)
    .describe('the most comments in one thread'),
  BOARDROOM_LOG_LEVEL: z
    .enum(['silent', 'fatal', 'error', 'warn', 'info', 'debug', 'trace'])
    .default('info')
    .describe('the log level: silent, fatal, error, warn, info, debug or trace'),
  BOARDROOM_METRICS_TOKEN: z
    .string()
    .min(16, 'expected at least 16 characters')
    .optional()
    .describe('a bearer token for /metrics; once set, programs on the same machine need it too'),
  BOARDROOM_CONSENT_FILE: z
    .string()
    .min(1)
    .optional()
    .describe(
      'a file with a text that everybody must accept before their first join; if unset, no consent is required',
    ),
  BOARDROOM_CONSENT_VERSION: version
    .optional()
    .describe(
      'the version of that text; changing it asks everybody again; default: a fingerprint of the text',
    ),
  BOARDROOM_PRIVACY_POLICY_VERSION: version
    .optional()
    .describe('the version of the privacy policy that is accepted with it; default: the version of the text'),
  BOARDROOM_CONSENT_REQUIRED: list.describe(
    'categories that people must agree to in order to accept, comma-separated',
  ),
  BOARDROOM_CONSENT_OPTIONAL: list.describe('categories that people may also agree to, comma-separated'),
  BOARDROOM_RETENTION: retentionSetting.describe(
    'retention periods that differ from the defaults: trash=90d,notifications=365d,webhooks=for-ever; boardroom retention lists all of them',
  ),
  BOARDROOM_AUDIT_HEADS_FILE: z
    .string()
    .optional()
    .describe(
      'the file that heads of the audit chain are written to; default audit-heads.ndjson in the data folder',
    ),
  BOARDROOM_MAX_CONNECTIONS: whole(1, 1_000_000)
    .default(2000)
    .describe('the most open WebSockets in this process'),
  BOARDROOM_MAX_CONNECTIONS_PER_IP: whole(1, 1_000_000)
    .default(1000)
    .describe('the most WebSockets from one IPv4 address or IPv6 /64'),
  BOARDROOM_MAX_HTTP_CONNECTIONS: whole(1, 1_000_000)
    .default(4000)
    .describe('the most TCP connections that have not been upgraded to WebSockets'),
  BOARDROOM_MAX_HTTP_CONNECTIONS_PER_IP: whole(1, 1_000_000)
    .default(2000)
    .describe('the same, per IPv4 address or IPv6 /64; loopback and trusted proxies are exempt'),
  BOARDROOM_MAX_CONNECTIONS_PER_PRINCIPAL: whole(1, 100_000)
    .default(20)
    .describe('the most WebSockets of one user, agent or guest'),
  BOARDROOM_MAX_WRITERS_PER_ROOM: whole(1, 100_000)
    .default(300)
    .describe('the most connections with level edit in one room'),
  BOARDROOM_JOINS_PER_SECOND_PER_IP: whole(1, 100_000)
    .default(200)
    .describe('how many joins one address may attempt per second'),
  BOARDROOM_FAILED_JOINS_PER_MINUTE_PER_IP: whole(1, 100_000)
    .default(20)
    .describe('how many refused joins one address may have per minute'),
  BOARDROOM_FAILED_GUESSES_PER_MINUTE_PER_IP: whole(1, 100_000)
    .default(20)
    .describe('how many wrong links, link passwords and sign-ins one address may try per minute'),
  BOARDROOM_UPDATES_PER_SECOND: whole(1, 100_000)
    .default(240)
    .describe('how many updates per second one connection may send before it is slowed down'),
  BOARDROOM_UPDATES_BURST: whole(1, 1_000_000)
    .default(1000)
    .describe('how many updates one connection may send in a burst before it is slowed down'),
  BOARDROOM_AWARENESS_PER_SECOND: whole(1, 10_000)
    .default(60)
    .describe('how many awareness messages per second one connection may send before they are coalesced'),
  BOARDROOM_MAX_FRAME_BYTES: whole(KiB, 32 * MiB - 64 * KiB)
    .default(16 * MiB)
    .describe('the largest WebSocket message'),
  BOARDROOM_MAX_BOARD_BYTES: whole(KiB, 2048 * MiB - 1)
    .default(64 * MiB)
    .describe('the largest board document; a board above this size becomes view only'),
  BOARDROOM_MAX_FILE_BYTES: whole(KiB, 512 * MiB)
    .default(20 * MiB)
    .describe('the largest uploaded file'),
  BOARDROOM_MAX_FILES_BYTES: whole(KiB, Number.MAX_SAFE_INTEGER)
    .default(1024 * MiB)
    .describe('the total size of the files on one board'),
  BOARDROOM_MAX_FILES_BYTES_PER_USER: whole(KiB, Number.MAX_SAFE_INTEGER)
    .default(20 * 1024 * MiB)
    .describe("the total size of the files on one owner's boards; identical files count once"),
  BOARDROOM_MAX_BOARDS_PER_USER: whole(1, 10_000_000)
    .default(5000)
    .describe('the most boards that one account may own, including the trash'),
  BOARDROOM_MAX_GUESTS_PER_LINK: whole(1, 10_000_000)
    .default(1000)
    .describe('the most guests that one share link may create'),
  BOARDROOM_NEW_GUESTS_PER_MINUTE_PER_IP: whole(1, 1_000_000)
    .default(120)
    .describe('how many new guests one address may create per minute'),
  BOARDROOM_MAX_NEW_CLIENTS_PER_UPDATE: whole(1, 100_000)
    .default(256)
    .describe('the most new Yjs client ids in one update'),
  BOARDROOM_MAX_NEW_CLIENTS_PER_CONNECTION: whole(1, 1_000_000)
    .default(1000)
    .describe('the most new Yjs client ids from one connection'),
  BOARDROOM_MAX_CLIENTS_PER_BOARD: whole(1, 10_000_000)
    .default(20_000)
    .describe('the most Yjs client ids on one board'),
} satisfies Record<string, z.ZodType>

type Fields = typeof fields
type FieldName<Name extends string> = Camel<Lowercase<Name extends `BOARDROOM_${infer Rest}` ? Rest : Name>>
type Camel<Name extends string> = Name extends `${infer Head}_${infer Tail}`
  ? `${Head}${Capitalize<Camel<Tail>>}`
  : Name
/** Every setting under its name in code: `host`, `databaseUrl`, `maxFrameBytes`. */
export type Config = { readonly [Name in keyof Fields as FieldName<Name & string>]: z.output<Fields[Name]> }

/** `BOARDROOM_MAX_FRAME_BYTES` -> `--max-frame-bytes` */
export const flagOf = (name: string): string =>
  `--${name
    .replace(/^BOARDROOM_/, '')
    .toLowerCase()
    .replaceAll('_', '-')}`

const fieldNameOf = (name: string): string =>
  name
    .replace(/^BOARDROOM_/, '')
    .toLowerCase()
    .replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase())

/**
 * Reads the configuration.
 * @param env environment; an empty value counts as not set.
 * @param flags by flag name without dashes, as parsed: `{'max-frame-bytes': '1048576'}`.
 * @throws BoardroomError invalid_config, naming every wrong setting, or an unknown flag and the nearest one.
 */
export function readConfig(
  env: Record<string, string | undefined>,
  flags: Record<string, string> = {},
): Config {
  const names = Object.keys(fields) as (keyof Fields)[] // keys of a literal
  const byFlag = new Map(names.map((name) => [flagOf(name).slice(2), name]))
  for (const flag of Object.keys(flags)) {
    if (byFlag.has(flag)) continue
    throw new BoardroomError(
      'invalid_config',
      `unknown option --${flag}${didYouMean(flag, [...byFlag.keys()], '--')}`,
    )
  }
  const problems: string[] = []
  const config: Record<string, unknown> = {}
  for (const name of names) {
    const flag = flagOf(name).slice(2)
    const raw = flags[flag] ?? (env[name] === '' ? undefined : env[name])
    const result = fields[name].safeParse(raw)
    if (result.success) config[fieldNameOf(name)] = result.data
    else
      problems.push(
        `${flags[flag] === undefined ? name : `--${flag}`}: ${result.error.issues.map((issue) => issue.message).join('; ')}`,
      )
  }
  if (problems.length > 0)
    throw new BoardroomError('invalid_config', `wrong configuration: ${problems.join(' | ')}`)
  return config as Config // every field was parsed by its own schema above
}

/** The defaults with `changes`: what a library caller and a test start from. */
export const configWith = (changes: Partial<Config> = {}): Config => ({ ...readConfig({}), ...changes })
