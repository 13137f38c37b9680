// What one is told of, on the page of boards: who named one, who answered, and where.
import { useCallback, useEffect, useState } from 'react'
import type { NotificationResponse } from '../../shared/api/comments.ts'
import * as api from '../api.ts'
import { Link } from '../router.tsx'
import { texts } from '../texts/comments.ts'
import { Dialog } from '../ui/dialog.tsx'
import { Icon } from '../ui/icons.tsx'
import { ago, atTime } from '../ui/time.ts'
import { showProblem } from '../ui/toast.tsx'
import './bell.css'

const everyMs = 60_000

export const Bell = () => {
  const [items, setItems] = useState<readonly NotificationResponse[]>([])
  const [isOpen, setOpen] = useState(false)
  const look = useCallback(() => {
    if (document.visibilityState !== 'visible') return
    api.listNotifications().then(
      (page) => setItems(page.items),
      () => {}, // looked for again in a minute
    )
  }, [])
  useEffect(() => {
    look()
    const timer = setInterval(look, everyMs)
    document.addEventListener('visibilitychange', look)
    return () => {
      clearInterval(timer)
      document.removeEventListener('visibilitychange', look)
    }
  }, [look])

  const read = () => {
    setOpen(false)
    setItems([])
    api.readNotifications().catch(showProblem)
  }
  return (
    <>
      <button
        type="button"
        className="quiet square bell"
        aria-label={texts.notifications(items.length)}
        title={texts.notifications(items.length)}
        onClick={() => setOpen(true)}
      >
        <Icon name="bell" />
        {items.length > 0 && (
          <span className="count" aria-hidden="true">
            {items.length}
          </span>
        )}
      </button>
      {isOpen && (
        <Dialog title={texts.notifications(0)} onClose={() => setOpen(false)}>
          {items.length === 0 ? (
            <p>{texts.noNotifications}</p>
          ) : (
            <>
              <ul className="notifications">
                {items.map((item) => (
                  <li key={item.id}>
                    <Link href={`/b/${item.board_id}?thread=${item.thread_id}`}>
                      <strong>
                        {item.kind === 'mention'
                          ? texts.mentioned(item.author_name, item.board_title)
                          : texts.answered(item.author_name, item.board_title)}
                      </strong>
                      <span>{item.excerpt}</span>
                      <time dateTime={item.created_at} title={atTime(item.created_at)}>
                        {ago(item.created_at)}
                      </time>
                    </Link>
                  </li>
                ))}
              </ul>
              <div className="actions end">
                <button type="button" onClick={read}>
                  {texts.allRead}
                </button>
              </div>
            </>
          )}
        </Dialog>
      )}
    </>
  )
}
