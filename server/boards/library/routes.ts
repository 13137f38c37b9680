// Libraries over HTTP, for accounts.
import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi'
import { LibraryItemCreate, LibraryItemResponse, OwnLibrary } from '../../../shared/api/library.ts'
import { listOf, Uuid } from '../../../shared/api.ts'
import type { HttpEnv } from '../../routing/context.ts'
import { errorAnswers, jsonAnswer, jsonBody, newRouter } from '../../routing/router.ts'
import type { BoardsDeps } from '../deps.ts'
import { folderUser } from '../folders/folders.ts'
import { addToTeam, listLibrary, removeFromTeam, replaceOwn } from './library.ts'

const tags = ['library']

export function libraryRoutes(deps: BoardsDeps): OpenAPIHono<HttpEnv> {
  const router = newRouter()
  const list = { 200: jsonAnswer(listOf(LibraryItemResponse), 'All at once.'), ...errorAnswers(401, 403) }

  router.openapi(
    createRoute({
      method: 'get',
      path: '/library',
      tags,
      summary: 'The library of the team',
      description: 'Open boards receive the event `library` when it changes.',
      responses: list,
    }),
    async (c) => c.json(await listLibrary(deps, folderUser(c.get('identity')), 'team'), 200),
  )
  router.openapi(
    createRoute({
      method: 'post',
      path: '/library',
      tags,
      summary: 'Add to the library of the team',
      request: { body: jsonBody(LibraryItemCreate) },
      responses: {
        201: jsonAnswer(z.object({ id: Uuid }), 'Added.'),
        ...errorAnswers(401, 403, 409, 413, 415),
      },
    }),
    async (c) =>
      c.json({ id: await addToTeam(deps, folderUser(c.get('identity')), c.req.valid('json')) }, 201),
  )
  router.openapi(
    createRoute({
      method: 'delete',
      path: '/library/{item_id}',
      tags,
      summary: 'Remove from the library of the team',
      request: { params: z.object({ item_id: Uuid }) },
      responses: { 204: { description: 'Removed.' }, ...errorAnswers(401, 403, 404) },
    }),
    async (c) => {
      await removeFromTeam(deps, folderUser(c.get('identity')), c.req.valid('param').item_id)
      return c.body(null, 204)
    },
  )
  router.openapi(
    createRoute({
      method: 'get',
      path: '/me/library',
      tags,
      summary: 'Your own library',
      responses: list,
    }),
    async (c) => c.json(await listLibrary(deps, folderUser(c.get('identity')), 'own'), 200),
  )
  router.openapi(
    createRoute({
      method: 'put',
      path: '/me/library',
      tags,
      summary: 'Replace your own library',
      request: { body: jsonBody(OwnLibrary) },
      responses: { 204: { description: 'Kept.' }, ...errorAnswers(401, 403, 413, 415) },
    }),
    async (c) => {
      await replaceOwn(deps, folderUser(c.get('identity')), c.req.valid('json'))
      return c.body(null, 204)
    },
  )
  return router
}
