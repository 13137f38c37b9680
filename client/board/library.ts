// The user's own library of shapes, kept on this device.
import type { LibraryItems } from '@excalidraw/excalidraw/types'

const key = 'boardroom-library'

export const loadLibrary = (): LibraryItems => {
  try {
    const items: unknown = JSON.parse(localStorage.getItem(key) ?? '[]')
    return Array.isArray(items) ? (items as LibraryItems) : [] // Excalidraw restores each item, whatever it is
  } catch {
    return []
  }
}

/** @returns false where the device has no room for it. */
export const saveLibrary = (items: LibraryItems): boolean => {
  try {
    localStorage.setItem(key, JSON.stringify(items))
    return true
  } catch {
    return false
  }
}
