// What the current page offers to the command palette, and whether its keys may open it.
import { useEffect } from 'react'

export interface PaletteAction {
  label: string
  onSelect: () => void
}

let offered: readonly PaletteAction[] = []
let isTaken = () => false

export const offeredActions = (): readonly PaletteAction[] => offered
export const isKeyTaken = (): boolean => isTaken()

/** @param taken whether the page itself uses Ctrl-K at this moment. */
export const usePaletteActions = (actions: readonly PaletteAction[], taken: () => boolean = () => false) => {
  useEffect(() => {
    offered = actions
    isTaken = taken
    return () => {
      offered = []
      isTaken = () => false
    }
  })
}
