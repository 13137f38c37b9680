// `/`: my boards and those shared with me; `/trash`: the deleted ones.
import { type DragEvent, useCallback, useEffect, useRef, useState } from 'react'
import type { BoardListQuery, BoardResponse, MeResponse } from '../../shared/api.ts'
import * as api from '../api.ts'
import type { ImportProgress } from '../import.ts'
import { getConsent } from '../records-api.ts'
import { Link, navigate } from '../router.tsx'
import { BoardCard } from '../ui/board-card.tsx'
import { Icon } from '../ui/icons.tsx'
import { Loading, MessagePage } from '../ui/message.tsx'
import { showProblem, showToast } from '../ui/toast.tsx'
import { TopBar } from '../ui/top-bar.tsx'

const sorts = { updated: 'Last changed', created: 'Newest', title: 'Name' } as const
const scopes = { all: 'All', mine: 'Mine', shared: 'Shared' } as const
const searchDelayMs = 200

export const BoardsPage = ({ trash = false }: { trash?: boolean }) => {
  const [me, setMe] = useState<MeResponse | null>(null)
  const [problem, setProblem] = useState<string | null>(null)
  useEffect(() => {
    document.title = trash ? 'Trash · Boardroom' : 'Boards · Boardroom'
    api.me().then(
      (found) => {
        if (found.kind === 'user') {
          setMe(found)
          // Boards that wait for consent are in no list.
          getConsent(null).then(
            ({ required }) => required && navigate('/consent', { replace: true }),
            showProblem,
          )
        } else navigate('/sign-in', { replace: true })
      },
      (error: Error) => setProblem(error.message),
    )
  }, [trash])
  if (problem !== null) {
    return (
      <MessagePage title="The boards cannot be shown" text={problem}>
        <button type="button" className="primary" onClick={() => window.location.reload()}>
          Try again
        </button>
      </MessagePage>
    )
  }
  return me === null ? (
    <Loading text="Looking for your boards" />
  ) : (
    <Boards me={me} trash={trash} key={String(trash)} />
  )
}

const Boards = ({ me, trash }: { me: MeResponse; trash: boolean }) => {
  const [search, setSearch] = useState('')
  const [sort, setSort] = useState<BoardListQuery['sort']>('updated')
  const [scope, setScope] = useState<BoardListQuery['scope']>('all')
  const { boards, cursor, load, loadMore } = useBoards(search, sort, scope, trash)
  const { progress, take } = useImport()
  const [isOver, setOver] = useState(false)
  const file = useRef<HTMLInputElement>(null)

  const create = () => api.createBoard({}).then((board) => navigate(`/b/${board.id}`), showProblem)

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
            placeholder={trash ? 'Search the trash' : 'Search boards'}
            aria-label={trash ? 'Search the trash' : 'Search boards'}
            value={search}
            maxLength={200}
            onChange={(event) => setSearch(event.target.value)}
          />
        </label>
      </TopBar>
      <main>
        <div className="page-head">
          <h1>{trash ? 'Trash' : 'Boards'}</h1>
          {trash ? (
            <Link href="/" className="button">
              <Icon name="back" /> Boards
            </Link>
          ) : (
            <div className="actions">
              <Link href="/trash" className="button quiet" aria-label="Trash">
                <Icon name="trash" /> <span className="wide-only">Trash</span>
              </Link>
              <Link href="/templates" className="button">
                Templates
              </Link>
              <button type="button" onClick={() => file.current?.click()}>
                <Icon name="upload" /> Import
              </button>
              <button type="button" className="primary" onClick={create}>
                <Icon name="plus" /> New board
              </button>
              <input
                ref={file}
                type="file"
                accept=".excalidraw,.json,application/json"
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
            <fieldset className="segments" aria-label="Which boards">
              {(Object.keys(scopes) as (keyof typeof scopes)[]).map((key) => (
                <button key={key} type="button" aria-pressed={scope === key} onClick={() => setScope(key)}>
                  {scopes[key]}
                </button>
              ))}
            </fieldset>
          )}
          <label className="inline">
            <span className="wide-only">Sort by</span>
            <select
              value={sort}
              aria-label="Sort by"
              onChange={(event) => setSort(event.target.value as BoardListQuery['sort'])}
            >
              {Object.entries(sorts).map(([key, label]) => (
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
        {boards?.length === 0 ? (
          <Empty search={search} trash={trash} onCreate={create} />
        ) : (
          <ul className="grid">
            {boards?.map((board) => (
              <li key={board.id}>
                <BoardCard board={board} onChange={load} />
              </li>
            ))}
          </ul>
        )}
        {cursor !== null && (
          <div className="actions center">
            <button type="button" onClick={loadMore}>
              Show more
            </button>
          </div>
        )}
      </main>
    </div>
  )
}

const Empty = ({ search, trash, onCreate }: { search: string; trash: boolean; onCreate: () => void }) => (
  <div className="empty">
    {search !== '' ? (
      <p>Nothing is called “{search}”.</p>
    ) : trash ? (
      <p>The trash is empty.</p>
    ) : (
      <>
        <h2>Start with a board</h2>
        <p>Draw on an empty one, or drop an .excalidraw file anywhere on this page.</p>
        <button type="button" className="primary" onClick={onCreate}>
          <Icon name="plus" /> New board
        </button>
      </>
    )}
  </div>
)

/** The list as asked for; null until the first answer. A question asked later beats an answer that comes later. */
const useBoards = (
  search: string,
  sort: BoardListQuery['sort'],
  scope: BoardListQuery['scope'],
  trash: boolean,
) => {
  const [boards, setBoards] = useState<BoardResponse[] | null>(null)
  const [cursor, setCursor] = useState<string | null>(null)
  const asked = useRef<AbortController | null>(null)

  const load = useCallback(
    async (after?: string) => {
      asked.current?.abort()
      const controller = new AbortController()
      asked.current = controller
      try {
        const question = {
          q: search.trim(),
          sort,
          ...(trash ? {} : { scope }),
          deleted: trash ? 'true' : 'false',
          limit: 60,
        } as const
        const page = await api.listBoards(
          after === undefined ? question : { ...question, cursor: after },
          controller.signal,
        )
        setBoards((before) => (after === undefined ? page.items : [...(before ?? []), ...page.items]))
        setCursor(page.next_cursor)
      } catch (error) {
        if (!controller.signal.aborted) showProblem(error)
      }
    },
    [search, sort, scope, trash],
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

/** Imports files one after the other; a single one opens when it is done. */
const useImport = () => {
  const [progress, setProgress] = useState<ImportProgress | null>(null)
  const take = async (files: File[]) => {
    let last: string | null = null
    // Reading drawings needs the machinery of documents, which the list does without.
    const [{ importFile }, { describeLeftOut }] = await Promise.all([
      import('../import.ts'),
      import('../../shared/drawing.ts'),
    ])
    for (const file of files) {
      try {
        const { boardId, leftOut } = await importFile(file, setProgress)
        last = boardId
        if (leftOut.length > 0) showToast(`${file.name}: ${describeLeftOut(leftOut)}`, true)
      } catch (error) {
        showProblem(error)
      }
    }
    setProgress(null)
    if (last === null) return
    if (files.length === 1) navigate(`/b/${last}`)
    else window.location.reload()
  }
  return { progress, take }
}
