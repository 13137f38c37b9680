// `/records?template=`: the records of boards made from templates; `/boards/{id}/record`: one of them.

import { type FormEvent, useCallback, useEffect, useState } from 'react'
import type { BoardRecordResponse, RecordResponse } from '../../shared/api/templates.ts'
import type { MeResponse } from '../../shared/api.ts'
import * as api from '../api.ts'
import { isLetIn } from '../going-back.ts'
import { changeRecord, getRecord, listRecords, listTemplates, recordsExportPath } from '../records-api.ts'
import { Link } from '../router.tsx'
import { appTexts } from '../texts/app.ts'
import { atTime } from '../texts/format.ts'
import { recordTexts as t, templateTexts } from '../texts/records.ts'
import { Icon } from '../ui/icons.tsx'
import { Loading, MessagePage } from '../ui/message.tsx'
import { More, Table } from '../ui/table.tsx'
import { showToast } from '../ui/toast.tsx'
import { TopBar } from '../ui/top-bar.tsx'
import {
  type FieldSchema,
  fieldsOf,
  labelOf,
  type Problems,
  problemsOf,
  shownValue,
  type Values,
  VariablesForm,
} from '../ui/variables-form.tsx'
import './records.css'

const searchDelayMs = 200

export const RecordsPage = () => {
  const [template] = useState(() => new URLSearchParams(window.location.search).get('template') ?? '')
  const [me, setMe] = useState<MeResponse | null>(null)
  const [search, setSearch] = useState('')
  /** The fields of the template, in its order. */
  const [fields, setFields] = useState<ReadonlyMap<string, FieldSchema>>(new Map())
  const [items, setItems] = useState<RecordResponse[] | null>(null)
  const [cursor, setCursor] = useState<string | null>(null)
  const [problem, setProblem] = useState<string | null>(null)
  const load = useCallback(
    async (after?: string) => {
      try {
        const who = await api.me()
        if (!isLetIn(who)) return
        const page = await listRecords({
          ...(template === '' ? {} : { template }),
          q: search.trim(),
          ...(after === undefined ? {} : { cursor: after }),
        })
        setMe(who)
        setItems((before) => (after === undefined ? page.items : [...(before ?? []), ...page.items]))
        setCursor(page.next_cursor)
      } catch (error) {
        setProblem(error instanceof Error ? error.message : t.failed)
      }
    },
    [template, search],
  )
  useEffect(() => {
    if (template === '') return
    listTemplates({ scope: 'current', code: template }).then(
      ({ items: [current] }) => setFields(new Map(fieldsOf(current?.variables_schema ?? {}))),
      () => {}, // otherwise as in the answers
    )
  }, [template])
  useEffect(() => {
    document.title = appTexts.titleOf(t.title)
    const timer = setTimeout(load, searchDelayMs)
    return () => clearTimeout(timer)
  }, [load])
  if (problem !== null) return <MessagePage title={t.failed} text={problem} />
  if (me === null || items === null) return <Loading text={t.title} />
  const found = [...new Set(items.flatMap(({ variables }) => Object.keys(variables)))]
  const names = [
    ...[...fields.keys()].filter((name) => found.includes(name)),
    ...found.filter((name) => !fields.has(name)),
  ]
    // What does not fit is in the record, and in the file.
    .slice(0, 8)
  return (
    <div className="page">
      <TopBar me={me}>
        <label className="search">
          <Icon name="search" />
          <input
            type="search"
            placeholder={t.search}
            aria-label={t.search}
            value={search}
            maxLength={200}
            onChange={({ target }) => setSearch(target.value)}
          />
        </label>
      </TopBar>
      <main className="records">
        <div className="page-head">
          <h1>{template === '' ? t.title : t.of(template)}</h1>
          <div className="actions">
            {template !== '' && (
              <a className="button" href={recordsExportPath(template, search.trim())} download>
                {t.csv}
              </a>
            )}
            <Link href="/templates" className="button">
              {templateTexts.title}
            </Link>
          </div>
        </div>
        {items.length === 0 ? (
          <p className="empty">{t.none}</p>
        ) : (
          <Table heads={[t.board, ...names.map((name) => labelOf(name, fields.get(name))), t.changed]}>
            {items.map((record) => (
              <tr key={record.id}>
                <td>
                  <Link href={`/boards/${record.board_id}/record`}>{record.board_title}</Link>
                </td>
                {names.map((name) => (
                  <td
                    key={name}
                    data-head={isSaid(record.variables[name]) ? labelOf(name, fields.get(name)) : undefined}
                  >
                    {shownValue(record.variables[name], fields.get(name))}
                  </td>
                ))}
                <td data-head={t.changed}>{atTime(record.updated_at)}</td>
              </tr>
            ))}
          </Table>
        )}
        {cursor !== null && <More onMore={() => load(cursor)} />}
      </main>
    </div>
  )
}

const isSaid = (value: unknown): boolean => value !== undefined && value !== null && value !== ''

export const RecordPage = ({ boardId }: { boardId: string }) => {
  const [me, setMe] = useState<MeResponse | null>(null)
  const [record, setRecord] = useState<BoardRecordResponse | null>(null)
  const [changes, setChanges] = useState<Values>({})
  const [problem, setProblem] = useState<string | null>(null)
  const [problems, setProblems] = useState<Problems>({})
  const [refusal, setRefusal] = useState<string | null>(null)
  useEffect(() => {
    document.title = appTexts.titleOf(t.one)
    Promise.all([api.me(), getRecord(boardId)]).then(
      ([who, found]) => {
        setMe(who)
        setRecord(found)
      },
      (error: Error) => {
        const fail = () => setProblem(error.message)
        api.me().then((who) => isLetIn(who) && fail(), fail)
      },
    )
  }, [boardId])
  if (problem !== null) return <MessagePage title={t.failed} text={problem} />
  if (me === null || record === null) return <Loading text={t.one} />
  const submit = (event: FormEvent) => {
    event.preventDefault()
    setRefusal(null)
    setProblems({})
    changeRecord(boardId, { variables: changes, updated_at: record.updated_at }).then(
      (next) => {
        setRecord(next)
        setChanges({})
        showToast(t.saved)
      },
      (error: Error) => {
        const found = problemsOf(error)
        if (found === null) setRefusal(error.message)
        else setProblems(found)
      },
    )
  }
  return (
    <div className="page">
      <TopBar me={me} />
      <main className="reading">
        <div className="page-head">
          <h1>{record.board_title}</h1>
          <div className="actions">
            <Link href={`/records?template=${encodeURIComponent(record.template.code)}`} className="button">
              {t.title}
            </Link>
            <Link href={`/b/${boardId}`} className="button primary">
              {t.open}
            </Link>
          </div>
        </div>
        <p className="hint">
          {record.template.name}, {templateTexts.version(record.template.version)}.{' '}
          {t.madeBy(record.created_by_name, atTime(record.created_at))}.{' '}
          {t.changedBy(record.updated_by_name, atTime(record.updated_at))}.
        </p>
        {record.masked.length > 0 && <p>{t.masked}</p>}
        <form onSubmit={submit}>
          <VariablesForm
            schema={record.variables_schema}
            values={{ ...record.variables, ...changes }}
            problems={problems}
            disabled={!record.may_change}
            onChange={(name, value) => setChanges((before) => ({ ...before, [name]: value }))}
          />
          {refusal !== null && (
            <p className="problem" role="alert">
              {refusal}
            </p>
          )}
          {record.may_change && (
            <div className="actions end">
              <button type="submit" className="primary" disabled={Object.keys(changes).length === 0}>
                {t.save}
              </button>
            </div>
          )}
        </form>
      </main>
    </div>
  )
}
