// The description of the HTTP API, made from the same schemas that check the requests.
import type { OpenAPIHono } from '@hono/zod-openapi'
import { Hono } from 'hono'
import { type CookieNames, cookieNames } from '../accounts/cookies.ts'
import type { HttpEnv } from '../routing/context.ts'
import { meanings } from '../routing/router.ts'
import { docsPage, docsPolicy, type OpenApiDocument } from './docs-page.ts'

/** `/openapi.json` and `/docs`, which is generated from it and loads nothing else. */
export function openApiRoutes(app: OpenAPIHono<HttpEnv>, about: ApiFacts): Hono<HttpEnv> {
  // Generated at the first request, when every router is mounted.
  let made: { json: string; page: string } | undefined
  const make = () => {
    const document = openApiDocument(app, about)
    return { json: JSON.stringify(document), page: docsPage(document) }
  }
  const routes = new Hono<HttpEnv>()
  routes.get('/openapi.json', (c) => {
    made ??= make()
    return c.body(made.json, 200, { 'content-type': 'application/json; charset=utf-8' })
  })
  routes.get('/docs', (c) => {
    made ??= make()
    return c.html(made.page, 200, { 'content-security-policy': docsPolicy })
  })
  return routes
}

export interface ApiFacts {
  version: string
  /** Whether people use https, which decides the names of the cookies. */
  isHttps: boolean
}

const schemesWith = (cookies: CookieNames) => ({
  session: {
    type: 'apiKey' as const,
    in: 'cookie' as const,
    name: cookies.session,
    description: 'A signed-in user. If a browser sends an Origin with a change, it must be ours.',
  },
  guest: {
    type: 'apiKey' as const,
    in: 'cookie' as const,
    name: cookies.guest,
    description: 'Somebody who came in through a share link.',
  },
  ticket: {
    type: 'http' as const,
    scheme: 'bearer',
    description: 'A ticket, for the routes of its board; or a session token.',
  },
})

/** OpenAPI 3.1. Every operation accepts every kind of credential; access decides what is allowed. */
function openApiDocument(app: OpenAPIHono<HttpEnv>, { version, isHttps }: ApiFacts): OpenApiDocument {
  const document = app.getOpenAPI31Document({
    openapi: '3.1.0',
    info: {
      title: 'Boardroom',
      version,
      description:
        'Boards that people draw on together. Bodies are strict: an unknown key is an error. Lists return ' +
        '{items, next_cursor}; failures {error: {code, message, details?}}.',
    },
    security: [{ session: [] }, { guest: [] }, { ticket: [] }, {}],
  })
  completeOperations(document)
  return {
    ...document,
    components: { ...document.components, securitySchemes: schemesWith(cookieNames(isHttps)) },
  }
}

const verbs = ['get', 'put', 'post', 'patch', 'delete'] as const

/** What follows from method and body, so that no route has to repeat it: operation ids for generated clients, 413, 415. */
function completeOperations(document: OpenApiDocument): void {
  for (const [path, item] of Object.entries(document.paths ?? {})) {
    for (const verb of verbs) {
      const operation = item[verb]
      if (operation === undefined) continue
      operation.operationId ??= operationId(verb, path)
      const answers = { ...operation.responses }
      if (verb !== 'get') answers[413] ??= failure(413)
      if (operation.requestBody !== undefined) answers[415] ??= failure(415)
      operation.responses = answers
    }
  }
}

const failure = (status: 413 | 415) => ({
  description: meanings[status],
  content: { 'application/json': { schema: { $ref: '#/components/schemas/ErrorResponse' } } },
})

/** `get /api/boards/{board_id}/share-links` -> `getBoardsByBoardIdShareLinks` */
const operationId = (verb: string, path: string): string =>
  path
    .replace(/^\/api/, '')
    .replace(/\{(\w+)\}/g, 'by-$1')
    .split(/[^a-z0-9]+/i)
    .reduce((name, word) => name + word.charAt(0).toUpperCase() + word.slice(1), verb)
