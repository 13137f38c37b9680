// Records what a call of Better Auth did to sessions before its response is sent; in the same transaction, if the caller
// has one.
import { AsyncLocalStorage } from 'node:async_hooks'
import type { Transaction } from 'kysely'
import { transactionRecordedApart } from '../audit/actor.ts'
import { recordIn } from '../audit/record-in.ts'
import type { Db } from '../database/database.ts'
import type { Tables } from '../database/tables.ts'
import { BoardroomError } from '../errors.ts'
import { type AuthDeps, clientAddressHeader } from './auth-deps.ts'
import { userById } from './queries.ts'
import { dropSessions, failIfBroken, moveToken } from './session-queries.ts'
import { isViolationOf } from './users.ts'

/** How to call one of Better Auth's routes. */
export interface Calling {
  /**
   * The current session, if the route would replace it: its row continues under the new token, so that sockets and
   * tickets of the session stay alive.
   */
  keeping?: string | undefined
  /**
   * A transaction from `transactionRecordedApart`, which includes the route's writes and its audit rows. Not for routes
   * that call another server, because the transaction occupies a connection meanwhile.
   */
  trx?: Transaction<Tables>
}

/** Calls Better Auth, and records what it did to sessions before the response is sent. */
export async function handle(
  deps: AuthDeps,
  auth: { handler(request: Request): Promise<Response> },
  request: Request,
  { keeping, trx, login = null }: Calling & { login?: Record<string, unknown> | null } = {},
): Promise<Response> {
  const call: Call = { keeping, trx, login, provider: null, begun: [], ended: [] }
  const answer = await calls
    .run(call, () => auth.handler(request))
    .catch((error: unknown) => {
      throw refusalOf(error) ?? error
    })
  await settle(deps, call)
  // Better Auth swallows errors of some of its statements, and committing a failed transaction reports nothing.
  if (trx !== undefined) await failIfBroken(trx)
  return answer
}

/** Why the database refused to create a session. @see migrations/0041-sign-ins.ts */
function refusalOf(cause: unknown): BoardroomError | undefined {
  if (isViolationOf(cause, 'sessions_active_account'))
    return new BoardroomError('access_denied', 'this account is deactivated; ask an administrator', {
      cause,
      details: { reason: 'deactivated' },
    })
  if (isViolationOf(cause, 'sessions_signed_out'))
    return new BoardroomError(
      'access_denied',
      'the sign-in provider has signed you out in the meantime; sign in again',
      {
        cause,
        details: { reason: 'signed_out' },
      },
    )
  return undefined
}

/** What a route of Better Auth did to sessions. */
interface Call {
  keeping: string | undefined
  trx: Transaction<Tables> | undefined
  /** The details of a sign-in in the trail, unless it was by password. */
  login: Record<string, unknown> | null
  /** The provider's id of the session that somebody signs in with, and when it issued the id token. */
  provider: { session: string | null; signedAt: Date | null } | null
  begun: SessionRecord[]
  ended: { session: SessionRecord; headers: Headers | null }[]
}

/** The current call, for the hooks on sessions. */
export const calls = new AsyncLocalStorage<Call>()

/** The `db` for Better Auth, which is created once: within a call that has a transaction, it uses that transaction. */
export const dbOfCalls = (db: Db, narrow = (wide: Db): Db => wide): Db =>
  new Proxy(db, {
    get(_, name) {
      if (name === 'withSchema')
        return (schema: string) => dbOfCalls(db, (wide) => narrow(wide).withSchema(schema))
      const now = narrow(calls.getStore()?.trx ?? db)
      const value: unknown = Reflect.get(now, name)
      return typeof value === 'function' ? value.bind(now) : value
    },
  })

/**
 * Records who signed in and out before the response is sent; a sign-in that cannot be recorded fails. One that only led
 * to the second-factor prompt began and ended a session within one call, and does not count yet.
 */
async function settle(deps: AuthDeps, call: Call): Promise<void> {
  const { keeping, trx, login, begun, ended } = call
  const over = new Set(ended.map(({ session }) => session.id))
  const [renewed] = begun
  if (keeping !== undefined && renewed !== undefined) {
    const move = { from: Number(renewed.id), to: Number(keeping) }
    const moved = await (trx === undefined
      ? transactionRecordedApart(deps.db, (own) => moveToken(own, move.from, move.to))
      : moveToken(trx, move.from, move.to))
    if (moved) return
  }
  const isNew = new Set(begun.map(({ id }) => id))
  try {
    for (const session of begun)
      if (!over.has(session.id)) await recordSession(deps, trx, 'login', session, null, login)
  } catch (error) {
    if (trx !== undefined) throw error
    await transactionRecordedApart(deps.db, (own) =>
      dropSessions(
        own,
        begun.map(({ id }) => Number(id)),
      ),
    )
    throw error
  }
  for (const { session, headers } of ended)
    if (!isNew.has(session.id)) await recordSession(deps, trx, 'logout', session, headers)
}

interface SessionRecord {
  id: string
  userId: string
  ipAddress?: string | null | undefined
  userAgent?: string | null | undefined
}

async function recordSession(
  { db, trail }: AuthDeps,
  trx: Transaction<Tables> | undefined,
  action: 'login' | 'logout',
  session: SessionRecord,
  headers: Headers | null,
  details: Record<string, unknown> | null = null,
): Promise<void> {
  const user = await userById(trx ?? db, Number(session.userId))
  const event = {
    action,
    actor: {
      kind: 'user' as const,
      userId: Number(session.userId),
      guestId: null,
      agentId: null,
      name: user?.name ?? null,
      sessionId: session.id,
      // A sign-out may come from another place than the sign-in.
      ip: (headers?.get(clientAddressHeader) ?? session.ipAddress) || null,
      userAgent: (headers?.get('user-agent') ?? session.userAgent)?.slice(0, 500) || null,
    },
    resourceType: 'session',
    resourceId: session.id,
    details,
  }
  await (trx === undefined ? trail.record(event) : recordIn(trx, event))
}
