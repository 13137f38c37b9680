// Which boards got a new picture since the page was loaded: after leaving a board, its card shows what was drawn.
import { useSyncExternalStore } from 'react'

const made = new Map<string, number>()
const listeners = new Set<() => void>()

export const pictureMade = (boardId: string): void => {
  made.set(boardId, (made.get(boardId) ?? 0) + 1)
  for (const listener of [...listeners]) listener()
}

/** How many pictures of the board were made on this page. */
export const usePictures = (boardId: string): number =>
  useSyncExternalStore(
    (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    () => made.get(boardId) ?? 0,
  )
