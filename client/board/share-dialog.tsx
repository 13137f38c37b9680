// Who may do what on a board, why, and who is here: handed out and taken back in one place.
import { useState } from 'react'
import type { BoardResponse } from '../../shared/api.ts'
import { Link } from '../router.tsx'
import { Dialog } from '../ui/dialog.tsx'
import { ShareHere } from './share-here.tsx'
import { ShareLinks } from './share-links.tsx'
import { SharePeople } from './share-people.tsx'

const tabs = { people: 'People', links: 'Links', here: 'Here now' } as const

interface ShareDialogProps {
  boardId: string
  board: BoardResponse | null
  /** Our own connection: nobody sends themselves away. */
  ownId: string | null
  onClose: () => void
}

export const ShareDialog = ({ boardId, board, ownId, onClose }: ShareDialogProps) => {
  const [tab, setTab] = useState<keyof typeof tabs>('people')
  return (
    <Dialog title="Share" size="wide" onClose={onClose}>
      <div className="tabs" role="tablist">
        {(Object.keys(tabs) as (keyof typeof tabs)[]).map((key) => (
          <button key={key} type="button" role="tab" aria-selected={tab === key} onClick={() => setTab(key)}>
            {tabs[key]}
          </button>
        ))}
        <span className="grow" />
        <Link href={`/boards/${boardId}/audit`} className="hint">
          Audit trail
        </Link>
      </div>
      <div role="tabpanel">
        {tab === 'people' && <SharePeople boardId={boardId} board={board} />}
        {tab === 'links' && <ShareLinks boardId={boardId} />}
        {tab === 'here' && <ShareHere boardId={boardId} ownId={ownId} />}
      </div>
    </Dialog>
  )
}
