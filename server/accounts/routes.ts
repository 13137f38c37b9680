// Accounts over HTTP: who am I, my sessions, and tickets for stock clients. Signing in is in auth-routes.ts.
import { createRoute, z } from '@hono/zod-openapi'
import { listOf, MeResponse, SessionResponse, TicketCreate, TicketResponse, Uuid } from '../../shared/api.ts'
import type { Level } from '../../shared/levels.ts'
import { transactionAs } from '../audit/actor.ts'
import type { Db } from '../database/database.ts'
import { BoardroomError } from '../errors.ts'
import { type Actor, type Identity, principalKey } from '../principal.ts'
import { errorAnswers, jsonAnswer, jsonBody, newRouter } from '../routing/router.ts'
import type { AccountTrail, Auth } from './auth.ts'
import { forward, withCookies } from './auth-routes.ts'
import { userById } from './queries.ts'
import { deleteSessions, sessionsOf } from './session-queries.ts'
import { makeTicket } from './tickets.ts'
import { foreignUser } from './users.ts'

export interface AccountRoutesDeps {
  db: Db
  auth: Auth
  trail: AccountTrail
}

/** `/me` and `/sessions`. */
export function accountRoutes({ db, auth, trail }: AccountRoutesDeps) {
  const router = newRouter()

  router.openapi(meRoute, async (c) => {
    const { principal, via } = c.get('identity')
    const user = principal.kind === 'user' ? await userById(db, principal.userId) : undefined
    const answer = c.json(
      {
        kind: principal.kind,
        id: principal.kind === 'anonymous' ? null : principalKey(principal),
        user_id: principal.kind === 'user' ? principal.userId : null,
        name: principal.kind === 'anonymous' ? null : principal.name,
        email: user?.email ?? null,
        role: principal.kind === 'user' ? principal.role : null,
      },
      200,
    )
    // Every page begins by asking this, so here the session slides.
    return via === 'session' ? withCookies(answer, await forward(auth, c, 'GET', '/get-session')) : answer
  })

  router.openapi(sessionsRoute, async (c) => {
    const { userId, sessionId } = signedInAs(c.get('identity'))
    const sessions = await sessionsOf(db, userId)
    const items = sessions.map(({ id, created_at, expires_at, ip_address, user_agent }) => ({
      id,
      created_at: created_at.toISOString(),
      expires_at: expires_at.toISOString(),
      ip_address: ip_address || null,
      user_agent: user_agent || null,
      is_current: String(id) === sessionId,
    }))
    return c.json({ items, next_cursor: null }, 200)
  })

  const endSessions = async (identity: Identity, actor: Actor, which: { id?: number; except?: number }) => {
    const { userId } = signedInAs(identity)
    const ended = await transactionAs(db, actor, (trx) => deleteSessions(trx, userId, which))
    const rows = ended.map(
      (id) => ({ action: 'logout', actor, resourceType: 'session', resourceId: String(id) }) as const,
    )
    await Promise.all(rows.map((row) => trail.record(row)))
    return ended.length
  }

  router.openapi(endSessionRoute, async (c) => {
    const ended = await endSessions(c.get('identity'), c.get('actor'), {
      id: c.req.valid('param').session_id,
    })
    if (ended === 0) throw new BoardroomError('not_found', 'you have no such session')
    return c.body(null, 204)
  })

  router.openapi(endSessionsRoute, async (c) => {
    const identity = c.get('identity')
    await endSessions(identity, c.get('actor'), { except: Number(identity.sessionId) })
    return c.body(null, 204)
  })

  return router
}

export interface TicketRoutesDeps {
  db: Db
  ticketKey: Uint8Array
  /** Lets through who may see the board. @throws BoardroomError otherwise. @see server/boards/access.ts */
  requireLevel(identity: Identity, boardId: string, level: Level): Promise<unknown>
  /** What people type to get here, without a trailing slash. @see server/http/origins.ts */
  publicUrl(host: string | null): string
}

/** `/boards/{board_id}/tickets`. */
export function ticketRoutes(deps: TicketRoutesDeps) {
  const router = newRouter()
  router.openapi(ticketRoute, async (c) => {
    const { board_id } = c.req.valid('param')
    const wanted = c.req.valid('json')
    const identity = c.get('identity')
    await deps.requireLevel(identity, board_id, 'view')
    const whose = wanted.user === undefined ? identity : await foreignIdentity(deps.db, identity, wanted.user)
    const { ticket, expiresAt } = await makeTicket(deps.ticketKey, whose, {
      boardId: board_id,
      expiresInS: wanted.expires_in,
      maxLevel: wanted.max_level,
    })
    // The socket's whole address; the ticket goes beside it, as a subprotocol, because URLs end in logs.
    const url = `${deps.publicUrl(c.req.header('host') ?? null).replace(/^http/, 'ws')}/ws/${board_id}`
    return c.json({ ticket, expires_at: expiresAt.toISOString(), url }, 200)
  })
  return router
}

/** A user of the issuer that a service key speaks for, bound to that key. @throws BoardroomError access_denied | conflict */
async function foreignIdentity(
  db: Db,
  { via, keyId, issuer }: Identity,
  { external_id, name }: { external_id: string; name: string },
): Promise<Identity> {
  if (via !== 'key' || keyId === undefined || issuer === undefined) {
    throw new BoardroomError('access_denied', 'only a service key may ask for tickets of other people')
  }
  const user = await foreignUser(db, { externalId: external_id, name, issuer })
  if (!user.is_active) throw new BoardroomError('conflict', 'user: this account is deactivated')
  const principal = { kind: 'user', userId: user.id, name: user.name, role: user.role } as const
  return { principal, via, sessionId: null, boardId: null, maxLevel: null, keyId, issuer }
}

function signedInAs({ principal, via, sessionId }: Identity): { userId: number; sessionId: string | null } {
  if (principal.kind !== 'user' || via === 'ticket' || via === 'key')
    throw new BoardroomError('not_signed_in', 'sign in first')
  return { userId: principal.userId, sessionId }
}

const meRoute = createRoute({
  method: 'get',
  path: '/me',
  tags: ['accounts'],
  summary: 'Who am I, guests included',
  responses: {
    200: jsonAnswer(MeResponse, '`kind` is `anonymous` where nobody is known.'),
    ...errorAnswers(401),
  },
})

const sessionsRoute = createRoute({
  method: 'get',
  path: '/sessions',
  tags: ['accounts'],
  summary: 'Where I am signed in, newest first',
  responses: { 200: jsonAnswer(listOf(SessionResponse), 'All of them.'), ...errorAnswers(401) },
})

const endSessionRoute = createRoute({
  method: 'delete',
  path: '/sessions/{session_id}',
  tags: ['accounts'],
  summary: 'End one of my sessions, its sockets and tickets',
  request: { params: z.strictObject({ session_id: z.coerce.number().int().positive().max(2_147_483_647) }) },
  responses: { 204: { description: 'Ended.' }, ...errorAnswers(401, 403, 404) },
})

const endSessionsRoute = createRoute({
  method: 'delete',
  path: '/sessions',
  tags: ['accounts'],
  summary: 'End all of my sessions but this one',
  responses: { 204: { description: 'Ended.' }, ...errorAnswers(401, 403) },
})

const ticketRoute = createRoute({
  method: 'post',
  path: '/boards/{board_id}/tickets',
  tags: ['tickets'],
  summary: 'A ticket for this board, in my name, or for a user of the service key that asks',
  description:
    'For a stock y-websocket client: `protocols: ["boardroom.yjs", "boardroom.ticket." + ticket]`, or `params: {ticket}`. ' +
    'Also `Authorization: Bearer` for the routes of this board. Says who, not what: access is looked up at every join. ' +
    'Good any number of times until it expires, and ends with the session or guest that made it.',
  request: {
    params: z.strictObject({ board_id: Uuid }),
    body: { ...jsonBody(TicketCreate), required: false },
  },
  responses: {
    200: jsonAnswer(TicketResponse, '`url` is the socket of this board.'),
    ...errorAnswers(401, 403, 404, 410),
  },
})
