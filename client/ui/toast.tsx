// Short news at the lower edge, gone by itself.
import { useSyncExternalStore } from 'react'

interface Toast {
  id: number
  text: string
  isProblem: boolean
}

let toasts: readonly Toast[] = []
let lastId = 0
const listeners = new Set<() => void>()
const set = (next: readonly Toast[]) => {
  toasts = next
  for (const listener of listeners) listener()
}

export const showToast = (text: string, isProblem = false): void => {
  const id = ++lastId
  set([...toasts.slice(-2), { id, text, isProblem }])
  setTimeout(() => set(toasts.filter((toast) => toast.id !== id)), isProblem ? 8000 : 3500)
}

export const showProblem = (error: unknown): void =>
  showToast(error instanceof Error ? error.message : 'Something went wrong. Try again.', true)

export const Toasts = () => {
  const shown = useSyncExternalStore(
    (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    () => toasts,
  )
  return (
    <div className="toasts" role="status" aria-live="polite">
      {shown.map(({ id, text, isProblem }) => (
        <p key={id} className={isProblem ? 'toast problem' : 'toast'}>
          {text}
        </p>
      ))}
    </div>
  )
}
