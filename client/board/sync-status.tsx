// Whether what one sees is safe: saved means committed to the server's database.
import { mayWrite } from '../../shared/levels.ts'
import type { SessionState } from '../session-state.ts'

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
      return { kind: 'saving', text: 'Connecting', title: 'Waiting for the server.' }
    case 'opening':
      return { kind: 'saving', text: 'Opening', title: 'The drawing is here and about to be shown.' }
    case 'offline':
      return {
        kind: 'offline',
        text:
          sync.changes === 0
            ? 'Offline'
            : `Offline, ${sync.changes} ${sync.changes === 1 ? 'change' : 'changes'} kept`,
        title:
          'The server cannot be reached. You can keep working: changes are kept on this device and sent later.',
      }
    case 'saving':
    case 'saved': {
      if (!mayWrite(level)) {
        const title =
          hello?.reason === 'board_full'
            ? 'This board has reached its size limit.'
            : level === 'comment'
              ? 'You can view and comment, but not change the drawing.'
              : 'You can view this board, but not change it.'
        return { kind: 'read', text: 'Read-only', title }
      }
      return sync.name === 'saved' && !isUploading
        ? { kind: 'saved', text: 'Saved', title: 'Everything is committed to the database.' }
        : { kind: 'saving', text: 'Saving', title: 'On its way to the database.' }
    }
  }
}
