// Light or dark: the user's choice, otherwise the system's setting.
import { useSyncExternalStore } from 'react'

export type Theme = 'light' | 'dark'

const key = 'boardroom-theme'
const listeners = new Set<() => void>()
const current = (): Theme => (document.documentElement.dataset.theme === 'dark' ? 'dark' : 'light')

export const setTheme = (theme: Theme): void => {
  document.documentElement.dataset.theme = theme
  try {
    localStorage.setItem(key, theme)
  } catch {
    // Storage is forbidden: the choice applies to this page only.
  }
  for (const listener of listeners) listener()
}

export const useTheme = (): Theme =>
  useSyncExternalStore((listener) => {
    listeners.add(listener)
    return () => listeners.delete(listener)
  }, current)
