// The picture in the list of boards: made by whoever changed the board, when they pause.
import type { ExcalidrawImperativeAPI } from '@excalidraw/excalidraw/types'
import { useEffect, useRef } from 'react'
import { mayWrite } from '../../shared/levels.ts'
import * as api from '../api.ts'
import type { SessionState } from '../session-state.ts'
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
    // A board that was imported, or made by a program, has no picture yet.
    api.hasThumbnail(boardId).then(
      (has) => {
        if (!has) isChanged.current = true
      },
      () => {}, // then it stays without one until somebody changes it
    )
  }, [boardId, state.isReady, isEditor])
  useEffect(() => {
    if (excalidraw === null || !isSaved || !isEditor) return
    const timer = setTimeout(() => {
      if (!isChanged.current) return
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
