// Changes that the server did not take are the user's all the same: as a file, or as a board of their own.
import { useState } from 'react'
import * as api from '../api.ts'
import { fillBoard } from '../import.ts'
import { navigate } from '../router.tsx'
import type { SessionState } from '../session-state.ts'
import { showProblem } from '../ui/toast.tsx'

interface KeptProps {
  kept: NonNullable<SessionState['kept']>
  title: string
  isUser: boolean
  onDone: () => void
}

export const KeptActions = ({ kept, title, isUser, onDone }: KeptProps) => {
  const [isBusy, setBusy] = useState(false)
  const keepAsFile = () => {
    const scene = {
      type: 'excalidraw',
      version: 2,
      source: 'boardroom',
      elements: kept.elements,
      appState: {},
      files: {},
    }
    const url = URL.createObjectURL(
      new Blob([JSON.stringify(scene)], { type: 'application/vnd.excalidraw+json' }),
    )
    const link = document.createElement('a')
    link.href = url
    link.download = `${title} (my copy).excalidraw`
    link.click()
    setTimeout(() => URL.revokeObjectURL(url), 60_000)
    onDone()
  }
  const keepAsBoard = async () => {
    setBusy(true)
    try {
      const board = await api.createBoard({ title: `${title} (my copy)`.slice(0, 200) })
      await fillBoard(board.id, kept.elements, new Map(), () => {})
      onDone()
      navigate(`/b/${board.id}`)
    } catch (error) {
      showProblem(error)
      setBusy(false)
    }
  }
  return (
    <>
      <button type="button" className="primary" onClick={keepAsFile}>
        Download a copy
      </button>
      {isUser && (
        <button type="button" disabled={isBusy} onClick={keepAsBoard}>
          Keep as a new board
        </button>
      )}
    </>
  )
}

export const KeptBanner = (props: KeptProps) => (
  <div className="banner" role="alert">
    <p>
      {props.kept.changes === 1 ? 'One change of yours was' : `${props.kept.changes} changes of yours were`}{' '}
      not saved: you may no longer write here, or the server refused{' '}
      {props.kept.changes === 1 ? 'it' : 'them'}.
    </p>
    <div className="actions">
      <KeptActions {...props} />
      <button type="button" className="quiet" onClick={props.onDone}>
        Discard
      </button>
    </div>
  </div>
)
