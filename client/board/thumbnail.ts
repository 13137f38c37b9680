// The picture in the list of boards: made by whoever changed the board, when they pause.
import type { ExcalidrawImperativeAPI } from '@excalidraw/excalidraw/types'
import { useEffect, useRef } from 'react'
import { mayWrite } from '../../shared/levels.ts'
import * as api from '../api.ts'
import type { SessionState } from '../session.ts'
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
    if (excalidraw === null || !isSaved || !isEditor || !isChanged.current) return
    const timer = setTimeout(() => {
      isChanged.current = false
      thumbnailOf(excalidraw)
        .then((image) => image && api.putThumbnail(boardId, image))
        .catch(() => {
          isChanged.current = true // the next pause tries again; a list without a picture is no harm
        })
    }, pauseMs)
    return () => clearTimeout(timer)
  }, [boardId, excalidraw, isSaved, isEditor])
}
