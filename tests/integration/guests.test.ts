import { rejects } from 'node:assert/strict'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { cookieNames } from '../../server/accounts/cookies.ts'
import { Guests } from '../../server/accounts/guests.ts'
import { transactionAs } from '../../server/audit/actor.ts'
import type { Db } from '../../server/database/database.ts'
import { systemActor } from '../../server/principal.ts'
import { withDatabase } from '../helpers/database.ts'
import { make } from '../helpers/factories.ts'
import { withServer } from '../helpers/server.ts'

const dayMs = 86_400_000
const inDays = (days: number) => new Date(Date.now() + days * dayMs)
const aboutDays = (date: Date | undefined, days: number) =>
  assert.ok(
    Math.abs((date?.getTime() ?? 0) - Date.now() - days * dayMs) < 60_000,
    `${date?.toISOString()}, not in ${days} days`,
  )

const create = (db: Db, guests: Guests, linkExpiresAt: Date | null = null) =>
  transactionAs(db, systemActor, (trx) => guests.create(trx, { name: 'Gus', linkExpiresAt }))
const cookieHeader = (setCookie: string) => setCookie.split(';')[0]

/** A link of a new board, and its use by the guest. */
async function letIn(db: Db, guestId: string, expiresAt: Date | null): Promise<string> {
  const { id } = await make.shareLink(db, { expires_at: expiresAt })
  await make.linkUse(db, { link_id: id, guest_id: guestId })
  return id
}

const setExpiry = (db: Db, id: string, at: Date) =>
  db.updateTable('guests').set({ expires_at: at }).where('id', '=', id).execute()
const expiryOf = async (db: Db, id: string) =>
  (await db.selectFrom('guests').select('expires_at').where('id', '=', id).executeTakeFirst())?.expires_at

const guests = suite('guests')

guests('are found again by their cookie, of which only a hash is stored', () =>
  withDatabase(async ({ db }) => {
    const service = new Guests(db, cookieNames(false))
    const { guestId, cookie } = await create(db, service)
    assert.match(cookie, /^boardroom\.guest=[\w-]{43}; Path=\/; Max-Age=\d+; HttpOnly; SameSite=Lax$/)
    assert.is((await service.find(`other=1; ${cookieHeader(cookie)}`))?.id, guestId)
    for (const header of [
      undefined,
      '',
      'boardroom.guest',
      'boardroom.guest=',
      'boardroom.guest=x',
      `x${cookieHeader(cookie)}`,
    ]) {
      assert.is(await service.find(header), null, header)
    }
    const { token_sha256 } = await db.selectFrom('guests').selectAll().executeTakeFirstOrThrow()
    assert.not.ok(cookie.includes(token_sha256.toString('base64url')))
  }),
)

guests('get a __Host- cookie on https', () =>
  withDatabase(async ({ db }) => {
    const { cookie } = await create(db, new Guests(db, cookieNames(true)))
    assert.match(
      cookie,
      /^__Host-boardroom\.guest=[\w-]{43}; Path=\/; Max-Age=\d+; HttpOnly; SameSite=Lax; Secure$/,
    )
  }),
)

guests('live 30 days, and never longer than the link that let them in', () =>
  withDatabase(async ({ db }) => {
    const service = new Guests(db, cookieNames(false))
    aboutDays(await expiryOf(db, (await create(db, service)).guestId), 30)
    aboutDays(await expiryOf(db, (await create(db, service, inDays(3))).guestId), 3)
    aboutDays(await expiryOf(db, (await create(db, service, inDays(90))).guestId), 30)
  }),
)

guests('are extended with use, up to the expiry of the last link they hold', () =>
  withDatabase(async ({ db }) => {
    const service = new Guests(db, cookieNames(false))
    const slid = async (...links: (Date | null)[]) => {
      const { guestId, cookie } = await create(db, service)
      for (const expiresAt of links) await letIn(db, guestId, expiresAt)
      await setExpiry(db, guestId, inDays(1))
      await service.find(cookieHeader(cookie))
      return expiryOf(db, guestId)
    }
    aboutDays(await slid(null), 30)
    aboutDays(await slid(inDays(5)), 5)
    aboutDays(await slid(inDays(5), inDays(20)), 20)
    aboutDays(await slid(inDays(5), null), 30)
    aboutDays(await slid(), 1)
  }),
)

guests('are not extended by revoked links, or by revoked uses', () =>
  withDatabase(async ({ db }) => {
    const service = new Guests(db, cookieNames(false))
    const { guestId, cookie } = await create(db, service)
    const link = await letIn(db, guestId, null)
    await setExpiry(db, guestId, inDays(1))
    await db.updateTable('share_links').set({ revoked_at: new Date() }).where('id', '=', link).execute()
    await service.find(cookieHeader(cookie))
    aboutDays(await expiryOf(db, guestId), 1)
    await db.updateTable('share_links').set({ revoked_at: null }).where('id', '=', link).execute()
    await db.updateTable('share_link_uses').set({ revoked_at: new Date() }).execute()
    await service.find(cookieHeader(cookie))
    aboutDays(await expiryOf(db, guestId), 1)
  }),
)

guests('change their name, which the trail has with the old one', () =>
  withDatabase(async ({ db }) => {
    const service = new Guests(db, cookieNames(false))
    const { guestId, cookie } = await create(db, service)
    const before = (await service.find(cookieHeader(cookie)))?.name
    for (const name of ['Katherine', 'Katherine']) await service.rename(systemActor, guestId, name)
    assert.is((await service.find(cookieHeader(cookie)))?.name, 'Katherine')
    const rows = await db
      .selectFrom('audit_logs')
      .select(['action', 'category', 'old_values', 'new_values'])
      .where('resource_type', '=', 'guest')
      .where('action', '=', 'update')
      .execute()
    const told = { action: 'update', category: 'account' }
    assert.equal(rows, [{ ...told, old_values: { name: before }, new_values: { name: 'Katherine' } }])
    await setExpiry(db, guestId, new Date(Date.now() - 1000))
    await rejects(service.rename(systemActor, guestId, 'Grace'), { code: 'not_signed_in' })
  }),
)

guests('may change their name ten times a minute', () =>
  withServer(async (server) => {
    const ada = await server.user('Ada')
    const board = await ada.board()
    const link = await ada.ask('POST', `/api/boards/${board}/share-links`, { level: 'view' })
    const token = new URL(link.body.url).hash.replace('#k=', '')
    const own = { origin: server.origin }
    const entered = await server.ask('POST', '/api/share-links/exchange', { token, name: 'Gus' }, own)
    const [cookie = ''] = String(entered.headers.get('set-cookie')).split(';')
    const rename = (name: string) => server.ask('PATCH', '/api/me', { name }, { ...own, cookie })
    for (let count = 1; count <= 10; count++) {
      const { status, body } = await rename(`Gus ${count}`)
      assert.equal([status, body.kind, body.name], [200, 'guest', `Gus ${count}`])
    }
    const { status, body } = await rename('Gus 11')
    assert.equal([status, body.error.code], [429, 'too_many_requests'])
    assert.is((await server.ask('GET', '/api/me', undefined, { cookie })).body.name, 'Gus 10')
    assert.is((await rename('')).status, 400)
  }),
)

guests('are nobody once expired', () =>
  withDatabase(async ({ db }) => {
    const service = new Guests(db, cookieNames(false))
    const { guestId, cookie } = await create(db, service)
    await letIn(db, guestId, null)
    await setExpiry(db, guestId, new Date(Date.now() - 1000))
    assert.is(await service.find(cookieHeader(cookie)), null)
  }),
)

guests.run()
