// One row of any entity, for tests: written straight into its table, with defaults for whatever a test does not care about.
//
//   const ada = await make.user(db, { name: 'Ada' })
//   const { id: board } = await make.board(db, { owner_id: ada.id })
//   await make.permission(db, { board_id: board, user_id: null }) // everyone
//   await make.shareLink(db, { board_id: board, ...linkStates.expired })
//
// Every factory takes column values that override its defaults and returns the whole row from the database. Rows that it
// depends on (a board's owner, a link's board) are created as well if they are not given.
import { createHash, randomBytes, randomUUID } from 'node:crypto'
import { cnpj, cpf } from 'cpf-cnpj-validator'
import { sql } from 'kysely'
import * as Y from 'yjs'
import { transactionRecordedApart } from '../../server/audit/actor.ts'
import type { Db } from '../../server/database/database.ts'
import type { NewRow, Row, Tables } from '../../server/database/tables.ts'
import type { ShareLinkResponse } from '../../shared/api.ts'
import { schema } from './cluster.ts'
import { eventually } from './eventually.ts'

const anHourMs = 3_600_000
const inAnHour = () => new Date(Date.now() + anHourMs)
const anHourAgo = () => new Date(Date.now() - anHourMs)

let count = 0
/** Makes values that must be unique within a database different. */
const next = () => {
  count += 1
  return count
}

/** As secrets and contents are stored. */
export const sha256 = (of: string | Uint8Array): Buffer => createHash('sha256').update(of).digest()

/** A CPF with valid check digits, without punctuation; a different one each time. */
export const validCpf = (): string => cpf.generate()
/** Like validCpf for a CNPJ, in the format with letters that is issued from 2026. */
export const validCnpj = (): string => cnpj.generate()
/** Of somebody between 18 and 90 today: `1984-05-17`. */
export const birthDate = (): string => {
  const age = 18 + ((next() * 7) % 72)
  const day = new Date(Date.now() - age * 365.25 * 86_400_000 - ((next() * 13) % 360) * 86_400_000)
  return day.toISOString().slice(0, 10)
}

/** A document with one key, as an update and as a state. */
const someDocument = (): Buffer => {
  const doc = new Y.Doc()
  doc.getMap('elements').set('a', 1)
  return Buffer.from(Y.encodeStateAsUpdate(doc))
}
const withChecksum = (state: Buffer) => ({ state, checksum: sha256(state) })

/** Columns given by a test; the rest are defaults. */
type Told<Table extends keyof Tables> = Partial<NewRow<Table>>

export interface Factory<Table extends keyof Tables, Values = Told<Table>> {
  (db: Db, values?: Values): Promise<Row<Table>>
  readonly table: Table
}

/** Created as the server does it, which leaves no row about a manual change. */
const quiet = new Set<keyof Tables>(['sessions', 'guests', 'accounts', 'two_factors'])

/**
 * `defaults` fills in what the database does not; it sees the given columns, so that it creates no more rows than are
 * missing.
 */
function factory<Table extends keyof Tables>(
  table: Table,
  defaults: (db: Db, told: Told<Table>) => NewRow<Table> | Promise<NewRow<Table>>,
): Factory<Table> {
  const add = async (db: Db, told: Told<Table> = {}): Promise<Row<Table>> => {
    const values = { ...(await defaults(db, told)), ...told }
    const insert = (into: Db) =>
      into
        .insertInto<keyof Tables>(table)
        .values(values as NewRow<keyof Tables>) // Kysely cannot follow a table that is a type parameter
        .returningAll()
        .execute()
    const rows = await (quiet.has(table) && !db.isTransaction
      ? transactionRecordedApart(db, insert)
      : insert(db))
    return rows[0] as unknown as Row<Table> // as above
  }
  return Object.assign(add, { table })
}

const idOf = async <Id>(told: Id | undefined, otherwise: () => Promise<{ id: Id }>): Promise<Id> =>
  told ?? (await otherwise()).id

const user = factory('users', () => {
  const n = next()
  return { name: `Person ${n}`, email: `person-${n}@example.org` }
})
const somebody = async (db: Db) => {
  const { id, name } = await user(db)
  return { principal: `user:${id}`, name }
}
const ownerOf = async (db: Db, told: { user_id?: number }) => idOf(told.user_id, () => user(db))

const session = factory('sessions', async (db, told) => ({
  user_id: await ownerOf(db, told),
  token: randomBytes(16).toString('hex'),
  expires_at: inAnHour(),
}))

/** Of a session that nobody here has. */
const providerLogout = factory('provider_logouts', () => ({
  provider_session: `session-${next()}`,
  signed_before: new Date(),
}))

/** With e-mail and password; without a password unless one is given. */
const account = factory('accounts', async (db, told) => {
  const userId = await ownerOf(db, told)
  return { user_id: userId, provider_id: 'credential', account_id: String(userId) }
})

const verification = factory('verifications', () => ({
  identifier: `reset-password:${next()}`,
  value: randomBytes(16).toString('hex'),
  expires_at: inAnHour(),
}))

const twoFactor = factory('two_factors', async (db, told) => ({
  user_id: await ownerOf(db, told),
  secret: randomBytes(20).toString('hex'),
  backup_codes: '[]',
}))

const setupToken = factory('setup_tokens', () => ({ token_sha256: randomBytes(32) }))

const invitation = factory('invitations', async (db, told) => ({
  email: `invited-${next()}@example.org`,
  token_sha256: randomBytes(32),
  created_by: await idOf(told.created_by, () => user(db, { role: 'admin' })),
  expires_at: inAnHour(),
}))

const guest = factory('guests', () => ({
  name: 'Gus',
  token_sha256: randomBytes(32),
  expires_at: inAnHour(),
}))

const serviceKey = factory('service_keys', () => ({
  name: `Key ${next()}`,
  issuer: 'app',
  token_sha256: randomBytes(32),
}))

const passwordReset = factory('password_resets', async (db, told) => ({
  user_id: await ownerOf(db, told),
  token_sha256: randomBytes(32),
  expires_at: inAnHour(),
}))

/** Disabled, so that nothing is sent merely because it exists. */
const webhook = factory('webhooks', () => ({
  disabled_at: new Date(),
  disabled_reason: 'nobody listens',
  url: `https://receiver.example/${next()}`,
  events: ['board.*'],
  secret: randomBytes(32),
}))

const webhookEvent = factory('webhook_events', () => ({ type: 'board.created', data: { title: 'Plans' } }))

const webhookDelivery = factory('webhook_deliveries', async (db, told) => ({
  webhook_id: await idOf(told.webhook_id, () => webhook(db)),
  event_id: await idOf(told.event_id, () => webhookEvent(db)),
}))

const agent = factory('agents', async (db, told) => ({
  name: `Agent ${next()}`,
  token_sha256: randomBytes(32),
  owner_id: await idOf(told.owner_id, () => user(db)),
}))

/** What a user allows an agent: reading, on every board, by default. */
const agentPermission = factory('user_agent_permissions', async (db, told) => ({
  user_id: await ownerOf(db, told),
  agent_name: told.agent_name ?? (await agent(db)).name,
  can_read: true,
}))

/** An element created by an agent. */
const agentEdit = factory('agent_edits', async (db, told) => ({
  board_id: await idOf(told.board_id, () => board(db)),
  agent_id: await idOf(told.agent_id, () => agent(db)),
  element_id: `element-${next()}`,
  change: 'created' as const,
  old_values: '{}',
  new_values: '{"type":"rectangle"}',
}))

/** Of a user, or of the given guest. */
const consent = factory('consent_records', async (db, told) => ({
  user_id: told.guest_id == null ? await idOf(told.user_id, () => user(db)) : null,
  consent_version: '1',
  privacy_policy_version: '1',
}))

/** Of the instance, or of the given board. */
const consentText = factory('consent_texts', () => ({
  consent_version: `v${next()}`,
  privacy_policy_version: '1',
  body: 'Be kind to each other.',
}))

const board = factory('boards', async (db, told) => {
  const ownerId = await idOf(told.owner_id, () => user(db))
  return { owner_id: ownerId, title: 'A board', created_by: ownerId }
})
const boardOf = async (db: Db, told: { board_id?: string }) => idOf(told.board_id, () => board(db))

/** For a user; `user_id: null` for everyone. */
const permission = factory('board_permissions', async (db, told) => ({
  board_id: await boardOf(db, told),
  user_id: 'user_id' in told ? told.user_id : (await user(db)).id,
  level: 'view' as const,
}))

/** By the board's owner, so that it gives its level. The secret is unknown unless its `sha256` is given. */
const shareLink = factory('share_links', async (db, told) => {
  const boardId = await boardOf(db, told)
  const { owner_id } = await db
    .selectFrom('boards')
    .select('owner_id')
    .where('id', '=', boardId)
    .executeTakeFirstOrThrow()
  return { board_id: boardId, level: 'view' as const, token_sha256: randomBytes(32), created_by: owner_id }
})

/** The columns that put a link into each state shown by its list. */
export const linkStates = {
  get active() {
    return {}
  },
  get expired() {
    return { expires_at: anHourAgo() }
  },
  get used_up() {
    return { max_uses: 1, uses: 1, last_used_at: anHourAgo() }
  },
  get revoked() {
    return { revoked_at: anHourAgo() }
  },
  /** Its creator may no longer give access: here, because they are gone. */
  get suspended() {
    return { created_by: null }
  },
} satisfies Record<ShareLinkResponse['state'], Told<'share_links'>>

/** By a guest, unless a user is given. */
const linkUse = factory('share_link_uses', async (db, told) => ({
  link_id: await idOf(told.link_id, () => shareLink(db)),
  guest_id: told.user_id == null ? await idOf(told.guest_id, () => guest(db)) : null,
  name: 'Gus',
}))

/** Version 1 with a new code, current, with one required text `name`. */
const template = factory('board_templates', () => {
  const n = next()
  return {
    code: `template-${n}`,
    name: `Template ${n}`,
    category: 'tests',
    version: 1,
    is_current: true,
    approved_at: new Date(),
    content: JSON.stringify({ type: 'excalidraw', elements: [] }),
    variables_schema: JSON.stringify({
      type: 'object',
      properties: { name: { type: 'string' } },
      required: ['name'],
      additionalProperties: false,
    }),
  }
})
/** With a new board and template by default. */
const record = factory('board_records', async (db, told) => ({
  board_id: await idOf(told.board_id, () => board(db)),
  template_id: await idOf(told.template_id, () => template(db)),
  variables: JSON.stringify({ name: `Record ${next()}` }),
}))
const recordKey = factory('board_record_keys', async (db, told) => ({
  record_id: await idOf(told.record_id, () => record(db)),
  template_code: 'intake',
  field: 'cpf',
  value: validCpf(),
}))

const update = factory('board_updates', async (db, told) => ({
  board_id: await boardOf(db, told),
  data: someDocument(),
}))

const snapshot = factory('board_snapshots', async (db, told) => ({
  board_id: await boardOf(db, told),
  ...withChecksum(told.state ?? someDocument()),
}))

const author = factory('board_authors', async (db, told) => ({
  board_id: await boardOf(db, told),
  client_id: next(),
  principal: told.principal ?? (await somebody(db)).principal,
}))

/** An automatic one; `name` makes it a named one. */
const version = factory('board_versions', async (db, told) => ({
  board_id: await boardOf(db, told),
  reason: typeof told.name === 'string' ? ('named' as const) : ('automatic' as const),
  ...withChecksum(told.state ?? someDocument()),
}))

/** Named by its content; `id: 'thumbnail'` makes it the board's thumbnail. */
const file = factory('board_files', async (db, told) => {
  const { sha256: content, data } = await fileContent(db)
  return { board_id: await boardOf(db, told), id: content, mime: 'image/png', size: data.length, content }
})

const fileContent = factory('file_contents', async (_db, told) => {
  const data = told.data ?? randomBytes(64)
  return { sha256: sha256(data).toString('hex'), data }
})

const thread = factory('threads', async (db, told) => {
  const { principal, name } = await somebody(db)
  return {
    board_id: await boardOf(db, told),
    anchor: { x: 1, y: 2 },
    created_by: principal,
    created_by_name: name,
  }
})

const comment = factory('comments', async (db, told) => {
  const { principal, name } = await somebody(db)
  return {
    thread_id: await idOf(told.thread_id, () => thread(db)),
    author: principal,
    author_name: name,
    body: 'What about this?',
  }
})

const commentRead = factory('comment_reads', async (db, told) => ({
  thread_id: await idOf(told.thread_id, () => thread(db)),
  reader: told.reader ?? (await somebody(db)).principal,
}))

const mention = factory('comment_mentions', async (db, told) => {
  const { principal, name } = await somebody(db)
  return { comment_id: await idOf(told.comment_id, () => comment(db)), principal, name }
})

/** About a reply, by default. */
const notification = factory('notifications', async (db, told) => {
  const made = told.comment_id === undefined ? await comment(db) : null
  const threadId = told.thread_id ?? made?.thread_id ?? (await thread(db)).id
  const { board_id } = await db
    .selectFrom('threads')
    .select('board_id')
    .where('id', '=', threadId)
    .executeTakeFirstOrThrow()
  return {
    recipient: told.recipient ?? (await somebody(db)).principal,
    kind: 'reply' as const,
    board_id,
    thread_id: threadId,
    comment_id: told.comment_id ?? made?.id ?? '',
  }
})

const mailChoice = factory('mail_choices', async (db, told) => ({
  user_id: await ownerOf(db, told),
  comments: false,
}))

/** A crashed process: nobody holds its lock. */
const server = factory('servers', () => ({ id: randomUUID(), host: 'gone', pid: 1 }))

/** A sign-in about which the database knows nothing else. */
const auditRow = factory('audit_logs', () => ({
  action: 'login' as const,
  category: 'account' as const,
  actor_kind: 'user' as const,
  actor_name: 'Somebody',
}))

/** Written by a trigger together with an audit row, never directly. */
const unsealedRow = Object.assign(
  async (db: Db, values?: Told<'audit_logs'>): Promise<Row<'audit_unsealed'>> => {
    // In one transaction, because a server on the database would otherwise seal it in between.
    return db.transaction().execute(async (trx) => {
      const { id } = await auditRow(trx, values)
      return trx.selectFrom('audit_unsealed').selectAll().where('id', '=', id).executeTakeFirstOrThrow()
    })
  },
  { table: 'audit_unsealed' as const },
) satisfies Factory<'audit_unsealed', Told<'audit_logs'>>

/** What is appended when an audit row, and anything else that waits, is sealed. */
const chainEntry = Object.assign(
  async (db: Db, values?: Told<'audit_logs'>): Promise<Row<'audit_chain'>> => {
    const { id } = await auditRow(db, values)
    // Retried if a server on the database is sealing just now, because only one can at a time.
    return eventually(async () => {
      await sql`select ${sql.id(schema, 'seal_audit')}()`.execute(db)
      return db.selectFrom('audit_chain').selectAll().where('audit_id', '=', id).executeTakeFirst()
    })
  },
  { table: 'audit_chain' as const },
) satisfies Factory<'audit_chain', Told<'audit_logs'>>

const folder = factory('folders', async (db, told) => ({
  owner_id: await idOf(told.owner_id, () => user(db)),
  name: `Folder ${next()}`,
}))
const folderPermission = factory('folder_permissions', async (db, told) => ({
  folder_id: await idOf(told.folder_id, () => folder(db)),
  user_id: told.user_id === undefined ? (await user(db)).id : told.user_id,
  level: 'view' as const,
}))
const speaker = factory('board_speakers', async (db, told) => ({
  board_id: await idOf(told.board_id, () => board(db)),
  ...(told.guest_id == null ? { user_id: await idOf(told.user_id ?? undefined, () => user(db)) } : {}),
}))
const star = factory('board_stars', async (db, told) => ({
  board_id: await idOf(told.board_id, () => board(db)),
  user_id: await idOf(told.user_id, () => user(db)),
}))
const libraryItem = factory('library_items', async (db, told) => ({
  created_by: await idOf(told.created_by ?? undefined, () => user(db)),
  elements: JSON.stringify([{ id: 'a', type: 'rectangle', x: 0, y: 0, width: 10, height: 10 }]),
}))
const recordTextsWaiting = factory('record_texts_waiting', async (db, told) => ({
  board_id: await idOf(told.board_id, () => board(db)),
}))
const sideRows = factory('side_rows_written', () => ({ id: randomUUID() }))
const searchEntry = factory('board_search', async (db, told) => {
  const title = `Plan ${next()}`
  return { board_id: await idOf(told.board_id, () => board(db)), title, title_key: title.toLowerCase() }
})
const boardInvitation = factory('board_invitations', async (db, told) => ({
  board_id: await idOf(told.board_id, () => board(db)),
  email: `invited-${next()}@example.org`,
  level: 'view' as const,
}))
const boardOffer = factory('board_offers', async (db, told) => ({
  board_id: await idOf(told.board_id, () => board(db)),
  user_id: await idOf(told.user_id, () => user(db)),
}))
const accessRequest = factory('access_requests', async (db, told) => ({
  board_id: await idOf(told.board_id, () => board(db)),
  ...(told.guest_id == null ? { user_id: await idOf(told.user_id ?? undefined, () => user(db)) } : {}),
  level: 'view' as const,
}))

export const make = {
  user,
  session,
  providerLogout,
  account,
  verification,
  twoFactor,
  setupToken,
  invitation,
  guest,
  serviceKey,
  passwordReset,
  webhook,
  webhookEvent,
  webhookDelivery,
  agent,
  agentPermission,
  agentEdit,
  sideRows,
  consent,
  consentText,
  record,
  recordKey,
  board,
  permission,
  shareLink,
  linkUse,
  folder,
  folderPermission,
  speaker,
  star,
  libraryItem,
  recordTextsWaiting,
  searchEntry,
  boardInvitation,
  boardOffer,
  accessRequest,
  template,
  update,
  snapshot,
  author,
  version,
  file,
  fileContent,
  thread,
  comment,
  commentRead,
  mention,
  notification,
  mailChoice,
  server,
  auditRow,
  unsealedRow,
  chainEntry,
}

/** Gives these people (who must still exist) a common board in the trash, so that they may name each other by id. */
export async function acquaint(db: Db, ...userIds: number[]): Promise<void> {
  const there = await db.selectFrom('users').select('id').where('id', 'in', userIds).execute()
  const { id: board_id } = await board(db, { deleted_at: anHourAgo() })
  for (const { id } of there) await permission(db, { board_id, user_id: id, level: 'view' })
}
