// Tables of lists that are asked for page by page.
import { type ReactNode, useCallback, useEffect, useState } from 'react'
import type { Page } from '../api.ts'
import { peopleTexts } from '../texts/people.ts'
import { showProblem } from './toast.tsx'

interface TableProps {
  heads: readonly string[]
  children: ReactNode
  className?: string
}

export const Table = ({ heads, children, className = 'rows' }: TableProps) => (
  <section className={className === 'rows' ? 'rows-box' : 'table-box'} aria-label={heads.join(', ')}>
    <table className={className}>
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

/** A list that is asked for page by page. */
export function usePages<Item>(ask: (cursor?: string) => Promise<Page<Item>>) {
  const [items, setItems] = useState<Item[] | null>(null)
  const [cursor, setCursor] = useState<string | null>(null)
  const load = useCallback(() => {
    ask().then((page) => {
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

export const Nothing = () => (
  <div className="empty">
    <p>{peopleTexts.admin.nothing}</p>
  </div>
)
