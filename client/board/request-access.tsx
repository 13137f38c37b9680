// Asking for access, or for more of it; and the owner's side: who asks, and the answer.
import { type FormEvent, useCallback, useEffect, useState } from 'react'
import type { AccessRequestResponse } from '../../shared/api/folders.ts'
import { isLevel, type Level } from '../../shared/levels.ts'
import * as api from '../api.ts'
import type { BoardSession } from '../session.ts'
import { requestTexts as texts } from '../texts/sharing.ts'
import { Dialog } from '../ui/dialog.tsx'
import { initials } from '../ui/initials.ts'
import { ago } from '../ui/time.ts'
import { showProblem, showToast } from '../ui/toast.tsx'
import { LevelSelect } from './level-select.tsx'

interface RequestProps {
  boardId: string
  label: string
  level: Level
  className?: string
}

/** A button, and the form behind it. */
export const RequestAccess = ({ boardId, label, level, className = 'primary' }: RequestProps) => {
  const [isAsking, setAsking] = useState(false)
  const [isSent, setSent] = useState(false)
  const [problem, setProblem] = useState<string | null>(null)
  const send = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    const fields = new FormData(event.currentTarget)
    const wanted = fields.get('level')
    const message = String(fields.get('message') ?? '').trim()
    if (!isLevel(wanted)) return
    api.requestAccess(boardId, { level: wanted, ...(message === '' ? {} : { message }) }).then(
      () => {
        setAsking(false)
        setSent(true)
        showToast(texts.sent)
      },
      (error: Error) => setProblem(error.message),
    )
  }
  return (
    <>
      <button type="button" className={className} disabled={isSent} onClick={() => setAsking(true)}>
        {label}
      </button>
      {isAsking && (
        <Dialog title={texts.title} onClose={() => setAsking(false)}>
          <form onSubmit={send}>
            <p>{texts.text}</p>
            <div className="row">
              <LevelSelect label={texts.level} name="level" value={level} />
              <input
                name="message"
                maxLength={500}
                placeholder={texts.message}
                aria-label={texts.message}
                data-first
              />
            </div>
            {problem !== null && (
              <p className="problem" role="alert">
                {problem}
              </p>
            )}
            <div className="actions end">
              <button type="submit" className="primary">
                {texts.send}
              </button>
            </div>
          </form>
        </Dialog>
      )}
    </>
  )
}

/** Who asked for access and waits; empty for those who do not manage the board. News are said, with a way to answer. */
export const useAccessRequests = (
  boardId: string,
  session: BoardSession,
  mayManage: boolean,
  onAnswer: () => void,
) => {
  const [requests, setRequests] = useState<AccessRequestResponse[]>([])
  const load = useCallback(
    (isNews = false) => {
      if (!mayManage) {
        setRequests([])
        return
      }
      api.listAccessRequests(boardId).then(
        ({ items }) => {
          setRequests(items)
          const newest = items.at(-1)
          if (isNews && newest !== undefined)
            showToast(texts.news(newest.name, newest.level), false, {
              label: texts.answer,
              onSelect: onAnswer,
            })
        },
        () => {}, // asked again with the next news, and by the dialog
      )
    },
    [boardId, mayManage, onAnswer],
  )
  useEffect(() => {
    load()
    return session.onEvent((event) => {
      if (event.type === 'access_request') load(event.change === 'created')
    })
  }, [load, session])
  return { requests, reload: load }
}

interface AnswersProps {
  boardId: string
  requests: readonly AccessRequestResponse[]
  onAnswered: () => void
}

export const AccessRequests = ({ boardId, requests, onAnswered }: AnswersProps) => {
  const answer = (request: AccessRequestResponse, level: Level | null) => {
    api.answerAccessRequest(boardId, request.id, level).then(
      () => {
        showToast(level === null ? texts.declined(request.name) : texts.given(request.name, level))
        onAnswered()
      },
      (error: unknown) => {
        showProblem(error)
        onAnswered()
      },
    )
  }
  return (
    <ul className="list people">
      {requests.length === 0 && <li className="hint">{texts.none}</li>}
      {requests.map((request) => (
        <li key={request.id}>
          <span className="avatar small" aria-hidden="true">
            {initials(request.name)}
          </span>
          <form
            className="who request"
            onSubmit={(event) => {
              event.preventDefault()
              const level = new FormData(event.currentTarget).get('level')
              if (isLevel(level)) answer(request, level)
            }}
          >
            <strong>
              {request.name}
              {request.principal.startsWith('guest:') && <span className="tag">guest</span>}
            </strong>
            <span className="dim">
              {texts.wants(request.level)} · {ago(request.created_at)}
              {request.message === null ? '' : ` · “${request.message}”`}
            </span>
            <span className="actions">
              <LevelSelect label={`${texts.level}: ${request.name}`} name="level" value={request.level} />
              <button type="submit" className="primary">
                {texts.give}
              </button>
              <button type="button" onClick={() => answer(request, null)}>
                {texts.decline}
              </button>
            </span>
          </form>
        </li>
      ))}
    </ul>
  )
}
