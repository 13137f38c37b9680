// The router that every noun's routes.ts starts from, and the parts of route descriptions, so that invalid requests get
// the same response everywhere and the OpenAPI document matches the code.
import { OpenAPIHono } from '@hono/zod-openapi'
import type { z } from 'zod'
import { ErrorResponse } from '../../shared/api.ts'
import { BoardroomError } from '../errors.ts'
import type { HttpEnv } from './context.ts'

/** A router whose validators throw BoardroomError invalid_request, naming the field and what was expected. */
export const newRouter = (): OpenAPIHono<HttpEnv> =>
  new OpenAPIHono<HttpEnv>({
    defaultHook: (result) => {
      if (!result.success) throw invalidRequest(result.target, result.error)
    },
  })

/**
 * A zod failure as the error that clients see. Messages name fields and expectations, never the values sent.
 * @param place where the value was: `json`, `query`, `param`, `header`, `cookie`, `form`.
 */
function invalidRequest(place: string, error: z.ZodError): BoardroomError {
  const issues = error.issues.slice(0, 20).map((issue) => ({
    path: issue.path.map(String).join('.').slice(0, 200),
    message: issue.message.slice(0, 500),
  }))
  const sentences = issues
    .slice(0, 3)
    .map(({ path, message }) => (path === '' ? message : `${path}: ${message}`))
  return new BoardroomError('invalid_request', `${placeNames[place] ?? place}: ${sentences.join('; ')}`, {
    details: { in: place, issues },
  })
}

const placeNames: Record<string, string> = { json: 'body', param: 'path' }

/** `request.body` of a route that takes JSON. */
export const jsonBody = <Schema extends z.ZodType>(schema: Schema) => ({
  required: true,
  content: { 'application/json': { schema } },
})

/** One entry of `responses` with a JSON body. */
export const jsonAnswer = <Schema extends z.ZodType>(schema: Schema, description: string) => ({
  description,
  content: { 'application/json': { schema } },
})

/** The description of each status in the API documentation. */
export const meanings = {
  400: 'The request is malformed: wrong type, unknown key, NUL character, broken JSON.',
  401: 'Nobody is signed in, or the credentials have expired.',
  403: 'The asker may not do this.',
  404: 'It does not exist, or the asker may not know about it.',
  409: 'It conflicts with the current state.',
  410: 'The board is deleted.',
  413: 'The body is too large.',
  415: 'This route does not accept the content type of the body.',
  422: 'The request is well-formed but cannot be fulfilled.',
  429: 'Too many requests; try again later.',
  451: 'The asker has not given the required consent: see /api/consent.',
  500: 'An internal error; the log has the request id.',
  507: 'The board is at its size limit.',
  503: 'The database does not answer, or the server is closing; try again.',
} as const

/** Further entries of `responses`, all `{error: {code, message, details?}}`. 400, 429, 500 and 503 are on every route. */
export const errorAnswers = <Status extends Exclude<keyof typeof meanings, 400 | 429 | 500 | 503> = never>(
  ...statuses: Status[]
): Record<Status | 400 | 429 | 500 | 503, ReturnType<typeof jsonAnswer<typeof ErrorResponse>>> => {
  // Wherever a board may be deleted, consent may also be missing.
  const consent = (statuses as readonly number[]).includes(410) ? ([451] as const) : []
  const all = [400, ...statuses, 429, ...consent, 500, 503] as const
  const entries = all.map((status) => [status, jsonAnswer(ErrorResponse, meanings[status])])
  return Object.fromEntries(entries) as never // keys and values are exactly those listed above
}
