// What this device remembers about boards: which of them have unsent changes, and how to delete all of it.
import type { DeviceOptions } from '../device-copy.ts'

/** Of waiting comments, and drafts. */
export const storePrefix = 'boardroom-comments:'

const markPrefix = 'unsent:'

export const marks: DeviceOptions['marks'] = {
  get: (name) => {
    try {
      return localStorage.getItem(markPrefix + name) !== null
    } catch {
      return false // storage is forbidden, so nothing was kept either
    }
  },
  set: (name, isMarked) => {
    try {
      if (isMarked) localStorage.setItem(markPrefix + name, '1')
      else localStorage.removeItem(markPrefix + name)
    } catch {
      // Storage is forbidden, so there is nothing that the mark could refer to.
    }
  },
}

/** On signing out: nothing of any board is left for the next person on this device. */
export const forgetDevice = async (): Promise<void> => {
  try {
    for (const { name } of (await indexedDB.databases?.()) ?? []) {
      if (name?.startsWith('boardroom:')) indexedDB.deleteDatabase(name)
    }
    for (const key of Object.keys(localStorage))
      if (key.startsWith(markPrefix) || key.startsWith(storePrefix)) localStorage.removeItem(key)
  } catch {
    // Storage is forbidden, so nothing was kept.
  }
}
