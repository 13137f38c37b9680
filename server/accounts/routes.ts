// Accounts over HTTP: the current user, their sessions, and tickets for stock clients. auth-routes.ts has the sign-in.
import type { KeyObject } from 'node:crypto'
import { createRoute, z } from '@hono/zod-openapi'
import { ProfileUpdate } from '../../shared/api/people.ts'
import { listOf, MeResponse, SessionResponse, TicketCreate, TicketResponse, Uuid } from '../../shared/api.ts'
import type { Level } from '../../shared/levels.ts'
import type { Db } from '../database/database.ts'
import { BoardroomError } from '../errors.ts'
import { type Identity, principalKey } from '../principal.ts'
import type { RateLimit } from '../routing/rate-limits.ts'
import { errorAnswers, jsonAnswer, jsonBody, newRouter } from '../routing/router.ts'
import type { Auth } from './auth.ts'
import { forward, withCookies } from './forward.ts'
import type { Guests } from './guests.ts'
import { userById } from './queries.ts'
import { endSessions, listSessions } from './sessions.ts'
import { makeTicket } from './tickets.ts'
import { hasTwoFactor } from './two-factor-queries.ts'
import { foreignUser, renameOneself } from './users.ts'

export interface AccountRoutesDeps {
  db: Db
  auth: Auth
  guests: Guests
  renames: RateLimit
}

/** `/me` and `/sessions`. */
export function accountRoutes({ db, auth, guests, renames }: AccountRoutesDeps) {
  const router = newRouter()

  const meOf = async ({ principal, via, needsTwoFactor }: Identity) => {
    const user = principal.kind === 'user' ? await userById(db, principal.userId) : undefined
    return {
      kind: principal.kind,
      id: principal.kind === 'anonymous' ? null : principalKey(principal),
      user_id: principal.kind === 'user' ? principal.userId : null,
      name: principal.kind === 'anonymous' ? null : (user?.name ?? principal.name),
      email: user?.email ?? null,
      role: principal.kind === 'user' ? principal.role : null,
      two_factor:
        principal.kind !== 'user' || via !== 'session'
          ? null
          : needsTwoFactor
            ? ('required' as const)
            : (await hasTwoFactor(db, principal.userId))
              ? ('on' as const)
              : ('off' as const),
    }
  }

  router.openapi(meRoute, async (c) => {
    const identity = c.get('identity')
    const answer = c.json(await meOf(identity), 200)
    // Every page requests this first, so this is where the session is extended.
    return identity.via === 'session'
      ? withCookies(answer, await forward(auth, c, 'GET', '/get-session'))
      : answer
  })

  router.openapi(renameRoute, async (c) => {
    const identity = c.get('identity')
    const { name } = c.req.valid('json')
    const { principal } = identity
    if (principal.kind === 'guest' && identity.via === 'guest') {
      const key = principalKey(principal)
      if (!renames.take(key))
        throw new BoardroomError('too_many_requests', 'too many name changes; wait a moment', {
          details: { limit: 'renames', retry_after_seconds: Math.ceil(renames.retryAfterMs(key) / 1000) },
        })
      await guests.rename(c.get('actor'), principal.guestId, name)
      return c.json(await meOf({ ...identity, principal: { ...principal, name } }), 200)
    }
    const { userId } = signedInAs(identity)
    await renameOneself(db, c.get('actor'), userId, name)
    return c.json(await meOf(identity), 200)
  })

  for (const path of ['/me/sessions', '/sessions'] as const) {
    router.openapi(sessionsRoute(path), async (c) => {
      const { userId, sessionId } = signedInAs(c.get('identity'))
      return c.json({ items: await listSessions(db, userId, sessionId), next_cursor: null }, 200)
    })
    router.openapi(endSessionRoute(path), async (c) => {
      const { userId } = signedInAs(c.get('identity'))
      const id = c.req.valid('param').session_id
      if ((await endSessions(db, c.get('actor'), userId, { id })) === 0)
        throw new BoardroomError('not_found', 'you have no such session')
      return c.body(null, 204)
    })
    router.openapi(endSessionsRoute(path), async (c) => {
      const { userId, sessionId } = signedInAs(c.get('identity'))
      await endSessions(db, c.get('actor'), userId, { except: Number(sessionId) })
      return c.body(null, 204)
    })
  }

  return router
}

export interface TicketRoutesDeps {
  db: Db
  ticketKey: KeyObject
  /** Checks that the asker may see the board. @throws BoardroomError otherwise. @see server/boards/access.ts */
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
    // The full URL of the WebSocket; the ticket is passed separately, as a subprotocol, because URLs end up in logs.
    const url = `${deps.publicUrl(c.req.header('host') ?? null).replace(/^http/, 'ws')}/ws/${board_id}`
    return c.json({ ticket, expires_at: expiresAt.toISOString(), url }, 200)
  })
  return router
}

/** The identity of a user of the service key's issuer, bound to that key. @throws BoardroomError access_denied | conflict */
async function foreignIdentity(
  db: Db,
  { via, keyId, issuer }: Identity,
  { external_id, name }: { external_id: string; name: string },
): Promise<Identity> {
  if (via !== 'key' || keyId === undefined || issuer === undefined) {
    throw new BoardroomError('access_denied', 'only a service key may request tickets for other people')
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
  summary: 'Who is signed in, including guests',
  responses: {
    200: jsonAnswer(MeResponse, '`kind` is `anonymous` if nobody is.'),
    ...errorAnswers(401),
  },
})

const renameRoute = createRoute({
  method: 'patch',
  path: '/me',
  tags: ['accounts'],
  summary: 'Change your name, also as a guest; others see it from the next join on',
  description: 'Guests may do this ten times a minute.',
  request: { body: jsonBody(ProfileUpdate) },
  responses: { 200: jsonAnswer(MeResponse, 'As it is now.'), ...errorAnswers(401, 403, 409) },
})

/** `/sessions` is the older name of `/me/sessions`. */
const sessionsRoute = <Path extends string>(path: Path) =>
  createRoute({
    method: 'get',
    path,
    tags: ['accounts'],
    summary: 'Your sessions, newest first',
    responses: { 200: jsonAnswer(listOf(SessionResponse), 'All of them.'), ...errorAnswers(401) },
  })

const endSessionRoute = <Path extends string>(path: Path) =>
  createRoute({
    method: 'delete',
    path: `${path}/{session_id}`,
    tags: ['accounts'],
    summary: 'End one of your sessions, with its sockets and tickets',
    request: {
      params: z.strictObject({ session_id: z.coerce.number().int().positive().max(2_147_483_647) }),
    },
    responses: { 204: { description: 'Ended.' }, ...errorAnswers(401, 403, 404) },
  })

const endSessionsRoute = <Path extends string>(path: Path) =>
  createRoute({
    method: 'delete',
    path,
    tags: ['accounts'],
    summary: 'End all of your other sessions',
    responses: { 204: { description: 'Ended.' }, ...errorAnswers(401, 403) },
  })

const ticketRoute = createRoute({
  method: 'post',
  path: '/boards/{board_id}/tickets',
  tags: ['tickets'],
  summary: 'Create a ticket for this board, for yourself or, with a service key, for one of its users',
  description:
    'For a stock y-websocket client: `protocols: ["boardroom.yjs", "boardroom.ticket." + ticket]`, or `params: {ticket}`. ' +
    'Also `Authorization: Bearer` for the routes of this board. It proves identity, not access, which is looked up at every join. ' +
    'It can be used any number of times until it expires, and ends with the session or guest that created it.',
  request: {
    params: z.strictObject({ board_id: Uuid }),
    body: { ...jsonBody(TicketCreate), required: false },
  },
  responses: {
    200: jsonAnswer(TicketResponse, '`url` is the socket of this board.'),
    ...errorAnswers(401, 403, 404, 410),
  },
})
