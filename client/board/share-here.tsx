// Who is on the board at this moment, by what right, and how to send somebody away.
import { useCallback, useEffect, useState } from 'react'
import type { ConnectionResponse } from '../../shared/api.ts'
import * as api from '../api.ts'
import { moderationTexts as penTexts } from '../texts/moderation.ts'
import { initials } from '../ui/initials.ts'
import { ago, atTime } from '../ui/time.ts'
import { showProblem } from '../ui/toast.tsx'
import { levelNames } from './level-select.tsx'
import type { Moderating } from './moderation.tsx'
import { SendAway } from './send-away.tsx'

const refreshMs = 3000
const whys: Record<ConnectionResponse['reason'], string> = {
  owner: 'owns the board',
  administrator: 'administers this server',
  permission: 'was invited',
  folder: 'shared with its folder',
  members: 'is a member of this server',
  public: 'the board is open to everyone',
  link: 'came in by a link',
  agent: 'is an agent',
  none: 'no longer has access',
}

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
      {connections?.length === 0 && <p className="hint">Nobody is here.</p>}
      <ul className="list people">
        {connections?.map(({ id, principal, level, reason, connected_at, ip_address }) => (
          <li key={id}>
            <span className="avatar small" aria-hidden="true">
              {initials(principal.name)}
            </span>
            <span className="who">
              <strong>
                {principal.name}
                {principal.kind !== 'user' && <span className="tag">{principal.kind}</span>}
                <span className="tag">{levelNames[level]}</span>
                {moderating?.hands.has(principal.id) === true && (
                  <span className="tag">{penTexts.hasRaised}</span>
                )}
              </strong>
              <span
                className="dim"
                title={`${atTime(connected_at)}${ip_address === null ? '' : ` from ${ip_address}`}`}
              >
                {whys[reason]}
                {principal.link_label === undefined ? '' : ` “${principal.link_label}”`} · here since{' '}
                {ago(connected_at)}
              </span>
            </span>
            {id === ownId ? (
              <span className="dim">You</span>
            ) : (
              <>
                {moderating?.isViewOnly === true && reason !== 'owner' && reason !== 'administrator' && (
                  <Pen principal={principal} moderating={moderating} />
                )}
                <button
                  type="button"
                  className="danger"
                  aria-label={`Send ${principal.name} away`}
                  onClick={() => setSending(id)}
                >
                  Send away
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
