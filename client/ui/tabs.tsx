// A row of tabs: one stop for the Tab key, arrow keys move, Home and End go to the ends.
import { type KeyboardEvent, useRef } from 'react'

interface TabsProps<Key extends string> {
  label: string
  items: readonly { key: Key; label: string }[]
  chosen: Key
  onChoose: (key: Key) => void
}

export const Tabs = <Key extends string>({ label, items, chosen, onChoose }: TabsProps<Key>) => {
  const list = useRef<HTMLDivElement>(null)
  const walk = (event: KeyboardEvent) => {
    const at = items.findIndex(({ key }) => key === chosen)
    const last = items.length - 1
    const places: Record<string, number> = {
      ArrowRight: at === last ? 0 : at + 1,
      ArrowLeft: at === 0 ? last : at - 1,
      Home: 0,
      End: last,
    }
    const place = places[event.key]
    const next = place === undefined ? undefined : items[place]
    if (next === undefined || place === undefined) return
    event.preventDefault()
    onChoose(next.key)
    list.current?.querySelectorAll<HTMLElement>('[role=tab]')[place]?.focus()
  }
  return (
    <div ref={list} role="tablist" aria-label={label} tabIndex={-1} onKeyDown={walk}>
      {items.map((item) => (
        <button
          key={item.key}
          type="button"
          role="tab"
          aria-selected={chosen === item.key}
          tabIndex={chosen === item.key ? 0 : -1}
          onClick={() => onChoose(item.key)}
        >
          {item.label}
        </button>
      ))}
    </div>
  )
}
