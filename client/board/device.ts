// What this device remembers of boards: which of them hold unsent changes, and how all of it is forgotten.
import type { DeviceOptions } from '../device-copy.ts'

/** Of comments that wait, and drafts. */
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
      // Storage is forbidden, so nothing is kept that the mark could speak of.
    }
  },
}

/** On signing out: nothing of any board stays for the next person at this device. */
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
