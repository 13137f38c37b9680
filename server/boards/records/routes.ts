// Records over HTTP: of one board, and of all boards that the asker may open.
import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi'
import {
  BoardRecordResponse,
  RecordExportQuery,
  RecordListQuery,
  RecordResponse,
  RecordUpdate,
} from '../../../shared/api/templates.ts'
import { listOf, Uuid } from '../../../shared/api.ts'
import { csvCell, mimeOf } from '../../audit/export.ts'
import type { Identity } from '../../principal.ts'
import type { HttpEnv } from '../../routing/context.ts'
import { errorAnswers, jsonAnswer, jsonBody, newRouter } from '../../routing/router.ts'
import type { BoardsDeps } from '../deps.ts'
import { requireLevel } from '../require-level.ts'
import { variablesOfCode } from './queries.ts'
import { changeRecord, listRecords, readRecord } from './records.ts'

const tags = ['records']
const params = z.object({ board_id: Uuid })
const statuses = errorAnswers(401, 403, 404, 409, 410, 413, 415)

export function recordRoutes(deps: BoardsDeps): OpenAPIHono<HttpEnv> {
  const router = newRouter()
  router.openapi(
    createRoute({
      method: 'get',
      path: '/boards/{board_id}/record',
      tags,
      summary: 'Get the record of a board created from a template',
      description:
        'People with an account and level edit see full national ids; others see only the last characters.',
      request: { params },
      responses: { 200: jsonAnswer(BoardRecordResponse, 'The record.'), ...statuses },
    }),
    async (c) => {
      const { board_id } = c.req.valid('param')
      const identity = c.get('identity')
      const decision = await requireLevel(deps.access, identity, board_id, 'view')
      const record = await readRecord(deps, identity, decision, board_id)
      await deps.audit.recordRead(c.get('actor'), board_id, 'record', decision.level)
      return c.json(record, 200)
    },
  )
  router.openapi(
    createRoute({
      method: 'patch',
      path: '/boards/{board_id}/record',
      tags,
      summary: 'Change some values of a record',
      description: 'Texts on the board follow, except those that somebody has rewritten by hand.',
      request: { params, body: jsonBody(RecordUpdate) },
      responses: { 200: jsonAnswer(BoardRecordResponse, 'The updated record.'), ...statuses },
    }),
    async (c) => {
      const { board_id } = c.req.valid('param')
      const identity = c.get('identity')
      const decision = await requireLevel(deps.access, identity, board_id, 'view')
      return c.json(
        await changeRecord(deps, identity, c.get('actor'), decision, board_id, c.req.valid('json')),
        200,
      )
    },
  )
  router.openapi(
    createRoute({
      method: 'get',
      path: '/records',
      tags,
      summary: 'List the records of the boards that you may open, newest first',
      request: { query: RecordListQuery },
      responses: { 200: jsonAnswer(listOf(RecordResponse), 'One page.'), ...statuses },
    }),
    async (c) => c.json(await listRecords(deps, c.get('identity'), c.req.valid('query')), 200),
  )
  router.openapi(
    createRoute({
      method: 'get',
      path: '/records/export',
      tags,
      summary: 'Export these records as a file',
      request: { query: RecordExportQuery },
      responses: {
        200: { description: 'CSV or NDJSON.', content: { 'text/csv': {}, 'application/x-ndjson': {} } },
        ...statuses,
      },
    }),
    async (c) => {
      const { format, ...query } = c.req.valid('query')
      const identity = c.get('identity')
      // The first page is read before the response starts, so that a refusal can be a proper error.
      const pages = recordPages(deps, identity, query)
      const first = await pages.next()
      await deps.audit.record({
        action: 'export',
        category: 'template',
        actor: c.get('actor'),
        resourceType: 'board_record',
        details: { template: query.template, format },
      })
      const items = first.done === true ? [] : first.value
      const names = await variablesOfCode(deps.db, query.template)
      c.header('content-type', mimeOf[format])
      c.header(
        'content-disposition',
        `attachment; filename="records-${query.template.replace(/[^\w.-]/g, '_')}.${format}"`,
      )
      return c.body(ReadableStream.from(encoded(items, pages, format, names)) as unknown as ReadableStream)
    },
  )
  return router
}

async function* recordPages(
  deps: BoardsDeps,
  identity: Identity,
  query: Omit<RecordExportQuery, 'format'>,
): AsyncGenerator<RecordResponse[]> {
  let cursor: string | undefined
  do {
    const page = await listRecords(deps, identity, { ...query, limit: 200, cursor })
    yield page.items
    cursor = page.next_cursor ?? undefined
  } while (cursor !== undefined)
}

/** @param names the variables of the template, each a column of CSV. */
async function* encoded(
  first: RecordResponse[],
  rest: AsyncGenerator<RecordResponse[]>,
  format: 'csv' | 'ndjson',
  names: readonly string[],
): AsyncGenerator<Uint8Array> {
  const encoder = new TextEncoder()
  if (format === 'ndjson') {
    yield encoder.encode(first.map((item) => `${JSON.stringify(item)}\n`).join(''))
    for await (const items of rest)
      yield encoder.encode(items.map((item) => `${JSON.stringify(item)}\n`).join(''))
    return
  }
  const line = (item: RecordResponse): string =>
    `${[
      item.board_id,
      item.board_title,
      ...names.map((name) => item.variables[name]),
      item.created_at,
      item.created_by,
      item.updated_at,
      item.updated_by,
    ]
      .map(csvCell)
      .join(',')}\r\n`
  const heads = ['board_id', 'board_title', ...names, 'created_at', 'created_by', 'updated_at', 'updated_by']
  yield encoder.encode(`${heads.map(csvCell).join(',')}\r\n${first.map(line).join('')}`)
  for await (const items of rest) yield encoder.encode(items.map(line).join(''))
}
