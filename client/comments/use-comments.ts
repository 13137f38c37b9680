// The comment state shared by the board's page, its pins and its panel: the threads, which one is open, whether a
// click places a new one.
import type { ExcalidrawImperativeAPI } from '@excalidraw/excalidraw/types'
import { useCallback, useEffect, useState, useSyncExternalStore } from 'react'
import type { Anchor, Place } from '../../shared/api/comments.ts'
import { mayComment } from '../../shared/levels.ts'
import type { BoardSession } from '../session.ts'
import type { SessionState } from '../session-state.ts'
import type { Shelf } from './outbox.ts'
import { CommentStore, type CommentsState } from './store.ts'

export interface Draft {
  anchor: Anchor
  place: Place | null
}

export interface Comments {
  store: CommentStore
  boardId: string
  state: CommentsState
  excalidraw: ExcalidrawImperativeAPI | null
  /** The current user, `user:7`. */
  principal: string
  shelf: Shelf
  mayComment: boolean
  mayManage: boolean
  isOpen: boolean
  setOpen: (isOpen: boolean) => void
  /** The id of a thread, or of an entry that will become one. */
  selected: string | null
  select: (id: string | null) => void
  /** The next click on the board starts a thread. */
  isPlacing: boolean
  setPlacing: (isPlacing: boolean) => void
  draft: Draft | null
  setDraft: (draft: Draft | null) => void
  showsResolved: boolean
  setShowsResolved: (shows: boolean) => void
}

const nothing: CommentsState = { threads: [], waiting: [], isLoaded: false, problem: null }
const never = () => () => {}

/** Null until the server has said who the user is. */
export function useComments(
  boardId: string,
  session: BoardSession,
  state: SessionState,
  excalidraw: ExcalidrawImperativeAPI | null,
): Comments | null {
  const principal = state.hello?.principal.id ?? null
  const shelf = shelfOf(state.hello?.principal.kind === 'anonymous')
  const [store, setStore] = useState<CommentStore | null>(null)
  const known = useSyncExternalStore(store?.subscribe ?? never, () => store?.state ?? nothing)
  const [isOpen, setOpen] = useState(() => linkedThread() !== null)
  const [selected, setSelected] = useState(linkedThread)
  const [isPlacing, setPlacing] = useState(false)
  const [draft, setDraft] = useState<Draft | null>(null)
  const [showsResolved, setShowsResolved] = useState(false)
  const may = mayComment(state.level)

  useEffect(() => {
    if (principal === null) return
    const made = new CommentStore({ boardId, session, shelf, principal })
    setStore(made)
    return () => made.close()
  }, [boardId, session, principal, shelf])
  useEffect(() => {
    if (!may) setPlacing(false)
  }, [may])

  const select = useCallback((id: string | null) => {
    setSelected(id)
    if (id !== null) {
      setOpen(true)
      setDraft(null)
    }
  }, [])

  if (store === null || principal === null) return null
  return {
    ...{ store, boardId, state: known, excalidraw, principal, shelf, isOpen, setOpen, selected, select },
    ...{ isPlacing, setPlacing, draft, setDraft, showsResolved, setShowsResolved },
    mayComment: may,
    mayManage: state.mayManage,
  }
}

/** `/b/{id}?thread={thread}` */
const linkedThread = (): string | null => new URLSearchParams(window.location.search).get('thread')

export const linkTo = (boardId: string, threadId: string): string =>
  `${window.location.origin}/b/${boardId}?thread=${threadId}`

const memory = new Map<string, string>()
const inMemory: Shelf = {
  getItem: (key) => memory.get(key) ?? null,
  setItem: (key, value) => void memory.set(key, value),
  removeItem: (key) => void memory.delete(key),
}

/** An unidentified person is somebody else after a reload: what they wrote must not wait for the next person. */
const shelfOf = (isAnonymous: boolean): Shelf => {
  if (isAnonymous) return inMemory
  try {
    return window.localStorage
  } catch {
    return inMemory // storage is forbidden
  }
}
