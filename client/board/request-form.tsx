// The form for requesting access to a board.
import { type FormEvent, useState } from 'react'
import { isLevel, type Level } from '../../shared/levels.ts'
import * as api from '../api.ts'
import { requestTexts as texts } from '../texts/requests.ts'
import { Dialog } from '../ui/dialog.tsx'
import { LevelSelect } from './level-select.tsx'

interface RequestFormProps {
  boardId: string
  level: Level
  onClose: () => void
  onSent: () => void
}

export const RequestForm = ({ boardId, level, onClose, onSent }: RequestFormProps) => {
  const [problem, setProblem] = useState<string | null>(null)
  const send = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    const fields = new FormData(event.currentTarget)
    const wanted = fields.get('level')
    const message = String(fields.get('message') ?? '').trim()
    if (!isLevel(wanted)) return
    api
      .requestAccess(boardId, { level: wanted, ...(message === '' ? {} : { message }) })
      .then(onSent, (error: Error) => setProblem(error.message))
  }
  return (
    <Dialog title={texts.title} onClose={onClose}>
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
  )
}
