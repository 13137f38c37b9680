// Walks an OpenAPI document and sends invalid input to every operation: the answer must be 4xx in the one error
// shape. Nothing that is sent is valid, so nothing is changed.
import { randomUUID } from 'node:crypto'
import * as assert from 'uvu/assert'

type Schema = Record<string, unknown>

export interface Operation {
  method: string
  path: string
  parameters: { name: string; in: string }[]
  /** The schema of its JSON body. */
  body: Schema | undefined
  responses: string[]
  tags: string[]
}

export interface OpenApi {
  openapi: string
  paths: Record<string, Record<string, Schema>>
  components: { schemas: Record<string, Schema> }
}

/** One request as somebody who may do everything. */
export type Ask = (
  method: string,
  path: string,
  body?: string | Uint8Array<ArrayBuffer>,
  contentType?: string,
) => Promise<Response> | Response

export const operationsOf = (document: OpenApi): Operation[] =>
  Object.entries(document.paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, value]) => {
      const operation = value as Schema
      const body = operation.requestBody as { content?: Record<string, { schema: Schema }> } | undefined
      const schema = body?.content?.['application/json']?.schema
      const name = typeof schema?.$ref === 'string' ? (schema.$ref.split('/').at(-1) ?? '') : ''
      return {
        method: method.toUpperCase(),
        path,
        parameters: (operation.parameters ?? []) as Operation['parameters'],
        body: document.components.schemas[name] ?? schema,
        responses: Object.keys((operation.responses ?? {}) as Schema),
        tags: (operation.tags ?? []) as string[],
      }
    }),
  )

const strange = [
  '\u0000',
  '../../etc/passwd',
  '%',
  '🙂',
  'x'.repeat(5000),
  '-1',
  '1e99',
  "'; drop table boards; --",
  ' ',
]
const brokenBodies = [
  '{',
  '',
  '[]',
  'null',
  '"text"',
  '7',
  '{"nonsense":1}',
  '{"constructor":1}',
  '['.repeat(100),
]
const brokenValues = [{}, [[]], 'a\u0000b', '\ud800', -1, 1e300, 'x'.repeat(20_000), { $ne: 1 }]

/** Free-text parameters, for which no value is invalid. */
const freeText = ['q', 'category', 'board_type', 'template', 'code']

/**
 * It distinguishes an unknown board from an invisible one no more than the request before it, which answers 202 for
 * both.
 */
const sameForUnknownBoards = '/api/boards/{board_id}/access-requests/own'

/**
 * Sends all invalid inputs to one operation.
 * @param known existing ids, by parameter name, so that requests get past them.
 */
export async function sendNonsense(
  ask: Ask,
  operation: Operation,
  known: Record<string, string>,
): Promise<void> {
  const { method, path, parameters, body, responses } = operation
  const name = `${method} ${path}`
  const fill = (id: (parameter: string) => string) =>
    path.replaceAll(/\{(\w+)\}/g, (_, one: string) => id(one))
  const url = fill((parameter) => known[parameter] ?? randomUUID())
  const json = body === undefined ? undefined : '{}'
  const refused = async (what: string, ...request: Parameters<Ask>) => {
    const response = await ask(...request)
    const text = await response.text()
    assert.ok(
      response.status >= 400 && response.status < 500,
      `${name} ${what} -> ${response.status} ${text.slice(0, 200)}`,
    )
    // Another method is another operation, and a path with % in it is not one.
    if (response.status !== 405)
      assert.ok(
        responses.includes(String(response.status)),
        `${name} ${what} -> ${response.status}, which is not described`,
      )
    const { error } = JSON.parse(text) as { error?: { code?: unknown; message?: unknown } }
    assert.equal([typeof error?.code, typeof error?.message], ['string', 'string'], `${name} ${what}`)
    return { status: response.status, code: error?.code, headers: response.headers }
  }

  if (path.includes('{')) {
    for (const value of strange)
      await refused(
        `at ${value.slice(0, 20)}`,
        method,
        fill(() => encodeURIComponent(value)),
        json,
      )
    await refused(
      'at %zz%',
      method,
      fill(() => '%zz%'),
      json,
    )
    if (path.includes('{board_id}') && path !== sameForUnknownBoards)
      await refused(
        'of an unknown board',
        method,
        fill((id) => (id === 'board_id' ? randomUUID() : (known[id] ?? randomUUID()))),
        json,
      )
  }
  const inQuery = parameters.filter((parameter) => parameter.in === 'query')
  for (const parameter of inQuery.filter((one) => !freeText.includes(one.name))) {
    for (const value of strange) {
      await refused(
        `?${parameter.name}=${value.slice(0, 20)}`,
        method,
        `${url}?${parameter.name}=${encodeURIComponent(value)}`,
        json,
      )
    }
  }
  if (inQuery.length > 0) await refused('with an unknown query key', method, `${url}?nonsense=1`, json)
  if (body !== undefined) {
    for (const text of brokenBodies) await refused(`with ${text.slice(0, 20)}`, method, url, text)
    for (const property of Object.keys(body.properties ?? {})) {
      for (const value of brokenValues) {
        const text = JSON.stringify({ [property]: value })
        await refused(`with ${text.slice(0, 40)}`, method, url, text)
      }
    }
    assert.is(
      (await refused('in broken UTF-8', method, url, new Uint8Array([123, 255, 254, 125]))).code,
      'malformed_json',
      name,
    )
    assert.is(
      (await refused('as a form', method, url, 'a=b', 'application/x-www-form-urlencoded')).code,
      'unsupported_media_type',
      name,
    )
    if (!path.endsWith('/import')) {
      assert.is(
        (await refused('too large', method, url, `{"x":"${'x'.repeat(1024 * 1024)}"}`)).code,
        'too_large',
        name,
      )
    }
  }
  const other = await refused('by another method', 'PROPFIND', url)
  assert.is(other.code, 'method_not_allowed', name)
  assert.ok(other.headers.get('allow')?.includes(method), name)
}
