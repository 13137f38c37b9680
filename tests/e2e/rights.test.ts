// Every way in which access ends, decreases or increases, and what open sockets notice: one server, and for each way
// a separate board with a stock client and one of boardroom.v1. Each way is a test; they run before they are
// reported.
import pg from 'pg'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { disableUser } from '../../server/accounts/users.ts'
import { systemActor } from '../../server/principal.ts'
import type { Level } from '../../shared/levels.ts'
import { CloseCode, MessageType } from '../../shared/protocol.ts'
import { eventually } from '../helpers/eventually.ts'
import { type Answer, type Person, type TestServer, withServer } from '../helpers/server.ts'

interface Scene {
  server: TestServer
  board: string
  /** Owns the board. */
  ada: Person
  /** Whose clients are watched, unless they belong to a guest or nobody. */
  bob: Person
  eve: Person
  /** An administrator, who sees what is left. */
  root: Person
  /** A statement typed by hand: without an actor. */
  sql(statement: string, ...values: unknown[]): Promise<unknown>
  /** `bob`'s permission, or everyone's. */
  permission: number
  link: string
  guest: string | null
}

/** The permission that lets the clients in. */
type By = (scene: Scene) => Promise<{ ticket?: string }>

interface Way {
  by: By
  /** A separate person, because this way cannot be undone. */
  fresh?: boolean
  change(scene: Scene): unknown
  /** A close code is final; a level is what they return to, or keep. */
  gives: CloseCode | Level
}

const succeeded = (answer: Answer): Answer => {
  if (answer.status >= 300) throw new Error(`got ${answer.status}: ${JSON.stringify(answer.body)}`)
  return answer
}

const granted =
  (level: Level): By =>
  async (scene) => {
    scene.permission = succeeded(await scene.ada.grant(scene.board, scene.bob, level)).body.id
    return { ticket: await scene.bob.ticket(scene.board) }
  }
const owning: By = async (scene) => {
  scene.bob = scene.ada
  return { ticket: await scene.ada.ticket(scene.board) }
}
const administering: By = async (scene) => {
  await scene.sql(`update users set role = 'admin' where id = $1`, scene.bob.id)
  return { ticket: await scene.bob.ticket(scene.board) }
}
const asMember =
  (level: Level): By =>
  async (scene) => {
    succeeded(await scene.ada.ask('PATCH', `/api/boards/${scene.board}`, { members_level: level }))
    return { ticket: await scene.bob.ticket(scene.board) }
  }
const asAnybody: By = async (scene) => {
  scene.permission = succeeded(await scene.ada.grant(scene.board, null, 'edit')).body.id
  return {}
}
const published: By = async (scene) => {
  succeeded(await scene.ada.ask('PATCH', `/api/boards/${scene.board}`, { is_public: true }))
  return {}
}
const makeLink = async (by: Person, scene: Scene, body: object): Promise<string> => {
  const link = succeeded(await by.ask('POST', `/api/boards/${scene.board}/share-links`, body)).body
  scene.link = link.id
  return link.url.split('#k=')[1]
}
/** Links that expire are given a near expiry once everybody is in: a busy machine may take long for that. */
const inAnHour = () => new Date(Date.now() + 3_600_000).toISOString()
const endSoon: Way['change'] = ({ sql, link }) =>
  sql(`update share_links set expires_at = now() + interval '0.5 seconds' where id = $1`, link)
const invited =
  (body: () => { level: Level; expires_at?: string }, by: 'ada' | 'root' = 'ada'): By =>
  async (scene) => {
    const token = await makeLink(scene[by], scene, body())
    const { ticket } = succeeded(
      await scene.server.ask('POST', '/api/share-links/exchange', { token, name: 'Gil' }),
    ).body
    const { guest_id } = await scene.server.db
      .selectFrom('share_link_uses')
      .select('guest_id')
      .where('link_id', '=', scene.link)
      .executeTakeFirstOrThrow()
    scene.guest = guest_id
    return { ticket }
  }
const invitedToEdit = invited(() => ({ level: 'edit' }))
/** A link of an administrator who is `bob` in the scene. */
const invitedByAdministrator: By = async (scene) => {
  await administering(scene)
  const { root } = scene
  scene.root = scene.bob
  const entered = await invited(() => ({ level: 'edit' }), 'root')(scene)
  scene.root = root
  return entered
}
const userInvited =
  (body: () => { level: Level; expires_at?: string }): By =>
  async (scene) => {
    const token = await makeLink(scene.ada, scene, body())
    const { ticket } = succeeded(await scene.bob.ask('POST', '/api/share-links/exchange', { token })).body
    return { ticket }
  }
const disconnect = async ({ ada, board, server, guest }: Scene) => {
  const { items } = succeeded(await ada.ask('GET', `/api/boards/${board}/connections`)).body
  succeeded(await ada.ask('DELETE', `/api/boards/${board}/connections/${items[0].id}`))
  const uses = await server.db
    .selectFrom('share_link_uses')
    .select('revoked_at')
    .where('guest_id', '=', guest)
    .execute()
  assert.ok(
    uses.every(({ revoked_at }) => revoked_at !== null),
    'what the guest held is taken back',
  )
}

const { noAccess, notSignedIn, boardDeleted } = CloseCode
const ways: Record<string, Way> = {
  // A row of board_permissions
  'a permission taken away by the API': {
    by: granted('edit'),
    change: ({ ada, board, permission }) =>
      ada.ask('DELETE', `/api/boards/${board}/permissions/${permission}`),
    gives: noAccess,
  },
  'a permission lowered by the API': {
    by: granted('edit'),
    change: ({ ada, board, bob }) => ada.grant(board, bob, 'comment'),
    gives: 'comment',
  },
  'a permission raised by the API': {
    by: granted('view'),
    change: ({ ada, board, bob }) => ada.grant(board, bob, 'edit'),
    gives: 'edit',
  },
  'a permission deleted in SQL': {
    by: granted('edit'),
    change: ({ sql, permission }) => sql('delete from board_permissions where id = $1', permission),
    gives: noAccess,
  },
  'a permission lowered in SQL': {
    by: granted('edit'),
    change: ({ sql, permission }) =>
      sql(`update board_permissions set level = 'view' where id = $1`, permission),
    gives: 'view',
  },
  'a permission given to somebody else in SQL': {
    by: granted('edit'),
    change: ({ sql, permission, eve }) =>
      sql('update board_permissions set user_id = $2 where id = $1', permission, eve.id),
    gives: noAccess,
  },
  'a permission moved to another board in SQL': {
    by: granted('edit'),
    change: async ({ sql, permission, ada }) =>
      sql('update board_permissions set board_id = $2 where id = $1', permission, await ada.board()),
    gives: noAccess,
  },
  'a permission inserted in SQL': {
    by: asMember('view'),
    change: ({ sql, board, bob }) =>
      sql(`insert into board_permissions (board_id, user_id, level) values ($1, $2, 'edit')`, board, bob.id),
    gives: 'edit',
  },
  'everyone’s permission taken away by the API': {
    by: asAnybody,
    change: ({ ada, board, permission }) =>
      ada.ask('DELETE', `/api/boards/${board}/permissions/${permission}`),
    gives: noAccess,
  },
  'everyone’s permission lowered in SQL': {
    by: asAnybody,
    change: ({ sql, permission }) =>
      sql(`update board_permissions set level = 'comment' where id = $1`, permission),
    gives: 'comment',
  },
  // The board
  'members_level taken away by the API': {
    by: asMember('edit'),
    change: ({ ada, board }) => ada.ask('PATCH', `/api/boards/${board}`, { members_level: null }),
    gives: noAccess,
  },
  'members_level lowered in SQL': {
    by: asMember('edit'),
    change: ({ sql, board }) => sql(`update boards set members_level = 'view' where id = $1`, board),
    gives: 'view',
  },
  'a board unpublished by the API': {
    by: published,
    change: ({ ada, board }) => ada.ask('PATCH', `/api/boards/${board}`, { is_public: false }),
    gives: noAccess,
  },
  'a board unpublished in SQL': {
    by: published,
    change: ({ sql, board }) => sql('update boards set is_public = false where id = $1', board),
    gives: noAccess,
  },
  'a board handed over in SQL, to who had it': {
    by: owning,
    change: ({ sql, board, eve }) => sql('update boards set owner_id = $2 where id = $1', board, eve.id),
    gives: noAccess,
  },
  'a board handed over in SQL, to who gets it': {
    by: granted('view'),
    change: ({ sql, board, bob }) => sql('update boards set owner_id = $2 where id = $1', board, bob.id),
    gives: 'edit',
  },
  'a board deleted by the API': {
    by: granted('edit'),
    change: ({ ada, board }) => ada.ask('DELETE', `/api/boards/${board}`),
    gives: boardDeleted,
  },
  'a board deleted in SQL': {
    by: granted('edit'),
    change: ({ sql, board }) => sql('update boards set deleted_at = now() where id = $1', board),
    gives: boardDeleted,
  },
  'a board’s row removed in SQL': {
    by: granted('edit'),
    change: ({ sql, board }) => sql('delete from boards where id = $1', board),
    gives: noAccess,
  },
  // A share link, and its uses
  'a link revoked by the API': {
    by: invitedToEdit,
    change: ({ ada, board, link }) => ada.ask('DELETE', `/api/boards/${board}/share-links/${link}`),
    gives: noAccess,
  },
  'a link revoked in SQL': {
    by: invitedToEdit,
    change: ({ sql, link }) => sql('update share_links set revoked_at = now() where id = $1', link),
    gives: noAccess,
  },
  'a link deleted in SQL': {
    by: invitedToEdit,
    change: ({ sql, link }) => sql('delete from share_links where id = $1', link),
    gives: noAccess,
  },
  'a link lowered by the API': {
    by: invitedToEdit,
    change: ({ ada, board, link }) =>
      ada.ask('PATCH', `/api/boards/${board}/share-links/${link}`, { level: 'view' }),
    gives: 'view',
  },
  'a link raised in SQL': {
    by: invited(() => ({ level: 'view' })),
    change: ({ sql, link }) => sql(`update share_links set level = 'edit' where id = $1`, link),
    gives: 'edit',
  },
  'a link expired in SQL': {
    by: invitedToEdit,
    change: ({ sql, link }) =>
      sql(`update share_links set expires_at = now() - interval '1 minute' where id = $1`, link),
    gives: noAccess,
  },
  'a link that the clock ends, to a user': {
    by: userInvited(() => ({ level: 'edit', expires_at: inAnHour() })),
    change: endSoon,
    gives: noAccess,
  },
  'a link that the clock ends, to a guest': {
    by: invited(() => ({ level: 'edit', expires_at: inAnHour() })),
    change: endSoon,
    gives: noAccess,
  },
  'a link moved to another board in SQL': {
    by: invitedToEdit,
    change: async ({ sql, link, ada }) =>
      sql('update share_links set board_id = $2 where id = $1', link, await ada.board()),
    gives: noAccess,
  },
  'a link ascribed in SQL to somebody who may give nothing': {
    by: invitedToEdit,
    change: ({ sql, link, eve }) => sql('update share_links set created_by = $2 where id = $1', link, eve.id),
    gives: noAccess,
  },
  'a link whose creator is no administrator any more': {
    by: invitedByAdministrator,
    fresh: true,
    change: ({ sql, bob }) => sql(`update users set role = 'user' where id = $1`, bob.id),
    gives: noAccess,
  },
  'a link whose creator is deactivated': {
    by: invitedByAdministrator,
    fresh: true,
    change: ({ server, bob }) => disableUser(server.db, systemActor, bob.email),
    gives: noAccess,
  },
  'a link whose creator hands the board over in SQL': {
    by: invitedToEdit,
    change: ({ sql, board, eve }) => sql('update boards set owner_id = $2 where id = $1', board, eve.id),
    gives: noAccess,
  },
  'a guest who is sent away': { by: invitedToEdit, change: disconnect, gives: noAccess },
  'a guest’s use taken back in SQL': {
    by: invitedToEdit,
    change: ({ sql, guest }) =>
      sql('update share_link_uses set revoked_at = now() where guest_id = $1', guest),
    gives: noAccess,
  },
  'a guest’s use deleted in SQL': {
    by: invitedToEdit,
    change: ({ sql, guest }) => sql('delete from share_link_uses where guest_id = $1', guest),
    gives: noAccess,
  },
  'a guest’s use given to a user in SQL': {
    by: invitedToEdit,
    change: ({ sql, guest, eve }) =>
      sql('update share_link_uses set guest_id = null, user_id = $2 where guest_id = $1', guest, eve.id),
    gives: noAccess,
  },
  'a use that names another link in SQL': {
    by: invitedToEdit,
    change: async (scene) => {
      const { sql, guest, ada } = scene
      await makeLink(ada, scene, { level: 'view' })
      return sql('update share_link_uses set link_id = $2 where guest_id = $1', guest, scene.link)
    },
    gives: 'view',
  },
  'a user’s use taken back in SQL': {
    by: userInvited(() => ({ level: 'edit' })),
    change: ({ sql, link }) => sql('update share_link_uses set revoked_at = now() where link_id = $1', link),
    gives: noAccess,
  },
  'a guest removed in SQL': {
    by: invitedToEdit,
    change: ({ sql, guest }) => sql('delete from guests where id = $1', guest),
    gives: notSignedIn,
  },
  'a guest whom the clock ends': {
    by: invitedToEdit,
    change: ({ sql, guest }) =>
      sql(`update guests set expires_at = now() + interval '0.5 seconds' where id = $1`, guest),
    gives: notSignedIn,
  },
  'a guest expired in SQL': {
    by: invitedToEdit,
    change: ({ sql, guest }) => sql(`update guests set expires_at = now() where id = $1`, guest),
    gives: notSignedIn,
  },
  // The account and its session
  'signing out': {
    by: granted('edit'),
    fresh: true,
    change: ({ bob }) => bob.ask('POST', '/api/auth/sign-out', {}),
    gives: notSignedIn,
  },
  'a session ended from the list of sessions': {
    by: granted('edit'),
    fresh: true,
    change: async ({ bob }) =>
      bob.ask('DELETE', `/api/sessions/${(await bob.ask('GET', '/api/sessions')).body.items[0].id}`),
    gives: notSignedIn,
  },
  'a session deleted in SQL': {
    by: granted('edit'),
    fresh: true,
    change: ({ sql, bob }) => sql('delete from sessions where user_id = $1', bob.id),
    gives: notSignedIn,
  },
  'a session expired in SQL': {
    by: granted('edit'),
    fresh: true,
    change: ({ sql, bob }) => sql('update sessions set expires_at = now() where user_id = $1', bob.id),
    gives: notSignedIn,
  },
  'a session that the clock ends': {
    by: granted('edit'),
    fresh: true,
    change: ({ sql, bob }) =>
      sql(`update sessions set expires_at = now() + interval '0.5 seconds' where user_id = $1`, bob.id),
    gives: notSignedIn,
  },
  'a session given to somebody else in SQL': {
    by: granted('edit'),
    fresh: true,
    change: ({ sql, bob, eve }) => sql('update sessions set user_id = $2 where user_id = $1', bob.id, eve.id),
    gives: notSignedIn,
  },
  'an account deactivated by a command': {
    by: granted('edit'),
    fresh: true,
    change: ({ server, bob }) => disableUser(server.db, systemActor, bob.email),
    gives: notSignedIn,
  },
  'an account deactivated in SQL': {
    by: granted('edit'),
    fresh: true,
    change: ({ sql, bob }) => sql('update users set is_active = false where id = $1', bob.id),
    gives: notSignedIn,
  },
  'an account deleted in SQL': {
    by: granted('edit'),
    fresh: true,
    change: ({ sql, bob }) => sql('delete from users where id = $1', bob.id),
    gives: notSignedIn,
  },
  'an administrator who is one no more': {
    by: administering,
    fresh: true,
    change: ({ sql, bob }) => sql(`update users set role = 'user' where id = $1`, bob.id),
    gives: noAccess,
  },
  'a user who becomes an administrator': {
    by: granted('view'),
    fresh: true,
    change: ({ sql, bob }) => sql(`update users set role = 'admin' where id = $1`, bob.id),
    gives: 'edit',
  },
  // Whole tables, last of all
  'TRUNCATE board_permissions': {
    by: granted('edit'),
    change: ({ sql }) => sql('truncate board_permissions'),
    gives: noAccess,
  },
  'TRUNCATE share_link_uses': {
    by: invitedToEdit,
    change: ({ sql }) => sql('truncate share_link_uses'),
    gives: noAccess,
  },
  'TRUNCATE share_links': {
    by: invitedToEdit,
    change: ({ sql }) => sql('truncate share_links cascade'),
    gives: noAccess,
  },
  'TRUNCATE guests': {
    by: invitedToEdit,
    change: ({ sql }) => sql('truncate guests cascade'),
    gives: notSignedIn,
  },
  'TRUNCATE sessions': {
    by: granted('edit'),
    fresh: true,
    change: ({ sql }) => sql('truncate sessions'),
    gives: notSignedIn,
  },
}

async function watch(scene: Scene, way: Way): Promise<void> {
  const { server, board, root } = scene
  const entered = await way.by(scene)
  const [stock, own] = await Promise.all([server.open(board, entered), server.raw(board, entered)])
  try {
    const { connection_id } = await own.message(MessageType.hello)
    const answer = await way.change(scene)
    if (typeof answer === 'object' && answer !== null && 'status' in answer) succeeded(answer as Answer)
    const { gives } = way
    if (typeof gives === 'number') {
      const [ofStock, ofOwn] = await eventually(
        () =>
          stock.closes.length > 0 &&
          own.socket.readyState === own.socket.CLOSED && [stock.closes, own.closed],
      )
      assert.equal(ofStock, [gives], 'the stock client')
      assert.is((await ofOwn).code, gives, 'boardroom.v1')
      assert.is(stock.provider.shouldConnect, false, 'the stock client stops')
      return
    }
    await own.message(MessageType.level, ({ level }) => level === gives)
    const levels = async () => {
      const { items } = succeeded(await root.ask('GET', `/api/boards/${board}/connections`)).body
      return items as { id: string; level: Level }[]
    }
    // The stock client's previous connection is here until it has been closed.
    const here = await eventually(async () => {
      const items = await levels()
      assert.equal(
        items.map(({ level }) => level),
        [gives, gives],
      )
      return stock.closes.length > 0 && stock.provider.synced && items
    })
    assert.equal(stock.closes, [CloseCode.levelChanged], 'the stock client is sent round once')
    assert.is(own.socket.readyState, own.socket.OPEN, 'boardroom.v1 stays')
    assert.ok(
      here.some(({ id }) => id === connection_id),
      'on the same connection',
    )
  } finally {
    stock.stop()
    own.terminate()
  }
}

const outcomes = new Map<string, unknown>()
await withServer(
  async (server) => {
    const people = [await server.user('Ada'), await server.user('Bob'), await server.user('Eve')] as const
    const root = await server.user('Root', 'sysadmin')
    const byHand = new pg.Client({ connectionString: server.url, options: `-c search_path=${server.schema}` })
    await byHand.connect()
    for (const [name, way] of Object.entries(ways)) {
      try {
        const [ada, bob, eve] = people
        const somebody = way.fresh ? await server.user(`Somebody ${outcomes.size}`) : bob
        const sql = (statement: string, ...values: unknown[]) => byHand.query(statement, values)
        const board = await ada.board(name)
        await watch(
          { server, board, ada, bob: somebody, eve, root, sql, permission: 0, link: '', guest: null },
          way,
        )
        outcomes.set(name, null)
      } catch (error) {
        outcomes.set(name, error)
      }
    }
    await byHand.end()
  },
  { joinsPerSecondPerIp: 10_000 },
)

const rights = suite('what open sockets see of')
for (const [name, error] of outcomes) {
  rights(name, () => {
    if (error !== null) throw error
  })
}
const handing = suite('a board that is handed over')
handing('keeps its former owner on it, who is told that they no longer manage it', () =>
  withServer(async ({ user, raw, origin }) => {
    const [ada, eve] = [await user('Ada'), await user('Eve')]
    const board = await ada.board()
    const client = await raw(board, { headers: { cookie: ada.cookie, origin } })
    assert.is((await client.message(MessageType.hello)).may_manage, true)
    succeeded(await ada.ask('PATCH', `/api/boards/${board}`, { owner_id: eve.id }))
    succeeded(await eve.ask('POST', `/api/board-offers/${board}/answer`, { accept: true }))
    const { level, may_manage } = await client.message(MessageType.level)
    assert.equal({ level, may_manage }, { level: 'edit', may_manage: false })
  }),
)
handing.run()

const restoring = suite('a deleted board that is restored')
restoring('opens again for everybody who could open it before', () =>
  withServer(async ({ user, raw }) => {
    const [ada, bob] = [await user('Ada'), await user('Bob')]
    const board = await ada.board()
    await ada.grant(board, bob, 'comment')
    const ticket = await bob.ticket(board)
    const before = await raw(board, { ticket })
    await before.message(MessageType.hello)
    succeeded(await ada.ask('DELETE', `/api/boards/${board}`))
    assert.is((await before.closed).code, boardDeleted)
    succeeded(await ada.ask('POST', `/api/boards/${board}/restore`, {}))
    const after = await raw(board, { ticket })
    assert.is((await after.message(MessageType.hello)).level, 'comment')
  }),
)
restoring.run()

rights.run()
