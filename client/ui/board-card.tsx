// One board in the list: what it looks like, what it is called, what can be done with it.
import './board-card.css'
import { useState } from 'react'
import type { BoardResponse } from '../../shared/api.ts'
import * as api from '../api.ts'
import { Link, navigate } from '../router.tsx'
import { texts } from '../texts/comments.ts'
import { trashTexts } from '../texts/versions.ts'
import { Confirm, Prompt } from './dialog.tsx'
import { Icon } from './icons.tsx'
import { Menu, type MenuItem } from './menu.tsx'
import { usePictures } from './pictures.ts'
import { ago, atTime } from './time.ts'
import { showProblem, showToast } from './toast.tsx'

export const BoardCard = ({ board, onChange }: { board: BoardResponse; onChange: () => void }) => {
  const [asking, setAsking] = useState<'name' | 'purge' | null>(null)
  const [inside, setInside] = useState<string[] | null>(null)
  const [missing, setMissing] = useState<string | null>(null)
  const isDeleted = board.deleted_at !== null
  const picturePath = api.thumbnailPath(board.id, `${board.updated_at} ${usePictures(board.id)}`)

  const doing = (work: Promise<unknown>, news: string) => {
    setAsking(null)
    work.then(() => {
      showToast(news)
      onChange()
    }, showProblem)
  }

  const trash = () => {
    setInside(null)
    const takeBack = () => doing(api.restoreBoard(board.id), trashTexts.back)
    api.deleteBoard(board.id).then(() => {
      showToast(trashTexts.moved, false, { label: trashTexts.undo, onSelect: takeBack })
      onChange()
    }, showProblem)
  }
  /** Only where it ends somebody's work there is something to ask. */
  const askTrash = () => {
    api.listConnections(board.id).then(({ items: connections }) => {
      const names = [...new Set(connections.map(({ principal }) => principal.name))]
      if (names.length === 0) trash()
      else setInside(names)
    }, showProblem)
  }

  const items: MenuItem[] = isDeleted
    ? [
        {
          label: 'Restore',
          icon: <Icon name="restore" />,
          onSelect: () => doing(api.restoreBoard(board.id), 'Restored'),
        },
        {
          label: 'Delete for ever',
          icon: <Icon name="trash" />,
          isDanger: true,
          onSelect: () => setAsking('purge'),
        },
      ]
    : [
        ...(board.may_manage
          ? [{ label: 'Rename', icon: <Icon name="list" />, onSelect: () => setAsking('name') }]
          : []),
        {
          label: 'Duplicate',
          icon: <Icon name="copy" />,
          onSelect: () => doing(api.duplicateBoard(board.id), 'Duplicated'),
        },
        ...(board.may_manage
          ? [
              {
                label: 'Audit trail',
                icon: <Icon name="clock" />,
                onSelect: () => navigate(`/boards/${board.id}/audit`),
              },
              {
                label: 'Move to trash',
                icon: <Icon name="trash" />,
                isDanger: true,
                onSelect: askTrash,
              },
            ]
          : []),
      ]

  const picture = (
    <span className="picture">
      {/* What is in the trash is not handed out any more, its picture neither. */}
      {!isDeleted && missing !== picturePath && (
        <img
          src={picturePath}
          alt=""
          loading="lazy"
          decoding="async"
          onError={() => setMissing(picturePath)}
        />
      )}
    </span>
  )

  return (
    <article className="board-card">
      {isDeleted ? (
        picture
      ) : (
        <Link href={`/b/${board.id}`} tabIndex={-1} aria-hidden="true">
          {picture}
        </Link>
      )}
      <div className="board-line">
        <div className="board-text">
          {board.unread_threads > 0 && (
            <span className="unread-threads" title={texts.unreadThreads(board.unread_threads)}>
              <Icon name="comments" /> {texts.manyAt(board.unread_threads)}
              <span className="offscreen">{texts.unreadThreads(board.unread_threads)}</span>
            </span>
          )}
          <h2>{isDeleted ? board.title : <Link href={`/b/${board.id}`}>{board.title}</Link>}</h2>
          <p title={atTime(board.deleted_at ?? board.updated_at)}>
            {isDeleted
              ? `Deleted ${ago(board.deleted_at ?? board.updated_at)}`
              : `Changed ${ago(board.updated_at)}`}
            {board.may_manage ? '' : ` · ${board.owner_name}`}
          </p>
        </div>
        {board.may_manage || !isDeleted ? (
          <Menu label={`${board.title}: what to do`} items={items}>
            <Icon name="more" />
          </Menu>
        ) : null}
      </div>
      {asking === 'name' && (
        <Prompt
          title="Rename board"
          label="Name"
          value={board.title}
          action="Rename"
          onClose={() => setAsking(null)}
          onDone={(title) => doing(api.updateBoard(board.id, { title }), 'Renamed')}
        />
      )}
      {inside !== null && (
        <Confirm
          title={trashTexts.insideTitle}
          text={trashTexts.inside(board.title, inside)}
          action={trashTexts.move}
          onClose={() => setInside(null)}
          onDone={trash}
        />
      )}
      {asking === 'purge' && (
        <Confirm
          title="Delete for ever?"
          text={`“${board.title}” and all its versions and images will be gone. Its audit trail stays.`}
          action="Delete for ever"
          onClose={() => setAsking(null)}
          onDone={() => doing(api.purgeBoard(board.id), 'Deleted for ever')}
        />
      )}
    </article>
  )
}
