// Export and erasure over HTTP: of one's own data, and for administrators of anybody's.
import { Readable } from 'node:stream'
import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi'
import type { Context } from 'hono'
import { ExportProgress, PersonErase, PersonErased, PersonExportQuery } from '../../shared/api/privacy.ts'
import { UserId } from '../../shared/api.ts'
import { requireReachNow } from '../accounts/people/people.ts'
import type { AuditTrail } from '../audit/trail.ts'
import type { Db } from '../database/database.ts'
import { BoardroomError } from '../errors.ts'
import { type Identity, principalKey } from '../principal.ts'
import type { HttpEnv } from '../routing/context.ts'
import { errorAnswers, jsonAnswer, jsonBody, newRouter } from '../routing/router.ts'
import { erasePerson, personNamed, subjectOf } from './erase.ts'
import { exportPerson, type PersonFormat } from './export.ts'
import { ExportFiles } from './export-files.ts'
import type { SubjectRow } from './queries.ts'

export interface PrivacyDeps {
  db: Db
  schema: string
  audit: Pick<AuditTrail, 'record'>
}

const tags = ['privacy']
const params = z.object({ user_id: z.coerce.number().pipe(UserId) })
const statuses = errorAnswers(401, 403, 404, 409, 413, 415)
const file = {
  description: 'Everything about the person, in sections.',
  content: { 'application/json': {}, 'text/html': {} },
}

export function privacyRoutes(deps: PrivacyDeps): OpenAPIHono<HttpEnv> {
  const router = newRouter()
  const files = new ExportFiles()
  /** The progress of running exports, by requester. */
  const underWay = new Map<string, ExportProgress>()
  const answer = async (c: Context<HttpEnv>, who: SubjectRow, format: PersonFormat): Promise<Response> => {
    const reader = principalKey(c.get('identity').principal)
    const pieces = exportPerson(deps.db, {
      ...{ subject: subjectOf(who), who, format },
      onProgress: (done, total, section) => underWay.set(reader, { section, done, total }),
    })
    const content = await files.of(reader, pieces, c.req.raw.signal).finally(() => underWay.delete(reader))
    // Recorded before the first byte.
    await deps.audit
      .record({
        action: 'export',
        category: 'account',
        actor: c.get('actor'),
        resourceType: who.user_id === null ? 'guest' : 'user',
        resourceId: String(who.user_id ?? who.guest_id),
        details: { format },
      })
      .catch((error: unknown) => {
        content.destroy()
        throw error
      })
    const id = who.user_id ?? who.guest_id
    c.header(
      'content-type',
      format === 'json' ? 'application/json; charset=utf-8' : 'text/html; charset=utf-8',
    )
    c.header('content-disposition', `attachment; filename="person-${id}.${format}"`)
    return c.body(Readable.toWeb(content) as unknown as ReadableStream)
  }

  router.openapi(
    createRoute({
      method: 'get',
      path: '/me/export',
      tags,
      summary: 'Export everything stored about you',
      request: { query: PersonExportQuery },
      responses: { 200: file, ...statuses },
    }),
    async (c) =>
      answer(c, await personNamed(deps.db, ownName(c.get('identity'))), c.req.valid('query').format) as never,
  )
  router.openapi(
    createRoute({
      method: 'get',
      path: '/me/export/progress',
      tags,
      summary: 'The progress of your export',
      description: 'Of several nodes, only the one that runs the export knows.',
      responses: {
        200: jsonAnswer(ExportProgress, 'The rows written so far, and the total.'),
        ...errorAnswers(401),
      },
    }),
    (c) =>
      c.json(
        underWay.get(principalKey(c.get('identity').principal)) ?? { section: null, done: 0, total: 0 },
        200,
      ),
  )
  router.openapi(
    createRoute({
      method: 'post',
      path: '/me/erase',
      tags,
      summary: 'Erase yourself for good',
      description:
        'The account is closed, and its name and address are removed everywhere. What you drew and wrote stays.',
      request: { body: jsonBody(PersonErase) },
      responses: { 200: jsonAnswer(PersonErased, 'Done.'), ...statuses },
    }),
    async (c) => {
      const identity = c.get('identity')
      if (identity.principal.kind !== 'user')
        throw new BoardroomError('access_denied', 'only people with an account can do this')
      const who = await personNamed(deps.db, ownName(identity))
      return c.json(await erase(deps, c, who, c.req.valid('json')), 200)
    },
  )
  router.openapi(
    createRoute({
      method: 'get',
      path: '/people/{user_id}/export',
      tags,
      summary: 'Export everything stored about somebody (administrators)',
      request: { params, query: PersonExportQuery },
      responses: { 200: file, ...statuses },
    }),
    async (c) => {
      const { user_id } = c.req.valid('param')
      await requireReachNow(deps.db, administratorOf(c.get('identity')), user_id)
      const who = await personNamed(deps.db, `user:${user_id}`)
      return answer(c, who, c.req.valid('query').format) as never
    },
  )
  router.openapi(
    createRoute({
      method: 'post',
      path: '/people/{user_id}/erase',
      tags,
      summary: 'Erase somebody for good (administrators)',
      request: { params, body: jsonBody(PersonErase) },
      responses: { 200: jsonAnswer(PersonErased, 'Done.'), ...statuses },
    }),
    async (c) => {
      const askerId = administratorOf(c.get('identity'))
      const { user_id } = c.req.valid('param')
      await requireReachNow(deps.db, askerId, user_id)
      const who = await personNamed(deps.db, `user:${user_id}`)
      return c.json(await erase(deps, c, who, c.req.valid('json'), askerId), 200)
    },
  )
  return router
}

async function erase(
  deps: PrivacyDeps,
  c: Context<HttpEnv>,
  who: SubjectRow,
  body: PersonErase,
  askerId?: number,
) {
  const expected = who.email ?? who.name
  if (body.confirm.trim().toLowerCase() !== expected.toLowerCase()) {
    throw new BoardroomError(
      'invalid_request',
      'confirm: expected the e-mail address of the account to erase',
    )
  }
  const { rows, boards } = await erasePerson(deps, c.get('actor'), who, {
    askerId,
    transferTo: body.transfer_to,
  })
  return { user_id: who.user_id ?? 0, rows, boards }
}

/** Tickets are refused: a page of an app that holds one must not be able to export all of somebody's data. */
function ownName({ principal, via }: Identity): string {
  if (via === 'ticket' || principal.kind === 'anonymous')
    throw new BoardroomError('not_signed_in', 'sign in first')
  if (principal.kind === 'agent') throw new BoardroomError('access_denied', 'only people can do this')
  return principal.kind === 'user' ? `user:${principal.userId}` : `guest:${principal.guestId}`
}

/** The database decides whom they may affect. */
function administratorOf({ principal, via }: Identity): number {
  if (principal.kind === 'user' && principal.role !== 'user' && via !== 'ticket') return principal.userId
  throw principal.kind === 'anonymous'
    ? new BoardroomError('not_signed_in', 'sign in first')
    : new BoardroomError('access_denied', 'only administrators may do this')
}
