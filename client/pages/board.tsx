// `/b/{id}`: one board. board/entry.ts decides how people come in, session.ts handles everything live; this renders
// both as a page.

import type { ExcalidrawImperativeAPI } from '@excalidraw/excalidraw/types'
import {
  lazy,
  Suspense,
  useCallback,
  useEffect,
  useMemo,
  useRef,
  useState,
  useSyncExternalStore,
} from 'react'
import type { BoardResponse, MeResponse } from '../../shared/api.ts'
import { type Level, mayWrite } from '../../shared/levels.ts'
import { CloseCode } from '../../shared/protocol.ts'
import * as api from '../api.ts'
import { Canvas } from '../board/canvas.tsx'
import { Ended, meaningOf } from '../board/ended.tsx'
import { useEntry } from '../board/entry.ts'
import { endFirstLook } from '../board/first-look.ts'
import { KeptBanner } from '../board/kept.tsx'
import { ModerationBar, useModeration } from '../board/moderation.tsx'
import { openBy, takeSession } from '../board/opening.ts'
import { RequestAccess, useAccessRequests } from '../board/request-access.tsx'
import type { ShareTab } from '../board/share-dialog.tsx'
import { SyncStatus } from '../board/sync-status.tsx'
import { useThumbnail } from '../board/thumbnail.ts'
import { CommentsButtons } from '../comments/comments-button.tsx'
import { CommentsLayer } from '../comments/layer.tsx'
import { LazyCommentsPanel } from '../comments/lazy-panel.tsx'
import { useComments } from '../comments/use-comments.ts'
import { isLetIn, leadingTo } from '../going-back.ts'
import { usePaletteActions } from '../palette/actions.ts'
import { Link } from '../router.tsx'
import type { BoardSession } from '../session.ts'
import type { SessionState } from '../session-state.ts'
import { appTexts } from '../texts/app.ts'
import { boardTexts as texts } from '../texts/board.ts'
import { paletteTexts } from '../texts/palette.ts'
import { requestTexts } from '../texts/requests.ts'
import { AccountMenu } from '../ui/account-menu.tsx'
import { copyText } from '../ui/copy.ts'
import { Prompt } from '../ui/dialog.tsx'
import { Icon, Mark } from '../ui/icons.tsx'
import { Loading, MessageCard, MessagePage } from '../ui/message.tsx'
import { showProblem, showToast } from '../ui/toast.tsx'

/** Opened long after the board, or rarely. */
const ShareDialog = lazy(() =>
  import('../board/share-dialog.tsx').then((module) => ({ default: module.ShareDialog })),
)
const EntryForm = lazy(() =>
  import('../board/entry-form.tsx').then((module) => ({ default: module.EntryForm })),
)
const VersionsDialog = lazy(() =>
  import('../board/versions-dialog.tsx').then((module) => ({ default: module.VersionsDialog })),
)

export default function BoardPage({ boardId }: { boardId: string }) {
  const { entry, submit } = useEntry(boardId)
  useEffect(() => {
    if (entry.name === 'asking' || entry.name === 'failed') endFirstLook()
  }, [entry.name])
  useEffect(() => endFirstLook, [])
  switch (entry.name) {
    case 'looking':
      return <Loading text={appTexts.openingBoard} />
    case 'asking':
      return (
        <Suspense fallback={<Loading text={appTexts.openingBoard} />}>
          <EntryForm entry={entry} onSubmit={submit} />
        </Suspense>
      )
    case 'failed':
      return (
        <MessagePage title={entry.title} text={entry.text}>
          {entry.canRetry && (
            <button type="button" className="primary" onClick={() => window.location.reload()}>
              {appTexts.tryAgain}
            </button>
          )}
        </MessagePage>
      )
    case 'open':
      return <OpenBoard boardId={boardId} />
  }
}

/** A board inside a page of another site: how it authenticates, and who is told when it ends. */
export interface Embed {
  ticket: string | null
  onSignedOut: () => void
}

export const OpenBoard = ({ boardId, embed = null }: { boardId: string; embed?: Embed | null }) => {
  const isEmbedded = embed !== null
  const ticket = embed?.ticket ?? null
  const [session, setSession] = useState<BoardSession | null>(null)
  const [board, setBoard] = useState<BoardResponse | null>(null)
  const [me, setMe] = useState<MeResponse | null>(null)

  useEffect(() => {
    const opened = isEmbedded ? openBy(boardId, ticket) : takeSession(boardId)
    const telling = isEmbedded
      ? import('../board/host-page.ts').then(({ tellOf }) => tellOf(boardId, opened), showProblem)
      : null
    const stopHearing = opened.onEvent((event) => {
      if (event.type === 'title') setBoard((before) => before && { ...before, title: event.title })
      if (event.type === 'background')
        setBoard((before) => before && { ...before, background: event.background })
      if (event.type === 'version' && event.change === 'restored') showToast(texts.versionRestored)
    })
    setSession(opened)
    // The title is optional; if something is wrong, the socket reports it better.
    api.getBoard(boardId).then(setBoard, () => {})
    if (!isEmbedded)
      api.me().then(
        (who) => (who.kind !== 'user' || isLetIn(who)) && setMe(who),
        () => {},
      )
    const reconnect = () => opened.reconnect()
    const offline = () => opened.wentOffline()
    const leave = () => opened.leave()
    const comeBack = () => opened.comeBack()
    const seen = () => {
      opened.flush()
      opened.watch(!document.hidden)
    }
    const ask = (event: BeforeUnloadEvent) => {
      opened.flush()
      const { sync, ended } = opened.state
      if (
        ended === null &&
        !opened.isKeptOnDevice &&
        (sync.name === 'saving' || (sync.name === 'offline' && sync.changes > 0))
      )
        event.preventDefault()
    }
    window.addEventListener('online', reconnect)
    window.addEventListener('offline', offline)
    window.addEventListener('pagehide', leave)
    window.addEventListener('pageshow', comeBack)
    window.addEventListener('beforeunload', ask)
    document.addEventListener('visibilitychange', seen)
    return () => {
      stopHearing()
      void telling?.then((stop) => stop?.())
      window.removeEventListener('online', reconnect)
      window.removeEventListener('offline', offline)
      window.removeEventListener('pagehide', leave)
      window.removeEventListener('pageshow', comeBack)
      window.removeEventListener('beforeunload', ask)
      document.removeEventListener('visibilitychange', seen)
      opened.close().catch(() => {}) // the device's store is gone already
    }
  }, [boardId, isEmbedded, ticket])

  return session === null ? null : (
    <LiveBoard
      boardId={boardId}
      session={session}
      board={board}
      me={me}
      embed={embed}
      onRenamed={setBoard}
      onMe={setMe}
    />
  )
}

interface LiveBoardProps {
  boardId: string
  session: BoardSession
  board: BoardResponse | null
  me: MeResponse | null
  embed: Embed | null
  onRenamed: (board: BoardResponse) => void
  onMe: (me: MeResponse) => void
}

const LiveBoard = ({ boardId, session, board, me, embed, onRenamed, onMe }: LiveBoardProps) => {
  const state = useSyncExternalStore(session.subscribe, () => session.state)
  const [excalidraw, setExcalidraw] = useState<ExcalidrawImperativeAPI | null>(null)
  const [isUploading, setUploading] = useState(false)
  const [dialog, setDialog] = useState<'share' | 'versions' | 'name' | null>(null)
  const [shareTab, setShareTab] = useState<ShareTab>('people')
  const isLate = useIsLate(state.sync.name === 'connecting')
  const hasEnded = state.ended !== null
  useEffect(() => {
    if (hasEnded) endFirstLook()
  }, [hasEnded])
  const title = board?.title ?? texts.untitled
  const isUser = me?.kind === 'user'
  const isKnown = isUser || me?.kind === 'guest'
  const openShare = useCallback((tab: ShareTab) => {
    setShareTab(tab)
    setDialog('share')
  }, [])
  const showRequests = useCallback(() => openShare('requests'), [openShare])
  const { requests, reload } = useAccessRequests(boardId, session, state.mayManage, showRequests)
  const comments = useComments(boardId, session, state, excalidraw)
  useThumbnail(boardId, excalidraw, state)
  useLevelNews(state.level)
  const moderating = useModeration(boardId, session, state, excalidraw)
  const [isHandUp, setHandUp] = useState(false)
  const isPenWanted = moderating.isViewOnly && !mayWrite(state.level)
  useEffect(() => {
    if (!isPenWanted) setHandUp(false)
  }, [isPenWanted])
  usePaletteActions(
    [
      ...(state.mayManage ? [{ label: paletteTexts.share, onSelect: () => openShare('people') }] : []),
      ...(mayWrite(state.level) && isUser
        ? [{ label: paletteTexts.versions, onSelect: () => setDialog('versions') }]
        : []),
    ],
    // If something is selected, Ctrl-K adds a link to it.
    () => excalidraw !== null && Object.keys(excalidraw.getAppState().selectedElementIds).length > 0,
  )

  useEffect(() => {
    document.title = appTexts.titleOf(title)
  }, [title])
  useEffect(() => {
    if (state.notice === null) return
    showToast(state.notice.message, true)
    session.dismissNotice()
  }, [state.notice, session])

  useEffect(() => {
    if (!isUploading) return
    // An image exists only in this page until the server has it.
    const ask = (event: BeforeUnloadEvent) => event.preventDefault()
    window.addEventListener('beforeunload', ask)
    return () => window.removeEventListener('beforeunload', ask)
  }, [isUploading])

  const dismiss = useCallback(() => session.dismissKept(), [session])
  // Requested while the canvas still exists: it is removed when the board has ended.
  const hasKept = state.kept !== null
  const files = useMemo(
    () => (hasKept && excalidraw !== null ? excalidraw.getFiles() : {}),
    [hasKept, excalidraw],
  )
  if (state.ended !== null && embed !== null) return <EmbedEnded state={state} embed={embed} />
  if (state.ended !== null) {
    return (
      <Ended
        boardId={boardId}
        state={state}
        files={files}
        title={title}
        isUser={isUser}
        onDismiss={dismiss}
      />
    )
  }

  return (
    <div className="board-page">
      <header className="board-bar">
        {isUser ? (
          <Link
            href="/"
            className="button quiet square"
            aria-label={appTexts.allBoards}
            title={appTexts.allBoards}
          >
            <Icon name="back" />
          </Link>
        ) : (
          <span className="brand">
            <Mark />
          </span>
        )}
        {state.mayManage && embed === null ? (
          <button
            type="button"
            className="board-title quiet"
            title={texts.rename}
            onClick={() => setDialog('name')}
          >
            {title}
          </button>
        ) : (
          <h1 className="board-title">{title}</h1>
        )}
        <SyncStatus state={state} isUploading={isUploading} />
        <span className="grow" />
        {state.hello?.principal.kind === 'guest' && (
          <span className="guest wide-only">
            {appTexts.guestName(me?.name ?? state.hello.principal.name)}
          </span>
        )}
        {embed === null &&
          isKnown &&
          state.level !== null &&
          !mayWrite(state.level) &&
          !moderating.isViewOnly &&
          state.hello?.reason === undefined && (
            <RequestAccess
              boardId={boardId}
              label={requestTexts.askMore}
              level="edit"
              className="quiet"
              icon={<Icon name="pencil" />}
            />
          )}
        {embed === null && state.hello?.principal.kind === 'anonymous' && (
          <Link href={leadingTo('/sign-in', `/b/${boardId}`)} className="button quiet">
            {appTexts.signIn}
          </Link>
        )}
        {embed === null && (
          <ModerationBar state={state} moderating={moderating} isHandUp={isHandUp} onHand={setHandUp} />
        )}
        {comments !== null && <CommentsButtons comments={comments} />}
        {embed !== null ? null : state.mayManage ? (
          <button
            type="button"
            className="primary share-button"
            aria-label={texts.share}
            onClick={() => openShare(requests.length > 0 ? 'requests' : 'people')}
          >
            <Icon name="people" /> <span className="wide-only">{texts.share}</span>
            {requests.length > 0 && (
              <span className="badge">
                {requests.length}
                <span className="offscreen">{requestTexts.count(requests.length)}</span>
              </span>
            )}
          </button>
        ) : (
          isUser && (
            <button type="button" aria-label={texts.copyLink} onClick={copyBoard}>
              <Icon name="link" /> <span className="wide-only">{texts.copyLink}</span>
            </button>
          )
        )}
        {embed === null && isKnown && me !== null && (
          <AccountMenu
            me={me}
            onRenamed={(renamed) => {
              onMe(renamed)
              session.joinAgain()
            }}
          />
        )}
      </header>
      {state.kept !== null && (
        <KeptBanner
          boardId={boardId}
          kept={state.kept}
          files={files}
          title={title}
          isUser={isUser}
          onDone={dismiss}
        />
      )}
      {isLate && (
        <div className="banner" role="alert">
          <p>{texts.late}</p>
        </div>
      )}
      {state.hello?.reason === 'board_full' && (
        <div className="banner" role="alert">
          <p>{texts.full}</p>
        </div>
      )}
      <div className="board-canvas">
        <Canvas
          boardId={boardId}
          title={title}
          session={session}
          state={state}
          onReady={setExcalidraw}
          onUploading={setUploading}
          isHandUp={isHandUp}
          background={board?.background}
          onVersions={mayWrite(state.level) && isUser ? () => setDialog('versions') : null}
          mayLeave={embed === null}
        />
        {comments !== null && <CommentsLayer comments={comments} />}
        {comments !== null && <LazyCommentsPanel comments={comments} />}
      </div>
      {dialog === 'share' && (
        <Suspense fallback={null}>
          <ShareDialog
            boardId={boardId}
            board={board}
            ownId={state.hello?.connection_id ?? null}
            moderating={moderating}
            requests={requests}
            tab={shareTab}
            onRequestAnswered={reload}
            onClose={() => setDialog(null)}
          />
        </Suspense>
      )}
      {dialog === 'versions' && (
        <Suspense fallback={null}>
          <VersionsDialog
            boardId={boardId}
            elementsNow={() => excalidraw?.getSceneElements().length ?? 0}
            onClose={() => setDialog(null)}
          />
        </Suspense>
      )}
      {dialog === 'name' && (
        <Prompt
          title={texts.renameTitle}
          label={texts.name}
          value={title}
          action={texts.rename}
          onClose={() => setDialog(null)}
          onDone={(next) => {
            setDialog(null)
            api.updateBoard(boardId, { title: next }).then(onRenamed, showProblem)
          }}
        />
      )}
    </div>
  )
}

/** An expired ticket is renewed once by whoever issued it; the server's decisions are shown. */
const EmbedEnded = ({ state, embed }: { state: SessionState; embed: Embed }) => {
  const code = state.ended?.code ?? 0
  const { onSignedOut } = embed
  const isOver = code === CloseCode.notSignedIn
  useEffect(() => {
    if (isOver) onSignedOut()
  }, [isOver, onSignedOut])
  const { title, text } = meaningOf(code, state.hello !== null, true)
  return <MessageCard title={title} text={text} />
}

const copyBoard = async (): Promise<void> => {
  if (await copyText(window.location.origin + window.location.pathname)) showToast(texts.linkCopied)
}

const patienceMs = 5000

/** Whether something has been going on for longer than people wait without feedback. */
const useIsLate = (isWaiting: boolean): boolean => {
  const [isLate, setLate] = useState(false)
  useEffect(() => {
    setLate(false)
    if (!isWaiting) return
    const timer = setTimeout(() => setLate(true), patienceMs)
    return () => clearTimeout(timer)
  }, [isWaiting])
  return isLate
}

/** Tells the user when they may do more or less than before. */
const useLevelNews = (level: Level | null): void => {
  const before = useRef<Level | null>(null)
  useEffect(() => {
    if (before.current !== null && level !== null && before.current !== level) {
      showToast(texts.levelNow[level])
    }
    before.current = level
  }, [level])
}
