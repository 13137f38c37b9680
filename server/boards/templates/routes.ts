// Templates over HTTP, for people with an account.
import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi'
import {
  TemplateApproval,
  TemplateComparison,
  TemplateCreate,
  TemplateFromBoard,
  TemplateListQuery,
  TemplateResponse,
  TemplateSummary,
  TemplateVersionCreate,
} from '../../../shared/api/templates.ts'
import { listOf, PageQuery, Uuid } from '../../../shared/api.ts'
import { readDrawing } from '../../../shared/drawing.ts'
import { unfillElements } from '../../../shared/template-texts.ts'
import type { HttpEnv } from '../../routing/context.ts'
import { errorAnswers, jsonAnswer, jsonBody, newRouter } from '../../routing/router.ts'
import type { BoardsDeps } from '../deps.ts'
import { requireLevel } from '../require-level.ts'
import {
  approveTemplate,
  compareTemplate,
  createTemplate,
  createVersion,
  listTemplates,
  readTemplate,
  removeTemplate,
  templateUser,
} from './templates.ts'

const tags = ['templates']
const params = z.object({ template_id: Uuid })
const statuses = errorAnswers(401, 403, 404, 409, 410, 413, 415)

export function templateRoutes(deps: BoardsDeps): OpenAPIHono<HttpEnv> {
  const router = newRouter()
  const { db } = deps

  router.openapi(
    createRoute({
      method: 'get',
      path: '/templates',
      tags,
      summary: 'List templates',
      request: { query: TemplateListQuery },
      responses: { 200: jsonAnswer(listOf(TemplateSummary), 'One page, without drawings.'), ...statuses },
    }),
    async (c) => c.json(await listTemplates(db, templateUser(c.get('identity')), c.req.valid('query')), 200),
  )
  router.openapi(
    createRoute({
      method: 'post',
      path: '/templates',
      tags,
      summary: 'Submit a template for approval by an administrator',
      request: { body: jsonBody(TemplateCreate) },
      responses: { 201: jsonAnswer(TemplateResponse, 'Version 1, pending approval.'), ...statuses },
    }),
    async (c) => {
      const author = templateUser(c.get('identity'))
      return c.json(await createTemplate(db, c.get('actor'), author, c.req.valid('json')), 201)
    },
  )
  router.openapi(
    createRoute({
      method: 'get',
      path: '/templates/{template_id}',
      tags,
      summary: 'Get one version, with its drawing',
      request: { params },
      responses: { 200: jsonAnswer(TemplateResponse, 'The version.'), ...statuses },
    }),
    async (c) =>
      c.json(await readTemplate(db, templateUser(c.get('identity')), c.req.valid('param').template_id), 200),
  )
  router.openapi(
    createRoute({
      method: 'delete',
      path: '/templates/{template_id}',
      tags,
      summary: 'Withdraw or decline a pending version, or retire the current one',
      description: 'Only administrators can retire. Boards created from it stay as they are.',
      request: { params },
      responses: { 204: { description: 'Done.' }, ...statuses },
    }),
    async (c) => {
      const author = templateUser(c.get('identity'))
      await removeTemplate(db, c.get('actor'), author, c.req.valid('param').template_id)
      return c.body(null, 204)
    },
  )
  router.openapi(
    createRoute({
      method: 'get',
      path: '/templates/{template_id}/versions',
      tags,
      summary: 'List all versions of a template’s code, newest first',
      request: { params, query: PageQuery },
      responses: { 200: jsonAnswer(listOf(TemplateSummary), 'Those that you may see.'), ...statuses },
    }),
    async (c) => {
      const author = templateUser(c.get('identity'))
      const { code } = await readTemplate(db, author, c.req.valid('param').template_id)
      const all = { scope: 'all', code, category: undefined, board_type: undefined, q: undefined } as const
      return c.json(await listTemplates(db, author, { ...all, ...c.req.valid('query') }), 200)
    },
  )
  router.openapi(
    createRoute({
      method: 'post',
      path: '/templates/{template_id}/versions',
      tags,
      summary: 'Submit a new version for approval by an administrator',
      description: 'Boards created from earlier versions stay as they are.',
      request: { params, body: jsonBody(TemplateVersionCreate) },
      responses: { 201: jsonAnswer(TemplateResponse, 'The version, pending approval.'), ...statuses },
    }),
    async (c) => {
      const author = templateUser(c.get('identity'))
      const { template_id } = c.req.valid('param')
      return c.json(await createVersion(db, c.get('actor'), author, template_id, c.req.valid('json')), 201)
    },
  )
  router.openapi(
    createRoute({
      method: 'post',
      path: '/templates/{template_id}/approve',
      tags,
      summary: 'Approve a version, which becomes the current one of its code',
      description: 'For administrators. If there are two approvals at once, one gets 409.',
      request: { params, body: { ...jsonBody(TemplateApproval), required: false } },
      responses: { 200: jsonAnswer(TemplateResponse, 'It is now current.'), ...statuses },
    }),
    async (c) => {
      const author = templateUser(c.get('identity'))
      const { notes } = c.req.valid('json') ?? {}
      const { template_id } = c.req.valid('param')
      return c.json(await approveTemplate(db, c.get('actor'), author, template_id, notes), 200)
    },
  )
  router.openapi(
    createRoute({
      method: 'get',
      path: '/templates/{template_id}/compare',
      tags,
      summary: 'Compare with the previous version',
      request: { params },
      responses: {
        200: jsonAnswer(TemplateComparison, 'Fields, variables, elements and texts.'),
        ...statuses,
      },
    }),
    async (c) =>
      c.json(
        await compareTemplate(db, templateUser(c.get('identity')), c.req.valid('param').template_id),
        200,
      ),
  )
  router.openapi(
    createRoute({
      method: 'post',
      path: '/boards/{board_id}/template',
      tags,
      summary: 'Save a board as a template, pending approval by an administrator',
      description:
        'Texts that follow the record of the board get their {{variables}} back. Images are not included.',
      request: { params: z.object({ board_id: Uuid }), body: jsonBody(TemplateFromBoard) },
      responses: { 201: jsonAnswer(TemplateResponse, 'Version 1, pending approval.'), ...statuses },
    }),
    async (c) => {
      const { board_id } = c.req.valid('param')
      const identity = c.get('identity')
      const author = templateUser(identity)
      const { level } = await requireLevel(deps.access, identity, board_id, 'view')
      await deps.audit.recordRead(c.get('actor'), board_id, 'template', level)
      const drawing = readDrawing(await deps.documents.drawing(board_id))
      const elements = unfillElements(drawing?.elements ?? []).filter(({ type }) => type !== 'image')
      const content = { type: 'excalidraw', elements }
      return c.json(
        await createTemplate(db, c.get('actor'), author, { ...c.req.valid('json'), content }),
        201,
      )
    },
  )
  return router
}
