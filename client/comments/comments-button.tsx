// Comments in the bar above the board: the tool, and the panel with its number of unread comments.
import { texts } from '../texts/comments.ts'
import { Icon } from '../ui/icons.tsx'
import type { Comments } from './use-comments.ts'

export const CommentsButtons = ({ comments }: { comments: Comments }) => {
  const unread = comments.state.threads.filter(({ unread_count }) => unread_count > 0).length
  return (
    <>
      {comments.mayComment && (
        <button
          type="button"
          className="quiet square"
          aria-label={texts.tool}
          title={texts.tool}
          aria-keyshortcuts="C"
          aria-pressed={comments.isPlacing}
          onClick={() => comments.setPlacing(!comments.isPlacing)}
        >
          <Icon name="addComment" />
        </button>
      )}
      <button
        type="button"
        className="quiet square comments-button"
        aria-label={unread > 0 ? texts.openUnread(unread) : texts.open}
        title={texts.title}
        aria-expanded={comments.isOpen}
        onClick={() => comments.setOpen(!comments.isOpen)}
      >
        <Icon name="comments" />
        {unread > 0 && (
          <span className="count" aria-hidden="true">
            {unread > 99 ? '99+' : unread}
          </span>
        )}
      </button>
    </>
  )
}
