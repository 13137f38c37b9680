// A modal dialog based on the browser's own <dialog>: focus stays inside, Escape closes, the page behind does not
// scroll.

import { type ReactNode, useId, useLayoutEffect, useRef } from 'react'
import { appTexts } from '../texts/app.ts'
import { Icon } from './icons.tsx'

interface DialogProps {
  title: string
  onClose: () => void
  children: ReactNode
  size?: 'small' | 'wide'
}

export const Dialog = ({ title, onClose, children, size = 'small' }: DialogProps) => {
  const dialog = useRef<HTMLDialogElement>(null)
  const titleId = useId()
  // A layout effect: if the dialog is closed while it is still in the page, focus returns to the previous element.
  useLayoutEffect(() => {
    const element = dialog.current
    if (element === null || element.open) return
    // Keyboard users return to where they were; pointer users continue drawing, if there is a canvas.
    const isByKeys = document.activeElement?.matches('button:focus-visible, a:focus-visible') === true
    element.showModal()
    // The browser would focus the close button first.
    element.querySelector<HTMLElement>('[data-first]')?.focus()
    return () => {
      element.close()
      if (!isByKeys) document.querySelector<HTMLElement>('.board-canvas .excalidraw')?.focus()
    }
  }, [])
  return (
    <dialog
      ref={dialog}
      className={`dialog ${size}`}
      aria-labelledby={titleId}
      onCancel={(event) => {
        event.preventDefault()
        onClose()
      }}
      onClick={(event) => {
        if (event.target === dialog.current) onClose()
      }}
      // Excalidraw listens on the document: letters typed in here must not trigger its shortcuts.
      onKeyDown={(event) => event.stopPropagation()}
    >
      <div className="dialog-head">
        <h2 id={titleId}>{title}</h2>
        <button type="button" className="quiet square" aria-label={appTexts.close} onClick={onClose}>
          <Icon name="close" />
        </button>
      </div>
      <div className="dialog-body">{children}</div>
    </dialog>
  )
}

interface PromptProps {
  title: string
  /** Above the field. */
  text?: string
  isDanger?: boolean
  label: string
  value: string
  action: string
  maxLength?: number
  onClose: () => void
  onDone: (value: string) => void
}

/** Asks for one line of text. */
export const Prompt = ({
  title,
  text: lead,
  label,
  value,
  action,
  isDanger = false,
  maxLength = 200,
  onClose,
  onDone,
}: PromptProps) => (
  <Dialog title={title} onClose={onClose}>
    <form
      onSubmit={(event) => {
        event.preventDefault()
        const text = String(new FormData(event.currentTarget).get('value') ?? '').trim()
        if (text !== '') onDone(text)
      }}
    >
      {lead !== undefined && <p>{lead}</p>}
      <label className="field">
        {label}
        <input
          name="value"
          defaultValue={value}
          maxLength={maxLength}
          required
          data-first
          onFocus={(event) => event.target.select()}
        />
      </label>
      <div className="actions end">
        <button type="button" onClick={onClose}>
          {appTexts.cancel}
        </button>
        <button type="submit" className={isDanger ? 'primary danger' : 'primary'}>
          {action}
        </button>
      </div>
    </form>
  </Dialog>
)

interface ConfirmProps {
  title: string
  text: string
  action: string
  onClose: () => void
  onDone: () => void
}

export const Confirm = ({ title, text, action, onClose, onDone }: ConfirmProps) => (
  <Dialog title={title} onClose={onClose}>
    <p>{text}</p>
    <div className="actions end">
      <button type="button" onClick={onClose} data-first>
        {appTexts.cancel}
      </button>
      <button type="button" className="primary danger" onClick={onDone}>
        {action}
      </button>
    </div>
  </Dialog>
)
