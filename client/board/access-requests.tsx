// Access requests, and the owner's answer.

import type { AccessRequestResponse } from '../../shared/api/folders.ts'
import { isLevel, type Level } from '../../shared/levels.ts'
import * as api from '../api.ts'
import { appTexts } from '../texts/app.ts'
import { ago } from '../texts/format.ts'
import { requestTexts as texts } from '../texts/requests.ts'
import { initials } from '../ui/initials.ts'
import { showProblem, showToast } from '../ui/toast.tsx'
import { LevelSelect } from './level-select.tsx'

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
              {request.principal.startsWith('guest:') && <span className="tag">{appTexts.guest}</span>}
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
