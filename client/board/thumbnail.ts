// The picture in the list of boards: made by whoever changed the board, when they pause or leave.
import type { ExcalidrawImperativeAPI } from '@excalidraw/excalidraw/types'
import { useEffect, useLayoutEffect, useRef } from 'react'
import { mayWrite } from '../../shared/levels.ts'
import * as api from '../api.ts'
import type { SessionState } from '../session-state.ts'
import { pictureMade } from '../ui/pictures.ts'
import { thumbnailOf } from './export.ts'

const pauseMs = 4000

export const useThumbnail = (
  boardId: string,
  excalidraw: ExcalidrawImperativeAPI | null,
  state: SessionState,
): void => {
  const isChanged = useRef(false)
  const isSaved = state.sync.name === 'saved'
  const isEditor = mayWrite(state.level)
  if (!isSaved && state.isReady && isEditor) isChanged.current = true
  useEffect(() => {
    if (!state.isReady || !isEditor) return
    // A board that was imported, or created by a program, has no picture yet.
    api.hasThumbnail(boardId).then(
      (has) => {
        if (!has) isChanged.current = true
      },
      () => {}, // then it has none until somebody changes it
    )
  }, [boardId, state.isReady, isEditor])
  useEffect(() => {
    if (excalidraw === null || !isSaved || !isEditor) return
    const timer = setTimeout(() => takePicture(boardId, excalidraw, isChanged), pauseMs)
    return () => clearTimeout(timer)
  }, [boardId, excalidraw, isSaved, isEditor])
  const mayLeaveOne = useRef(false)
  mayLeaveOne.current = isEditor && state.ended === null
  // A layout effect, because by the time other effects end the canvas has discarded its drawing.
  useLayoutEffect(() => {
    if (excalidraw === null) return
    return () => {
      if (mayLeaveOne.current) takePicture(boardId, excalidraw, isChanged)
    }
  }, [boardId, excalidraw])
}

const takePicture = (
  boardId: string,
  excalidraw: ExcalidrawImperativeAPI,
  isChanged: { current: boolean },
): void => {
  if (!isChanged.current) return
  isChanged.current = false
  thumbnailOf(excalidraw)
    .then(async (image) => {
      if (image === null) return
      await api.putThumbnail(boardId, image)
      pictureMade(boardId)
    })
    .catch(() => {
      isChanged.current = true // retried at the next pause; a list entry without a picture does no harm
    })
}
