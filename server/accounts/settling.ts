// What a call of Better Auth's did to sessions is recorded before its answer goes out.
import { AsyncLocalStorage } from 'node:async_hooks'
import { transactionRecordedApart } from '../audit/actor.ts'
import { type AuthDeps, clientAddressHeader } from './auth-deps.ts'
import { userById } from './queries.ts'
import { dropSessions, moveToken } from './session-queries.ts'

/** One call of a Better Auth, with what it did to sessions recorded before the answer goes out. */
export async function handle(
  deps: AuthDeps,
  auth: { handler(request: Request): Promise<Response> },
  request: Request,
  { keeping, login = null }: { keeping?: string | undefined; login?: Record<string, unknown> | null } = {},
): Promise<Response> {
  const call: Call = { keeping, login, begun: [], ended: [] }
  const answer = await calls.run(call, () => auth.handler(request))
  await settle(deps, call)
  return answer
}

/** What a route of Better Auth's did to sessions. */
interface Call {
  keeping: string | undefined
  /** What the trail says of a sign-in, where it was no password. */
  login: Record<string, unknown> | null
  begun: SessionRecord[]
  ended: { session: SessionRecord; headers: Headers | null }[]
}

/** The call that is running, for the hooks that are told of sessions. */
export const calls = new AsyncLocalStorage<Call>()

/**
 * Records who signed in and out, before the answer goes out: a sign-in that cannot be recorded fails. One that only
 * led to the question for a second factor began and ended a session in one call, and is none yet.
 */
async function settle(deps: AuthDeps, { keeping, login, begun, ended }: Call): Promise<void> {
  const over = new Set(ended.map(({ session }) => session.id))
  const [renewed] = begun
  if (keeping !== undefined && renewed !== undefined) {
    const move = { from: Number(renewed.id), to: Number(keeping) }
    if (await transactionRecordedApart(deps.db, (trx) => moveToken(trx, move.from, move.to))) return
  }
  const isNew = new Set(begun.map(({ id }) => id))
  try {
    for (const session of begun)
      if (!over.has(session.id)) await recordSession(deps, 'login', session, null, login)
  } catch (error) {
    await transactionRecordedApart(deps.db, (trx) =>
      dropSessions(
        trx,
        begun.map(({ id }) => Number(id)),
      ),
    )
    throw error
  }
  for (const { session, headers } of ended)
    if (!isNew.has(session.id)) await recordSession(deps, 'logout', session, headers)
}

interface SessionRecord {
  id: string
  userId: string
  ipAddress?: string | null | undefined
  userAgent?: string | null | undefined
}

async function recordSession(
  { db, trail }: AuthDeps,
  action: 'login' | 'logout',
  session: SessionRecord,
  headers: Headers | null,
  details: Record<string, unknown> | null = null,
): Promise<void> {
  const user = await userById(db, Number(session.userId))
  await trail.record({
    action,
    actor: {
      kind: 'user',
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
  })
}
