// Fields for the variables of a template, derived from its schema. The server validates; this chooses the right kinds
// of input.
import { ApiError } from '../api.ts'
import { recordTexts as t } from '../texts/records.ts'

export interface FieldSchema {
  type?: string | string[]
  title?: string
  description?: string
  format?: string
  enum?: unknown[]
  default?: unknown
  minLength?: number
  maxLength?: number
  minimum?: number
  maximum?: number
  formatMinimum?: string
  formatMaximum?: string
  notAfter?: string
  notBefore?: string
}

export type Values = Record<string, unknown>
/** The error of each field. */
export type Problems = Readonly<Record<string, string>>

/** The server's errors about single variables; null if the error is about something else. */
export function problemsOf(error: unknown): Problems | null {
  if (!(error instanceof ApiError) || error.details?.in !== 'variables') return null
  const { issues, field } = error.details
  if (typeof field === 'string') return { [field]: t.taken }
  if (!Array.isArray(issues)) return null
  const problems: Record<string, string> = {}
  for (const { path, message } of issues as { path: string; message: string }[])
    problems[path] ??= message === 'is missing' ? t.missing : sentenceOf(message)
  return problems
}

const sentenceOf = (message: string): string => `${message.charAt(0).toUpperCase()}${message.slice(1)}.`

/** `birth_date` as shown to people. */
export const labelOf = (name: string, schema: FieldSchema = {}): string => {
  const words = (schema.title ?? name.replaceAll('_', ' ')).trim()
  const spelt = /^(cpf|cnpj)$/i.test(words) ? words.toUpperCase() : words
  return spelt.charAt(0).toUpperCase() + spelt.slice(1)
}

const cpf = /^([\d*]{3})([\d*]{3})([\d*]{3})([\d*]{2})$/
const cnpj = /^([\w*]{2})([\w*]{3})([\w*]{3})([\w*]{4})([\d*]{2})$/

/** A value as shown to people: national ids are stored without punctuation. */
export function shownValue(value: unknown, { format }: FieldSchema = {}): string {
  if (value === undefined || value === null) return ''
  if (typeof value === 'boolean') return value ? t.yes : t.no
  const text = String(value)
  if (format === undefined || !/^(cpf|cnpj|cpf-or-cnpj)$/.test(format)) return text
  return cpf.test(text) ? text.replace(cpf, '$1.$2.$3-$4') : text.replace(cnpj, '$1.$2.$3/$4-$5')
}

export const fieldsOf = (schema: Record<string, unknown>): [string, FieldSchema][] =>
  inOrder(Object.entries((schema.properties ?? {}) as Record<string, FieldSchema>), schema.fieldOrder) // as the server checked it

const inOrder = (fields: [string, FieldSchema][], order: unknown): [string, FieldSchema][] =>
  Array.isArray(order) ? fields.sort(([a], [b]) => order.indexOf(a) - order.indexOf(b)) : fields

export const VariablesForm = ({
  schema,
  values,
  problems = {},
  onChange,
  disabled = false,
}: {
  schema: Record<string, unknown>
  values: Values
  problems?: Problems
  onChange: (name: string, value: unknown) => void
  disabled?: boolean
}) => {
  const required = Array.isArray(schema.required) ? schema.required : []
  return (
    <>
      {fieldsOf(schema).map(([name, field]) => (
        <div className="field" key={name}>
          <label htmlFor={`variable-${name}`}>{labelOf(name, field)}</label>
          <Field
            name={name}
            field={field}
            isRequired={required.includes(name)}
            isWrong={problems[name] !== undefined}
            value={values[name] ?? (disabled ? '' : (field.default ?? ''))}
            disabled={disabled}
            onChange={(value) => onChange(name, value)}
          />
          {(problems[name] ?? field.description) !== undefined && (
            <div id={`about-${name}`}>
              {problems[name] !== undefined && (
                <p className="problem" role="alert">
                  {problems[name]}
                </p>
              )}
              {field.description !== undefined && <span className="hint">{field.description}</span>}
            </div>
          )}
        </div>
      ))}
    </>
  )
}

const Field = ({
  name,
  field,
  isRequired,
  isWrong,
  value,
  disabled,
  onChange,
}: {
  name: string
  field: FieldSchema
  isRequired: boolean
  isWrong: boolean
  value: unknown
  disabled: boolean
  onChange: (value: unknown) => void
}) => {
  const common = {
    ...{ id: `variable-${name}`, name, disabled, required: isRequired },
    ...{
      'aria-invalid': isWrong,
      'aria-describedby': isWrong || field.description !== undefined ? `about-${name}` : undefined,
    },
  }
  const types = [field.type ?? 'string'].flat()
  const choices = types.includes('boolean') ? [true, false] : field.enum
  if (choices !== undefined) {
    return (
      <select
        {...common}
        value={String(value)}
        onChange={({ target }) => onChange(choices.find((choice) => String(choice) === target.value) ?? null)}
      >
        <option value="">{t.choose}</option>
        {choices.map((choice) => (
          <option key={String(choice)} value={String(choice)}>
            {choice === true ? t.yes : choice === false ? t.no : String(choice)}
          </option>
        ))}
      </select>
    )
  }
  if (types.includes('integer') || types.includes('number')) {
    return (
      <input
        {...common}
        type="number"
        step={types.includes('integer') ? 1 : 'any'}
        min={field.minimum}
        max={field.maximum}
        value={String(value)}
        onChange={({ target }) => onChange(target.value === '' ? null : Number(target.value))}
      />
    )
  }
  const today = new Date().toISOString().slice(0, 10)
  const day = (limit: string | undefined) => (limit === 'today' ? today : limit)
  return (
    <input
      {...common}
      type={field.format === 'date' ? 'date' : field.format === 'email' ? 'email' : 'text'}
      minLength={field.minLength}
      maxLength={field.maxLength}
      min={field.formatMinimum ?? day(field.notBefore)}
      max={field.formatMaximum ?? day(field.notAfter)}
      value={String(value)}
      onChange={({ target }) => onChange(target.value === '' ? null : target.value)}
    />
  )
}
