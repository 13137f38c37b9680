// The server's last word on a board, said so that people know what happened and what to do.
import type { BinaryFiles } from '@excalidraw/excalidraw/types'
import { useEffect, useState } from 'react'
import { CloseCode } from '../../shared/protocol.ts'
import * as api from '../api.ts'
import { leadingTo } from '../going-back.ts'
import { Link } from '../router.tsx'
import type { SessionState } from '../session-state.ts'
import { requestTexts } from '../texts/sharing.ts'
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
            <strong className="kept-note">
              {state.kept.changes === 1 ? 'One change of yours' : `${state.kept.changes} changes of yours`}{' '}
              had not been saved. You can keep a copy.
            </strong>
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
        <RequestAccess boardId={boardId} label={requestTexts.ask} level="view" />
      )}
      {stillMay && (
        <button type="button" className="primary" onClick={() => window.location.reload()}>
          Open it again
        </button>
      )}
      {said.action === 'sign-in' && (
        <Link href={leadingTo('/sign-in')} className={isUser ? 'button' : 'button primary'}>
          {isUser ? 'Use another account' : 'Sign in'}
        </Link>
      )}
      {code === CloseCode.boardDeleted && isUser && <RestoreDeleted boardId={boardId} />}
      {said.action === 'consent' && (
        <Link href={`/consent?board=${boardId}`} className="button primary">
          Read and accept
        </Link>
      )}
      {said.action === 'reload' && (
        <button type="button" className="primary" onClick={() => window.location.reload()}>
          Open it again
        </button>
      )}
      {(isUser || said.action === 'boards') && (
        <Link href="/" className="button">
          All boards
        </Link>
      )}
    </MessagePage>
  )
}

/** What the server says to whom somebody sent away, whether they may come back or not. */
const sentAway = 'sent away'

const disconnected = {
  title: 'You were disconnected',
  text: 'Somebody who manages this board ended your connection. Your access is as it was: you can open the board again.',
  action: 'none',
}

/** Whether somebody who was sent away may come back: then their access is not gone, and the page must not say so. */
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

/** For whoever may take the board out of the trash: the trash lists a board for nobody else. */
const RestoreDeleted = ({ boardId }: { boardId: string }) => {
  const [isMine, setMine] = useState(false)
  useEffect(() => {
    api.listBoards({ deleted: 'true', limit: 200 }).then(
      ({ items }) => setMine(items.some(({ id }) => id === boardId)),
      () => {}, // the list of boards has the trash, too
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
      if (isGuest) {
        return {
          title: 'Your visit has ended',
          text: 'The link that you used has expired or was revoked. Ask for a new one.',
          action: 'sign-in',
        }
      }
      return wasHere
        ? { title: 'You are signed out', text: 'Sign in to go on where you were.', action: 'sign-in' }
        : {
            title: 'Sign in to open this board',
            text: 'Or open the share link that you were given.',
            action: 'sign-in',
          }
    case CloseCode.noAccess:
      return wasHere
        ? {
            title: 'You no longer have access',
            text: isGuest
              ? 'The link that you used was revoked or has expired. Ask the person who sent it for a new one.'
              : 'Your access to this board was taken away or has expired. Ask its owner if you still need it.',
            action: 'none',
          }
        : {
            title: 'You have no access to this board',
            text: 'It may not exist, or nobody has shared it with you. Ask its owner, or sign in with another account.',
            action: 'sign-in',
          }
    case CloseCode.consentNeeded:
      return {
        title: wasHere ? 'Your consent was withdrawn' : 'Please accept first',
        text: wasHere
          ? 'The board opens again once you accept what is asked.'
          : 'Before you come in, you are asked to read and accept a text.',
        action: 'consent',
      }
    case CloseCode.boardDeleted:
      return {
        title: 'This board was deleted',
        text: 'It is in the trash of its owner, who can bring it back.',
        action: 'boards',
      }
    case CloseCode.noSuchBoard:
      return { title: 'There is no such board', text: 'The address may be incomplete.', action: 'boards' }
    case CloseCode.frameTooLarge:
      return {
        title: 'That was too much at once',
        text: 'The last change was larger than the server takes. Import large drawings from the list of boards instead.',
        action: 'reload',
      }
    default:
      return {
        title: 'The connection was ended',
        text: `Something went wrong (code ${code}). Opening the board again usually helps.`,
        action: 'reload',
      }
  }
}
