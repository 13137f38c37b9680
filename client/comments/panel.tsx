// The panel next to the canvas (on a phone: over its lower half): a filtered list of threads, or one of them.
import { useEffect, useRef, useState } from 'react'
import type { ThreadResponse } from '../../shared/api/comments.ts'
import { texts } from '../texts/comments.ts'
import { ago, atTime } from '../texts/format.ts'
import { Icon } from '../ui/icons.tsx'
import { Composer } from './composer.tsx'
import { lookAtThread } from './layer.tsx'
import { storeKey } from './store.ts'
import { ThreadView, WaitingView } from './thread-view.tsx'
import type { Comments } from './use-comments.ts'

type Filter = keyof typeof texts.filters
const filters = Object.keys(texts.filters) as Filter[] // keys of a literal
const perPage = 50

export default function CommentsPanel({ comments }: { comments: Comments }) {
  const { store, state, selected, draft, excalidraw } = comments
  const panel = useRef<HTMLElement>(null)
  const thread = selected === null ? undefined : store.thread(selected)
  const waiting = state.waiting.find(({ id }) => id === selected)
  const heading = useRef<HTMLHeadingElement>(null)

  // A selected thread is loaded completely, scrolled into view, and marked as read.
  const isThere = thread !== undefined
  const unread = thread?.unread_count ?? 0
  // biome-ignore lint/correctness/useExhaustiveDependencies: a thread that changes is not chosen anew
  useEffect(() => {
    if (selected === null || waiting !== undefined) return
    store.refresh(selected).catch(() => {}) // known comments are shown
    if (thread !== undefined && excalidraw !== null) lookAtThread(excalidraw, thread)
  }, [selected, isThere, excalidraw, store])
  useEffect(() => {
    if (selected !== null && unread > 0 && document.visibilityState === 'visible')
      void store.markRead(selected)
  }, [selected, unread, store])
  useEffect(() => {
    if (selected !== null) heading.current?.focus()
  }, [selected])

  const close = () => {
    comments.setOpen(false)
    comments.select(null)
    comments.setDraft(null)
  }
  return (
    <aside
      ref={panel}
      className="comments-panel"
      aria-label={texts.title}
      onKeyDown={(event) => {
        // The canvas listens to single keys everywhere.
        event.stopPropagation()
        if (event.key === 'Escape') (selected === null && draft === null ? close : () => back(comments))()
      }}
    >
      <header>
        {(selected !== null || draft !== null) && (
          <button
            type="button"
            className="quiet square"
            aria-label={texts.back}
            onClick={() => back(comments)}
          >
            <Icon name="back" />
          </button>
        )}
        <h2 ref={heading} tabIndex={-1}>
          {draft === null ? texts.title : texts.newThread}
        </h2>
        <span className="grow" />
        <button type="button" className="quiet square" aria-label={texts.close} onClick={close}>
          <Icon name="close" />
        </button>
      </header>
      {draft !== null ? (
        <Composer
          key="new"
          boardId={comments.boardId}
          label={texts.newThread}
          action={texts.send}
          shelf={comments.shelf}
          draftKey={storeKey(comments.boardId, comments.principal, 'draft:new')}
          autoFocus
          onSend={(written) => {
            const id = store.write({ ...draft, ...written, threadId: null })
            comments.select(id)
          }}
          onCancel={() => back(comments)}
        />
      ) : waiting !== undefined ? (
        <WaitingView entry={waiting} comments={comments} />
      ) : thread !== undefined ? (
        <ThreadView key={thread.id} thread={thread} comments={comments} />
      ) : selected !== null && state.isLoaded ? (
        <Sent comments={comments} />
      ) : (
        <ThreadList comments={comments} />
      )}
    </aside>
  )
}

const back = ({ select, setDraft }: Comments) => {
  select(null)
  setDraft(null)
}

/** A waiting entry with a temporary id is now on the server, with another id. */
const Sent = ({ comments }: { comments: Comments }) => {
  const { state, selected, select } = comments
  const thread = state.threads.find(({ client_id }) => client_id !== null && client_id === selected)
  const id = thread?.id
  useEffect(() => {
    if (id !== undefined) select(id)
  }, [id, select])
  return <p className="nothing">{texts.noThread}</p>
}

const ThreadList = ({ comments }: { comments: Comments }) => {
  const { state } = comments
  const [filter, setFilter] = useState<Filter>('open')
  const [shown, setShown] = useState(perPage)
  const matching = state.threads.filter((thread) => matches(thread, filter))
  const newest = [...matching].sort((a, b) => (a.last_comment_at < b.last_comment_at ? 1 : -1))
  return (
    <>
      <fieldset className="filters" aria-label={texts.title}>
        {filters.map((one) => (
          <button
            key={one}
            type="button"
            className="quiet"
            aria-pressed={one === filter}
            onClick={() => {
              setFilter(one)
              setShown(perPage)
            }}
          >
            {texts.filters[one]}
          </button>
        ))}
      </fieldset>
      <label className="shows-resolved">
        <input
          type="checkbox"
          checked={comments.showsResolved}
          onChange={({ target }) => comments.setShowsResolved(target.checked)}
        />
        {texts.showResolved}
      </label>
      {state.problem !== null && (
        <p className="problem" role="alert">
          {state.problem}
        </p>
      )}
      {filter === 'open' &&
        state.waiting
          .filter(({ threadId }) => threadId === null)
          .map((entry) => (
            <button
              key={entry.id}
              type="button"
              className="thread-card"
              onClick={() => comments.select(entry.id)}
            >
              <span className="excerpt">{entry.body}</span>
              <span className="meta">
                {entry.refused === null ? texts.waiting : texts.refused(entry.refused)}
              </span>
            </button>
          ))}
      {newest.length === 0 && (
        <p className="nothing">
          {!state.isLoaded && state.problem === null
            ? texts.loading
            : filter === 'open' && !comments.mayComment
              ? texts.noneReading
              : texts.none[filter]}
        </p>
      )}
      <ul className="threads">
        {newest.slice(0, shown).map((thread) => (
          <li key={thread.id}>
            <button type="button" className="thread-card" onClick={() => comments.select(thread.id)}>
              <span className="who">
                <strong>{thread.created_by_name}</strong>
                {thread.created_by.startsWith('guest:') && <span className="tag">{texts.guest}</span>}
                {thread.created_by.startsWith('agent:') && <span className="tag">{texts.agent}</span>}
                <time dateTime={thread.last_comment_at} title={atTime(thread.last_comment_at)}>
                  {ago(thread.last_comment_at)}
                </time>
              </span>
              <span className="excerpt">{excerptOf(thread)}</span>
              <span className="meta">
                {texts.comments(thread.comment_count)}
                {thread.unread_count > 0 && (
                  <span className="unread">{texts.unread(thread.unread_count)}</span>
                )}
              </span>
            </button>
          </li>
        ))}
      </ul>
      {newest.length > shown && (
        <button type="button" className="quiet" onClick={() => setShown(shown + perPage)}>
          {texts.more}
        </button>
      )}
    </>
  )
}

const excerptOf = ({ comments }: ThreadResponse): string => {
  const living = comments.find(({ deleted_at }) => deleted_at === null)
  const plain = living?.body.slice(0, 200).replace(/(\*\*|~~|`)(.+?)\1/gs, '$2')
  return plain ?? texts.deletedBy(comments[0]?.deleted_by_name ?? '')
}

function matches(thread: ThreadResponse, filter: Filter): boolean {
  switch (filter) {
    case 'open':
      return !thread.resolved && thread.comment_count > 0
    case 'resolved':
      return thread.resolved || thread.comment_count === 0
    case 'unread':
      return thread.unread_count > 0
    case 'mine':
      return thread.mine
  }
}
