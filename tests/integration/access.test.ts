// The access matrix: every source alone, combined, and everything that removes it again.
import { randomUUID } from 'node:crypto'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { BoardAccess } from '../../server/boards/access.ts'
import { refusalOf, requireLevel, requireManage } from '../../server/boards/require-level.ts'
import type { Db } from '../../server/database/database.ts'
import { BoardroomError } from '../../server/errors.ts'
import type { AccessDecision, AccessSubject } from '../../server/rooms/ports.ts'
import { withDatabase } from '../helpers/database.ts'
import { make } from '../helpers/factories.ts'
import { anonymousIdentity, guestIdentity, userIdentity } from '../helpers/identities.ts'

const access = suite('access to a board')

const nobody = { userId: null, guestId: null, agentId: null, sessionId: null, maxLevel: null }
const past = new Date(Date.now() - 3_600_000)
const soon = new Date(Date.now() + 3_600_000)

/** The set-up of a case: it is given an owner with a board and a stranger, and returns who asks. */
type Case = (setup: {
  db: Db
  owner: number
  board: string
  stranger: number
}) => Promise<Partial<AccessSubject> & { boardId?: string }>

const expectations: [string, Case, string][] = [
  ['a stranger', async ({ stranger }) => ({ userId: stranger }), 'none'],
  ['nobody known', async () => ({}), 'none'],
  ['the owner', async ({ owner }) => ({ userId: owner }), 'edit owner manage'],
  [
    'an administrator',
    async ({ db }) => ({ userId: (await make.user(db, { role: 'admin' })).id }),
    'edit administrator manage',
  ],
  [
    'a sysadmin',
    async ({ db }) => ({ userId: (await make.user(db, { role: 'sysadmin' })).id }),
    'edit administrator manage',
  ],
  [
    'a row of one’s own',
    async ({ db, board, stranger }) => {
      await make.permission(db, { board_id: board, user_id: stranger, level: 'comment' })
      return { userId: stranger }
    },
    'comment permission',
  ],
  [
    'somebody else’s row',
    async ({ db, board, stranger }) => {
      await make.permission(db, { board_id: board, level: 'edit' })
      return { userId: stranger }
    },
    'none',
  ],
  [
    'a row on another board',
    async ({ db, owner, stranger }) => {
      await make.permission(db, {
        board_id: (await make.board(db, { owner_id: owner })).id,
        user_id: stranger,
        level: 'edit',
      })
      return { userId: stranger }
    },
    'none',
  ],
  [
    'members_level, as a member',
    async ({ db, board, stranger }) => {
      await db.updateTable('boards').set({ members_level: 'comment' }).where('id', '=', board).execute()
      return { userId: stranger }
    },
    'comment members',
  ],
  [
    'members_level, as a guest',
    async ({ db, board }) => {
      await db.updateTable('boards').set({ members_level: 'edit' }).where('id', '=', board).execute()
      return { guestId: (await make.guest(db)).id }
    },
    'none',
  ],
  [
    'members_level, as nobody known',
    async ({ db, board }) => {
      await db.updateTable('boards').set({ members_level: 'edit' }).where('id', '=', board).execute()
      return {}
    },
    'none',
  ],
  [
    'the row for everyone, as nobody known',
    async ({ db, board }) => {
      await make.permission(db, { board_id: board, user_id: null, level: 'comment' })
      return {}
    },
    'comment public',
  ],
  [
    'the row for everyone, as a guest',
    async ({ db, board }) => {
      await make.permission(db, { board_id: board, user_id: null, level: 'edit' })
      return { guestId: (await make.guest(db)).id }
    },
    'edit public',
  ],
  [
    'is_public means view',
    async ({ db, board }) => {
      await db.updateTable('boards').set({ is_public: true }).where('id', '=', board).execute()
      return {}
    },
    'view public',
  ],
  [
    'the row for everyone above is_public',
    async ({ db, board }) => {
      await db.updateTable('boards').set({ is_public: true }).where('id', '=', board).execute()
      await make.permission(db, { board_id: board, user_id: null, level: 'edit' })
      return {}
    },
    'edit public',
  ],
  [
    'the highest of several sources',
    async ({ db, board, stranger }) => {
      await make.permission(db, { board_id: board, user_id: null })
      await make.permission(db, { board_id: board, user_id: stranger, level: 'comment' })
      const { id: link } = await make.shareLink(db, { board_id: board, level: 'edit' })
      await make.linkUse(db, { link_id: link, user_id: stranger })
      return { userId: stranger }
    },
    'edit link',
  ],
  [
    'a link one came in by, as a guest',
    async ({ db, board }) => {
      const { id: guest } = await make.guest(db)
      const { id: link } = await make.shareLink(db, { board_id: board, level: 'comment' })
      await make.linkUse(db, { link_id: link, guest_id: guest })
      return { guestId: guest }
    },
    'comment link',
  ],
  [
    'a link that somebody else came in by',
    async ({ db, board }) => {
      const { id: link } = await make.shareLink(db, { board_id: board, level: 'edit' })
      await make.linkUse(db, { link_id: link })
      return { guestId: (await make.guest(db)).id }
    },
    'none',
  ],
  [
    'several links add up',
    async ({ db, board }) => {
      const { id: guest } = await make.guest(db)
      for (const level of ['view', 'edit', 'comment'] as const) {
        const { id: link } = await make.shareLink(db, { board_id: board, level })
        await make.linkUse(db, { link_id: link, guest_id: guest })
      }
      return { guestId: guest }
    },
    'edit link',
  ],
  [
    'a link of another board',
    async ({ db, owner }) => {
      const { id: guest } = await make.guest(db)
      const { id: link } = await make.shareLink(db, {
        board_id: (await make.board(db, { owner_id: owner })).id,
        level: 'edit',
      })
      await make.linkUse(db, { link_id: link, guest_id: guest })
      return { guestId: guest }
    },
    'none',
  ],
  [
    'a revoked link',
    async ({ db, board }) => {
      const { id: guest } = await make.guest(db)
      const { id: link } = await make.shareLink(db, { board_id: board, revoked_at: past })
      await make.linkUse(db, { link_id: link, guest_id: guest })
      return { guestId: guest }
    },
    'none',
  ],
  [
    'a revoked use of a link',
    async ({ db, board }) => {
      const { id: guest } = await make.guest(db)
      const { id: link } = await make.shareLink(db, { board_id: board })
      await make.linkUse(db, { link_id: link, guest_id: guest, revoked_at: past })
      return { guestId: guest }
    },
    'none',
  ],
  [
    'an expired link',
    async ({ db, board }) => {
      const { id: guest } = await make.guest(db)
      const { id: link } = await make.shareLink(db, { board_id: board, expires_at: past })
      await make.linkUse(db, { link_id: link, guest_id: guest })
      return { guestId: guest }
    },
    'none',
  ],
  [
    'a used-up link, as somebody inside',
    async ({ db, board }) => {
      const { id: guest } = await make.guest(db)
      const { id: link } = await make.shareLink(db, { board_id: board, max_uses: 1, uses: 1 })
      await make.linkUse(db, { link_id: link, guest_id: guest })
      return { guestId: guest }
    },
    'view link',
  ],
  [
    'a link whose creator never could give it',
    async ({ db, board, stranger }) => {
      const { id: guest } = await make.guest(db)
      const { id: link } = await make.shareLink(db, { board_id: board, created_by: stranger, level: 'edit' })
      await make.linkUse(db, { link_id: link, guest_id: guest })
      return { guestId: guest }
    },
    'none',
  ],
  [
    'a link of an administrator',
    async ({ db, board }) => {
      const { id: guest } = await make.guest(db)
      const { id: link } = await make.shareLink(db, {
        board_id: board,
        created_by: (await make.user(db, { role: 'admin' })).id,
      })
      await make.linkUse(db, { link_id: link, guest_id: guest })
      return { guestId: guest }
    },
    'view link',
  ],
  [
    'a link of a deactivated administrator',
    async ({ db, board }) => {
      const { id: guest } = await make.guest(db)
      const { id: creator } = await make.user(db, { role: 'admin', is_active: false })
      const { id: link } = await make.shareLink(db, { board_id: board, created_by: creator })
      await make.linkUse(db, { link_id: link, guest_id: guest })
      return { guestId: guest }
    },
    'none',
  ],
  [
    'a link of a deactivated owner',
    async ({ db, board, owner }) => {
      const { id: guest } = await make.guest(db)
      const { id: link } = await make.shareLink(db, { board_id: board })
      await make.linkUse(db, { link_id: link, guest_id: guest })
      await db.updateTable('users').set({ is_active: false }).where('id', '=', owner).execute()
      return { guestId: guest }
    },
    'none',
  ],
  [
    'a link of the system actor on its own board',
    async ({ db }) => {
      const system = await db
        .selectFrom('users')
        .select('id')
        .where('email', '=', 'system@boardroom.invalid')
        .executeTakeFirstOrThrow()
      const { id: board } = await make.board(db, { owner_id: system.id })
      const { id: guest } = await make.guest(db)
      const { id: link } = await make.shareLink(db, { board_id: board, created_by: system.id, level: 'edit' })
      await make.linkUse(db, { link_id: link, guest_id: guest })
      return { guestId: guest, boardId: board }
    },
    'edit link',
  ],
  [
    'a deactivated user',
    async ({ db, board }) => {
      const { id: user } = await make.user(db, { is_active: false })
      await make.permission(db, { board_id: board, user_id: user, level: 'edit' })
      return { userId: user }
    },
    'ended',
  ],
  [
    'a deactivated owner',
    async ({ db, owner }) => {
      await db.updateTable('users').set({ is_active: false }).where('id', '=', owner).execute()
      return { userId: owner }
    },
    'ended',
  ],
  [
    'a deactivated user on a public board',
    async ({ db, board }) => {
      await make.permission(db, { board_id: board, user_id: null, level: 'edit' })
      return { userId: (await make.user(db, { is_active: false })).id }
    },
    'ended',
  ],
  ['a user that is gone', async () => ({ userId: 2_000_000 }), 'ended'],
  [
    'an expired guest',
    async ({ db, board }) => {
      const { id: guest } = await make.guest(db, { expires_at: past })
      const { id: link } = await make.shareLink(db, { board_id: board })
      await make.linkUse(db, { link_id: link, guest_id: guest })
      return { guestId: guest }
    },
    'ended',
  ],
  ['a guest that is gone', async () => ({ guestId: randomUUID() }), 'ended'],
  [
    'a living session',
    async ({ db, owner }) => ({
      userId: owner,
      sessionId: String((await make.session(db, { user_id: owner })).id),
    }),
    'edit owner manage',
  ],
  [
    'an expired session',
    async ({ db, owner }) => ({
      userId: owner,
      sessionId: String((await make.session(db, { user_id: owner, expires_at: past })).id),
    }),
    'ended',
  ],
  ['a session that is gone', async ({ owner }) => ({ userId: owner, sessionId: '99999' }), 'ended'],
  [
    'a session of somebody else',
    async ({ db, owner, stranger }) => ({
      userId: owner,
      sessionId: String((await make.session(db, { user_id: stranger })).id),
    }),
    'ended',
  ],
  [
    'a session id that is none',
    async ({ owner }) => ({ userId: owner, sessionId: 'x; drop table' }),
    'ended',
  ],
  ['a cap', async ({ owner }) => ({ userId: owner, maxLevel: 'comment' }), 'comment owner'],
  [
    'a cap above the level',
    async ({ db, board, stranger }) => {
      await make.permission(db, { board_id: board, user_id: stranger })
      return { userId: stranger, maxLevel: 'edit' }
    },
    'view permission',
  ],
  [
    'a deleted board, as its owner',
    async ({ db, board, owner }) => {
      await db.updateTable('boards').set({ deleted_at: past }).where('id', '=', board).execute()
      return { userId: owner }
    },
    'none deleted manage',
  ],
  [
    'a deleted board, with a row',
    async ({ db, board, stranger }) => {
      await make.permission(db, { board_id: board, user_id: stranger })
      await db.updateTable('boards').set({ deleted_at: past }).where('id', '=', board).execute()
      return { userId: stranger }
    },
    'none deleted',
  ],
  [
    'a deleted board, as a stranger',
    async ({ db, board, stranger }) => {
      await db.updateTable('boards').set({ deleted_at: past }).where('id', '=', board).execute()
      return { userId: stranger }
    },
    'none',
  ],
  [
    'a missing board, as a user',
    async ({ stranger }) => ({ userId: stranger, boardId: randomUUID() }),
    'none',
  ],
  [
    'a missing board, as an administrator',
    async ({ db }) => ({ userId: (await make.user(db, { role: 'admin' })).id, boardId: randomUUID() }),
    'none missing',
  ],
  [
    'a board id that is none, as an administrator',
    async ({ db }) => ({ userId: (await make.user(db, { role: 'admin' })).id, boardId: 'not-a-board' }),
    'none missing',
  ],
  [
    'an agent with a grant on all of the owner’s boards',
    async ({ db, owner }) => ({ agentId: await letAgent(db, owner, { can_update: true }) }),
    'edit agent',
  ],
  [
    'an agent that may read',
    async ({ db, owner, board }) => ({
      agentId: await letAgent(db, owner, { can_read: true, board_id: board }),
    }),
    'view agent',
  ],
  [
    'an agent with a grant on another board',
    async ({ db, owner }) => ({
      agentId: await letAgent(db, owner, {
        can_read: true,
        board_id: (await make.board(db, { owner_id: owner })).id,
      }),
    }),
    'none',
  ],
  [
    'an agent granted by somebody without access',
    async ({ db, stranger }) => ({ agentId: await letAgent(db, stranger, { can_update: true }) }),
    'none',
  ],
  [
    'an agent granted more than its granter may',
    async ({ db, board, stranger }) => {
      await make.permission(db, { board_id: board, user_id: stranger, level: 'comment' })
      return { agentId: await letAgent(db, stranger, { can_update: true }) }
    },
    'comment agent',
  ],
  [
    'an agent whose grant expired',
    async ({ db, owner }) => ({ agentId: await letAgent(db, owner, { can_update: true, expires_at: past }) }),
    'none',
  ],
  [
    'an agent that is switched off',
    async ({ db, owner }) => ({ agentId: await letAgent(db, owner, { can_update: true }, false) }),
    'ended',
  ],
]

/** An agent with what `userId` allows it. */
async function letAgent(db: Db, userId: number, grant: object, isActive = true): Promise<string> {
  const { id, name } = await make.agent(db, { is_active: isActive })
  await make.agentPermission(db, { user_id: userId, agent_name: name, can_read: false, ...grant })
  return id
}

const told = (decision: AccessDecision): string =>
  decision.credential === 'ended'
    ? 'ended'
    : [
        decision.level ?? 'none',
        ...(decision.reason === 'none' ? [] : [decision.reason]),
        ...(decision.board === 'live' ? [] : [decision.board]),
        ...(decision.mayManage ? ['manage'] : []),
      ].join(' ')

access('is what the table says, one by one and all in one query', () =>
  withDatabase(async ({ db }) => {
    const decider = new BoardAccess(db, 'edit')
    const subjects: AccessSubject[] = []
    for (const [name, arrange, expected] of expectations) {
      const { id: owner } = await make.user(db)
      const { id: board } = await make.board(db, { owner_id: owner })
      const asked = await arrange({ db, owner, board, stranger: (await make.user(db)).id })
      const subject = { ...nobody, boardId: board, ...asked }
      subjects.push(subject)
      assert.is(told(await decider.decideOne(subject)), expected, name)
    }
    const together = await decider.decide(subjects)
    assert.equal(
      together.map(told),
      expectations.map(([, , expected]) => expected),
    )
  }),
)

access('for everyone is capped by the operator', () =>
  withDatabase(async ({ db }) => {
    const { id: owner } = await make.user(db)
    const { id: board } = await make.board(db, { owner_id: owner, is_public: true })
    const { id: published } = await make.board(db, { owner_id: owner, is_public: true })
    await make.permission(db, { board_id: board, user_id: null, level: 'edit' })
    const levels = async (cap: 'off' | 'view' | 'comment' | 'edit') =>
      (
        await new BoardAccess(db, cap).decide([
          { ...nobody, boardId: board },
          { ...nobody, boardId: published },
        ])
      ).map((decision) => decision.level)
    assert.equal(await levels('off'), [null, null])
    assert.equal(await levels('view'), ['view', 'view'])
    assert.equal(await levels('comment'), ['comment', 'view'])
    assert.equal(await levels('edit'), ['edit', 'view'])
  }),
)

access('names the link that gave it, and the next time at which it may expire', () =>
  withDatabase(async ({ db }) => {
    const { id: owner } = await make.user(db)
    const { id: board } = await make.board(db, { owner_id: owner })
    const later = new Date(soon.getTime() + 60_000)
    const { id: guest } = await make.guest(db, { expires_at: new Date(later.getTime() + 60_000) })
    const { id: link } = await make.shareLink(db, { board_id: board, level: 'edit', expires_at: soon })
    await make.linkUse(db, { link_id: link, guest_id: guest })
    const { id: lasting } = await make.shareLink(db, {
      board_id: board,
      level: 'edit',
      expires_at: later,
      label: 'Class 7b',
    })
    await make.linkUse(db, { link_id: lasting, guest_id: guest })
    const decision = await new BoardAccess(db, 'edit').decideOne({
      ...nobody,
      boardId: board,
      guestId: guest,
    })
    assert.equal([decision.linkId, decision.linkLabel, decision.nextChangeAt], [lasting, 'Class 7b', later])

    const session = String((await make.session(db, { user_id: owner, expires_at: soon })).id)
    const owned = await new BoardAccess(db, 'edit').decideOne({
      ...nobody,
      boardId: board,
      userId: owner,
      sessionId: session,
    })
    assert.equal(owned.nextChangeAt, soon)
  }),
)

access('is refused over HTTP so that missing and invisible boards look alike', () =>
  withDatabase(async ({ db }) => {
    const decider = new BoardAccess(db, 'edit')
    const { id: owner } = await make.user(db)
    const { id: board } = await make.board(db, { owner_id: owner })
    const stranger = userIdentity((await make.user(db)).id)
    const { id: viewer } = await make.user(db)
    await make.permission(db, { board_id: board, user_id: viewer })
    const outcome = (work: Promise<unknown>) =>
      work.then(
        () => 'allowed',
        (error: unknown) =>
          error instanceof BoardroomError ? `${error.code}: ${error.message}` : String(error),
      )
    const invisible = await outcome(requireLevel(decider, stranger, board, 'view'))
    assert.match(invisible, /^not_found/)
    assert.is(await outcome(requireLevel(decider, stranger, randomUUID(), 'view')), invisible)
    const unknown = await outcome(requireLevel(decider, anonymousIdentity, board, 'view'))
    assert.match(unknown, /^not_signed_in/)
    assert.is(await outcome(requireLevel(decider, anonymousIdentity, randomUUID(), 'view')), unknown)
    assert.match(await outcome(requireLevel(decider, userIdentity(viewer), board, 'edit')), /^access_denied/)
    assert.match(await outcome(requireManage(decider, userIdentity(viewer), board)), /^access_denied/)
    assert.is(await outcome(requireManage(decider, userIdentity(owner), board)), 'allowed')
    assert.match(
      await outcome(requireLevel(decider, { ...userIdentity(owner), boardId: randomUUID() }, board, 'view')),
      /^not_found/,
    )
    await db.updateTable('boards').set({ deleted_at: past }).where('id', '=', board).execute()
    assert.match(await outcome(requireLevel(decider, userIdentity(viewer), board, 'view')), /^board_deleted/)
    assert.is(await outcome(requireLevel(decider, stranger, board, 'view')), invisible)
    assert.is(await outcome(requireManage(decider, userIdentity(owner), board, { deleted: true })), 'allowed')
    assert.match(
      await outcome(requireManage(decider, userIdentity(viewer), board, { deleted: true })),
      /^board_deleted/,
    )
  }),
)

access('that is refused on a socket determines the close code', () =>
  withDatabase(async ({ db }) => {
    const decider = new BoardAccess(db, 'edit')
    const { id: owner } = await make.user(db)
    const { id: board } = await make.board(db, { owner_id: owner })
    const { id: guest } = await make.guest(db)
    const code = async (subject: Partial<AccessSubject>, identity = userIdentity(owner)) =>
      refusalOf(await decider.decideOne({ ...nobody, boardId: board, ...subject }), identity)?.code ?? null
    assert.is(await code({ userId: owner }), null)
    assert.is(await code({ guestId: guest }, guestIdentity(guest)), 'access_denied')
    assert.is(await code({}, anonymousIdentity), 'not_signed_in')
    assert.is(await code({ guestId: guest, boardId: randomUUID() }, guestIdentity(guest)), 'access_denied')
    await db.updateTable('boards').set({ deleted_at: past }).where('id', '=', board).execute()
    assert.is(await code({ userId: owner }), 'board_deleted')
    assert.is(await code({ guestId: guest }, guestIdentity(guest)), 'access_denied')
  }),
)

access.run()
