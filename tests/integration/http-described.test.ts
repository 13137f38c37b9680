// The OpenAPI document, compared with what it claims.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type OpenApi, operationsOf } from '../helpers/api-fuzz.ts'
import { withApp } from '../helpers/app.ts'

const api = suite('the API as a whole')

api('is described: references resolve, path parameters are declared, every failure is told', () =>
  withApp(async ({ call }) => {
    const document = (await call('GET', '/api/openapi.json')).body as OpenApi
    assert.is(document.openapi, '3.1.0')
    const references = JSON.stringify(document).match(/"\$ref":"[^"]+"/g) ?? []
    assert.ok(references.length > 0)
    for (const reference of references) {
      const path = reference.slice('"$ref":"#/'.length, -1).split('/')
      assert.ok(
        path.reduce<unknown>((at, key) => (at as Record<string, unknown> | undefined)?.[key], document),
        reference,
      )
    }
    for (const name of [
      'BoardCreate',
      'BoardResponse',
      'BoardPermissionCreate',
      'BoardPermissionResponse',
      'ShareLinkResponse',
      'ErrorResponse',
    ]) {
      assert.ok(document.components.schemas[name], name)
    }
    for (const { method, path, parameters, responses, tags } of operationsOf(document)) {
      const name = `${method} ${path}`
      const inPath = [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1])
      const declared = parameters
        .filter((parameter) => parameter.in === 'path')
        .map((parameter) => parameter.name)
      assert.equal(declared.sort(), inPath.sort(), name)
      assert.ok(tags.length > 0, name)
      // Health is requested by whatever supervises the process: no limit and no database come before it.
      if (path.endsWith('z')) continue
      for (const status of ['400', '429', '500', '503'])
        assert.ok(responses.includes(status), `${name} tells ${status}`)
    }
    const names = Object.values(document.paths).flatMap((item) =>
      Object.values(item).map((operation) => operation.operationId),
    )
    assert.is(new Set(names).size, names.length, 'every operation has a name of its own')
    assert.ok(names.includes('postBoardsByBoardIdShareLinks'), names.join(' '))
    for (const path of ['/healthz', '/readyz', '/metrics']) assert.ok(document.paths[path], path)
  }),
)

api('has a page that shows every operation and loads nothing', () =>
  withApp(async ({ call }) => {
    const document = (await call('GET', '/api/openapi.json')).body as OpenApi
    const page = await call('GET', '/api/docs')
    assert.match(page.headers.get('content-security-policy') ?? '', /^default-src 'none'; style-src 'sha256-/)
    assert.not.match(page.body, /<(script|link|img|iframe)/)
    for (const { path } of operationsOf(document)) assert.ok(page.body.includes(path), path)
  }),
)

api.run()
