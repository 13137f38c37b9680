// Saves a board as a template, or as the next version of one: the placeholders in its texts become fields.
import { type FormEvent, useEffect, useState } from 'react'
import type { TemplateSummary } from '../../shared/api/templates.ts'
import type { BoardResponse } from '../../shared/api.ts'
import type { SceneElement } from '../../shared/element.ts'
import { readScene } from '../../shared/scene.ts'
import { unfillElements, variablesIn } from '../../shared/template-texts.ts'
import * as api from '../api.ts'
import { listTemplates, saveAsTemplate, sendVersion } from '../records-api.ts'
import { templateTexts as t } from '../texts/records.ts'
import { Dialog } from './dialog.tsx'
import { showToast } from './toast.tsx'
import { labelOf } from './variables-form.tsx'
import '../pages/records.css'

const kinds = Object.keys(t.kinds) as Kind[]
type Kind = keyof typeof t.kinds

interface Variable {
  kind: Kind
  isRequired: boolean
  choices: string
}
const usual: Variable = { kind: 'text', isRequired: true, choices: '' }

export const TemplateDialog = ({ board, onClose }: { board: BoardResponse; onClose: () => void }) => {
  const [elements, setElements] = useState<SceneElement[] | null>(null)
  const [templates, setTemplates] = useState<TemplateSummary[]>([])
  const [target, setTarget] = useState<TemplateSummary | null>(null)
  const [name, setName] = useState(board.title)
  const [code, setCode] = useState(codeOf(board.title))
  const [category, setCategory] = useState('general')
  const [variables, setVariables] = useState<Record<string, Variable>>({})
  const [problem, setProblem] = useState<string | null>(null)

  useEffect(() => {
    const read = async () => {
      const scene = readScene(JSON.parse(await (await api.getDrawing(board.id)).text()))
      setElements(unfillElements(scene?.elements ?? []).filter(({ type }) => type !== 'image'))
      setTemplates((await listTemplates({ scope: 'current' })).items)
    }
    read().catch((error: Error) => setProblem(error.message))
  }, [board.id])

  const known = (target?.variables_schema.properties ?? {}) as Record<string, unknown> // as the server checked it
  const names = elements === null ? [] : variablesIn(elements)
  const fresh = names.filter((each) => !Object.hasOwn(known, each))
  const variable = (each: string) => variables[each] ?? usual
  const set = (each: string, change: Partial<Variable>) =>
    setVariables((before) => ({ ...before, [each]: { ...variable(each), ...change } }))

  const submit = (event: FormEvent) => {
    event.preventDefault()
    setProblem(null)
    const schema = schemaOf(target?.variables_schema ?? {}, fresh, variable)
    const sending =
      target === null
        ? saveAsTemplate(board.id, { code, name, category, variables_schema: schema })
        : sendVersion(target.id, {
            content: { type: 'excalidraw', elements: elements ?? [] },
            variables_schema: schema,
          })
    sending.then(
      () => {
        showToast(t.sent)
        onClose()
      },
      (error: Error) => setProblem(error.message),
    )
  }
  return (
    <Dialog title={t.save} onClose={onClose}>
      <form onSubmit={submit}>
        <p className="hint">{t.saveLead}</p>
        {templates.length > 0 && (
          <label className="field">
            {t.saveAs}
            <select
              value={target?.id ?? ''}
              onChange={(event) => setTarget(templates.find(({ id }) => id === event.target.value) ?? null)}
            >
              <option value="">{t.saveNew}</option>
              {templates.map((template) => (
                <option key={template.id} value={template.id}>
                  {t.saveVersion(template.name)}
                </option>
              ))}
            </select>
          </label>
        )}
        {target === null && (
          <>
            <label className="field">
              {t.templateName}
              <input
                value={name}
                required
                minLength={2}
                maxLength={100}
                data-first
                onChange={(event) => {
                  setName(event.target.value)
                  setCode(codeOf(event.target.value))
                }}
              />
            </label>
            <label className="field">
              {t.code}
              <input
                value={code}
                required
                maxLength={64}
                pattern="[A-Za-z0-9][A-Za-z0-9_.\-]*"
                onChange={(event) => setCode(event.target.value)}
              />
            </label>
            <label className="field">
              {t.category}
              <input
                value={category}
                required
                maxLength={50}
                onChange={(event) => setCategory(event.target.value)}
              />
            </label>
          </>
        )}
        {elements !== null && names.length === 0 && <p className="hint">{t.noVariables}</p>}
        {fresh.length > 0 && (
          <fieldset className="variables">
            <legend>{t.variables}</legend>
            {fresh.map((each) => (
              <VariableRow key={each} name={each} variable={variable(each)} onChange={set} />
            ))}
          </fieldset>
        )}
        {problem !== null && (
          <p className="problem" role="alert">
            {problem}
          </p>
        )}
        <div className="actions end">
          <button type="submit" className="primary" disabled={elements === null}>
            {t.send}
          </button>
        </div>
      </form>
    </Dialog>
  )
}

interface VariableRowProps {
  name: string
  variable: Variable
  onChange: (name: string, change: Partial<Variable>) => void
}

const VariableRow = ({ name, variable, onChange }: VariableRowProps) => {
  const label = labelOf(name)
  return (
    <div className="variable">
      <span>{label}</span>
      <select
        aria-label={t.kind(label)}
        value={variable.kind}
        onChange={({ target }) => onChange(name, { kind: target.value as Kind })} // one of the options below
      >
        {kinds.map((kind) => (
          <option key={kind} value={kind}>
            {t.kinds[kind]}
          </option>
        ))}
      </select>
      <label className="inline">
        <input
          type="checkbox"
          aria-label={t.requiredOf(label)}
          checked={variable.isRequired}
          onChange={({ target }) => onChange(name, { isRequired: target.checked })}
        />
        {t.requiredShort}
      </label>
      {variable.kind === 'choice' && (
        <input
          required
          aria-label={t.choices(label)}
          placeholder={t.choicesHint}
          value={variable.choices}
          onChange={({ target }) => onChange(name, { choices: target.value })}
        />
      )}
    </div>
  )
}

/** `Client intake` -> `CLIENT_INTAKE` */
const codeOf = (name: string): string =>
  name
    .normalize('NFD')
    .replace(/[^A-Za-z0-9]+/g, '_')
    .replace(/^_+|_+$/g, '')
    .toUpperCase()
    .slice(0, 64)

/** The existing fields, followed by the new ones. */
function schemaOf(
  before: Record<string, unknown>,
  fresh: readonly string[],
  variable: (name: string) => Variable,
): Record<string, unknown> {
  const required = Array.isArray(before.required) ? before.required : []
  const order = Array.isArray(before.fieldOrder) ? before.fieldOrder : []
  return {
    ...before,
    type: 'object',
    properties: {
      ...(before.properties ?? {}),
      ...Object.fromEntries(fresh.map((name) => [name, fieldOf(variable(name))])),
    },
    required: [...required, ...fresh.filter((name) => variable(name).isRequired)],
    fieldOrder: [...order, ...fresh],
  }
}

function fieldOf({ kind, choices }: Variable): Record<string, unknown> {
  switch (kind) {
    case 'text':
      return { type: 'string', minLength: 1, maxLength: 200 }
    case 'email':
      return { type: 'string', format: 'email', maxLength: 254 }
    case 'date':
    case 'cpf':
    case 'cnpj':
      return { type: 'string', format: kind }
    case 'number':
    case 'boolean':
      return { type: kind }
    case 'choice':
      return {
        type: 'string',
        enum: [...new Set(choices.split(',').map((choice) => choice.trim()))].filter(
          (choice) => choice !== '',
        ),
      }
  }
}
