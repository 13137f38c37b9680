// A button with a menu. Arrow keys move, Escape closes and returns the focus.
import { type ReactNode, useEffect, useId, useRef, useState } from 'react'

const edge = 8

export interface MenuItem {
  label: string
  icon?: ReactNode
  isDanger?: boolean
  onSelect: () => void
}

interface MenuProps {
  label: string
  items: readonly MenuItem[]
  children: ReactNode
  className?: string
}

/** At the edge of a screen the list would overflow: keep it right of the left edge and above the lower one. */
const bringIn = (list: HTMLElement): void => {
  const { left, bottom, height } = list.getBoundingClientRect()
  if (left < edge) list.style.transform = `translateX(${edge - left}px)`
  const above = (list.parentElement?.getBoundingClientRect().top ?? 0) - edge
  if (bottom > window.innerHeight - edge && height < above)
    Object.assign(list.style, { top: 'auto', bottom: 'calc(100% + 4px)' })
}

export const Menu = ({ label, items, children, className = 'quiet square' }: MenuProps) => {
  const [isOpen, setOpen] = useState(false)
  const root = useRef<HTMLDivElement>(null)
  const button = useRef<HTMLButtonElement>(null)
  const menuId = useId()

  useEffect(() => {
    if (!isOpen) return
    const list = root.current?.querySelector<HTMLElement>('[role=menu]')
    if (list) bringIn(list)
    root.current?.querySelector<HTMLElement>('[role=menuitem]')?.focus()
    const close = (event: PointerEvent) => {
      if (event.target instanceof Node && !root.current?.contains(event.target)) setOpen(false)
    }
    document.addEventListener('pointerdown', close)
    return () => document.removeEventListener('pointerdown', close)
  }, [isOpen])

  const walk = (by: number) => {
    const all = [...(root.current?.querySelectorAll<HTMLElement>('[role=menuitem]') ?? [])]
    const at = all.indexOf(document.activeElement as HTMLElement) // -1 if the focus is elsewhere
    all.at((at + by + all.length) % all.length)?.focus()
  }

  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: it listens for the keys of the menu inside it
    <div
      className="menu"
      ref={root}
      onKeyDown={(event) => {
        if (!isOpen) return
        event.stopPropagation()
        if (event.key === 'ArrowDown') walk(1)
        else if (event.key === 'ArrowUp') walk(-1)
        else if (event.key === 'Escape') {
          setOpen(false)
          button.current?.focus()
        } else if (event.key === 'Tab') setOpen(false)
        else return
        if (event.key !== 'Tab') event.preventDefault()
      }}
    >
      <button
        type="button"
        ref={button}
        className={className}
        aria-label={label}
        title={label}
        aria-haspopup="menu"
        aria-expanded={isOpen}
        aria-controls={isOpen ? menuId : undefined}
        onClick={() => setOpen(!isOpen)}
      >
        {children}
      </button>
      {isOpen && (
        <div className="menu-list" role="menu" id={menuId}>
          {items.map((item) => (
            <button
              key={item.label}
              type="button"
              role="menuitem"
              className={item.isDanger === true ? 'danger' : undefined}
              onClick={() => {
                setOpen(false)
                button.current?.focus()
                item.onSelect()
              }}
            >
              {item.icon}
              {item.label}
            </button>
          ))}
        </div>
      )}
    </div>
  )
}
