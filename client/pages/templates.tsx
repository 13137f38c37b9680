// `/templates`: the library, versions waiting for approval, and boards made from templates.

import { type FormEvent, useCallback, useEffect, useState } from 'react'
import type { TemplateComparison, TemplateSummary } from '../../shared/api/templates.ts'
import type { MeResponse } from '../../shared/api.ts'
import * as api from '../api.ts'
import { isLetIn } from '../going-back.ts'
import { approveTemplate, compareTemplate, listTemplates, removeTemplate } from '../records-api.ts'
import { Link, navigate } from '../router.tsx'
import { appTexts } from '../texts/app.ts'
import { templateTexts as t } from '../texts/records.ts'
import { Dialog } from '../ui/dialog.tsx'
import { Loading, MessagePage } from '../ui/message.tsx'
import { More } from '../ui/table.tsx'
import { showProblem, showToast } from '../ui/toast.tsx'
import { TopBar } from '../ui/top-bar.tsx'
import { type Problems, problemsOf, type Values, VariablesForm } from '../ui/variables-form.tsx'
import './records.css'

type Scope = keyof typeof t.scopes
type Open =
  | { name: 'use' | 'approve'; template: TemplateSummary }
  | { name: 'compare'; template: TemplateSummary; found: TemplateComparison }

export const TemplatesPage = () => {
  const [me, setMe] = useState<MeResponse | null>(null)
  const [scope, setScope] = useState<Scope>('current')
  const [items, setItems] = useState<TemplateSummary[] | null>(null)
  const [cursor, setCursor] = useState<string | null>(null)
  const [open, setOpen] = useState<Open | null>(null)
  const [problem, setProblem] = useState<string | null>(null)
  const load = useCallback(
    async (after?: string) => {
      try {
        const who = await api.me()
        if (!isLetIn(who)) return
        const page = await listTemplates(after === undefined ? { scope } : { scope, cursor: after })
        setMe(who)
        setItems((before) => (after === undefined ? page.items : [...(before ?? []), ...page.items]))
        setCursor(page.next_cursor)
      } catch (error) {
        setProblem(error instanceof Error ? error.message : t.failed)
      }
    },
    [scope],
  )
  useEffect(() => {
    document.title = appTexts.titleOf(t.title)
    void load()
  }, [load])
  if (problem !== null) return <MessagePage title={t.failed} text={problem} />
  if (me === null || items === null) return <Loading text={t.title} />
  const administers = me.role === 'admin' || me.role === 'sysadmin'
  const close = () => setOpen(null)
  return (
    <div className="page">
      <TopBar me={me} />
      <main>
        <div className="page-head">
          <h1>{t.title}</h1>
          <Link href="/" className="button">
            {t.boards}
          </Link>
        </div>
        <div className="filters">
          <fieldset className="segments" aria-label={t.title}>
            {(Object.keys(t.scopes) as Scope[]).map((key) => (
              <button key={key} type="button" aria-pressed={scope === key} onClick={() => setScope(key)}>
                {t.scopes[key]}
              </button>
            ))}
          </fieldset>
        </div>
        {items.length === 0 && <p className="empty">{scope === 'current' ? t.none : t.noneWaiting}</p>}
        <ul className="template-list">
          {items.map((template) => (
            <li key={template.id}>
              <div>
                <h2>{template.name}</h2>
                <p className="hint">
                  {template.category} · {template.code} · {t.version(template.version)},{' '}
                  {t.status[template.status]}
                </p>
                {template.description !== '' && <p>{template.description}</p>}
              </div>
              <div className="actions">
                {template.is_current && (
                  <>
                    <Link className="button" href={`/records?template=${encodeURIComponent(template.code)}`}>
                      {t.records}
                    </Link>
                    <button
                      type="button"
                      className="primary"
                      onClick={() => setOpen({ name: 'use', template })}
                    >
                      {t.use}
                    </button>
                  </>
                )}
                {!template.is_current && (
                  <button
                    type="button"
                    onClick={() =>
                      compareTemplate(template.id).then(
                        (found) => setOpen({ name: 'compare', template, found }),
                        showProblem,
                      )
                    }
                  >
                    {t.compare}
                  </button>
                )}
                {template.status === 'waiting' && (
                  <button
                    type="button"
                    onClick={() => removeTemplate(template.id).then(() => load(), showProblem)}
                  >
                    {t.decline}
                  </button>
                )}
                {template.status === 'waiting' && administers && (
                  <button
                    type="button"
                    className="primary"
                    onClick={() => setOpen({ name: 'approve', template })}
                  >
                    {t.approve}
                  </button>
                )}
              </div>
            </li>
          ))}
        </ul>
        {cursor !== null && <More onMore={() => load(cursor)} />}
      </main>
      {open?.name === 'use' && <UseDialog template={open.template} onClose={close} />}
      {open?.name === 'approve' && (
        <ApproveDialog
          template={open.template}
          onClose={close}
          onDone={() => {
            close()
            showToast(t.approved)
            void load()
          }}
        />
      )}
      {open?.name === 'compare' && (
        <CompareDialog template={open.template} found={open.found} onClose={close} />
      )}
    </div>
  )
}

const UseDialog = ({ template, onClose }: { template: TemplateSummary; onClose: () => void }) => {
  const [title, setTitle] = useState('')
  const [values, setValues] = useState<Values>({})
  const [problems, setProblems] = useState<Problems>({})
  const [problem, setProblem] = useState<string | null>(null)
  const submit = (event: FormEvent) => {
    event.preventDefault()
    setProblem(null)
    setProblems({})
    api
      .createBoard({
        ...(title.trim() === '' ? {} : { title: title.trim() }),
        template_id: template.id,
        variables: values,
      })
      .then(
        ({ id }) => navigate(`/b/${id}`),
        (error: Error) => {
          const found = problemsOf(error)
          if (found === null) setProblem(error.message)
          else setProblems(found)
        },
      )
  }
  return (
    <Dialog title={t.newTitle(template.name)} onClose={onClose}>
      <form onSubmit={submit}>
        <label className="field">
          {t.boardName}
          <input value={title} maxLength={200} data-first onChange={({ target }) => setTitle(target.value)} />
        </label>
        <VariablesForm
          schema={template.variables_schema}
          values={values}
          problems={problems}
          onChange={(name, value) => setValues((before) => ({ ...before, [name]: value }))}
        />
        {problem !== null && (
          <p className="problem" role="alert">
            {problem}
          </p>
        )}
        <div className="actions end">
          <button type="submit" className="primary">
            {t.make}
          </button>
        </div>
      </form>
    </Dialog>
  )
}

const ApproveDialog = ({
  template,
  onClose,
  onDone,
}: {
  template: TemplateSummary
  onClose: () => void
  onDone: () => void
}) => {
  const [notes, setNotes] = useState('')
  const submit = (event: FormEvent) => {
    event.preventDefault()
    approveTemplate(template.id, notes).then(onDone, showProblem)
  }
  return (
    <Dialog title={t.approveTitle(template.name, template.version)} onClose={onClose}>
      <form onSubmit={submit}>
        <label className="field">
          {t.notes}
          <input
            value={notes}
            maxLength={2000}
            data-first
            onChange={({ target }) => setNotes(target.value)}
          />
        </label>
        <div className="actions end">
          <button type="submit" className="primary">
            {t.approve}
          </button>
        </div>
      </form>
    </Dialog>
  )
}

const CompareDialog = ({
  template,
  found,
  onClose,
}: {
  template: TemplateSummary
  found: TemplateComparison
  onClose: () => void
}) => {
  const { elements, variables, texts, fields } = found
  const lines = [
    ...fields.map(({ field }) => t.field(field)),
    ...(['added', 'removed', 'changed'] as const).flatMap((how) =>
      variables[how].map((name) => t.variable(name, t[how])),
    ),
    ...texts.map(({ before, after }) => t.text(before, after)),
    ...(elements.added.length + elements.removed.length + elements.changed.length === 0
      ? []
      : [t.elements(elements.added.length, elements.removed.length, elements.changed.length)]),
  ]
  return (
    <Dialog title={t.compareTitle(template.name, template.version)} onClose={onClose} size="wide">
      {found.previous_version === null ? <p>{t.first}</p> : lines.length === 0 && <p>{t.nothingNew}</p>}
      <ul>
        {lines.map((line) => (
          <li key={line}>{line}</li>
        ))}
      </ul>
    </Dialog>
  )
}
