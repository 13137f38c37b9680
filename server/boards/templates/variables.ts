// The variables of a template: a JSON Schema, validated and bounded in cost when the template is submitted, and the
// values that people enter. Ajv compiles the schema; its patterns run in RE2, where no pattern can be slow.
import { createRequire } from 'node:module'
import type { Ajv, ErrorObject, ValidateFunction } from 'ajv'
import { BoardroomError } from '../../errors.ts'
import { bareId, idFormats } from './national-ids.ts'

export type Variable = string | number | boolean
export type Variables = Record<string, Variable>

/** A stored schema, and what it defines about its fields. */
export interface VariablesSchema {
  schema: Record<string, unknown>
  /** The names in the order of the schema. */
  fields: string[]
  uniqueFields: string[]
  maskedFields: string[]
}

const most = { bytes: 32 * 1024, nodes: 1000, depth: 10, fields: 100, pattern: 200, text: 10_000 }
const fieldName = /^[A-Za-z][A-Za-z0-9_]{0,63}$/
const simpleTypes = new Set(['string', 'number', 'integer', 'boolean', 'null'])
/** References could be circular or point to another server. */
const references = new Set([
  '$ref',
  '$dynamicRef',
  '$recursiveRef',
  '$id',
  '$anchor',
  '$dynamicAnchor',
  '$defs',
  'definitions',
])

const moment = (value: unknown): string | null =>
  value === 'today'
    ? new Date().toISOString().slice(0, 10)
    : typeof value === 'string' && /^\d{4}-\d{2}-\d{2}$/.test(value)
      ? value
      : null

const load = createRequire(import.meta.url)

/** Loaded with the first template; many servers never have one. */
function newAjv(): Ajv {
  const { Ajv2020 } = load('ajv/dist/2020.js') as typeof import('ajv/dist/2020.js')
  const ajvFormats = load('ajv-formats') as typeof import('ajv-formats')
  const { RE2JS } = load('re2js') as typeof import('re2js')
  const regExp = Object.assign(
    (pattern: string) => {
      const compiled = RE2JS.compile(pattern)
      return { test: (text: string) => compiled.matcher(text).find() }
    },
    { code: 'RE2JS' },
  )
  const ajv = new Ajv2020({
    strict: true,
    strictTypes: false,
    strictRequired: false,
    allErrors: true,
    useDefaults: true,
    addUsedSchema: false,
    code: { regExp },
    messages: true,
  })
  ajvFormats.default(ajv, { keywords: true })
  for (const [name, { isValid }] of Object.entries(idFormats)) ajv.addFormat(name, isValid)
  ajv.addKeyword({ keyword: 'unique', schemaType: 'boolean' })
  // jsonb does not preserve the order of keys, which is the order of the form.
  ajv.addKeyword({ keyword: 'fieldOrder', schemaType: 'array' })
  ajv.addKeyword({ keyword: 'masked', schemaType: 'boolean' })
  // Compares with the current day, which formatMaximum cannot express.
  ajv.addKeyword({
    keyword: 'notAfter',
    type: 'string',
    schemaType: 'string',
    validate: (limit: string, value: string) => value <= (moment(limit) ?? ''),
    errors: false,
  })
  ajv.addKeyword({
    keyword: 'notBefore',
    type: 'string',
    schemaType: 'string',
    validate: (limit: string, value: string) => value >= (moment(limit) ?? '9999'),
    errors: false,
  })
  return ajv
}

let shared: Ajv | undefined
/** Compiled validators by the JSON of their schema, most recent last. */
const compiled = new Map<string, ValidateFunction>()
const mostCompiled = 200

/** @throws BoardroomError invalid_request */
function compile(schema: Record<string, unknown>): ValidateFunction {
  shared ??= newAjv()
  const key = JSON.stringify(schema)
  const known = compiled.get(key)
  if (known !== undefined) return known
  // A copy, because Ajv caches schemas by object identity.
  const copy = JSON.parse(key) as Record<string, unknown>
  try {
    const validate = shared.compile(copy)
    compiled.set(key, validate)
    for (const oldest of compiled.keys()) {
      if (compiled.size <= mostCompiled) break
      compiled.delete(oldest)
    }
    return validate
  } catch (error) {
    const reason = error instanceof Error ? error.message.slice(0, 300) : 'it cannot be read'
    throw wrongSchema(reason)
  } finally {
    shared.removeSchema(copy)
  }
}

/**
 * Reads the `variables_schema` of a template: an object of simple fields. Extensions: the formats `cpf`, `cnpj`,
 * `cpf-or-cnpj` (unique and masked by default), `unique`, `masked`, `notAfter` and `notBefore` (a date, or `today`).
 * Keywords starting with `x-` are stored and ignored, except `x-unique` and `x-masked`.
 * @throws BoardroomError invalid_request
 */
export function readVariablesSchema(given: Record<string, unknown>): VariablesSchema {
  const text = JSON.stringify(given)
  if (Buffer.byteLength(text) > most.bytes) throw wrongSchema(`it may have at most ${most.bytes} bytes`)
  measure(given)
  const schema = withoutExtras(given) as Record<string, unknown>
  // Any dialect, because the allowed keywords are the same in all of them.
  delete schema.$schema
  schema.type ??= 'object'
  schema.properties ??= {}
  schema.additionalProperties = false
  if (schema.type !== 'object' || !isObject(schema.properties))
    throw wrongSchema('expected "type": "object" with "properties"')
  const fields = Object.keys(schema.properties)
  if (fields.length > most.fields) throw wrongSchema(`a record may have at most ${most.fields} fields`)
  for (const [name, field] of Object.entries(schema.properties)) checkField(name, field)
  for (const name of Array.isArray(schema.required) ? schema.required : [])
    if (!fields.includes(String(name)))
      throw wrongSchema(`required: there is no property ${String(name).slice(0, 64)}`)
  schema.fieldOrder = fieldOrderOf(schema.fieldOrder, fields)
  compile(schema)
  const properties = schema.properties as Record<string, Record<string, unknown>> // checked above
  const having = (flag: 'unique' | 'masked') =>
    fields.filter(
      (name) => properties[name]?.[flag] ?? Object.hasOwn(idFormats, String(properties[name]?.format)),
    )
  return { schema, fields, uniqueFields: having('unique'), maskedFields: having('masked') }
}

/** The explicit order, if given; fields it omits come last. */
const fieldOrderOf = (told: unknown, fields: readonly string[]): string[] => {
  const named = Array.isArray(told) ? told.filter((name): name is string => fields.includes(name)) : []
  return [...new Set([...named, ...fields])]
}

function checkField(name: string, field: unknown): void {
  if (!fieldName.test(name))
    throw wrongSchema(
      `properties: expected names of letters, digits and _, starting with a letter, got ${JSON.stringify(name.slice(0, 64))}`,
    )
  if (!isObject(field)) throw wrongSchema(`properties.${name}: expected an object`)
  const types = field.type === undefined ? [] : [field.type].flat()
  const isSimple = types.every((type) => simpleTypes.has(String(type)))
  if (
    !isSimple ||
    (types.length === 0 &&
      !Array.isArray(field.enum) &&
      field.const === undefined &&
      field.format === undefined)
  )
    throw wrongSchema(`properties.${name}: expected the type string, number, integer or boolean, or an enum`)
  for (const limit of ['notAfter', 'notBefore'])
    if (field[limit] !== undefined && moment(field[limit]) === null)
      throw wrongSchema(`properties.${name}.${limit}: expected a date like 2026-01-31, or today`)
}

function measure(given: unknown): void {
  let nodes = 0
  const visit = (value: unknown, depth: number): void => {
    nodes += 1
    if (nodes > most.nodes) throw wrongSchema(`it may have at most ${most.nodes} parts`)
    if (depth > most.depth) throw wrongSchema(`it may be at most ${most.depth} levels deep`)
    if (typeof value !== 'object' || value === null) return
    for (const [key, inner] of Object.entries(value)) {
      if (references.has(key)) throw wrongSchema(`${key} is not allowed: write everything inline`)
      if (key === 'pattern' && typeof inner === 'string' && inner.length > most.pattern)
        throw wrongSchema(`a pattern may have at most ${most.pattern} characters`)
      if (key === 'patternProperties' || key === 'propertyNames' || key === 'unevaluatedProperties')
        throw wrongSchema(`${key} is not allowed: name the properties`)
      visit(inner, depth + 1)
    }
  }
  visit(given, 0)
}

/** `x-unique` and `x-masked` are the same as their plain names; other extensions are ignored. */
function withoutExtras(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutExtras)
  if (!isObject(value)) return value
  const kept: Record<string, unknown> = {}
  for (const [key, inner] of Object.entries(value)) {
    if (key === 'x-unique' || key === 'x-masked') kept[key.slice(2)] = inner
    else if (!key.startsWith('x-')) kept[key] = withoutExtras(inner)
  }
  return kept
}

/** Texts that others see must not contain markup or placeholders, which would be filled in turn. */
const markup = /<\s*[a-z!/?]|\{\{|\}\}/i
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are refused
const control = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f\u202a-\u202e\u2066-\u2069]/

/**
 * Normalises values for storage: national ids without punctuation, texts trimmed, defaults filled in.
 * @param given by name; null omits a field.
 * @throws BoardroomError invalid_request; `details.issues` names the fields, never the values.
 */
export function checkVariables(schema: Record<string, unknown>, given: Record<string, unknown>): Variables {
  const properties = (schema.properties ?? {}) as Record<string, Record<string, unknown>> // the result of readVariablesSchema
  const issues: Issue[] = []
  const values: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(given)) {
    const field = Object.hasOwn(properties, name) ? properties[name] : undefined
    if (field === undefined) {
      issues.push({
        path: name.slice(0, 64),
        message: `there is no such variable; expected ${Object.keys(properties).join(', ') || 'none'}`,
      })
    } else if (value !== null) {
      const problem = typeof value === 'string' ? problemOf(value) : null
      if (problem !== null) issues.push({ path: name, message: problem })
      else values[name] = typeof value === 'string' ? kept(value, field) : value
    }
  }
  if (issues.length === 0 && !compile(schema)(values))
    throw wrongVariables(issuesOf(compile(schema).errors ?? [], properties))
  if (issues.length > 0) throw wrongVariables(issues)
  return values as Variables // every field was validated against its simple type
}

interface Issue {
  path: string
  message: string
}

function problemOf(text: string): string | null {
  if (text.length > most.text) return `may have at most ${most.text} characters`
  if (!text.isWellFormed() || control.test(text))
    return 'must not contain control characters or marks that change the direction of text'
  return markup.test(text) ? 'must be plain text: no markup and no {{ }}' : null
}

const kept = (text: string, { format }: Record<string, unknown>): string =>
  Object.hasOwn(idFormats, String(format)) ? bareId(text) : text.trim()

function issuesOf(
  errors: readonly ErrorObject[],
  properties: Record<string, Record<string, unknown>>,
): Issue[] {
  return errors.slice(0, 20).map((error) => {
    const missing =
      error.keyword === 'required'
        ? String((error.params as { missingProperty?: string }).missingProperty)
        : null
    if (missing !== null) return { path: missing, message: 'is missing' }
    const path = error.instancePath.slice(1).split('/')[0] ?? ''
    return { path, message: messageOf(error, properties[path] ?? {}) }
  })
}

function messageOf(error: ErrorObject, field: Record<string, unknown>): string {
  const format = String(field.format)
  if (error.keyword === 'format' && Object.hasOwn(idFormats, format))
    return `expected ${idFormats[format]?.expected}`
  if (error.keyword === 'enum' && Array.isArray(field.enum)) return `expected one of ${field.enum.join(', ')}`
  if (error.keyword === 'notAfter' || error.keyword === 'notBefore')
    return `must ${error.keyword === 'notAfter' ? 'not be after' : 'not be before'} ${String(field[error.keyword])}`
  return error.message ?? 'is not valid'
}

const wrongVariables = (issues: Issue[]): BoardroomError =>
  new BoardroomError(
    'invalid_request',
    `variables: ${issues
      .slice(0, 3)
      .map(({ path, message }) => (path === '' ? message : `${path} ${message}`))
      .join('; ')}`,
    { details: { in: 'variables', issues } },
  )

const wrongSchema = (reason: string): BoardroomError =>
  new BoardroomError('invalid_request', `variables_schema: ${reason}`, {
    details: { in: 'json', issues: [{ path: 'variables_schema', message: reason }] },
  })

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
