// The server's final decision about a board, worded so that people know what happened and what to do.

import type { BinaryFiles } from '@excalidraw/excalidraw/types'
import { useEffect, useState } from 'react'
import { CloseCode } from '../../shared/protocol.ts'
import * as api from '../api.ts'
import { leadingTo } from '../going-back.ts'
import { Link } from '../router.tsx'
import type { SessionState } from '../session-state.ts'
import { appTexts } from '../texts/app.ts'
import { keptTexts, endedTexts as texts } from '../texts/board.ts'
import { requestTexts } from '../texts/requests.ts'
import { trashTexts } from '../texts/trash.ts'
import { MessagePage } from '../ui/message.tsx'
import { showProblem } from '../ui/toast.tsx'
import { KeptActions } from './kept.tsx'
import { RequestAccess } from './request-access.tsx'

interface EndedProps {
  boardId: string
  state: SessionState
  files: BinaryFiles
  title: string
  isUser: boolean
  onDismiss: () => void
}

export const Ended = ({ boardId, state, files, title, isUser, onDismiss }: EndedProps) => {
  const code = state.ended?.code ?? 0
  const wasHere = state.hello !== null
  const stillMay = useStillMay(
    boardId,
    code === CloseCode.noAccess && wasHere && state.ended?.reason === sentAway,
  )
  const isKnown = isUser || state.hello?.principal.kind === 'guest'
  const said = stillMay ? disconnected : meaningOf(code, wasHere, state.hello?.principal.kind === 'guest')
  return (
    <MessagePage
      title={said.title}
      text={
        <>
          {said.text}
          {state.kept !== null && (
            <strong className="kept-note">{keptTexts.hadNotBeenSaved(state.kept.changes)}</strong>
          )}
        </>
      }
    >
      {state.kept !== null && (
        <KeptActions
          boardId={boardId}
          kept={state.kept}
          files={files}
          title={title}
          isUser={isUser}
          onDone={onDismiss}
        />
      )}
      {code === CloseCode.noAccess && isKnown && !stillMay && (
        <RequestAccess
          boardId={boardId}
          label={requestTexts.ask}
          level="view"
          onAllowed={() => window.location.reload()}
        />
      )}
      {stillMay && (
        <button type="button" className="primary" onClick={() => window.location.reload()}>
          {texts.again}
        </button>
      )}
      {said.action === 'sign-in' && (
        <Link href={leadingTo('/sign-in')} className={isUser ? 'button' : 'button primary'}>
          {isUser ? texts.otherAccount : appTexts.signIn}
        </Link>
      )}
      {code === CloseCode.boardDeleted && isUser && <RestoreDeleted boardId={boardId} />}
      {said.action === 'consent' && (
        <Link href={`/consent?board=${boardId}`} className="button primary">
          {texts.readAndAccept}
        </Link>
      )}
      {said.action === 'reload' && (
        <button type="button" className="primary" onClick={() => window.location.reload()}>
          {texts.again}
        </button>
      )}
      {(isUser || said.action === 'boards') && (
        <Link href="/" className="button">
          {appTexts.allBoards}
        </Link>
      )}
    </MessagePage>
  )
}

/**
 * The reasons that the server gives to people who were disconnected by somebody, whether they may come back or not.
 */
const sentAway = 'sent away'

const disconnected = {
  title: texts.disconnectedTitle,
  text: texts.disconnected,
  action: 'none',
}

/**
 * Whether somebody who was disconnected may come back: then their access is not gone, and the page must not say so.
 */
const useStillMay = (boardId: string, isAsked: boolean): boolean => {
  const [may, setMay] = useState(false)
  useEffect(() => {
    if (!isAsked) return
    api.getBoard(boardId).then(
      () => setMay(true),
      () => setMay(false),
    )
  }, [boardId, isAsked])
  return may
}

/** For people who may restore the board: nobody else sees it in the trash. */
const RestoreDeleted = ({ boardId }: { boardId: string }) => {
  const [isMine, setMine] = useState(false)
  useEffect(() => {
    api.listBoards({ deleted: 'true', limit: 200 }).then(
      ({ items }) => setMine(items.some(({ id }) => id === boardId)),
      () => {}, // the list of boards includes the trash
    )
  }, [boardId])
  if (!isMine) return null
  const restore = () => api.restoreBoard(boardId).then(() => window.location.reload(), showProblem)
  return (
    <button type="button" className="primary" title={trashTexts.restoreHint} onClick={restore}>
      {trashTexts.restore}
    </button>
  )
}

export const meaningOf = (code: number, wasHere: boolean, isGuest: boolean) => {
  switch (code) {
    case CloseCode.notSignedIn:
      if (isGuest) return { title: texts.visitTitle, text: texts.visit, action: 'sign-in' }
      return wasHere
        ? { title: texts.signedOutTitle, text: texts.signedOut, action: 'sign-in' }
        : { title: texts.signInTitle, text: texts.signIn, action: 'sign-in' }
    case CloseCode.noAccess:
      return wasHere
        ? { title: texts.accessGoneTitle, text: isGuest ? texts.linkGone : texts.accessGone, action: 'none' }
        : { title: texts.noAccessTitle, text: texts.noAccess, action: 'sign-in' }
    case CloseCode.consentNeeded:
      return wasHere
        ? { title: texts.consentGoneTitle, text: texts.consentGone, action: 'consent' }
        : { title: texts.consentTitle, text: texts.consent, action: 'consent' }
    case CloseCode.boardDeleted:
      return { title: texts.deletedTitle, text: texts.deleted, action: 'boards' }
    case CloseCode.noSuchBoard:
      return { title: texts.noBoardTitle, text: texts.noBoard, action: 'boards' }
    case CloseCode.frameTooLarge:
      return { title: texts.tooLargeTitle, text: texts.tooLarge, action: 'reload' }
    default:
      return { title: texts.endedTitle, text: texts.ended(code), action: 'reload' }
  }
}
