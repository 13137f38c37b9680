// The background colour is shared: when one person chooses it, it is sent to the server and shown to everybody.
import type { AppState, ExcalidrawImperativeAPI } from '@excalidraw/excalidraw/types'
import { useCallback, useEffect, useRef } from 'react'
import * as api from '../api.ts'
import { showProblem } from '../ui/toast.tsx'

const white = '#ffffff'
/** While somebody is trying colours, not every one of them is sent. */
const settleMs = 300

/**
 * @param shared the colour of the board; null: white; undefined: not known yet.
 * @returns must be called with the state of the canvas after each change.
 */
export const useBackground = (
  boardId: string,
  shared: string | null | undefined,
  excalidraw: ExcalidrawImperativeAPI | null,
  isEditor: boolean,
) => {
  const shown = useRef<string | null>(null)
  const timer = useRef<ReturnType<typeof setTimeout> | null>(null)

  const show = useCallback(() => {
    if (excalidraw === null || shared === undefined || excalidraw.getAppState().isLoading) return
    if (timer.current !== null) return
    const color = shared ?? white
    if (shown.current === color) return
    shown.current = color
    excalidraw.updateScene({ appState: { viewBackgroundColor: color } })
  }, [excalidraw, shared])
  useEffect(show, [show])
  useEffect(
    () => () => {
      if (timer.current !== null) clearTimeout(timer.current)
    },
    [],
  )

  return useCallback(
    ({ viewBackgroundColor }: AppState) => {
      if (shown.current === null) {
        show() // it was still loading
        return
      }
      if (viewBackgroundColor === shown.current || !isEditor) return
      shown.current = viewBackgroundColor
      if (timer.current !== null) clearTimeout(timer.current)
      timer.current = setTimeout(() => {
        timer.current = null
        api.updateBoard(boardId, { background: viewBackgroundColor }).catch(showProblem)
      }, settleMs)
    },
    [boardId, isEditor, show],
  )
}
