// Disconnecting somebody from the board: if they have access of their own, the dialog asks whether to remove it too.
import type { ConnectionResponse } from '../../shared/api.ts'
import * as api from '../api.ts'
import { personTexts as texts } from '../texts/sharing.ts'
import { Dialog } from '../ui/dialog.tsx'
import { showProblem, showToast } from '../ui/toast.tsx'

interface SendAwayProps {
  boardId: string
  connection: ConnectionResponse
  onClose: () => void
}

export const SendAway = ({ boardId, connection, onClose }: SendAwayProps) => {
  const { id, principal, reason } = connection
  const { name } = principal
  const isByLink = principal.kind === 'guest' || reason === 'link'
  const hasOwn = principal.kind === 'user' && reason === 'permission'

  const disconnect = () =>
    api.disconnect(boardId, id).then(() => {
      showToast(isByLink ? texts.out(name) : texts.away(name))
      onClose()
    }, showProblem)
  const remove = () =>
    api
      .removePerson(boardId, principal.id)
      // The server closes the connection itself; repeated in case the person has access for other reasons.
      .then(() => api.disconnect(boardId, id).catch(() => {}))
      .then(() => {
        showToast(texts.out(name))
        onClose()
      }, showProblem)

  return (
    <Dialog title={texts.sendAwayTitle(name)} onClose={onClose}>
      <p>
        {isByLink ? texts.sendAwayGuest(name) : hasOwn ? texts.sendAwayText(name) : texts.sendAwayOther(name)}
      </p>
      <div className="actions end">
        <button type="button" className={hasOwn ? '' : 'primary danger'} data-first onClick={disconnect}>
          {hasOwn ? texts.disconnectOnly : texts.sendAway}
        </button>
        {hasOwn && (
          <button type="button" className="primary danger" onClick={remove}>
            {texts.withAccess}
          </button>
        )}
      </div>
    </Dialog>
  )
}
