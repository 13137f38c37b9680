// Who may do what on a board, why, and who is on it: granting and removing access in one place.
import { useState } from 'react'
import type { AccessRequestResponse } from '../../shared/api/folders.ts'
import type { BoardResponse } from '../../shared/api.ts'
import { Link } from '../router.tsx'
import { requestTexts } from '../texts/requests.ts'
import { shareTexts as texts } from '../texts/sharing.ts'
import './share.css'
import { Dialog } from '../ui/dialog.tsx'
import { Tabs } from '../ui/tabs.tsx'
import { AccessRequests } from './access-requests.tsx'
import type { Moderating } from './moderation.tsx'
import { ShareHere } from './share-here.tsx'
import { ShareLinks } from './share-links.tsx'
import { SharePeople } from './share-people.tsx'

export type ShareTab = 'people' | 'links' | 'here' | 'requests'
const tabs: Record<ShareTab, string> = {
  ...texts.tabs,
  requests: requestTexts.tab,
}

interface ShareDialogProps {
  boardId: string
  board: BoardResponse | null
  /** Our own connection: nobody disconnects themselves. */
  ownId: string | null
  /** If the board is open behind the dialog. */
  moderating?: Moderating | null
  requests?: readonly AccessRequestResponse[]
  tab?: ShareTab
  onRequestAnswered?: () => void
  onClose: () => void
}

export const ShareDialog = (props: ShareDialogProps) => {
  const {
    boardId,
    board,
    ownId,
    requests = [],
    moderating = null,
    onRequestAnswered = () => {},
    onClose,
  } = props
  const [tab, setTab] = useState<ShareTab>(props.tab ?? 'people')
  const keys = (Object.keys(tabs) as ShareTab[]).filter(
    (key) => key !== 'requests' || requests.length > 0 || tab === 'requests',
  )
  return (
    <Dialog title={texts.title} size="wide" onClose={onClose}>
      <div className="tabs">
        <Tabs
          label={texts.title}
          items={keys.map((key) => ({
            key,
            label: key === 'requests' ? `${tabs[key]} (${requests.length})` : tabs[key],
          }))}
          chosen={tab}
          onChoose={setTab}
        />
        <span className="grow" />
        <Link href={`/boards/${boardId}/audit`} className="hint">
          {texts.audit}
        </Link>
      </div>
      <div role="tabpanel" aria-label={tabs[tab]}>
        {tab === 'people' && <SharePeople boardId={boardId} board={board} />}
        {tab === 'links' && <ShareLinks boardId={boardId} />}
        {tab === 'here' && <ShareHere boardId={boardId} ownId={ownId} moderating={moderating} />}
        {tab === 'requests' && (
          <AccessRequests boardId={boardId} requests={requests} onAnswered={onRequestAnswered} />
        )}
      </div>
    </Dialog>
  )
}
