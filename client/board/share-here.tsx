// Who is on the board right now, why they have access, and how to disconnect somebody.
import { useCallback, useEffect, useState } from 'react'
import type { ConnectionResponse } from '../../shared/api.ts'
import * as api from '../api.ts'
import { ago, atTime } from '../texts/format.ts'
import { levelNames } from '../texts/levels.ts'
import { moderationTexts as penTexts } from '../texts/moderation.ts'
import { hereTexts as texts } from '../texts/sharing.ts'
import { initials } from '../ui/initials.ts'
import { showProblem } from '../ui/toast.tsx'
import type { Moderating } from './moderation.tsx'
import { SendAway } from './send-away.tsx'

const refreshMs = 3000

interface ShareHereProps {
  boardId: string
  ownId: string | null
  moderating: Moderating | null
}

export const ShareHere = ({ boardId, ownId, moderating }: ShareHereProps) => {
  const [connections, setConnections] = useState<ConnectionResponse[] | null>(null)
  const [sending, setSending] = useState<string | null>(null)
  const sent = connections?.find(({ id }) => id === sending)
  const load = useCallback(() => {
    api.listConnections(boardId).then((page) => setConnections(page.items), showProblem)
  }, [boardId])
  useEffect(() => {
    load()
    const timer = setInterval(load, refreshMs)
    return () => clearInterval(timer)
  }, [load])

  return (
    <>
      {connections?.length === 0 && <p className="hint">{texts.nobody}</p>}
      <ul className="list people">
        {connections?.map(({ id, principal, level, reason, connected_at, ip_address }) => (
          <li key={id}>
            <span className="avatar small" aria-hidden="true">
              {initials(principal.name)}
            </span>
            <span className="who">
              <strong>
                {principal.name}
                {principal.kind !== 'user' && <span className="tag">{texts.kinds[principal.kind]}</span>}
                <span className="tag">{levelNames[level]}</span>
                {moderating?.hands.has(principal.id) === true && (
                  <span className="tag">{penTexts.hasRaised}</span>
                )}
              </strong>
              <span className="dim" title={texts.joined(atTime(connected_at), ip_address)}>
                {texts.reasons[reason]}
                {principal.link_label === undefined ? '' : ` “${principal.link_label}”`} ·{' '}
                {texts.since(ago(connected_at))}
              </span>
            </span>
            {id === ownId ? (
              <span className="dim">{texts.you}</span>
            ) : (
              <>
                {moderating?.isViewOnly === true && reason !== 'owner' && reason !== 'administrator' && (
                  <Pen principal={principal} moderating={moderating} />
                )}
                <button
                  type="button"
                  className="danger"
                  aria-label={texts.sendNameAway(principal.name)}
                  onClick={() => setSending(id)}
                >
                  {texts.sendAway}
                </button>
              </>
            )}
          </li>
        ))}
      </ul>
      {sent !== undefined && (
        <SendAway
          boardId={boardId}
          connection={sent}
          onClose={() => {
            setSending(null)
            load()
          }}
        />
      )}
    </>
  )
}

const Pen = ({
  principal,
  moderating,
}: {
  principal: ConnectionResponse['principal']
  moderating: Moderating
}) => {
  const hasPen = moderating.speakers.has(principal.id)
  return (
    <button
      type="button"
      aria-label={hasPen ? penTexts.takePenFrom(principal.name) : penTexts.penTo(principal.name)}
      onClick={() => moderating.handPen(principal.id, !hasPen)}
    >
      {hasPen ? penTexts.takePen : penTexts.pen}
    </button>
  )
}
