// Notifications on the boards page: mentions and replies, and where. Administrators are also told about webhooks that
// were disabled, until somebody enables or deletes them.
import { useCallback, useEffect, useState } from 'react'
import type { NotificationResponse } from '../../shared/api/comments.ts'
import type { WebhookResponse } from '../../shared/api/webhooks.ts'
import { stoppedByHand } from '../../shared/applications.ts'
import * as api from '../api.ts'
import { listWebhooks } from '../applications-api.ts'
import { Link } from '../router.tsx'
import { applicationTexts } from '../texts/applications.ts'
import { texts } from '../texts/comments.ts'
import { ago, atTime } from '../texts/format.ts'
import { Dialog } from '../ui/dialog.tsx'
import { Icon } from '../ui/icons.tsx'
import { showProblem } from '../ui/toast.tsx'
import './bell.css'

const everyMs = 60_000

/** Disabled by the server, not by a person. */
const wasStopped = ({ state, disabled_reason }: WebhookResponse): boolean =>
  state === 'disabled' && disabled_reason !== stoppedByHand

export const Bell = ({ isAdmin }: { isAdmin: boolean }) => {
  const [items, setItems] = useState<readonly NotificationResponse[]>([])
  const [stopped, setStopped] = useState<readonly WebhookResponse[]>([])
  const [isOpen, setOpen] = useState(false)
  const look = useCallback(() => {
    if (document.visibilityState !== 'visible') return
    api.listNotifications().then(
      (page) => setItems(page.items),
      () => {}, // checked again in a minute
    )
    if (!isAdmin) return
    listWebhooks().then(
      (page) => setStopped(page.items.filter(wasStopped)),
      () => {}, // checked again in a minute
    )
  }, [isAdmin])
  const count = items.length + stopped.length
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
        aria-label={texts.notifications(count)}
        title={texts.notifications(count)}
        onClick={() => setOpen(true)}
      >
        <Icon name="bell" />
        {count > 0 && (
          <span className="count" aria-hidden="true">
            {count}
          </span>
        )}
      </button>
      {isOpen && (
        <Dialog title={texts.notifications(0)} onClose={() => setOpen(false)}>
          {count === 0 ? (
            <p>{texts.noNotifications}</p>
          ) : (
            <>
              <ul className="notifications">
                {stopped.map((webhook) => (
                  <li key={webhook.id}>
                    <Link href="/admin/webhooks">
                      <strong>{applicationTexts.hooks.disabledWord(new URL(webhook.url).host)}</strong>
                      <span>{webhook.disabled_reason}</span>
                    </Link>
                  </li>
                ))}
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
              {items.length > 0 && (
                <div className="actions end">
                  <button type="button" onClick={read}>
                    {texts.allRead}
                  </button>
                </div>
              )}
            </>
          )}
        </Dialog>
      )}
    </>
  )
}
