// What a board holds, over HTTP. Each handler says who may, calls the service, and answers.
import type { OpenAPIHono } from '@hono/zod-openapi'
import type { HttpEnv } from '../routing/context.ts'
import { newRouter } from '../routing/router.ts'
import { BodyBudget } from './bodies.ts'
import type { StorageDeps } from './deps.ts'
import { documentRoutes } from './document-routes.ts'
import { fileRoutes } from './files/routes.ts'
import { versionRoutes } from './versions/routes.ts'

/** Document, import, versions, files and thumbnail under `/boards/{board_id}`. */
export function storageRoutes(deps: StorageDeps): OpenAPIHono<HttpEnv> {
  const router = newRouter()
  const bodies = new BodyBudget()
  router.route('/', documentRoutes(deps, bodies))
  router.route('/', versionRoutes(deps))
  router.route('/', fileRoutes(deps, bodies))
  return router
}
