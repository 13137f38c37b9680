// Tables for paginated lists.
import { type ReactNode, useCallback, useEffect, useRef, useState } from 'react'
import type { Page } from '../api.ts'
import '../people.css'
import { peopleTexts } from '../texts/people.ts'
import { showProblem } from './toast.tsx'

interface TableProps {
  heads: readonly string[]
  children: ReactNode
}

/** On a phone each row is a card, and a cell with `data-head` shows its heading. */
export const Table = ({ heads, children }: TableProps) => (
  <section className="rows-box" aria-label={heads.join(', ')}>
    <table className="rows">
      <thead>
        <tr>
          {heads.map((head) => (
            <th key={head} scope="col">
              {head}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>{children}</tbody>
    </table>
  </section>
)

export const More = ({ onMore, label = peopleTexts.admin.more }: { onMore: () => void; label?: string }) => (
  <div className="actions center">
    <button type="button" onClick={onMore}>
      {label}
    </button>
  </div>
)

/** A paginated list. */
export function usePages<Item>(ask: (cursor?: string) => Promise<Page<Item>>) {
  const [items, setItems] = useState<Item[] | null>(null)
  const [cursor, setCursor] = useState<string | null>(null)
  // Typing a search sends another request before the first answer arrives: only the last one counts.
  const latest = useRef(ask)
  const load = useCallback(() => {
    latest.current = ask
    ask().then((page) => {
      if (latest.current !== ask) return
      setItems(page.items)
      setCursor(page.next_cursor)
    }, showProblem)
  }, [ask])
  useEffect(load, [load])
  const more = cursor !== null && (
    <More
      onMore={() =>
        ask(cursor).then((page) => {
          setItems((before) => [...(before ?? []), ...page.items])
          setCursor(page.next_cursor)
        }, showProblem)
      }
    />
  )
  return { items, more, load }
}

export const Nothing = ({ text }: { text: string }) => (
  <div className="empty">
    <p>{text}</p>
  </div>
)
