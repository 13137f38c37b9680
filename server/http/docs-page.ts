// The API documentation as a single HTML page without scripts or further requests. A viewer would weigh megabytes and
// need a looser content security policy.
import { createHash } from 'node:crypto'
import type { OpenAPIHono } from '@hono/zod-openapi'
import { html, raw } from 'hono/html'
import type { HttpEnv } from '../routing/context.ts'

export type OpenApiDocument = ReturnType<OpenAPIHono<HttpEnv>['getOpenAPI31Document']>
type Operation = NonNullable<NonNullable<OpenApiDocument['paths']>[string]['get']>
type Schema = Record<string, unknown>

const style = `
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif }
body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
h2 { margin-top: 3rem; text-transform: capitalize }
details { border: 1px solid color-mix(in srgb, currentColor 20%, transparent); border-radius: 6px; margin: .5rem 0; padding: .4rem .8rem }
summary { cursor: pointer; overflow-wrap: anywhere }
summary b { display: inline-block; min-width: 4.5rem; font-family: ui-monospace, monospace }
summary span { opacity: .7; margin-left: .6rem }
code, pre { font: 14px/1.45 ui-monospace, monospace }
pre { overflow-x: auto; padding: .6rem; background: color-mix(in srgb, currentColor 7%, transparent); border-radius: 4px }
td { vertical-align: top; padding: .1rem .8rem .1rem 0 }
`

/** The content security policy of the page: it allows the page's own style and nothing else. */
export const docsPolicy = `default-src 'none'; style-src 'sha256-${createHash('sha256').update(style).digest('base64')}'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'`

const verbs = ['get', 'post', 'put', 'patch', 'delete'] as const

/** The whole page. */
export function docsPage(document: OpenApiDocument): string {
  const operations = Object.entries(document.paths ?? {}).flatMap(([path, item]) =>
    verbs.flatMap((verb) => {
      const operation = item[verb]
      return operation === undefined ? [] : [{ verb, path, operation, tag: operation.tags?.[0] ?? 'other' }]
    }),
  )
  const tags = [...new Set(operations.map(({ tag }) => tag))]
  return String(html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${document.info.title} API</title><style>${raw(style)}</style></head><body>
<h1>${document.info.title} API <small>${document.info.version}</small></h1>
<p>${document.info.description ?? ''} The same as <a href="openapi.json">OpenAPI 3.1</a>.</p>
<h2>Who is asking</h2><table>${Object.entries(document.components?.securitySchemes ?? {}).map(
    ([name, scheme]) =>
      html`<tr><td><code>${name}</code></td><td>${'description' in scheme ? scheme.description : ''}</td></tr>`,
  )}</table>
${tags.map(
  (tag) =>
    html`<h2>${tag}</h2>${operations
      .filter((entry) => entry.tag === tag)
      .map(({ verb, path, operation }) => operationEntry(document, verb, path, operation))}`,
)}</body></html>`)
}

function operationEntry(document: OpenApiDocument, verb: string, path: string, operation: Operation) {
  const parameters = (operation.parameters ?? []).map((parameter) => parameter as unknown as Schema)
  const body = operation.requestBody as Schema | undefined
  return html`<details><summary><b>${verb.toUpperCase()}</b> <code>${path}</code><span>${operation.summary ?? ''}</span></summary>
<p>${operation.description ?? ''}</p>
${
  parameters.length === 0
    ? ''
    : html`<h4>Parameters</h4><table>${parameters.map((parameter) => {
        const schema = (parameter.schema ?? {}) as Schema
        return html`<tr><td><code>${String(parameter.name)}</code></td><td>${String(parameter.in)}</td><td><code>${shapeOf(document, schema)}</code></td><td>${String(parameter.description ?? schema.description ?? '')}</td></tr>`
      })}</table>`
}
${body === undefined ? '' : html`<h4>Body</h4>${contents(document, body)}`}
<h4>Answers</h4>${Object.entries(operation.responses ?? {}).map(([status, response]) =>
    Number(status) < 400
      ? html`<p><b>${status}</b> ${String(response.description)}</p>${contents(document, response as Schema)}`
      : html`<div><b>${status}</b> ${String(response.description)}</div>`,
  )}</details>`
}

const contents = (document: OpenApiDocument, holder: Schema) =>
  Object.entries((holder.content ?? {}) as Record<string, Schema>).map(
    ([type, { schema }]) =>
      html`<div><code>${type}</code></div><pre>${shapeOf(document, (schema ?? {}) as Schema)}</pre>`,
  )

/** A JSON schema as a reader would write its type. */
function shapeOf(document: OpenApiDocument, schema: Schema, indent = ''): string {
  if (typeof schema.$ref === 'string') {
    const name = schema.$ref.split('/').at(-1) ?? ''
    const named = document.components?.schemas?.[name] as Schema | undefined
    return named === undefined ? name : shapeOf(document, named, indent)
  }
  const choices = schema.anyOf ?? schema.oneOf
  if (Array.isArray(choices))
    return choices.map((choice) => shapeOf(document, choice as Schema, indent)).join(' | ')
  if (Array.isArray(schema.enum)) return schema.enum.map((value) => JSON.stringify(value)).join(' | ')
  const types = [schema.type ?? 'any'].flat().map(String)
  return types.map((type) => typeShape(document, schema, type, indent)).join(' | ')
}

function typeShape(document: OpenApiDocument, schema: Schema, type: string, indent: string): string {
  if (type === 'array') return `${shapeOf(document, (schema.items ?? {}) as Schema, indent)}[]`
  if (type !== 'object') return typeof schema.format === 'string' ? `${type} (${schema.format})` : type
  const properties = Object.entries((schema.properties ?? {}) as Record<string, Schema>)
  if (properties.length === 0) return 'object'
  const required = new Set(Array.isArray(schema.required) ? schema.required : [])
  const inner = `${indent}  `
  const lines = properties.map(([name, value]) => {
    const note = typeof value.description === 'string' ? `  // ${value.description}` : ''
    return `${inner}${name}${required.has(name) ? '' : '?'}: ${shapeOf(document, value, inner)}${note}`
  })
  return `{\n${lines.join('\n')}\n${indent}}`
}
