// The instance as a whole over HTTP, for administrators: connections, all share links, health and limits.
import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi'
import { InstanceConnection, InstanceLink, InstanceResponse } from '../../shared/api/instance.ts'
import { listOf, PageQuery } from '../../shared/api.ts'
import { requireAdministrator } from '../accounts/administrators.ts'
import type { Db } from '../database/database.ts'
import type { ConnectionSummary } from '../rooms/ports.ts'
import type { HttpEnv } from '../routing/context.ts'
import { pageOf, positionOf } from '../routing/cursor.ts'
import { errorAnswers, jsonAnswer, newRouter } from '../routing/router.ts'
import { countsOf, newestLinks, titlesOf } from './instance-queries.ts'

export interface InstanceDeps {
  db: Db
  /** Everybody who is connected to this process. */
  everyConnection(): readonly ConnectionSummary[]
  /** Named checks, as in /readyz. */
  checks: Readonly<Record<string, () => unknown>>
  limits: Readonly<Record<string, unknown>>
  version: string
}

const tags = ['instance']

export function instanceRoutes(deps: InstanceDeps): OpenAPIHono<HttpEnv> {
  const { db } = deps
  const router = newRouter()
  const startedAt = new Date().toISOString()

  router.openapi(
    createRoute({
      method: 'get',
      path: '/instance',
      tags,
      summary: 'Health, counts and limits',
      responses: { 200: jsonAnswer(InstanceResponse, 'As it is now.'), ...errorAnswers(401, 403) },
    }),
    async (c) => {
      requireAdministrator(c.get('identity'))
      const { active, deactivated, administrators, live, trash, files_bytes } = await countsOf(db)
      return c.json(
        {
          version: deps.version,
          started_at: startedAt,
          health: await healthOf(deps.checks),
          users: { active, deactivated, administrators },
          boards: { live, trash },
          files_bytes,
          connections: deps.everyConnection().length,
          limits: limitsOf(deps.limits),
        },
        200,
      )
    },
  )

  router.openapi(
    createRoute({
      method: 'get',
      path: '/connections',
      tags,
      summary: 'Who is connected now, on any board',
      responses: {
        200: jsonAnswer(listOf(InstanceConnection), 'All connections of this process, longest first.'),
        ...errorAnswers(401, 403),
      },
    }),
    async (c) => {
      requireAdministrator(c.get('identity'))
      const here = deps.everyConnection()
      const titles = await titlesOf(db, [...new Set(here.map(({ boardId }) => boardId))])
      const items = here
        .map((connection) => ({
          id: connection.connectionId,
          board_id: connection.boardId,
          board_title: titles.get(connection.boardId) ?? '',
          principal: { ...connection.principal },
          level: connection.level,
          ip_address: connection.ip,
          user_agent: connection.userAgent,
          connected_at: connection.joinedAt.toISOString(),
        }))
        .sort((a, b) => Date.parse(a.connected_at) - Date.parse(b.connected_at))
      return c.json({ items, next_cursor: null }, 200)
    },
  )

  router.openapi(
    createRoute({
      method: 'get',
      path: '/share-links',
      tags,
      summary: 'Share links of every board, newest first',
      request: { query: PageQuery },
      responses: {
        200: jsonAnswer(listOf(InstanceLink), 'One page, without secrets.'),
        ...errorAnswers(401, 403),
      },
    }),
    async (c) => {
      requireAdministrator(c.get('identity'))
      const { limit, cursor } = c.req.valid('query')
      const question = ['share-links']
      const before = positionOf(question, cursor, { key: z.iso.datetime(), id: z.uuid() })
      const position = before === null ? null : { at: new Date(before.key), id: before.id }
      const rows = await newestLinks(db, position, limit + 1)
      const page = pageOf(question, rows, limit, (row) => ({ key: row.created_at.toISOString(), id: row.id }))
      return c.json({ items: page.rows.map(linkOf), next_cursor: page.next_cursor }, 200)
    },
  )

  return router
}

const healthOf = (checks: InstanceDeps['checks']) =>
  Promise.all(
    Object.entries(checks).map(async ([name, check]) => {
      try {
        await check()
        return { name, is_well: true }
      } catch {
        return { name, is_well: false } // the reason is in the log and at /readyz
      }
    }),
  )

const limitsOf = (config: InstanceDeps['limits']): Record<string, number> =>
  Object.fromEntries(
    Object.entries(config).filter(
      (entry): entry is [string, number] =>
        /^(max|.*PerMinute|.*PerSecond)/.test(entry[0]) && typeof entry[1] === 'number',
    ),
  )

function linkOf({
  level,
  revoked_at,
  ...row
}: Awaited<ReturnType<typeof newestLinks>>[number]): InstanceLink {
  const isPast = row.expires_at !== null && row.expires_at.getTime() <= Date.now()
  const isUsedUp = row.max_uses !== null && row.uses >= row.max_uses
  return {
    ...row,
    permission_level: level,
    state: revoked_at !== null ? 'revoked' : isPast ? 'expired' : isUsedUp ? 'used_up' : 'open',
    created_at: row.created_at.toISOString(),
    expires_at: row.expires_at?.toISOString() ?? null,
    last_used_at: row.last_used_at?.toISOString() ?? null,
  }
}
