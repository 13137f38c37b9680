// Tables of lists that are asked for page by page.
import { type ReactNode, useCallback, useEffect, useState } from 'react'
import type { Page } from '../api.ts'
import { peopleTexts } from '../texts/people.ts'
import { showProblem } from './toast.tsx'

export const Table = ({ heads, children }: { heads: readonly string[]; children: ReactNode }) => (
  <section className="rows-box" aria-label={heads.join(', ')}>
    <table className="rows">
      <thead>
        <tr>
          {heads.map((head) => (
            <th key={head}>{head}</th>
          ))}
        </tr>
      </thead>
      <tbody>{children}</tbody>
    </table>
  </section>
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
  const more =
    cursor === null ? null : (
      <div className="actions center">
        <button
          type="button"
          onClick={() =>
            ask(cursor).then((page) => {
              setItems((before) => [...(before ?? []), ...page.items])
              setCursor(page.next_cursor)
            }, showProblem)
          }
        >
          Show more
        </button>
      </div>
    )
  return { items, more, load }
}

export const Nothing = () => (
  <div className="empty">
    <p>{peopleTexts.admin.nothing}</p>
  </div>
)
