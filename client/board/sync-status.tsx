// Whether the visible state is safe: saved means committed to the server's database.

import { mayWrite } from '../../shared/levels.ts'
import type { SessionState } from '../session-state.ts'
import { syncTexts as texts } from '../texts/board.ts'

export const SyncStatus = ({ state, isUploading }: { state: SessionState; isUploading: boolean }) => {
  const { kind, text, title } = statusOf(state, isUploading)
  return (
    <span className={`sync ${kind}`} role="status" title={title} data-testid="sync">
      <span className="dot" />
      <span className="sync-text">{text}</span>
    </span>
  )
}

const statusOf = ({ sync, level, hello }: SessionState, isUploading: boolean) => {
  switch (sync.name) {
    case 'connecting':
      return { kind: 'saving', text: texts.connecting, title: texts.connectingHint }
    case 'opening':
      return { kind: 'saving', text: texts.opening, title: texts.openingHint }
    case 'offline':
      return {
        kind: 'offline',
        text: texts.offline(sync.changes, sync.isKept),
        title: !mayWrite(level)
          ? texts.offlineViewHint
          : sync.isKept
            ? texts.offlineHint
            : texts.offlineHereHint,
      }
    case 'saving':
    case 'saved': {
      if (!mayWrite(level)) {
        const title =
          hello?.reason === 'board_full'
            ? texts.fullHint
            : level === 'comment'
              ? texts.commentHint
              : texts.viewHint
        return { kind: 'read', text: texts.readOnly, title }
      }
      return sync.name === 'saved' && !isUploading
        ? { kind: 'saved', text: texts.saved, title: texts.savedHint }
        : { kind: 'saving', text: texts.saving, title: texts.savingHint }
    }
  }
}
