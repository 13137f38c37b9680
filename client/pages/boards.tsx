// `/`: the user's boards and those shared with them; `/trash`: the deleted ones.

import { appTexts } from '../texts/app.ts'
import { fileTexts } from '../texts/files.ts'
import '../folders/folders.css'
import { type DragEvent, Fragment, useCallback, useEffect, useMemo, useRef, useState } from 'react'
import type { FolderResponse } from '../../shared/api/folders.ts'
import type { BoardListQuery, BoardResponse, MeResponse } from '../../shared/api.ts'
import * as api from '../api.ts'
import { FolderCard, FolderMenu } from '../folders/folder-card.tsx'
import { Offers } from '../folders/offers.tsx'
import { pathTo, useFolders } from '../folders/use-folders.ts'
import { isLetIn } from '../going-back.ts'
import type { Imported, ImportProgress } from '../import.ts'
import { usePaletteActions } from '../palette/actions.ts'
import { getConsent } from '../records-api.ts'
import { Link, navigate } from '../router.tsx'
import { folderTexts, boardsTexts as texts } from '../texts/boards.ts'
import { BoardCard } from '../ui/board-card.tsx'
import { Prompt } from '../ui/dialog.tsx'
import { Icon } from '../ui/icons.tsx'
import { Loading, MessagePage } from '../ui/message.tsx'
import { showReport } from '../ui/report.tsx'
import { showProblem, showToast } from '../ui/toast.tsx'
import { TopBar } from '../ui/top-bar.tsx'

type View = keyof typeof texts.scopes
const searchDelayMs = 200

export const BoardsPage = ({
  trash = false,
  folderId = null,
}: {
  trash?: boolean
  folderId?: string | null
}) => {
  const [me, setMe] = useState<MeResponse | null>(null)
  const [problem, setProblem] = useState<string | null>(null)
  useEffect(() => {
    document.title = appTexts.titleOf(trash ? texts.trash : texts.allBoards)
    api.me().then(
      (found) => {
        if (!isLetIn(found)) return
        setMe(found)
        // Boards that require consent are in no list.
        getConsent(null).then(
          ({ required }) => required && navigate('/consent', { replace: true }),
          showProblem,
        )
      },
      (error: Error) => setProblem(error.message),
    )
  }, [trash])
  if (problem !== null) {
    return (
      <MessagePage title={texts.cannotShow} text={problem}>
        <button type="button" className="primary" onClick={() => window.location.reload()}>
          {appTexts.tryAgain}
        </button>
      </MessagePage>
    )
  }
  return me === null ? (
    <Loading text={texts.looking} />
  ) : (
    <Boards me={me} trash={trash} folderId={folderId} key={`${trash} ${folderId}`} />
  )
}

interface BoardsProps {
  me: MeResponse
  trash: boolean
  folderId: string | null
}

const Boards = ({ me, trash, folderId }: BoardsProps) => {
  const [search, setSearch] = useState('')
  const [sort, setSort] = useState<BoardListQuery['sort']>('updated')
  const [view, setView] = useState<View>('all')
  const { folders, reload } = useFolders(!trash)
  const isBrowsing = !trash && view === 'all' && search.trim() === ''
  const question = useMemo(
    () => ({
      q: search.trim(),
      sort: view === 'recent' ? 'opened' : sort,
      ...(view === 'mine' || view === 'shared' ? { scope: view } : {}),
      ...(view === 'starred' ? { starred: 'true' as const } : {}),
      // Boards are shown in their folders; a search covers all of them.
      ...(isBrowsing ? { folder: folderId ?? 'none' } : {}),
      deleted: trash ? ('true' as const) : ('false' as const),
    }),
    [search, sort, view, isBrowsing, folderId, trash],
  )
  const { boards, cursor, load, loadMore } = useBoards(question)
  const { progress, take } = useImport(folderId, load)
  const [isOver, setOver] = useState(false)
  const file = useRef<HTMLInputElement>(null)

  const [isNaming, setNaming] = useState(false)
  const path = pathTo(folders ?? [], folderId)
  const folder = path.at(-1) ?? null
  const inside = isBrowsing ? (folders ?? []).filter((one) => isIn(one, folderId, folders ?? [])) : []
  const mayAdd = folderId === null || folder?.level === 'edit'

  const create = () =>
    api
      .createBoard(folderId === null ? {} : { folder_id: folderId })
      .then((board) => navigate(`/b/${board.id}`), showProblem)

  const createFolder = (name: string) => {
    setNaming(false)
    api
      .createFolder({ name, ...(folderId === null ? {} : { parent_id: folderId }) })
      .then(reload, showProblem)
  }
  usePaletteActions(trash || !mayAdd ? [] : [{ label: folderTexts.create, onSelect: () => setNaming(true) }])
  if (folderId !== null && folders !== null && folder === null) {
    return (
      <MessagePage title={folderTexts.notFoundTitle} text={folderTexts.notFound}>
        <Link href="/" className="button primary">
          {texts.allBoards}
        </Link>
      </MessagePage>
    )
  }

  const drop = (event: DragEvent) => {
    event.preventDefault()
    setOver(false)
    void take([...event.dataTransfer.files])
  }

  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: dropping files; the button "Import" does the same
    <div
      className={isOver ? 'page drop-target' : 'page'}
      onDragOver={(event) => {
        if (trash || !event.dataTransfer.types.includes('Files')) return
        event.preventDefault()
        setOver(true)
      }}
      onDragLeave={(event) => event.currentTarget === event.target && setOver(false)}
      onDrop={trash ? undefined : drop}
    >
      <TopBar me={me}>
        <label className="search">
          <Icon name="search" />
          <input
            type="search"
            placeholder={trash ? texts.searchTrash : texts.searchBoards}
            title={trash ? undefined : texts.search}
            aria-label={trash ? texts.searchTrash : texts.searchBoards}
            value={search}
            maxLength={200}
            onChange={(event) => setSearch(event.target.value)}
          />
        </label>
      </TopBar>
      <main>
        <div className="page-head">
          <div className="crumbs">
            {folderId !== null && (
              <>
                <Link href="/">{texts.allBoards}</Link>
                {path.slice(0, -1).map(({ id, name }) => (
                  <Fragment key={id}>
                    <span aria-hidden="true">/</span>
                    <Link href={`/folders/${id}`}>{name}</Link>
                  </Fragment>
                ))}
                <span aria-hidden="true">/</span>
              </>
            )}
            <h1>{trash ? texts.trash : (folder?.name ?? texts.allBoards)}</h1>
            {folder?.may_manage === true && folders !== null && (
              <FolderMenu
                folder={folder}
                folders={folders}
                onChange={reload}
                onGone={() => navigate(folder.parent_id === null ? '/' : `/folders/${folder.parent_id}`)}
              />
            )}
          </div>
          {trash ? (
            <Link href="/" className="button">
              <Icon name="back" /> {texts.allBoards}
            </Link>
          ) : (
            <div className="actions">
              <Link href="/trash" className="button quiet" aria-label={texts.trash}>
                <Icon name="trash" /> <span className="wide-only">{texts.trash}</span>
              </Link>
              <Link href="/templates" className="button">
                {texts.templates}
              </Link>
              {mayAdd && (
                <button type="button" onClick={() => setNaming(true)} aria-label={folderTexts.create}>
                  <Icon name="addFolder" /> <span className="wide-only">{folderTexts.create}</span>
                </button>
              )}
              <button type="button" onClick={() => file.current?.click()}>
                <Icon name="upload" /> {texts.import}
              </button>
              <button type="button" className="primary" onClick={create}>
                <Icon name="plus" /> {texts.newBoard}
              </button>
              <input
                ref={file}
                type="file"
                accept=".excalidraw,.json,application/json,.png,.svg,.excalidrawlib,.md"
                multiple
                hidden
                onChange={(event) => {
                  void take([...(event.target.files ?? [])])
                  event.target.value = ''
                }}
              />
            </div>
          )}
        </div>
        <div className="filters">
          {!trash && (
            <fieldset className="segments" aria-label={texts.which}>
              {(Object.keys(texts.scopes) as View[]).map((key) => (
                <button key={key} type="button" aria-pressed={view === key} onClick={() => setView(key)}>
                  {texts.scopes[key]}
                </button>
              ))}
            </fieldset>
          )}
          <label className="inline">
            <span className="wide-only">{texts.sortBy}</span>
            <select
              value={sort}
              aria-label={texts.sortBy}
              disabled={view === 'recent'}
              onChange={(event) => setSort(event.target.value as BoardListQuery['sort'])}
            >
              {Object.entries(texts.sorts).map(([key, label]) => (
                <option key={key} value={key}>
                  {label}
                </option>
              ))}
            </select>
          </label>
        </div>
        {progress !== null && (
          <div className="import-progress" role="status">
            <span>{progress.step} …</span>
            <progress {...(progress.done === null ? {} : { value: progress.done })} />
          </div>
        )}
        {!trash && folderId === null && <Offers onAccepted={load} />}
        {inside.length > 0 && (
          <ul className="folders" aria-label={folderTexts.folders}>
            {inside.map((one) => (
              <li key={one.id}>
                <FolderCard folder={one} folders={folders ?? []} onChange={reload} />
              </li>
            ))}
          </ul>
        )}
        {boards?.length === 0 && inside.length > 0 ? null : boards?.length === 0 ? (
          <Empty
            search={search}
            trash={trash}
            view={view}
            inFolder={folderId !== null}
            administers={me.role === 'admin' || me.role === 'sysadmin'}
            onCreate={create}
          />
        ) : (
          <ul className="grid">
            {boards?.map((board) => (
              <li key={board.id}>
                <BoardCard board={board} folders={folders ?? []} onChange={load} />
              </li>
            ))}
          </ul>
        )}
        {cursor !== null && (
          <div className="actions center">
            <button type="button" onClick={loadMore}>
              {appTexts.showMore}
            </button>
          </div>
        )}
      </main>
      {isNaming && (
        <Prompt
          title={folderTexts.create}
          label={folderTexts.name}
          value=""
          action={folderTexts.createAction}
          maxLength={100}
          onClose={() => setNaming(false)}
          onDone={createFolder}
        />
      )}
    </div>
  )
}

/** Folders in `parentId`; at the top level also those whose parent folder the user may not see. */
const isIn = (folder: FolderResponse, parentId: string | null, all: readonly FolderResponse[]): boolean =>
  parentId === null
    ? folder.parent_id === null || !all.some(({ id }) => id === folder.parent_id)
    : folder.parent_id === parentId

interface EmptyProps {
  search: string
  trash: boolean
  view: View
  inFolder: boolean
  administers: boolean
  onCreate: () => void
}

const Empty = ({ search, trash, view, inFolder, administers, onCreate }: EmptyProps) => {
  const [before, invite, between, every, after] = texts.administer.split('|')
  const said =
    search.trim() !== ''
      ? texts.nothingFound(search.trim())
      : trash
        ? texts.trashEmpty
        : view === 'starred'
          ? texts.nothingStarred
          : view === 'recent'
            ? texts.nothingRecent
            : view === 'shared'
              ? texts.nothingShared
              : inFolder
                ? texts.emptyFolder
                : null
  return (
    <div className="empty">
      {said !== null ? (
        <p>{said}</p>
      ) : (
        <>
          <h2>{texts.startTitle}</h2>
          <p>{texts.start}</p>
          <button type="button" className="primary" onClick={onCreate}>
            <Icon name="plus" /> {texts.newBoard}
          </button>
          {administers && (
            <p>
              {before}
              <Link href="/admin/invitations">{invite}</Link>
              {between}
              <Link href="/admin/boards">{every}</Link>
              {after}
            </p>
          )}
        </>
      )}
    </div>
  )
}

/**
 * The requested list; null until the first answer. A later request takes precedence over a late answer to an earlier
 * one.
 */
const useBoards = (question: Partial<BoardListQuery>) => {
  const [boards, setBoards] = useState<BoardResponse[] | null>(null)
  const [cursor, setCursor] = useState<string | null>(null)
  const asked = useRef<AbortController | null>(null)

  const load = useCallback(
    async (after?: string) => {
      asked.current?.abort()
      const controller = new AbortController()
      asked.current = controller
      try {
        const page = await api.listBoards(
          { ...question, limit: 60, ...(after === undefined ? {} : { cursor: after }) },
          controller.signal,
        )
        setBoards((before) => (after === undefined ? page.items : [...(before ?? []), ...page.items]))
        setCursor(page.next_cursor)
      } catch (error) {
        if (!controller.signal.aborted) showProblem(error)
      }
    },
    [question],
  )

  useEffect(() => {
    const timer = setTimeout(load, asked.current === null ? 0 : searchDelayMs)
    return () => clearTimeout(timer)
  }, [load])

  return {
    boards,
    cursor,
    load: () => void load(),
    loadMore: () => void (cursor === null ? null : load(cursor)),
  }
}

/** Imports files one after the other; a single one is opened when it is done. */
const useImport = (folderId: string | null, onTaken: () => void) => {
  const [progress, setProgress] = useState<ImportProgress | null>(null)
  const take = async (files: File[]) => {
    let last: string | null = null
    let taken = 0
    const problems: string[] = []
    const drawings = new Map<string, Imported>()
    // Reading drawings needs the code for documents, which the list does not load.
    const [{ importFile }, { describeLeftOut }] = await Promise.all([
      import('../import.ts'),
      import('../../shared/drawing.ts'),
    ])
    for (const file of files) {
      try {
        const { boardId, leftOut, drawing } = await importFile(file, setProgress, folderId)
        last = boardId
        if (drawing !== null) drawings.set(boardId, drawing)
        taken++
        if (leftOut.length > 0) problems.push(fileTexts.leftOut(file.name, describeLeftOut(leftOut)))
      } catch (error) {
        const why = error instanceof Error ? error.message : String(error)
        problems.push(why.includes(file.name) ? why : fileTexts.leftOut(file.name, why))
      }
    }
    setProgress(null)
    if (problems.length === 1 && files.length === 1) showToast(problems[0] ?? '', true)
    else if (problems.length > 0) showReport({ all: files.length, taken, problems })
    if (last === null) return
    if (files.length === 1) navigate(`/b/${last}`)
    else {
      onTaken()
      // Drawing pictures needs the canvas, which the list does not load.
      const { givePicture } = await import('../board/picture-of.ts')
      for (const [id, drawing] of drawings) await givePicture(id, drawing).catch(() => {}) // made when the board is opened
    }
  }
  return { progress, take }
}
