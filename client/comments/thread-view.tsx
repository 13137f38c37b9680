// One thread: its comments and authors; replying, resolving, and what authors and managers may do with a comment.
import { useMemo, useState } from 'react'
import type { CommentResponse, ThreadResponse } from '../../shared/api/comments.ts'
import { texts } from '../texts/comments.ts'
import { ago, atTime } from '../texts/format.ts'
import { copyText } from '../ui/copy.ts'
import { Confirm } from '../ui/dialog.tsx'
import { Icon } from '../ui/icons.tsx'
import { showProblem, showToast } from '../ui/toast.tsx'
import { Body } from './body.tsx'
import { Composer } from './composer.tsx'
import type { Waiting } from './outbox.ts'
import { storeKey } from './store.ts'
import { type Comments, linkTo } from './use-comments.ts'

export const ThreadView = ({ thread, comments }: { thread: ThreadResponse; comments: Comments }) => {
  const { store, boardId, principal, shelf, mayComment } = comments
  const waiting = comments.state.waiting.filter(({ threadId }) => threadId === thread.id)
  return (
    <>
      <div className="thread-actions">
        {mayComment && (
          <button
            type="button"
            onClick={() => void store.resolve(thread.id, !thread.resolved).catch(showProblem)}
          >
            <Icon name={thread.resolved ? 'restore' : 'check'} />{' '}
            {thread.resolved ? texts.reopen : texts.resolve}
          </button>
        )}
        <button
          type="button"
          className="quiet"
          onClick={() => {
            void copyText(linkTo(boardId, thread.id)).then((isCopied) =>
              showToast(isCopied ? texts.copied : linkTo(boardId, thread.id)),
            )
          }}
        >
          <Icon name="link" /> {texts.copyLink}
        </button>
      </div>
      {thread.resolved && <p className="resolved-by">{texts.resolvedBy(thread.resolved_by_name ?? '')}</p>}
      {isElementGone(thread, comments) && <p className="resolved-by">{texts.elementGone}</p>}
      <ol className="thread" aria-live="polite">
        {thread.comments.map((comment) => (
          <Comment key={comment.id} comment={comment} comments={comments} />
        ))}
        {waiting.map((entry) => (
          <WaitingComment key={entry.id} entry={entry} comments={comments} />
        ))}
      </ol>
      {mayComment && (
        <Composer
          boardId={boardId}
          label={texts.answer}
          action={texts.send}
          shelf={shelf}
          draftKey={storeKey(boardId, principal, `draft:${thread.id}`)}
          onSend={(written) => store.write({ ...written, threadId: thread.id, anchor: null, place: null })}
        />
      )}
    </>
  )
}

/** A thread that waits to be sent can be replied to like any other. */
export const WaitingView = ({ entry, comments }: { entry: Waiting; comments: Comments }) => {
  const answers = comments.state.waiting.filter(({ threadId }) => threadId === entry.id)
  return (
    <>
      <ol className="thread">
        {[entry, ...answers].map((one) => (
          <WaitingComment key={one.id} entry={one} comments={comments} />
        ))}
      </ol>
      <Composer
        boardId={comments.boardId}
        label={texts.answer}
        action={texts.send}
        shelf={comments.shelf}
        draftKey={storeKey(comments.boardId, comments.principal, `draft:${entry.id}`)}
        onSend={(written) =>
          comments.store.write({ ...written, threadId: entry.id, anchor: null, place: null })
        }
      />
    </>
  )
}

const isElementGone = ({ anchor }: ThreadResponse, { excalidraw }: Comments): boolean =>
  anchor.element_id !== undefined &&
  excalidraw?.getSceneElementsIncludingDeleted().find(({ id }) => id === anchor.element_id)?.isDeleted ===
    true

const Comment = ({ comment, comments }: { comment: CommentResponse; comments: Comments }) => {
  const { store, boardId, principal, shelf } = comments
  const [doing, setDoing] = useState<'edit' | 'delete' | null>(null)
  const names = useMemo(() => comment.mentions.map(({ name }) => name), [comment.mentions])
  const isOwn = comment.author === principal
  if (comment.deleted_at !== null) {
    return (
      <li className="comment is-deleted">
        <p>{texts.deletedBy(comment.deleted_by_name ?? '')}</p>
      </li>
    )
  }
  return (
    <li className="comment">
      <p className="who">
        <strong>{comment.author_name}</strong>
        {comment.author.startsWith('agent:') && <span className="tag">{texts.agent}</span>}
        {comment.author.startsWith('guest:') && (
          <span className="tag" title={comment.author_label ?? undefined}>
            {texts.guest}
          </span>
        )}
        <time dateTime={comment.created_at} title={atTime(comment.created_at)}>
          {ago(comment.created_at)}
        </time>
        {comment.edited_at !== null && <span title={atTime(comment.edited_at)}>({texts.edited})</span>}
      </p>
      {doing === 'edit' ? (
        <Composer
          boardId={boardId}
          label={texts.edit}
          action={texts.save}
          shelf={shelf}
          draftKey={storeKey(boardId, principal, `edit:${comment.id}`)}
          value={comment}
          autoFocus
          onSend={({ body, mentions }) => {
            setDoing(null)
            store
              .edit(
                comment,
                body,
                mentions.map(({ id }) => id),
              )
              .catch(showProblem)
          }}
          onCancel={() => setDoing(null)}
        />
      ) : (
        <Body body={comment.body} names={names} />
      )}
      {doing === null && ((isOwn && comments.mayComment) || comments.mayManage) && (
        <p className="comment-actions">
          {isOwn && (
            <button type="button" className="quiet" onClick={() => setDoing('edit')}>
              {texts.edit}
            </button>
          )}
          <button type="button" className="quiet" onClick={() => setDoing('delete')}>
            {texts.remove}
          </button>
        </p>
      )}
      {doing === 'delete' && (
        <Confirm
          title={texts.removeSure}
          text={texts.removeText}
          action={texts.remove}
          onClose={() => setDoing(null)}
          onDone={() => {
            setDoing(null)
            store.remove(comment).catch(showProblem)
          }}
        />
      )}
    </li>
  )
}

const WaitingComment = ({ entry, comments }: { entry: Waiting; comments: Comments }) => {
  const names = useMemo(() => entry.mentions.map(({ name }) => name), [entry.mentions])
  return (
    <li className="comment is-waiting">
      <Body body={entry.body} names={names} />
      {entry.refused === null ? (
        <p className="meta">{texts.waiting}</p>
      ) : (
        <>
          <p className="problem" role="alert">
            {texts.refused(entry.refused)}
          </p>
          <p className="comment-actions">
            <button type="button" className="quiet" onClick={() => comments.store.retry(entry.id)}>
              {texts.retry}
            </button>
            <button type="button" className="quiet" onClick={() => comments.store.discard(entry.id)}>
              {texts.discard}
            </button>
          </p>
        </>
      )}
    </li>
  )
}
