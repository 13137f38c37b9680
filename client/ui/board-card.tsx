// One board in the list: its picture, its name, and its menu.
import './board-card.css'
import { lazy, Suspense, useEffect, useState } from 'react'
import type { FolderResponse } from '../../shared/api/folders.ts'
import type { BoardResponse } from '../../shared/api.ts'
import * as api from '../api.ts'
import { saveFile } from '../board/save-file.ts'
import { FolderPicker } from '../folders/folder-picker.tsx'
import { Link, navigate } from '../router.tsx'
import { cardTexts, boardsTexts as words } from '../texts/boards.ts'
import { texts } from '../texts/comments.ts'
import { ago, atTime } from '../texts/format.ts'
import { templateTexts } from '../texts/records.ts'
import { trashTexts } from '../texts/trash.ts'
import { Confirm, Prompt } from './dialog.tsx'
import { Icon } from './icons.tsx'
import { Menu, type MenuItem } from './menu.tsx'
import { usePictures } from './pictures.ts'
import { showProblem, showToast } from './toast.tsx'

const ShareDialog = lazy(() =>
  import('../board/share-dialog.tsx').then((module) => ({ default: module.ShareDialog })),
)

const TemplateDialog = lazy(() =>
  import('./template-dialog.tsx').then((module) => ({ default: module.TemplateDialog })),
)

interface BoardCardProps {
  board: BoardResponse
  /** The folders it can be moved to. */
  folders: readonly FolderResponse[]
  onChange: () => void
}

export const BoardCard = ({ board, folders, onChange }: BoardCardProps) => {
  const [asking, setAsking] = useState<'name' | 'purge' | 'move' | 'share' | 'template' | null>(null)
  const [isStarred, setStarred] = useState(board.starred)
  useEffect(() => setStarred(board.starred), [board.starred])
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

  const star = () => {
    setStarred(!isStarred)
    api.starBoard(board.id, !isStarred).then(onChange, (error: unknown) => {
      setStarred(isStarred)
      showProblem(error)
    })
  }

  const trash = () => {
    setInside(null)
    const takeBack = () => doing(api.restoreBoard(board.id), trashTexts.back)
    api.deleteBoard(board.id).then(() => {
      showToast(trashTexts.moved, false, { label: trashTexts.undo, onSelect: takeBack })
      onChange()
    }, showProblem)
  }
  /** A confirmation is needed only if it interrupts somebody's work. */
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
          label: cardTexts.restore,
          icon: <Icon name="restore" />,
          onSelect: () => doing(api.restoreBoard(board.id), cardTexts.restored),
        },
        {
          label: cardTexts.purge,
          icon: <Icon name="trash" />,
          isDanger: true,
          onSelect: () => setAsking('purge'),
        },
      ]
    : [
        ...(board.may_manage
          ? [{ label: cardTexts.rename, icon: <Icon name="list" />, onSelect: () => setAsking('name') }]
          : []),
        ...(board.may_manage
          ? [{ label: words.share, icon: <Icon name="people" />, onSelect: () => setAsking('share') }]
          : []),
        ...(board.may_manage && folders.length > 0
          ? [{ label: words.move, icon: <Icon name="folder" />, onSelect: () => setAsking('move') }]
          : []),
        { label: words.export, icon: <Icon name="download" />, onSelect: () => void download(board) },
        {
          label: templateTexts.save,
          icon: <Icon name="copy" />,
          onSelect: () => setAsking('template'),
        },
        {
          label: cardTexts.duplicate,
          icon: <Icon name="copy" />,
          onSelect: () => doing(api.duplicateBoard(board.id), cardTexts.duplicated),
        },
        ...(board.may_manage
          ? [
              {
                label: cardTexts.audit,
                icon: <Icon name="clock" />,
                onSelect: () => navigate(`/boards/${board.id}/audit`),
              },
              {
                label: cardTexts.trash,
                icon: <Icon name="trash" />,
                isDanger: true,
                onSelect: askTrash,
              },
            ]
          : []),
      ]

  const picture = (
    <span className="picture">
      {missing !== picturePath && (
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
      {!isDeleted && (
        <button
          type="button"
          className="star"
          aria-pressed={isStarred}
          aria-label={isStarred ? words.unstar(board.title) : words.star(board.title)}
          onClick={star}
        >
          <Icon name="star" />
        </button>
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
              ? cardTexts.deletedAt(ago(board.deleted_at ?? board.updated_at))
              : cardTexts.changedAt(ago(board.updated_at))}
            {board.may_manage ? '' : ` · ${board.owner_name}`}
          </p>
        </div>
        {board.may_manage || !isDeleted ? (
          <Menu label={cardTexts.menu(board.title)} items={items}>
            <Icon name="more" />
          </Menu>
        ) : null}
      </div>
      {asking === 'name' && (
        <Prompt
          title={cardTexts.renameTitle}
          label={cardTexts.name}
          value={board.title}
          action={cardTexts.rename}
          onClose={() => setAsking(null)}
          onDone={(title) => doing(api.updateBoard(board.id, { title }), cardTexts.renamed)}
        />
      )}
      {asking === 'move' && (
        <FolderPicker
          title={words.move}
          folders={folders}
          current={board.folder_id}
          onClose={() => setAsking(null)}
          onChosen={(folder) =>
            doing(
              api.updateBoard(board.id, { folder_id: folder?.id ?? null }),
              words.moved(folder?.name ?? words.allBoards),
            )
          }
        />
      )}
      {asking === 'share' && (
        <Suspense fallback={null}>
          <ShareDialog boardId={board.id} board={board} ownId={null} onClose={() => setAsking(null)} />
        </Suspense>
      )}
      {asking === 'template' && (
        <Suspense fallback={null}>
          <TemplateDialog board={board} onClose={() => setAsking(null)} />
        </Suspense>
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
          title={cardTexts.purgeTitle}
          text={cardTexts.purgeText(board.title)}
          action={cardTexts.purge}
          onClose={() => setAsking(null)}
          onDone={() => doing(api.purgeBoard(board.id), cardTexts.purged)}
        />
      )}
    </article>
  )
}

const download = async (board: BoardResponse): Promise<void> => {
  showToast(words.exporting)
  try {
    saveFile(await api.getDrawing(board.id), board.title, 'excalidraw')
  } catch (error) {
    showProblem(error)
  }
}
