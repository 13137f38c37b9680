// What a call of Better Auth's did to sessions is recorded before its answer goes out; in one transaction with it where
// its caller has one.
import { AsyncLocalStorage } from 'node:async_hooks'
import type { Transaction } from 'kysely'
import { transactionRecordedApart } from '../audit/actor.ts'
import { recordIn } from '../audit/record-in.ts'
import type { Db } from '../database/database.ts'
import type { Tables } from '../database/tables.ts'
import { type AuthDeps, clientAddressHeader } from './auth-deps.ts'
import { userById } from './queries.ts'
import { dropSessions, failIfBroken, moveToken } from './session-queries.ts'

/** How one of Better Auth's routes is called. */
export interface Calling {
  /**
   * The session that asks, where the route would replace it: its row goes on under the new token, so that sockets and
   * tickets of the session live on.
   */
  keeping?: string | undefined
  /**
   * A transaction by `transactionRecordedApart`: what the route writes, and its rows of the trail, are in it. Not for
   * routes that ask somebody else meanwhile, because a connection waits with it.
   */
  trx?: Transaction<Tables>
}

/** One call of a Better Auth, with what it did to sessions recorded before the answer goes out. */
export async function handle(
  deps: AuthDeps,
  auth: { handler(request: Request): Promise<Response> },
  request: Request,
  { keeping, trx, login = null }: Calling & { login?: Record<string, unknown> | null } = {},
): Promise<Response> {
  const call: Call = { keeping, trx, login, providerSession: null, begun: [], ended: [] }
  const answer = await calls.run(call, () => auth.handler(request))
  await settle(deps, call)
  // Better Auth swallows failures of some of its statements, and the end of a transaction that failed says nothing.
  if (trx !== undefined) await failIfBroken(trx)
  return answer
}

/** What a route of Better Auth's did to sessions. */
interface Call {
  keeping: string | undefined
  trx: Transaction<Tables> | undefined
  /** What the trail says of a sign-in, where it was no password. */
  login: Record<string, unknown> | null
  /** What the provider calls the session that somebody comes with. */
  providerSession: string | null
  begun: SessionRecord[]
  ended: { session: SessionRecord; headers: Headers | null }[]
}

/** The call that is running, for the hooks that are told of sessions. */
export const calls = new AsyncLocalStorage<Call>()

/** `db` for Better Auth, which is made once with one: within a call that has a transaction, that one. */
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
 * Records who signed in and out, before the answer goes out: a sign-in that cannot be recorded fails. One that only
 * led to the question for a second factor began and ended a session in one call, and is none yet.
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
      // A sign-out may come from elsewhere than the sign-in.
      ip: (headers?.get(clientAddressHeader) ?? session.ipAddress) || null,
      userAgent: (headers?.get('user-agent') ?? session.userAgent)?.slice(0, 500) || null,
    },
    resourceType: 'session',
    resourceId: session.id,
    details,
  }
  await (trx === undefined ? trail.record(event) : recordIn(trx, event))
}
