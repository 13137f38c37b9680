// Short messages at the lower edge that disappear automatically.

import { useEffect, useRef, useSyncExternalStore } from 'react'
import { appTexts } from '../texts/app.ts'

interface Toast {
  id: number
  text: string
  isProblem: boolean
  action: ToastAction | null
}

/** An undo action, as long as the message is shown. */
export interface ToastAction {
  label: string
  onSelect: () => void
}

let toasts: readonly Toast[] = []
let lastId = 0
const listeners = new Set<() => void>()
const set = (next: readonly Toast[]) => {
  toasts = next
  for (const listener of listeners) listener()
}

const dismiss = (id: number) => set(toasts.filter((toast) => toast.id !== id))

export const showToast = (text: string, isProblem = false, action: ToastAction | null = null): void => {
  const id = ++lastId
  set([...toasts.slice(-2), { id, text, isProblem, action }])
  setTimeout(() => dismiss(id), isProblem ? 8000 : action === null ? 3500 : 10_000)
}

export const showProblem = (error: unknown): void =>
  showToast(error instanceof Error ? error.message : appTexts.failed, true)

export const Toasts = () => {
  const shown = useSyncExternalStore(
    (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    () => toasts,
  )
  const box = useRef<HTMLDivElement>(null)
  useEffect(() => {
    const element = box.current
    if (element?.showPopover === undefined) return
    // Above dialogs, which are in the browser's top layer: the last one added is on top.
    if (element.matches(':popover-open')) element.hidePopover()
    if (shown.length > 0) element.showPopover()
  }, [shown])
  return (
    <div ref={box} popover="manual" className="toasts" role="status" aria-live="polite">
      {shown.map(({ id, text, isProblem, action }) => (
        <p key={id} className={isProblem ? 'toast problem' : 'toast'}>
          {text}
          {action !== null && (
            <button
              type="button"
              className="toast-action"
              onClick={() => {
                dismiss(id)
                action.onSelect()
              }}
            >
              {action.label}
            </button>
          )}
        </p>
      ))}
    </div>
  )
}
