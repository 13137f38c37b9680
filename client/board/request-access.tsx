// Requesting access or a higher level; and the requests, for the owner.
import { lazy, type ReactNode, Suspense, useCallback, useEffect, useRef, useState } from 'react'
import type { AccessRequestResponse } from '../../shared/api/folders.ts'
import type { Level } from '../../shared/levels.ts'
import * as api from '../api.ts'
import type { BoardSession } from '../session.ts'
import { requestTexts as texts } from '../texts/requests.ts'
import { showToast } from '../ui/toast.tsx'

const RequestForm = lazy(() =>
  import('./request-form.tsx').then((module) => ({ default: module.RequestForm })),
)

interface RequestProps {
  boardId: string
  label: string
  level: Level
  className?: string
  /** On a narrow page it is shown alone. */
  icon?: ReactNode
  /** People who are already on the board see it change by themselves. */
  onAllowed?: () => void
}

/** A button that opens the form. */
export const RequestAccess = ({
  boardId,
  label,
  level,
  className = 'primary',
  icon,
  onAllowed,
}: RequestProps) => {
  const [isAsking, setAsking] = useState(false)
  const [isSent, setSent] = useState(false)
  const said = isSent ? texts.isSent : label
  useAnswer(boardId, isSent, onAllowed, () => setSent(false))
  return (
    <>
      <button
        type="button"
        className={className}
        disabled={isSent}
        aria-label={said}
        title={icon === undefined ? undefined : said}
        onClick={() => setAsking(true)}
      >
        {icon} <span className={icon === undefined ? undefined : 'wide-only'}>{said}</span>
      </button>
      {isAsking && (
        <Suspense fallback={null}>
          <RequestForm
            boardId={boardId}
            level={level}
            onClose={() => setAsking(false)}
            onSent={() => {
              setAsking(false)
              setSent(true)
              showToast(texts.sent)
            }}
          />
        </Suspense>
      )}
    </>
  )
}

const askEveryMs = 4000

/** People who are not on the board get no events over a socket: the page polls until there is an answer. */
const useAnswer = (
  boardId: string,
  isWaiting: boolean,
  onAllowed: (() => void) | undefined,
  onDeclined: () => void,
): void => {
  const said = useRef({ onAllowed, onDeclined })
  said.current = { onAllowed, onDeclined }
  useEffect(() => {
    if (!isWaiting) return
    const ask = () =>
      api.ownAccessRequest(boardId).then(
        ({ level, declined }) => {
          if (declined) {
            showToast(texts.wasDeclined)
            said.current.onDeclined()
          } else if (level !== null) said.current.onAllowed?.()
        },
        () => {}, // asked again
      )
    const timer = setInterval(() => document.hidden || void ask(), askEveryMs)
    return () => clearInterval(timer)
  }, [boardId, isWaiting])
}

/**
 * Pending access requests; empty for people who do not manage the board. New ones are announced, with a way to
 * answer.
 */
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
        () => {}, // requested again with the next event, and by the dialog
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
